"""Figures by matplotlib, on request: for reports and slides, not for pages (43 ms against 0.2 ms a chart)."""

import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ledger.analysis.comparing.comparable import data_of_curve
from ledger.errors import NotFound
from ledger.model.entries import StoredRun
from ledger.publish.charts.charts import Line
from ledger.publish.charts.curve_panels import axis_of, line_of, read_points
from ledger.publish.text import one_line, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#0b6b57", "#c2410c", "#3b5bdb", "#a21caf", "#876800", "#0e7490", "#b42318", "#4b5563")
"""The line colours of the site's light theme."""
_DASHES = ("-", "--", ":")

_SETTINGS: Any = {  # `Any`: the names of all settings are a type of 250 literals
    "svg.hashsalt": "ledger",  # element ids are random without it, and the same curves would give other bytes
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with two dollar signs is a name, not mathematics
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dfe4e0",
    "axes.edgecolor": "#c3ccc7",
}


def render_comparison(
    runs: Sequence[StoredRun],
    read_blob: Callable[[str], bytes],
    series: list[str],
    *,
    kind: Literal["svg", "png"] = "svg",
) -> bytes:
    """Return one picture with a chart per series and a line per run; the same runs give the same bytes.

    Args:
        runs: the runs, in the order of the legend.
        read_blob: git blob id to its bytes.
        series: names of the series; empty for every series that two runs share, else all.
        kind: format of the picture.

    Raises:
        NotFound: no run logged any of the series.
        InvalidDocument: the curves of a run are damaged.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    lines = chart_lines(runs, read_blob, series)
    styles = {run.record.id: _style(slot) for slot, run in enumerate(runs)}
    with mpl.rc_context(_SETTINGS):
        columns = 1 if len(lines) == 1 else 2
        rows = math.ceil(len(lines) / columns)
        figure = Figure(figsize=(5.2 * columns, 3.1 * rows + 0.5), layout="constrained")
        for index, (name, (axis, members)) in enumerate(lines.items()):
            chart = figure.add_subplot(rows, columns, index + 1)
            for run_id, line in members:
                chart.plot(line.xs, line.ys, label=run_id, linewidth=1.4, **styles[run_id])
            chart.set_title(one_line(name, 60), loc="left", fontweight="bold")
            chart.set_xlabel(axis)
        _add_legend(figure, runs)
        buffer = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(buffer, format=kind, dpi=150, metadata=metadata)
    return buffer.getvalue()


def chart_lines(
    runs: Sequence[StoredRun], read_blob: Callable[[str], bytes], series: list[str]
) -> dict[str, tuple[str, list[tuple[str, Line]]]]:
    """Return, for each series on each dataset, the axis and each run's line.

    Lines of runs that were measured on different data are in different charts.
    """
    points = {run.record.id: read_points(run, read_blob) for run in runs}
    logged = {run_id: {name for point in each for name in point.values} for run_id, each in points.items()}
    every = sorted(set().union(*logged.values()))
    shared = [name for name in every if sum(name in names for names in logged.values()) > 1]
    drawn: dict[str, tuple[str, list[tuple[str, Line]]]] = {}
    for name in series or shared or every:
        used = {run.record.id: data_of_curve(run, name) for run in runs if name in logged[run.record.id]}
        contents = dict.fromkeys(use.hash if use else None for use in used.values())
        for content in contents:
            on = {run_id: use for run_id, use in used.items() if (use.hash if use else None) == content}
            axes = {run_id: axis_of(points[run_id]) for run_id in on}
            members = [(run_id, line_of(points[run_id], places, name)) for run_id, (_, places) in axes.items()]
            label = next((use.label for use in on.values() if use), "unknown data")
            title = f"{name} on {label}" if len(contents) > 1 else name
            if title in drawn:  # other content under the same name
                title += f" ({content or ''})"
            drawn[title] = (" / ".join(sorted({axis for axis, _ in axes.values()})), members)
    if not drawn:
        wanted = ", ".join(series) or "any series"
        has = f"they logged {', '.join(visible(name) for name in every[:12])}" if every else "they kept no curves"
        raise NotFound(f"none of these runs logged: `{wanted}`", hint=has)
    return drawn


def _style(slot: int) -> dict[str, Any]:  # `Any`: keyword arguments of matplotlib, each with a type of its own
    return {"color": _COLOURS[slot % len(_COLOURS)], "linestyle": _DASHES[slot // len(_COLOURS) % len(_DASHES)]}


def _add_legend(figure: "Figure", runs: Sequence[StoredRun]) -> None:
    handles: dict[str, Any] = {}  # `Any`: whatever artists matplotlib draws in a legend
    for chart in figure.axes:
        for handle, label in zip(*chart.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    names = {run.record.id: f"{run.record.id}  {one_line(run.record.experiment, 30)}" for run in runs}
    labels = [names[label] for label in handles]
    figure.legend(list(handles.values()), labels, loc="outside lower left", ncols=2, frameon=False)
