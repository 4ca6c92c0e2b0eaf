"""Parallel coordinates as static SVG: one axis for each quantity, and a line through them for each run.

A. Inselberg, The plane with parallel coordinates, The Visual Computer 1, 1985, pages 69 to 91.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from ledger.model.values import Document
from ledger.publish.charts.axes import name_at, picture, scale_of, tick_text
from ledger.publish.text import escaped

SHADES = 4
"""Number of colours, from weak to strong."""
_WIDTH, _HEIGHT, _TOP, _BOTTOM = 800, 300, 34.0, 286.0
_LEFT, _RIGHT = 74.0, 770.0
_TICK_LENGTH = 10
_LETTER = 7.2
"""Width of a letter of a name, in pixels; few are wider."""
_FEW = 8
"""Different values of an axis up to which equal ones are set apart."""
_APART = 9.0
"""Pixels over which equal values are set apart."""
_LOG_FROM = 50.0
"""Ratio of largest to smallest value from which an axis is logarithmic, as in scatter charts."""


class ParallelAxis(Document, frozen=True, kw_only=True):
    """One axis."""

    name: str
    """Name of the quantity."""
    values: tuple[float, ...]
    """Value of each run; of words their number in `words`."""
    words: tuple[str, ...] = ()
    """Words in their order along the axis; none where values are numbers."""
    log: bool = False
    """Whether the axis may be logarithmic, where its values span decades."""


def render_parallel(axes: Sequence[ParallelAxis], shades: Sequence[int], marks: Sequence[int], *, title: str) -> str:
    """Return the chart: one path for each shade, the strongest in front.

    Args:
        axes: at least two, with as many values each.
        shades: shade of each run, from 0, the weakest.
        marks: number of each run on its page, for scripts.
        title: for screen readers.
    """
    pitch = (_RIGHT - _LEFT) / (len(axes) - 1)
    columns, drawn, parts = [], [], []
    for at, axis in enumerate(axes):
        x = _LEFT + at * pitch
        places, ticks = _placed(axis)
        columns.append([f"{x:.0f} {place:.1f}" for place in _set_apart(places)])
        drawn.append(_axis(_short(axis.name, pitch), x, ticks, at=at, last=len(axes) - 1))
    lines = [f"M{'L'.join(points)}" for points in zip(*columns, strict=True)]
    for shade in range(SHADES):
        chosen = [at for at, one in enumerate(shades) if one == shade]
        if chosen:
            runs = " ".join(str(marks[at]) for at in chosen)
            data = "".join(lines[at] for at in chosen)
            parts.append(f'<path class="lg-strand lg-strand-{shade}" data-lg-runs="{runs}" d="{data}"/>')
    return picture(_WIDTH, _HEIGHT, title, "".join([*parts, *drawn]), "lg-parallel")


def _placed(axis: ParallelAxis) -> tuple[list[float], list[tuple[float, str]]]:
    """Return the pixel of each value, and place and text of each tick."""
    if axis.words:
        gap = (_BOTTOM - _TOP) / len(axis.words)
        spots = [_BOTTOM - gap * (at + 0.5) for at in range(len(axis.words))]
        return [spots[int(value)] for value in axis.values], list(zip(spots, axis.words, strict=True))
    low, high = min(axis.values), max(axis.values)
    scale = scale_of(axis.values, _BOTTOM, _TOP, log=axis.log and low > 0 and high / low >= _LOG_FROM, pad=0.02)
    distinct = sorted(set(axis.values))
    told = distinct if len(distinct) <= 5 and not _crowded(list(map(scale.place, distinct))) else scale.ticks(4)  # noqa: PLR2004  # as many as have room
    return list(map(scale.place, axis.values)), [(scale.place(value), tick_text(value)) for value in told]


def _set_apart(places: Sequence[float]) -> list[float]:
    """Return pixels of which equal ones differ a little, where an axis has few: lines on top of each other are one.

    The steps are those of the golden ratio: neighbours lie far apart, and the same runs give the same picture.
    """
    if len(set(places)) > _FEW or len(places) <= len(set(places)):
        return list(places)
    return [place + (at * 0.618034 % 1 - 0.5) * _APART for at, place in enumerate(places)]


def _short(name: str, pitch: float) -> str:
    """Return a name that leaves room for its neighbour, which may be centred; its last part tells most."""
    most = int((pitch + 26) / 1.5 / _LETTER)
    name = name if len(name) <= most else name.replace("/", ".").rpartition(".")[2]
    return name if len(name) <= most else f"…{name[-(most - 1) :]}"


def _crowded(places: Sequence[float]) -> bool:
    """Return whether texts at these places would touch."""
    return any(math.fabs(one - other) < 14 for one, other in pairwise(places))  # noqa: PLR2004  # a line of text


def _axis(name: str, x: float, ticks: Sequence[tuple[float, str]], *, at: int, last: int) -> str:
    anchor = "start" if at == 0 else "end" if at == last else "middle"
    start = 4.0 if at == 0 else _WIDTH - 4.0 if at == last else x
    texts = "".join(
        f'<text x="{x - 6:.0f}" y="{place + 4:.1f}" text-anchor="end">{escaped(text[:10])}</text>'
        for place, text in ticks
    )
    line = f'<path class="lg-base" d="M{x:.0f} {_TOP:.0f}V{_BOTTOM:.0f}"/>'
    return f'<g class="lg-axis">{line}{texts}{name_at(start, 16, name, anchor=anchor)}</g>'
