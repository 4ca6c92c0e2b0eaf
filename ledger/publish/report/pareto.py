"""What better costs: the metric of each setting against money, time and size, with the Pareto front."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ledger.analysis.comparing.report import ReportRow, ReportTable
from ledger.analysis.judging.means import mean
from ledger.analysis.judging.pareto import Choice, front_of, takes_of
from ledger.model.entries import StoredRun
from ledger.publish.report.figure import (
    MOST_SETTINGS,
    WIDE,
    Drawn,
    drawable,
    label,
    look_of,
    new_figure,
    rows_drawn,
    short_name,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS = 3
"""Most panels side by side."""
_ORDER = ("cost", "latency", "parameters", "model", "duration", "memory", "gpu")
"""Quantities in the order in which they are chosen."""
_LOGARITHMIC_FROM = 20.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""
_Points = list[tuple[int, ReportRow, float]]


def draw_pareto(table: ReportTable, runs: Mapping[str, StoredRun]) -> Drawn | str:
    """Return the metric against what the settings take, or why there is no such figure."""
    if table.direction is None:
        return "nobody recorded which values are better"
    shown, more = rows_drawn(table.rows, MOST_SETTINGS)
    takes = {place: _takes([runs[name] for name in row.runs]) for place, row in shown}
    panels: dict[str, _Points] = {}
    for name in sorted({name for one in takes.values() for name in one}, key=_rank):
        points = [(place, row, takes[place][name]) for place, row in shown if drawable(takes[place].get(name))]
        if len({value for _, _, value in points}) > 1:
            panels[name] = points
    if not panels:
        return "no two settings have a different cost, latency, size or duration"
    chosen = dict(list(panels.items())[:_PANELS])
    figure = new_figure(WIDE if len(chosen) > 1 else 5.0, 3.0)
    first: Axes | None = None
    for index, (name, points) in enumerate(chosen.items()):
        axes = figure.add_subplot(1, len(chosen), index + 1, sharey=first)
        _draw(axes, name, points, table.direction, named=len(chosen) == 1)
        if first is None:
            axes.set_ylabel(label(table.group.key))
            first = axes
        else:
            axes.tick_params(labelleft=False)
    caption = (
        f"{table.group.label} against {_listed(chosen)}; each is the mean over the runs of a setting. The line joins"
        f" the Pareto front of each panel: no other setting is as good and takes less.{more}"
    )
    return Drawn(figure, caption, tuple(run for _, row in shown for run in row.runs))


def _takes(runs: Sequence[StoredRun]) -> dict[str, float]:
    """Return what runs took, and the latency of their models."""
    latencies = [run.record.model.latency_seconds for run in runs]
    known = [value for value in latencies if value is not None and drawable(value)]
    return takes_of(runs) | ({"latency (s)": mean(known)} if known else {})


def _rank(name: str) -> tuple[int, str]:
    word = name.partition(" ")[0]
    return _ORDER.index(word) if word in _ORDER else len(_ORDER), name


def _listed(names: Mapping[str, _Points]) -> str:
    return " and ".join(", ".join(label(name) for name in names).rsplit(", ", 1))


def _draw(axes: "Axes", name: str, points: _Points, direction: str, *, named: bool) -> None:
    sign = 1 if direction == "higher" else -1
    choices = [Choice(run=row.runs[0], metric=sign * (row.mean or 0), takes={name: value}) for _, row, value in points]
    front = set(front_of(0, 0, choices).front)
    for place, row, value in points:
        look, on = look_of(place), row.runs[0] in front
        axes.plot(
            [value], [row.mean or 0], color=look.color, marker=look.marker, linestyle="none", markersize=6,
            markerfacecolor=look.color if on else "white", markeredgewidth=1.2, zorder=3,
        )  # fmt: skip
    best = sorted(
        ((value, sign * (row.mean or 0), row) for _, row, value in points if row.runs[0] in front), key=lambda p: p[:2]
    )
    axes.plot(
        [value for value, _, _ in best], [sign * mean for _, mean, _ in best], color="#6E6E6E", linestyle="-",
        marker="", linewidth=1, drawstyle="steps-post", zorder=1,
    )  # fmt: skip
    values = [value for _, _, value in points]
    if min(values) > 0 and max(values) / min(values) >= _LOGARITHMIC_FROM:
        axes.set_xscale("log")
    axes.margins(0.12)
    axes.set_xlabel(label(name))
    shown = best if named else best[-1:]
    for value, mean_of, row in shown:
        axes.annotate(
            short_name(row, 28), (value, sign * mean_of), xytext=(-5, -11), textcoords="offset points", fontsize=7,
            ha="right",
        )  # fmt: skip
