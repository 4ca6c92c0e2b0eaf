"""How busy the GPUs of a run were over its time, as static SVG: a row for each, mean and idle share beside it."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from ledger.formatting import duration, share
from ledger.model.boxes.machine import MOST_STRETCHES, Gpu, GpuTimeline
from ledger.publish.charts.axes import Scale, name_at, picture
from ledger.publish.pages.page import markup
from ledger.publish.text import escaped

GPUS_DRAWN = 16
"""Most GPUs in the chart; the table has all."""
_WIDTH, _LEFT, _RIGHT = 560, 44, 44
_TALL, _GAP, _TOP = 34, 30, 24
_FULL = 100
_TICKS = 5
"""About so many times below the rows."""
_UNITS = ((2 * 86_400.0, 86_400.0, "days"), (2 * 3_600.0, 3_600.0, "h"), (120.0, 60.0, "min"), (0.0, 1.0, "s"))
"""Length of a run from which its times have a unit, the seconds of the unit, and its name."""


def render_gpu_use(gpus: Sequence[Gpu]) -> Markup | None:
    """Return the chart of the GPUs whose use was sampled over time; none where that is none of them."""
    drawn = [(at, gpu, gpu.use) for at, gpu in enumerate(gpus, 1) if gpu.use and gpu.use.percent][:GPUS_DRAWN]
    drawn = [one for one in drawn if one[2].stretch_seconds > 0]
    if not drawn:
        return None
    longest = max(use.stretch_seconds * min(len(use.percent), MOST_STRETCHES) for _, _, use in drawn)
    x = Scale(low=0.0, high=longest, start=_LEFT, end=_WIDTH - _RIGHT)
    bottom = _TOP + len(drawn) * (_TALL + _GAP) - _GAP + 16
    parts = [_row(at, gpu, use, x, _TOP + place * (_TALL + _GAP)) for place, (at, gpu, use) in enumerate(drawn)]
    parts.append(f'<g class="lg-axis">{"".join(_times(x, longest, bottom))}</g>')
    told = "; ".join(f"GPU {at} {_said(gpu)}" for at, gpu, _ in drawn)
    return markup(
        picture(_WIDTH, bottom + 10, f"GPU use over the run, {duration(longest)}: {told}", "".join(parts), "lg-use")
    )


def _row(at: int, gpu: Gpu, use: GpuTimeline, x: Scale, top: float) -> str:
    bottom = top + _TALL
    title = escaped(f"{gpu.name}: {_said(gpu)}")
    parts = [
        f'<path class="lg-use-full" d="M{x.start:.0f} {top:.0f}H{x.end:.0f}M{x.start:.0f} {bottom:.0f}H{x.end:.0f}"/>',
        f'<path class="lg-use-area" d="{_area(use, x, top)}"><title>{title}</title></path>',
        '<g class="lg-axis">',
        name_at(x.start, top - 8, f"GPU {at}: {_said(gpu)}", css=""),
        name_at(x.start - 6, top + 5, "100 %", anchor="end", css=""),
        name_at(x.start - 6, bottom + 2, "0 %", anchor="end", css=""),
        "</g>",
    ]
    return "".join(parts)


def _area(use: GpuTimeline, x: Scale, top: float) -> str:
    """Return the steps of one GPU as an area; a stretch that was not seen has none."""
    parts = []
    for at, percent in enumerate(use.percent[:MOST_STRETCHES]):
        if percent is not None:
            left, right = x.place(at * use.stretch_seconds), x.place((at + 1) * use.stretch_seconds)
            height = _TALL * min(max(percent, 0), _FULL) / _FULL
            parts.append(f"M{left:.1f} {top + _TALL:.1f}v-{height:.1f}H{right:.1f}v{height:.1f}z")
    return "".join(parts)


def _said(gpu: Gpu) -> str:
    """Return the mean and the idle share of a GPU in words."""
    mean = "mean unknown" if gpu.utilisation_mean is None else f"mean {share(gpu.utilisation_mean)}"
    idle = "idle unknown" if gpu.gpu_idle_fraction is None else f"idle {share(gpu.gpu_idle_fraction)}"
    return f"{mean}, {idle}"


def _times(x: Scale, longest: float, bottom: float) -> Iterator[str]:
    size, unit = next((size, unit) for least, size, unit in _UNITS if longest >= least)
    in_unit = Scale(low=0.0, high=longest / size, start=x.start, end=x.end)
    for value in in_unit.ticks(_TICKS):
        yield name_at(in_unit.place(value), bottom + 2, f"{value:g}", anchor="middle", css="")
    yield name_at(x.end + 22, bottom + 2, unit, css="")
