"""What better costs: the metric of each setting against money, time and size, with the Pareto front."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ledger.analysis.comparing.report import ReportRow, ReportTable
from ledger.analysis.judging.trade_offs import SettingMean, TradeOff, trade_offs
from ledger.model.entries import StoredRun
from ledger.publish.charts.axes import LARGEST
from ledger.publish.report.figure import (
    COLUMN,
    MOST_LINES,
    MOST_SETTINGS,
    MUTED,
    WIDE,
    Drawn,
    Look,
    label,
    look_of,
    new_figure,
    plain_ticks,
    rows_drawn,
    short_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NARROW = 34
"""Most characters of names of which two fit beside each other."""
_PANELS = 3
"""Most panels side by side."""
_LOGARITHMIC_FROM = 20.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""
_OTHER = Look(color="#A0A0A0", marker="o", dash="-")


def draw_pareto(table: ReportTable, runs: Mapping[str, StoredRun]) -> Drawn | str:
    """Return the metric against what the settings take, or why there is no such figure."""
    from matplotlib.lines import Line2D

    if table.direction is None:
        return "nobody recorded which values are better"
    shown, more = rows_drawn(table.rows, MOST_SETTINGS)
    means = [SettingMean(row.runs, row.mean or 0.0) for _, row in shown]
    offs = trade_offs(means, runs, table.direction, below=LARGEST)
    if not offs:
        return "no two settings have a different cost, latency, size or duration"
    chosen = {off.quantity: off for off in offs[:_PANELS]}
    fronts = {place for off in chosen.values() for place in (shown[one.setting][0] for one in off.front)}
    # With more settings than looks, those on a front have one, and all others are grey.
    named = [place for place, _ in shown if len(shown) <= MOST_LINES or place in fronts]
    looks = {place: look_of(at) for at, place in enumerate(named[:MOST_LINES])}
    entries = [(looks[place], row) for place, row in shown if place in looks]
    legend = short_names([row for _, row in entries], 42) + ["other settings"] * (len(looks) < len(shown))
    columns = 2 if max(map(len, legend)) <= _NARROW else 1
    figure = new_figure(WIDE if len(chosen) > 1 else COLUMN, 2.7 + 0.19 * math.ceil(len(legend) / columns))
    first: Axes | None = None
    for index, off in enumerate(chosen.values()):
        axes = figure.add_subplot(1, len(chosen), index + 1, sharey=first)
        _draw(axes, off, shown, looks)
        if first is None:
            axes.set_ylabel(label(table.group.key))
            first = axes
        else:
            axes.tick_params(labelleft=False)
    dots = [Line2D([], [], **_dot(look, filled=True)) for look, _ in entries]
    dots += [Line2D([], [], **_dot(_OTHER, filled=False))] * (len(dots) < len(legend))
    figure.legend(dots, legend, loc="outside lower left", ncols=columns)
    caption = (
        f"{table.group.label} against {_listed(chosen)}; each point is the mean over the runs of a setting. Filled"
        f" points and the line are the Pareto front of each panel: no other setting is as good and takes less.{more}"
    )
    return Drawn(figure, caption, tuple(run for _, row in shown for run in row.runs))


def _listed(names: Iterable[str]) -> str:
    return " and ".join(", ".join(label(name) for name in names).rsplit(", ", 1))


def _draw(axes: "Axes", off: TradeOff, shown: Sequence[tuple[int, ReportRow]], looks: Mapping[int, Look]) -> None:
    axes.plot(
        [one.value for one in off.front],
        [shown[one.setting][1].mean or 0.0 for one in off.front],
        color=MUTED,
        linestyle="-",
        marker="",
        linewidth=1,
        drawstyle="steps-post",
        zorder=1,
    )
    for one in off.settings:
        place, row = shown[one.setting]
        look = looks.get(place, _OTHER)
        axes.plot([one.value], [row.mean or 0.0], **_dot(look, filled=one.on_front), zorder=3 if place in looks else 2)
    values = [one.value for one in off.settings]
    if min(values) > 0 and max(values) / min(values) >= _LOGARITHMIC_FROM:
        axes.set_xscale("log")
    axes.margins(0.1)
    plain_ticks(axes.xaxis)
    axes.set_xlabel(label(off.quantity))


def _dot(look: Look, *, filled: bool) -> dict[str, Any]:  # `Any`: keyword arguments of matplotlib, each with its type
    face = look.color if filled else "white"
    return {
        "color": look.color,
        "marker": look.marker,
        "linestyle": "none",
        "markersize": 6,
        "markerfacecolor": face,
        "markeredgewidth": 1.2,
    }
