"""A chart of a drift report: a dot for each comparison by how surprising it is, and a line for chance."""

import math

from ledger.model.statistics import Drift, DriftFigure
from ledger.publish.charts.axes import Scale, name_at, picture
from ledger.publish.text import escaped, short_number

_MOST = 24
"""Most comparisons in a chart, the most surprising."""
_ROW, _TOP, _LEFT, _WIDTH, _RIGHT = 20, 40, 150, 420, 62
_TENS = 8.0
"""Power of ten below which probabilities are drawn at the edge."""
_NAMED = 22
"""Most characters of a name."""
_TESTS = {"ks": "KS", "psi": "PSI", "js": "JS", "c2st": "classifier"}


def render_drift(drift: Drift) -> str:
    """Return one dot per comparison: further right is less likely by chance; empty without comparisons."""
    figures = sorted(drift.figures, key=lambda figure: figure.adjusted)[:_MOST]
    if not figures:
        return ""
    scale = Scale(low=0, high=_TENS, start=_LEFT, end=_WIDTH - _RIGHT)
    height = _TOP + _ROW * len(figures) + 8
    edge = scale.place(_surprise(drift.alpha))
    ticks = "".join(name_at(scale.place(ten), 34, text, anchor="middle", css="") for ten, text in _TICKS)
    line = f'<path class="lg-break" d="M{edge:.1f} 38V{height - 4}"/>'
    right = _WIDTH - _RIGHT
    head = name_at(_LEFT, 14, "chance explains it", css="") + name_at(right, 14, "it does not", anchor="end", css="")
    rows = "".join(_row(index, figure, scale) for index, figure in enumerate(figures))
    drifted = sum(figure.drifted for figure in drift.figures)
    title = f"Comparisons with {drift.reference}: {drifted} of {len(drift.figures)} drifted"
    return picture(_WIDTH, height, title, f'<g class="lg-axis">{head}{ticks}{rows}</g>{line}', "lg-balance")


_TICKS = ((0.0, "p 1"), (2.0, "0.01"), (4.0, "10⁻⁴"), (6.0, "10⁻⁶"))


def _surprise(p: float) -> float:
    """Return how many powers of ten a probability is below one, at most `_TENS`; whatever a document says it is."""
    return min(_TENS, max(0.0, -math.log10(max(p, 10**-_TENS))))


def _row(index: int, figure: DriftFigure, scale: Scale) -> str:
    y = _TOP + index * _ROW + 10
    surprise = _surprise(figure.adjusted)
    name = f"{figure.subject} {_TESTS[figure.test]}"
    shown = name if len(name) <= _NAMED else f"{name[: _NAMED - 1]}…"
    value = figure.value if isinstance(figure.value, str) else short_number(figure.value)
    usual = f", {short_number(figure.expected)} by chance" if isinstance(figure.expected, float) else ""
    title = f"{name}: {value}{usual}, adjusted p {figure.adjusted:.2g}"
    css = "lg-dot lg-c1" if figure.drifted else "lg-dot lg-c7"
    dot = f'<circle class="{css}" cx="{scale.place(surprise):.1f}" cy="{y}" r="4.5"/>'
    line = f'<path d="M{scale.start:.0f} {y}H{scale.end:.0f}"/>'
    names = name_at(_LEFT - 12, y + 4, shown, anchor="end", css="") + name_at(
        _WIDTH - _RIGHT + 10, y + 4, value, css=""
    )
    return f"<g><title>{escaped(title)}</title>{line}{dot}{names}</g>"
