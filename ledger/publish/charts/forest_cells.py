"""Settings of a leaderboard on one scale: a cell for each, with its runs, its mean and the interval of the mean.

One axis stands in the heading, so that cells can be read against each other down the column.
"""

import math
from collections.abc import Sequence
from statistics import median

from ledger.model.values import Document
from ledger.publish.charts.axes import LARGEST, Scale, tick_text
from ledger.publish.text import escaped

_WIDTH, _HEIGHT, _AXIS, _EDGE = 260, 16, 20, 10
"""Size of a cell, height of the axis, and room at both ends, in pixels."""
_DOTS = 40
"""Most runs of a setting that are drawn; a mean of more is told by its interval."""
_FAR = 6.0
"""Distances of the middle setting from the best beyond which a setting is an arrow at the edge: one that failed to
learn would press all others together."""


class Cell(Document, frozen=True, kw_only=True):
    """What is drawn of one setting."""

    values: Sequence[float]
    """Finite values of its runs."""
    mean: float
    """Their mean."""
    interval: tuple[float, float] | None
    """Interval of the mean; none where the noise is unknown."""
    leading: bool
    """Whether it may be the best."""


class Forest(Document, frozen=True, kw_only=True):
    """The pictures of a column."""

    axis: str
    """Axis for the heading."""
    cells: Sequence[str]
    """A picture for each setting."""
    off: int
    """Number of settings beyond the axis, drawn as an arrow."""


def render_forest(cells: Sequence[Cell], *, higher: bool) -> Forest | None:
    """Return the column; none where no axis shows the values: none is there, all are one, or they are too far apart."""
    means = [cell.mean for cell in cells]
    if not means or max(map(abs, means)) > LARGEST / 4:
        return None
    best, middle = (max(means) if higher else min(means)), median(means)
    reach = abs(best - middle) * _FAR
    near = [cell for cell in cells if not reach or abs(cell.mean - best) <= reach]
    seen = [value for cell in near for value in (cell.mean, *cell.values, *_whiskers(cell, near))]
    low, high = min(seen), max(seen)
    if not 0 < high - low < LARGEST / 4:
        return None
    scale = Scale(low=low, high=high, start=_EDGE, end=_WIDTH - _EDGE)
    return Forest(
        axis=_axis(scale),
        cells=[_cell(cell, scale, best) for cell in cells],
        off=len(cells) - len(near),
    )


def _whiskers(cell: Cell, near: Sequence[Cell]) -> tuple[float, ...]:
    """Return the ends of an interval, no further out than the runs of all are apart: more is drawn as cut."""
    if cell.interval is None:
        return ()
    values = [value for one in near for value in (*one.values, one.mean)]
    room = (max(values) - min(values)) / 2
    return max(cell.interval[0], min(values) - room), min(cell.interval[1], max(values) + room)


def _axis(scale: Scale) -> str:
    parts = []
    for value in scale.ticks(4):
        x = scale.place(value)
        anchor = "start" if x < _EDGE * 2 else "end" if x > _WIDTH - _EDGE * 2 else "middle"
        parts.append(
            f'<path d="M{x:.1f} 15V20"/><text x="{x:.1f}" y="11" text-anchor="{anchor}">{tick_text(value)}</text>'
        )
    return (
        f'<svg class="lg-forest" viewBox="0 0 {_WIDTH} {_AXIS}" aria-hidden="true"><g class="lg-axis">'
        f'<path class="lg-base" d="M{_EDGE} 19.5H{_WIDTH - _EDGE}"/>{"".join(parts)}</g></svg>'
    )


def _cell(cell: Cell, scale: Scale, best: float) -> str:
    def place(value: float) -> float:
        return min(max(scale.place(value), 2.0), _WIDTH - 2.0)

    middle = _HEIGHT / 2
    parts = [f'<path class="lg-forest-best" d="M{place(best):.1f} 0V{_HEIGHT}"/>']
    if not scale.low <= cell.mean <= scale.high:
        arrow = f"M9 {middle - 4}L3 {middle}L9 {middle + 4}" if cell.mean < scale.low else ""
        arrow = arrow or f"M{_WIDTH - 9} {middle - 4}L{_WIDTH - 3} {middle}L{_WIDTH - 9} {middle + 4}"
        parts.append(f'<path class="lg-forest-off" d="{arrow}"/>')
    else:
        if cell.interval is not None and all(map(math.isfinite, cell.interval)):
            low, high = map(place, cell.interval)
            parts.append(f'<path class="lg-forest-line" d="M{low:.1f} {middle}H{high:.1f}"/>')
        if len(cell.values) > 1:
            parts += [
                f'<circle class="lg-forest-run" cx="{place(value):.1f}" cy="{middle}" r="2"/>'
                for value in cell.values[:_DOTS]
            ]
        x = place(cell.mean)
        parts.append(f'<path class="lg-forest-mean" d="M{x:.1f} {middle - 5}l5 5-5 5-5-5z"/>')
    css = "lg-forest lg-forest-lead" if cell.leading else "lg-forest"
    told = escaped(_words(cell))
    name = f'role="img" aria-label="{told}"><title>{told}</title>'
    return f'<svg class="{css}" viewBox="0 0 {_WIDTH} {_HEIGHT}" {name}{"".join(parts)}</svg>'


def _words(cell: Cell) -> str:
    runs = f"{len(cell.values)} runs" if len(cell.values) != 1 else "1 run"
    told = f"mean {tick_text(cell.mean)} of {runs}"
    if cell.interval is None:
        return f"{told}, no interval"
    return f"{told}, 95 % interval {tick_text(cell.interval[0])} to {tick_text(cell.interval[1])}"
