"""Sums up how one GPU is used while a run lives; memory does not grow with the length of the run."""

import time
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec

from ledger.capture.machine.gpus.card import Card, CardReading
from ledger.capture.machine.gpus.over_time import UseOverTime
from ledger.model.boxes.machine import Gpu

IDLE_BELOW = 0.05
"""Utilisation under which a GPU counts as idle: a display or a monitor alone does not reach it."""
_JOULES_PER_KWH = 3.6e6
_COMPARED_SECONDS = 10.0
"""Shortest time over which the counter of the energy counts: it moves ten times a second."""
_ABSURD = 2.0
"""Factor over the power limit from which a counter is not believed."""
_NO_ANSWER = "no sample of it was taken: the run was too short, or the driver did not answer"
_BESIDE = {"energy_source", "energy_integral_kwh", "use"}
"""Fields that are absent without a reason of their own."""
_SLOW_SECONDS = 30.0
"""Seconds between two questions that cost the driver milliseconds."""


class _Mean:
    """A mean, each value weighted by the time since the one before."""

    def __init__(self) -> None:
        self._sum = self._weight = 0.0

    def add(self, value: float | None, seconds: float) -> None:
        if value is not None and seconds > 0:
            self._sum += value * seconds
            self._weight += seconds

    def value(self, digits: int) -> float | None:
        return round(self._sum / self._weight, digits) if self._weight else None


class GpuWatch:
    """Sums up one GPU.

    Args:
        card: which one.
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self._busy, self._idle, self._activity = _Mean(), _Mean(), _Mean()
        self._clock, self._traffic, self._power = _Mean(), _Mean(), _Mean()
        self._over_time = UseOverTime()
        self._memory = 0
        self._heat: float | None = None
        self._throttled: dict[str, float] = {}
        self._seen = 0.0
        self._others: int | None = None
        self._hidden = False
        self._energy, self._links = _Count(), _Count()
        self._joules = 0.0
        self._last: tuple[float, float | None] | None = None
        self._watched = 0.0
        self._slow_at = 0.0

    def sample(self, own: Collection[int] = ()) -> None:
        """Take one sample, which stands for the time since the one before; of the first only counters count.

        Args:
            own: processes of the run itself.
        """
        now = time.monotonic()
        slow = self._last is not None and now >= self._slow_at
        if slow:
            self._slow_at = now + _SLOW_SECONDS
        reading = self._card.read(slow=slow)
        since = 0.0 if self._last is None else now - self._last[0]
        self._integrate(reading, now)
        self._energy.see(reading.energy_joules)
        self._links.see(reading.nvlink_bytes)
        self._memory = max(self._memory, reading.memory_used_bytes or 0)
        if since > 0:
            self._see_use(reading, since)
            self._see_processes(reading, own)

    def _integrate(self, reading: CardReading, now: float) -> None:
        if self._last is not None:
            then, before = self._last
            powers = [power for power in (before, reading.power_watts) if power is not None]
            if powers:
                mean = sum(powers) / len(powers)
                self._joules += mean * (now - then)  # trapezoidal rule
                self._power.add(mean, now - then)
                self._watched += now - then
        self._last = now, reading.power_watts

    def _see_use(self, reading: CardReading, seconds: float) -> None:
        self._over_time.add(reading.utilisation, seconds)
        if reading.utilisation is not None:
            self._busy.add(reading.utilisation, seconds)
            self._idle.add(float(reading.utilisation < IDLE_BELOW), seconds)
        self._activity.add(reading.sm_activity, seconds)
        self._clock.add(reading.clock_mhz, seconds)
        self._traffic.add(reading.pcie_bytes_per_second, seconds)
        if reading.throttled is not None:
            self._seen += seconds
            for reason in reading.throttled:
                self._throttled[reason] = self._throttled.get(reason, 0.0) + seconds
        if reading.temperature_celsius is not None and reading.temperature_celsius >= 0:
            self._heat = max(self._heat or 0.0, reading.temperature_celsius)

    def _see_processes(self, reading: CardReading, own: Collection[int]) -> None:
        if reading.processes is None or self._hidden:
            return
        others = [pid for pid in reading.processes if pid not in own]
        # In a container the driver names processes by numbers of the host, which mean nothing in here.
        self._hidden = any(not Path(f"/proc/{pid}").exists() for pid in others) and Path("/proc/self").exists()
        self._others = max(self._others or 0, len(others))

    def _used_energy(self) -> tuple[float | None, Literal["counter", "integral"]]:
        """Return the energy in joules, and its source.

        A counter that ran backwards, that is too coarse for so short a time, or that says what no card can use, does
        not count.
        """
        counted = self._energy.grown
        if not self._watched:
            return counted, "counter"
        limit = self._card.gpu.power_limit_watts
        absurd = counted is not None and limit is not None and counted > _ABSURD * limit * self._watched
        if counted is None or absurd or self._watched < _COMPARED_SECONDS:
            return self._joules, "integral"
        return counted, "counter"

    def gpu(self) -> Gpu:
        """Return the GPU with the aggregated samples."""
        energy, source = self._used_energy()
        unknown = dict(self._card.missing)
        if energy is None:
            unknown.setdefault("energy_kwh", unknown.get("power_mean_watts", "neither energy nor power was measured"))
        if self._hidden:
            unknown["other_processes"] = "the driver names processes that this container cannot see"
        both = source == "counter" and self._watched > 0
        known: dict[str, object] = {
            "utilisation_mean": self._busy.value(4),
            "sm_activity_mean": self._activity.value(4),
            "memory_peak_bytes": self._memory or None,
            "gpu_idle_fraction": self._idle.value(4),
            "use": self._over_time.use(),
            "energy_kwh": None if energy is None else energy / _JOULES_PER_KWH,
            "energy_source": None if energy is None else source,
            "energy_integral_kwh": self._joules / _JOULES_PER_KWH if both and energy is not None else None,
            "power_mean_watts": self._power.value(1),
            "temperature_max_celsius": self._heat,
            "clock_mean_mhz": self._clock.value(0),
            "throttled": {why: round(time / self._seen, 4) for why, time in sorted(self._throttled.items())},
            "pcie_bytes_per_second": self._traffic.value(0),
            "nvlink_bytes": self._links.grown,
            "other_processes": None if self._hidden else self._others,
        }
        silent = dict.fromkeys((field for field, value in known.items() if value is None), _NO_ANSWER)
        still = {field: why for field, why in (silent | unknown).items() if known.get(field) in (None, {})}
        still = {field: why for field, why in still.items() if field not in _BESIDE}
        partly = {field: why for field, why in unknown.items() if field not in still and "lost" in why}
        return msgspec.structs.replace(self._card.gpu, **known, unknown=still | partly)


class _Count:
    """What a counter grew by; unknown where it ran backwards, as when a driver is loaded anew."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0
        self._broken = False

    def see(self, value: float | None) -> None:
        if value is None:
            return
        self._broken = self._broken or (self._first is not None and value < self._last)
        self._first = value if self._first is None else self._first
        self._last = value

    @property
    def grown(self) -> float | None:
        return None if self._first is None or self._broken else self._last - self._first
