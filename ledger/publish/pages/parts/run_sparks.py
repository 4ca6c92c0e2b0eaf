"""A learning curve for each run of a table, as small as a word: the series that the page draws first."""

import math
from collections.abc import Sequence

from markupsafe import Markup
from msgspec.structs import replace

from ledger.analysis.data.curves import Point, down_sample
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document
from ledger.publish.charts.axes import Frame, scale_of
from ledger.publish.charts.charts import path_data
from ledger.publish.charts.curve_panels import axis_of, line_of
from ledger.publish.pages.page import markup
from ledger.publish.pages.parts.experiment_curves import ReadPoints
from ledger.publish.text import escaped, short_number

ROWS_DRAWN = 200
"""Most rows of a table with curves: two nodes of a page each."""
POINTS_DRAWN = 64
"""Most points of a curve, which is 80 pixels wide."""
_WIDTH, _HEIGHT = 80, 18


class Sparks(Document, frozen=True, kw_only=True):
    """The curves of the runs of a table."""

    series: str
    """What they show."""
    by_run: dict[str, Markup]
    """The curve of each run that has one, by its id."""


def run_sparks(
    runs: Sequence[StoredRun], series: str | None, direction: Direction | None, points_of: ReadPoints
) -> Sparks | None:
    """Return the curves of the rows of a table; none where they are too many, or none has any.

    Args:
        runs: those in the table.
        series: the series to draw.
        direction: which of its values are better; none where nobody said, and then no value is named best.
        points_of: points of a run by its id.
    """
    if series is None or len(runs) > ROWS_DRAWN:
        return None
    having = [run for run in runs if run.record.results.curves and series in run.record.results.curves.series]
    drawn = ((run.record.id, _spark(points_of(run.record.id), series, direction)) for run in having)
    by_run = {name: spark for name, spark in drawn if spark is not None}
    return Sparks(series=series, by_run=by_run) if by_run else None


def _spark(points: Sequence[Point], series: str, direction: Direction | None) -> Markup | None:
    own = [replace(point, values={series: point.values[series]}) for point in points if series in point.values]
    thin = down_sample(own, POINTS_DRAWN)
    shown = line_of(thin, axis_of(thin)[1], series)
    known = [value for value in shown.ys if math.isfinite(value)]
    if not known:
        return None
    best = {"higher": max(known), "lower": min(known)}.get(direction or "")
    told = f"{short_number(known[0])} \N{RIGHTWARDS ARROW} {short_number(known[-1])}"
    said = escaped(f"{series}: {told}{f', best {short_number(best)}' if best is not None else ''}")
    frame = Frame(
        width=_WIDTH,
        height=_HEIGHT,
        x=scale_of(shown.xs, 2, _WIDTH - 2, pad=0),
        y=scale_of(known, _HEIGHT - 2, 2, pad=0),
    )
    return markup(
        f'<svg class="lg-spark lg-run-spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{said}">'
        f'<path d="{path_data(frame, shown.xs, shown.ys)}"/></svg>'
    )
