"""How a run used its GPUs, disks and network, in words; and where two measures of its energy disagree."""

from collections.abc import Iterator, Sequence

from ledger.formatting import byte_size, number, share
from ledger.model.boxes.machine import Gpu, Usage
from ledger.model.values import counted, listed

_DOUBT_FROM = 0.2
"""Share from which counter and integral of the energy disagree; sensors miss by less (arXiv 2312.02741)."""


def gpu_facts(gpu: Gpu) -> Iterator[str]:
    """Yield what was measured of a GPU beside its utilisation, memory and energy, a part of a sentence each."""
    if gpu.power_mean_watts is not None:
        yield f"{number(gpu.power_mean_watts)} W on average{_of(gpu.power_limit_watts, 'W')}"
    if gpu.temperature_max_celsius is not None:
        yield f"at most {number(gpu.temperature_max_celsius)} °C"
    if gpu.clock_mean_mhz is not None:
        yield f"clock {number(gpu.clock_mean_mhz)} MHz{_of(gpu.clock_limit_mhz, 'MHz')}"
    for reason, part in gpu.throttled.items():
        yield f"held down by {reason} in {share(part)} of the time"
    if gpu.pcie_bytes_per_second is not None:
        yield f"{byte_size(gpu.pcie_bytes_per_second)} a second over PCI Express"
    if gpu.nvlink_bytes is not None:
        yield f"{byte_size(gpu.nvlink_bytes)} over NVLink"
    if gpu.other_processes:
        yield f"used by {counted(gpu.other_processes, 'process')} of others too"


def gpu_notes(gpus: Sequence[Gpu]) -> Iterator[tuple[str, str]]:
    """Yield what is to say of GPUs in sentences, alike ones once: their numbers and names, and the text."""
    told: dict[tuple[str, str], list[int]] = {}
    for place, gpu in enumerate(gpus, 1):
        facts = ", ".join(gpu_facts(gpu))
        doubt = f"energy is in doubt: {why}" if (why := energy_doubt(gpu)) else ""
        missing = "; ".join(f"{field.replace('_', ' ')}: {why}" for field, why in gpu.unknown.items())
        text = ". ".join(part for part in (facts, doubt, f"Not known: {missing}" if missing else "") if part)
        if text:
            told.setdefault((gpu.name, text), []).append(place)
    for (name, text), numbers in told.items():
        yield f"{name} ({listed([str(number) for number in numbers])})" if len(gpus) > 1 else name, text


def energy_doubt(gpu: Gpu) -> str | None:
    """Return why the energy of a GPU is in doubt; none where counter and power agree, or only one was measured."""
    one, other = gpu.energy_kwh, gpu.energy_integral_kwh
    if one is None or other is None or max(one, other) <= 0 or abs(one - other) <= _DOUBT_FROM * max(one, other):
        return None
    return f"its counter says {number(one)} kWh, its power over time {number(other)} kWh"


def traffic_facts(usage: Usage) -> Iterator[tuple[str, str]]:
    """Yield what went over disks and network, as name and text."""
    for name, into, out, words in (
        ("disks", usage.disk_read_bytes, usage.disk_written_bytes, ("read", "written")),
        ("network of the host", usage.network_received_bytes, usage.network_sent_bytes, ("received", "sent")),
    ):
        known = [f"{byte_size(size)} {word}" for size, word in zip((into, out), words, strict=True) if size is not None]
        if known:
            yield name, ", ".join(known)


def _of(limit: float | None, unit: str) -> str:
    return f" of {number(limit)} {unit}" if limit is not None else ""
