"""Scales, ticks and frames for charts made by hand: a chart costs a fraction of a millisecond and 3 KB.

Colours and type come from the style sheet, so one picture serves both themes. Knows nothing of the ledger.
"""
# the limits between units are written where they are used

import math
from collections.abc import Sequence
from functools import lru_cache

from ledger.formatting import tick, typeset
from ledger.model.values import Document
from ledger.publish.text import escaped

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Tick distances that people read easily, up to a power of ten."""
_SMALLEST = 1e-300
"""Smallest distance of ticks: below it floats are not exact enough to divide by (IEEE 754: subnormal from 2e-308)."""
LARGEST = 4e307
"""Largest end of a scale: twice of it, with room around it, is still a float (IEEE 754)."""


class Scale(Document, frozen=True, kw_only=True):
    """Maps values to pixels, linearly or by their logarithm."""

    low: float
    """Smallest value shown."""
    high: float
    """Largest value shown; above `low`."""
    start: float
    """Pixel of `low`."""
    end: float
    """Pixel of `high`."""
    log: bool = False
    """Whether equal distances are equal ratios."""

    def place(self, value: float) -> float:
        """Return the pixel of `value`; on a logarithmic scale it must be positive."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        half = high / 2 - low / 2  # halves: the difference of two large floats may be none
        return self.start + (value / 2 - low / 2) / half * (self.end - self.start)

    def ticks(self, count: int) -> list[float]:
        """Return about `count` round values within the scale."""
        if self.log:
            powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            stride = max(1, math.ceil(len(powers) / count))
            if len(powers) > 1:
                return [10.0**power for power in powers][::stride]
        rough = (self.high - self.low) / count
        if rough < _SMALLEST:
            return [self.low]  # its ends are neighbours among the smallest floats
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step * power for step in _STEPS if step * power >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def scale_of(values: Sequence[float], start: float, end: float, *, log: bool = False, pad: float = 0.04) -> Scale:
    """Return the scale that shows all of `values` (finite; positive where `log`) with a little room around them."""
    low, high = (min(max(value, -LARGEST), LARGEST) for value in (min(values), max(values)))
    if log:
        low, high = max(low, _SMALLEST), max(high, _SMALLEST)
        room = 10 ** (max(math.log10(high) - math.log10(low), 0.1) * pad)
        return Scale(low=low / room or _SMALLEST, high=min(high * room, LARGEST * 2), start=start, end=end, log=True)
    if high - low < _SMALLEST:
        room = abs(low) * 0.1
        room = room if room > _SMALLEST else 1.0
        return Scale(low=low - room, high=high + room, start=start, end=end)
    room = (high - low) * pad
    return Scale(low=low - room, high=high + room, start=start, end=end)


@lru_cache(maxsize=10_000)  # ten thousand charts share round numbers
def tick_text(value: float) -> str:
    """Return the label of a tick."""
    return typeset(tick(value))


def name_at(x: float, y: float, text: str, *, anchor: str = "start", css: str = "lg-name") -> str:
    """Return a text inside a chart."""
    return f'<text class="{css}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escaped(text)}</text>'


class Frame(Document, frozen=True, kw_only=True):
    """The box that data is drawn in, with its two scales."""

    width: int
    """Width of the whole picture in pixels."""
    height: int
    """Height of the whole picture in pixels."""
    x: Scale
    """Horizontal scale."""
    y: Scale
    """Vertical scale; pixels grow downwards, so `start` is the bottom."""

    def render_grid(self, x_label: str, y_label: str, *, floor: float | None = None, above: float = 8.0) -> str:
        """Return grid lines, ticks and labels of both axes.

        Args:
            x_label: of the horizontal axis, which has no ticks where it is empty.
            y_label: of the vertical axis.
            floor: pixel that the horizontal axis lies at, when lower than the vertical one reaches.
            above: pixels between the vertical axis and its label.
        """
        left, right, top = self.x.start, self.x.end, self.y.end
        bottom = self.y.start if floor is None else floor
        parts = ['<g class="lg-axis">']
        for value in self.y.ticks(5):
            y = self.y.place(value)
            parts.append(f'<path d="M{left:.0f} {y:.1f}H{right:.0f}"/>')
            parts.append(f'<text x="{left - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{tick_text(value)}</text>')
        if x_label:
            for value in self.x.ticks(6):
                x = self.x.place(value)
                parts.append(f'<text x="{x:.1f}" y="{bottom + 18:.0f}" text-anchor="middle">{tick_text(value)}</text>')
            parts.append(f'<path class="lg-base" d="M{left:.0f} {bottom:.0f}H{right:.0f}"/>')
            parts.append(name_at((left + right) / 2, self.height - 6, x_label, anchor="middle"))
        parts.append(name_at(left, top - above, y_label))
        return "".join([*parts, "</g>"])

    def render(self, title: str, body: str, css: str = "") -> str:
        """Return the whole picture; `title` is for screen readers."""
        return picture(self.width, self.height, title, body, css)


def picture(width: int, height: int, title: str, body: str, css: str = "") -> str:
    """Return the SVG of a body that is `width` x `height` pixels large; `title` is for screen readers."""
    name = escaped(title)
    role = "group" if "<a " in body else "img"  # what is in an image is hidden from screen readers, its links as well
    return (
        f'<svg class="lg-chart {css}" viewBox="0 0 {width} {height}" role="{role}" aria-label="{name}">'
        f"<title>{name}</title>{body}</svg>"
    )


def frame_of(xs: Sequence[float], ys: Sequence[float], *, width: int, height: int, x_log: bool = False) -> Frame:
    """Return the frame that shows all points, with room for labels around it."""
    return Frame(
        width=width,
        height=height,
        x=scale_of(xs, 56, width - 14, log=x_log, pad=0.02 if not x_log else 0.06),
        y=scale_of(ys, height - 44, 26, pad=0.06),
    )
