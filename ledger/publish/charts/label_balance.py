"""A chart of the balance of labels in a version and its parent, as pairs of bars."""

from collections.abc import Mapping

from ledger.publish.charts.axes import Scale, name_at, picture
from ledger.publish.text import escaped, short_number

_MOST = 20
"""Most labels in a chart; the ones that changed most."""
_ROW, _TOP, _LEFT, _RIGHT, _WIDTH = 26, 22, 96, 84, 420
MINUS = "\N{MINUS SIGN}"
_NAMED = 14
"""Most characters of a label beside its bars."""


def render_balance(now: Mapping[str, int], then: Mapping[str, int] | None, *, title: str, slot: int) -> str:
    """Return one row per label: the number of samples in the version, and in its parent where there is one.

    Args:
        now: label to samples.
        then: the same of the parent.
        title: what it shows.
        slot: colour of the version.
    """
    before = then or {}
    labels = sorted({*now, *before}, key=lambda label: (-abs(now.get(label, 0) - before.get(label, 0)), label))[:_MOST]
    if not labels:
        return ""
    labels.sort(key=_natural)
    most = max(1, *(max(now.get(label, 0), before.get(label, 0)) for label in labels))
    scale = Scale(low=0, high=most, start=_LEFT, end=_WIDTH - _RIGHT)
    rows = [
        _row(index, label, now.get(label, 0), before.get(label, 0) if then is not None else None, scale, slot)
        for index, label in enumerate(labels)
    ]
    left_out = len({*now, *before}) - len(labels)
    more = f"; {left_out} labels that changed less are left out" if left_out else ""
    height = _TOP + _ROW * len(labels) + 6
    key = name_at(_LEFT, 12, "samples per label" + (", above: the version before" if then is not None else ""))
    body = f'<g class="lg-axis">{key}{"".join(rows)}</g>'
    return picture(_WIDTH, height, f"{title}{more}", body, "lg-balance")


def _natural(label: str) -> tuple[int, float, str]:
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def _row(index: int, label: str, now: int, before: int | None, scale: Scale, slot: int) -> str:
    top = _TOP + index * _ROW
    shown = label if len(label) <= _NAMED else f"{label[: _NAMED - 1]}…"
    was = "" if before is None else f", {before} before"
    parts = [f"<g><title>{escaped(label)}: {now}{was}</title>", name_at(_LEFT - 8, top + 15, shown, anchor="end")]
    if before is not None:
        parts.append(_bar(top + 3, before, scale, "lg-then"))
    parts.append(_bar(top + (10 if before is not None else 5), now, scale, f"lg-now lg-f{slot}"))
    step = now - (now if before is None else before)
    change = f" ({'+' if step > 0 else MINUS}{short_number(abs(step))})" if step else ""
    parts.append(name_at(scale.place(max(now, before or 0)) + 6, top + 16, f"{short_number(now)}{change}"))
    return "".join([*parts, "</g>"])


def _bar(top: float, value: int, scale: Scale, css: str) -> str:
    width = scale.place(value) - scale.start
    height = 6 if css == "lg-then" else 10
    place = f'x="{scale.start:.0f}" y="{top:.0f}" width="{max(width, 0.5):.1f}" height="{height}"'
    return f'<rect class="{css}" {place} rx="1.5"/>'
