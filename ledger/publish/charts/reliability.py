"""The reliability diagram: accuracy over confidence, a dot for each bin, and its distance from the diagonal."""

from collections.abc import Sequence

from ledger.analysis.data.prediction_statistics import Bin
from ledger.publish.charts.axes import Frame, Scale
from ledger.publish.text import short_number

_WIDTH, _HEIGHT = 420, 340
_STRIP = 44
"""Height in pixels of the strip with the number of samples of each bin."""
_SMALLEST, _LARGEST = 3.0, 8.0
"""Radius of the dot for the emptiest and for the fullest bin."""


def render_reliability(bins: Sequence[Bin]) -> str:
    """Return the diagram (DeGroot and Fienberg 1983, The Statistician 32, p. 12), or nothing without bins.

    A dot below the diagonal is too sure of itself, one above it not sure enough.
    """
    most = max((each.samples for each in bins), default=0)
    if not most:
        return ""
    frame = Frame(
        width=_WIDTH,
        height=_HEIGHT,
        x=Scale(low=0.0, high=1.0, start=56, end=_WIDTH - 14),
        y=Scale(low=0.0, high=1.0, start=_HEIGHT - 44 - _STRIP, end=26),
    )
    left, right, bottom, top = frame.x.start, frame.x.end, frame.y.start, frame.y.end
    floor = bottom + _STRIP
    body = [
        frame.render_grid("confidence", "accuracy", floor=floor),
        f'<g class="lg-axis"><text x="{left - 8:.0f}" y="{floor - 4:.0f}" text-anchor="end">n</text></g>',
        f'<path class="lg-break" d="M{left:.0f} {bottom:.0f}L{right:.0f} {top:.0f}"/>',
    ]
    for each in bins:
        x, y = frame.x.place(each.confidence), frame.y.place(each.accuracy)
        share = each.samples / most
        radius = _SMALLEST + (_LARGEST - _SMALLEST) * share**0.5
        said = (
            f"confidence {short_number(each.confidence)}, accuracy {short_number(each.accuracy)}, "
            f"{each.samples} sample{'s' * (each.samples != 1)}"
        )
        height = max(1.0, (_STRIP - 8) * share) if each.samples else 0.0
        body.append(
            f'<path class="lg-off" d="M{x:.1f} {frame.y.place(each.confidence):.1f}V{y:.1f}"/>'
            f'<rect class="lg-count-bar" x="{x - 5:.1f}" y="{floor - height:.1f}" width="10" '
            f'height="{height:.1f}"><title>{said}</title></rect>'
            f'<circle class="lg-dot lg-c0" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{said}</title></circle>'
        )
    samples = sum(each.samples for each in bins)
    return frame.render(
        f"Accuracy by confidence, {samples} samples in {len(bins)} bins", "".join(body), "lg-reliability"
    )
