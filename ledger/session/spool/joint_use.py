"""How the attempts of one training used the machine, all together: sums, peaks, and means weighted by their time."""

from collections.abc import Callable, Sequence

import msgspec

from ledger.model.boxes.machine import Gpu, Usage
from ledger.recorder.record.draft import Draft

_Weighted = Sequence[tuple[float | None, float]]
"""Values, each with the seconds that it was measured over."""
_APART = "the training had several attempts, and time between them"


def joint_usage(drafts: Sequence[Draft]) -> Usage | None:
    """Return what the samplers of all attempts measured together; none where none measured anything."""
    seen = [(draft.usage, draft.duration_seconds) for draft in drafts if draft.usage is not None]
    if not seen:
        return None
    usages = [usage for usage, _ in seen]
    return Usage(
        samples=sum(one.samples for one in usages),
        interval_seconds=usages[-1].interval_seconds,
        cpu_seconds=_seconds([one.cpu_seconds for one in usages]),
        cpu_fraction_mean=_mean([(one.cpu_fraction_mean, time) for one, time in seen]),
        memory_peak_bytes=max((one.memory_peak_bytes or 0 for one in usages), default=0) or None,
        data_wait_seconds=_seconds([one.data_wait_seconds for one in usages]),
        disk_read_bytes=known_bytes([one.disk_read_bytes for one in usages]),
        disk_written_bytes=known_bytes([one.disk_written_bytes for one in usages]),
        network_received_bytes=known_bytes([one.network_received_bytes for one in usages]),
        network_sent_bytes=known_bytes([one.network_sent_bytes for one in usages]),
    )


def joint_gpus(drafts: Sequence[Draft]) -> list[Gpu]:
    """Return the GPUs of the last attempt; where all attempts had the same, with their use together."""
    last = drafts[-1].gpus
    if any([gpu.name for gpu in draft.gpus] != [gpu.name for gpu in last] for draft in drafts):
        return last
    return [_joint([(draft.gpus[place], draft.duration_seconds) for draft in drafts]) for place in range(len(last))]


def _joint(ones: Sequence[tuple[Gpu, float]]) -> Gpu:
    gpus = [gpu for gpu, _ in ones]

    def mean(of: Callable[[Gpu], float | None], digits: int = 4) -> float | None:
        return _mean([(of(gpu), seconds) for gpu, seconds in ones], digits)

    def total(of: Callable[[Gpu], float | None]) -> float | None:
        known = [value for gpu in gpus if (value := of(gpu)) is not None]
        return sum(known) if len(known) == len(gpus) else None

    def peak(of: Callable[[Gpu], float | None]) -> float | None:
        return max((value for gpu in gpus if (value := of(gpu)) is not None), default=None)

    memory = peak(lambda gpu: gpu.memory_peak_bytes)
    others = peak(lambda gpu: gpu.other_processes)
    sources = {gpu.energy_source for gpu in gpus}
    throttled = {
        why: _mean([(gpu.throttled.get(why, 0.0), seconds) for gpu, seconds in ones])
        for why in sorted({why for gpu in gpus for why in gpu.throttled})
    }
    return msgspec.structs.replace(
        gpus[-1],
        utilisation_mean=mean(lambda gpu: gpu.utilisation_mean),
        sm_activity_mean=mean(lambda gpu: gpu.sm_activity_mean),
        gpu_idle_fraction=mean(lambda gpu: gpu.gpu_idle_fraction),
        use=gpus[0].use if len(gpus) == 1 else None,
        memory_peak_bytes=None if memory is None else int(memory),
        energy_kwh=total(lambda gpu: gpu.energy_kwh),
        energy_source=gpus[-1].energy_source if len(sources) == 1 else "integral",
        energy_integral_kwh=total(lambda gpu: gpu.energy_integral_kwh),
        power_mean_watts=mean(lambda gpu: gpu.power_mean_watts, 1),
        temperature_max_celsius=peak(lambda gpu: gpu.temperature_max_celsius),
        clock_mean_mhz=mean(lambda gpu: gpu.clock_mean_mhz, 0),
        throttled={why: share for why, share in throttled.items() if share},
        pcie_bytes_per_second=mean(lambda gpu: gpu.pcie_bytes_per_second, 0),
        nvlink_bytes=total(lambda gpu: gpu.nvlink_bytes),
        other_processes=None if others is None else int(others),
        unknown=gpus[-1].unknown | ({"use": _APART} if len(gpus) > 1 else {}),
    )


def _seconds(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 3) if known else None


def known_bytes(values: Sequence[int | None]) -> int | None:
    """Return the sum of the sizes that are known; none where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _mean(values: _Weighted, digits: int = 4) -> float | None:
    """Return the mean, weighted by the seconds that each was measured over."""
    known = [(value, seconds) for value, seconds in values if value is not None]
    total = sum(seconds for _, seconds in known)
    return round(sum(value * seconds for value, seconds in known) / total, digits) if total > 0 else None
