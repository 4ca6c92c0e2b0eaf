"""Panels with the learning curves of a run: one metric on different splits shares a chart."""

import math
from collections.abc import Callable, Sequence

import msgspec

from ledger.analysis.comparing.comparable import data_of_curve
from ledger.analysis.data.curves import Point, down_sample, load_curves
from ledger.errors import LedgerError
from ledger.model.entries import StoredRun
from ledger.model.paths import CURVES_FILE
from ledger.model.values import Document, number
from ledger.publish.charts.charts import Line, render_lines
from ledger.publish.text import visible

POINTS_SHOWN = 160
"""Most points of each run in a chart: more than it has pixels on a phone, 4 KB a run."""

PANELS_SHOWN = 24
"""Most panels on a page; a run that logs hundreds of series has them all in its record."""

_FIRST = ("loss", "accuracy", "acc", "error")
"""Panels that come first."""


class Panel(Document, frozen=True, kw_only=True):
    """One chart: lines that share a vertical axis."""

    title: str
    """What is measured."""
    names: tuple[str, ...]
    """Names of the lines, in the order of their colours."""
    svg: str
    """The chart."""


def read_points(run: StoredRun, read_blob: Callable[[str], bytes]) -> list[Point]:
    """Return the run's curves, down-sampled for drawing; none when it has none.

    Raises:
        LedgerError: the file of the curves is damaged.
    """
    blob = run.files.get(CURVES_FILE)
    if blob is None or run.record.results.curves is None:
        return []
    points = load_curves(read_blob(blob), f"{run.path}/{CURVES_FILE}")
    return down_sample(points, POINTS_SHOWN) if len(points) > POINTS_SHOWN else points


def axis_of(points: Sequence[Point]) -> tuple[str, list[float]]:
    """Return the axis of the points (steps, else epochs, seconds, their number), and the position of each."""
    for name in ("step", "epoch", "seconds"):
        places = [getattr(point, name) for point in points]
        if places and all(place is not None for place in places):
            return name, [float(place) for place in places]
    return "point", [float(index) for index in range(len(points))]


def line_of(points: Sequence[Point], places: Sequence[float], series: str, name: str | None = None) -> Line:
    """Return one series as a line over the positions at which it was logged."""
    pairs = zip(places, points, strict=True)
    logged = [(place, point.values[series]) for place, point in pairs if series in point.values]
    return Line(name=visible(name or series), xs=[x for x, _ in logged], ys=[y for _, y in logged])


def panels_of(points: Sequence[Point], headline: str | None) -> list[Panel]:
    """Return the panels of a run, the headline metric's first."""
    axis, places = axis_of(points)
    groups: dict[str, list[str]] = {}
    for series in sorted({name for point in points for name in point.values}):
        groups.setdefault(series.rpartition("/")[2], []).append(series)
    wanted = (headline or "").rpartition("/")[2]
    rank = {name: place for place, name in enumerate(_FIRST)}
    order = sorted(groups, key=lambda name: (name != wanted, rank.get(name, len(_FIRST)), name))
    panels = []
    for name in order[:PANELS_SHOWN]:
        lines = [line_of(points, places, series) for series in groups[name][:16]]
        svg = render_lines(lines, title="Learning curves", x_label=axis, y_label=visible(name))
        if svg:
            panels.append(Panel(title=name, names=tuple(line.name for line in lines), svg=svg))
    return panels


def encode_curves(run: StoredRun, points: Sequence[Point]) -> bytes:
    """Return the curves, and what each was measured on, as JSON for scripts."""
    series = sorted({name for point in points for name in point.values})
    columns = {
        "x": {
            name: [getattr(point, name) for point in points]
            for name in ("step", "epoch", "seconds")
            if points and all(getattr(point, name) is not None for point in points)
        },
        "series": {visible(name): [_short(point.values.get(name)) for point in points] for name in series},
        "on": {
            visible(name): [str(use.hash)[:19], visible(use.label)]
            for name in series
            if (use := data_of_curve(run, name))
        },
    }
    return msgspec.json.encode(columns)


def try_points(run: StoredRun, read_blob: Callable[[str], bytes]) -> tuple[list[Point], str | None]:
    """Return the points and, when they cannot be read, the reason: one damaged file never breaks the site."""
    try:
        return read_points(run, read_blob), None
    except (LedgerError, OSError) as error:
        return [], str(error)


def _short(value: float | None) -> float | str | None:
    """Return the value with five significant digits, finer than any screen; words for what JSON has no number for."""
    if value is None:
        return None
    rounded = float(f"{value:.5g}")
    return rounded if math.isfinite(rounded) else number(rounded)
