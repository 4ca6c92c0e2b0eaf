"""What better costs: the metric of each setting against money, time and size, with the Pareto front."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ledger.analysis.comparing.report import ReportRow, ReportTable
from ledger.analysis.judging.means import mean
from ledger.analysis.judging.pareto import Choice, front_of, takes_of
from ledger.model.entries import StoredRun
from ledger.publish.report.figure import (
    COLUMN,
    MOST_LINES,
    MOST_SETTINGS,
    MUTED,
    WIDE,
    Drawn,
    Look,
    drawable,
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
_ORDER = ("cost", "latency", "parameters", "model", "duration", "memory", "gpu")
"""Quantities in the order in which they are chosen."""
_LOGARITHMIC_FROM = 20.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""
_OTHER = Look(color="#A0A0A0", marker="o", dash="-")
_Points = list[tuple[int, ReportRow, float]]


def draw_pareto(table: ReportTable, runs: Mapping[str, StoredRun]) -> Drawn | str:
    """Return the metric against what the settings take, or why there is no such figure."""
    from matplotlib.lines import Line2D

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
    sign = 1 if table.direction == "higher" else -1
    fronts = {name: _front(name, points, sign) for name, points in chosen.items()}
    # With more settings than looks, those on a front have one, and all others are grey.
    named = [
        place for place, row in shown if len(shown) <= MOST_LINES or any(row.runs[0] in f for f in fronts.values())
    ]
    looks = {place: look_of(at) for at, place in enumerate(named[:MOST_LINES])}
    entries = [(looks[place], row) for place, row in shown if place in looks]
    legend = short_names([row for _, row in entries], 42) + ["other settings"] * (len(looks) < len(shown))
    columns = 2 if max(map(len, legend)) <= _NARROW else 1
    figure = new_figure(WIDE if len(chosen) > 1 else COLUMN, 2.7 + 0.19 * math.ceil(len(legend) / columns))
    first: Axes | None = None
    for index, (name, points) in enumerate(chosen.items()):
        axes = figure.add_subplot(1, len(chosen), index + 1, sharey=first)
        _draw(axes, name, points, fronts[name], looks)
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


def _front(name: str, points: _Points, sign: int) -> set[str]:
    choices = [Choice(run=row.runs[0], metric=sign * (row.mean or 0), takes={name: value}) for _, row, value in points]
    return set(front_of(0, 0, choices).front)


def _draw(axes: "Axes", name: str, points: _Points, front: set[str], looks: Mapping[int, Look]) -> None:
    best = sorted((value, row.mean or 0.0) for _, row, value in points if row.runs[0] in front)
    axes.plot(
        [value for value, _ in best],
        [mean_of for _, mean_of in best],
        color=MUTED,
        linestyle="-",
        marker="",
        linewidth=1,
        drawstyle="steps-post",
        zorder=1,
    )
    for place, row, value in points:
        look, on = looks.get(place, _OTHER), row.runs[0] in front
        axes.plot([value], [row.mean or 0.0], **_dot(look, filled=on), zorder=3 if place in looks else 2)
    values = [value for _, _, value in points]
    if min(values) > 0 and max(values) / min(values) >= _LOGARITHMIC_FROM:
        axes.set_xscale("log")
    axes.margins(0.1)
    plain_ticks(axes.xaxis)
    axes.set_xlabel(label(name))


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
