"""Amounts by week: stacked bars with their scale, and a sparkline of the same for tiles."""

from collections.abc import Mapping, Sequence

from ledger.formatting import tick, typeset
from ledger.publish.charts.axes import LARGEST, Scale, name_at, picture
from ledger.publish.text import escaped

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _BOTTOM, _TOP = 760, 200, 64, 8, 24, 10
_COLOURS = 8


def render_sparkline(values: Sequence[float], title: str) -> str:
    """Return a line of values without axes, 120 by 24 pixels, from zero; empty where all are 0 or one is too large."""
    if not 0 < max(values, default=0.0) < LARGEST:
        return ""
    step, high = 112 / max(1, len(values) - 1), max(values)
    places = [(4 + at * step, 21 - value / high * 18) for at, value in enumerate(values)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    x, y = places[-1]
    return (
        f'<svg class="lg-spark" viewBox="0 0 120 24" role="img" aria-label="{escaped(title)}">'
        f'<path d="M{path}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/></svg>'
    )


def render_week_bars(weeks: Sequence[tuple[str, Mapping[str, float]]], names: Sequence[str], y_label: str) -> str:
    """Return a bar a week, its parts stacked in the order of `names`, others last; empty if all are 0 or too large.

    Args:
        weeks: name of each week, oldest first, and its parts.
        names: the parts with a colour of their own, at most eight.
        y_label: quantity and unit.
    """
    high = max((sum(parts.values()) for _, parts in weeks), default=0.0)
    if not 0 < high < LARGEST:
        return ""
    scale = Scale(low=0.0, high=high * 1.04, start=_HEIGHT - _BOTTOM, end=_TOP)
    step = (_WIDTH - _LEFT - _RIGHT) / len(weeks)
    axis, bars = [], []
    for at in scale.ticks(4):
        y = scale.place(at)
        axis.append(f'<path class="lg-grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        axis.append(name_at(_LEFT - 6, y + 4, typeset(tick(at)), anchor="end"))
    for index, (week, parts) in enumerate(weeks):
        left = _LEFT + index * step + step * 0.15
        bars.append(_bar(week, parts, names[:_COLOURS], scale, left, step * 0.7))
        if (len(weeks) - 1 - index) % max(1, len(weeks) // 8) == 0:
            axis.append(name_at(left + step * 0.35, _HEIGHT - 6, week[5:], anchor="middle"))
    body = f'<g class="lg-axis">{"".join(axis)}</g>{"".join(bars)}'
    return picture(_WIDTH, _HEIGHT, f"{y_label} by week", body, "lg-weeks")


def _bar(week: str, parts: Mapping[str, float], names: Sequence[str], scale: Scale, left: float, width: float) -> str:
    rest = sum(amount for name, amount in parts.items() if name not in names)
    stack = [(name, parts[name], f"lg-f{at}") for at, name in enumerate(names) if parts.get(name)]
    stack += [("others", rest, "lg-f-rest")] if rest else []
    drawn, base = [], 0.0
    for name, amount, colour in stack:
        top, bottom = scale.place(base + amount), scale.place(base)
        where = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(bottom - top, 0.5):.1f}"'
        words = escaped(f"{week}, {name}: {tick(amount)}")
        drawn.append(f'<rect class="{colour}" {where}><title>{words}</title></rect>')
        base += amount
    return "".join(drawn)
