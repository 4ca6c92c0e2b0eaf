"""A metric against what settings take, as static SVG: a point for each setting, the Pareto front in steps."""

from collections.abc import Sequence

from ledger.model.values import Document
from ledger.publish.charts.axes import Frame, frame_of
from ledger.publish.charts.charts import Dot, render_dot

_LOG_FROM = 20.0
"""Ratio of the largest to the smallest quantity from which its axis is logarithmic, as in reports."""


class ParetoDot(Document, frozen=True, kw_only=True):
    """One setting."""

    dot: Dot
    """The point, its title and its page."""
    on_front: bool
    """Whether no other setting dominates it."""


def render_pareto(dots: Sequence[ParetoDot], *, x_label: str, y_label: str, says: str) -> str:
    """Return the chart; points that are dominated are lighter, and lie behind the front.

    Args:
        dots: settings with at least two different places.
        x_label: what they take, with its unit.
        y_label: the metric.
        says: what it shows, for screen readers.
    """
    xs, ys = [one.dot.x for one in dots], [one.dot.y for one in dots]
    log = min(xs) > 0 and max(xs) / min(xs) >= _LOG_FROM
    frame = frame_of(xs, ys, width=420, height=260, x_log=log)
    body = [frame.render_grid(f"{x_label} (log)" if log else x_label, y_label)]
    behind = [one.dot for one in dots if not one.on_front]
    front = sorted((one.dot for one in dots if one.on_front), key=lambda dot: dot.x)
    body.append(f'<g class="lg-behind">{_rendered(frame, behind)}</g>' if behind else "")
    body.append(f'<path class="lg-front" d="{_steps(frame, front)}"/>')
    body.append(_rendered(frame, front))
    return frame.render(says, "".join(body), "lg-pareto")


def _rendered(frame: Frame, dots: Sequence[Dot]) -> str:
    return "".join(render_dot(dot, frame.x.place(dot.x), frame.y.place(dot.y)) for dot in dots)


def _steps(frame: Frame, front: Sequence[Dot]) -> str:
    """Return the best mean for at most so much: level until more is spent, then a step, and level to the end."""
    parts = [f"M{frame.x.place(front[0].x):.1f} {frame.y.place(front[0].y):.1f}"]
    parts += [f"H{frame.x.place(dot.x):.1f}V{frame.y.place(dot.y):.1f}" for dot in front[1:]]
    return "".join([*parts, f"H{frame.x.end:.1f}"])
