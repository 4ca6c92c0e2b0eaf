"""Learning curves of settings: the mean over seeds as a line, and the range of the seeds as a band."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ledger.analysis.comparing.comparable import data_of_curve
from ledger.analysis.comparing.report import ReportRow, ReportTable
from ledger.analysis.data.curve_bands import CurveBand, band_of
from ledger.errors import LedgerError
from ledger.model.entries import StoredRun
from ledger.publish.charts.curve_panels import axis_of, line_of, read_points
from ledger.publish.report.figure import (
    MOST_LINES,
    WIDE,
    Drawn,
    ReadBlob,
    direct_labels,
    label,
    look_of,
    new_figure,
    rows_drawn,
    short_names,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEWEST = 2
"""Fewest places of a line."""


def draw_curves(table: ReportTable, runs: Mapping[str, StoredRun], read_blob: ReadBlob) -> Drawn | str:
    """Return the learning curves of the best settings of a table, or why there are none."""
    lines: list[tuple[int, ReportRow, CurveBand]] = []
    axes_used: set[str] = set()
    drawn: list[str] = []
    usable, more = rows_drawn(table.rows, MOST_LINES)
    for place, row in usable:
        curves = []
        for name in row.runs:
            if (found := _curve(runs[name], table, read_blob)) is None:
                continue
            axes_used.add(found[0])
            curves.append(found[1:])
            drawn.append(name)
        band = band_of(curves)
        if band is not None and sum(not math.isnan(value) for value in band.mean) >= _FEWEST:  # NaN is a gap
            lines.append((place, row, band))
    if not lines:
        return f"no run has a curve of {table.group.key} that was measured on {table.group.dataset}"
    if len(axes_used) > 1:
        return f"the curves have different axes: {', '.join(sorted(axes_used))}"
    if len(lines) < len(usable):
        more = f" Of {len(usable)} settings {len(lines)} have such a curve.{more}"
    return Drawn(_draw(table, lines, axes_used.pop()), _caption(table, lines) + more, tuple(drawn))


def _curve(run: StoredRun, table: ReportTable, read_blob: ReadBlob) -> tuple[str, list[float], list[float]] | None:
    """Return the axis, places and values of a run's curve on the data of the table; none where it has none."""
    use = data_of_curve(run, table.group.key)
    if use is None or use.hash != table.group.dataset_hash:
        return None
    try:
        points = read_points(run, read_blob)
    except (LedgerError, OSError):
        return None
    axis, places = axis_of(points)
    line = line_of(points, places, table.group.key)
    return (axis, list(line.xs), list(line.ys)) if len(line.xs) >= _FEWEST else None


def _draw(table: ReportTable, lines: list[tuple[int, ReportRow, CurveBand]], axis: str) -> "Figure":
    figure = new_figure(WIDE, 3.4)
    axes = figure.add_subplot()
    ends = []
    names = dict(zip((place for place, _, _ in lines), short_names([row for _, row, _ in lines], 34), strict=True))
    for place, row, band in reversed(lines):
        look = look_of(place)
        if row.n > 1:
            axes.fill_between(band.xs, band.low, band.high, color=look.color, alpha=0.16, linewidth=0)
        every = max(1, len(band.xs) // 8)
        axes.plot(
            band.xs, band.mean, color=look.color, linestyle=look.dash, marker=look.marker,
            markevery=(place % every, every), markersize=4,
        )  # fmt: skip
        last = next(value for value in reversed(band.mean) if not math.isnan(value))
        ends.append((last, names[place], look.color))
    axes.margins(x=0.01)
    axes.set_ylim(*axes.get_ylim())
    direct_labels(axes, ends)
    axes.set_xlabel(axis)
    axes.set_ylabel(label(table.group.key))
    return figure


def _caption(table: ReportTable, lines: list[tuple[int, ReportRow, CurveBand]]) -> str:
    band = "Lines are means over seeds, bands reach from the smallest to the largest. " if _repeated(lines) else ""
    return f"Learning curves of {table.group.key} on {table.group.dataset}. {band}Values during training."


def _repeated(lines: list[tuple[int, ReportRow, CurveBand]]) -> bool:
    return any(row.n > 1 for _, row, _ in lines)
