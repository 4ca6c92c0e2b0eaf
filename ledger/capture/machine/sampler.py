"""A thread that samples a run: CPU time, memory, and how busy its GPUs are.

Everything is aggregated at once, so memory does not grow with the length of the run.
"""

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from ledger.capture.machine.cgroups import read_limits
from ledger.capture.machine.gpus import Device, Nvml, open_nvml, visible_devices
from ledger.capture.machine.hardware import usable_cores
from ledger.capture.machine.processes import read_load
from ledger.model.boxes import Gpu, Usage

_IDLE_BELOW = 0.05
"""Utilisation under which a GPU counts as idle: a display or a monitor alone does not reach it."""
_STOP_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.05
"""The first pause; each doubles up to the interval, so that a run of one second has samples, too."""
_MILLIJOULES_PER_KWH = 3.6e9
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of `ru_maxrss`: bytes on macOS, KiB elsewhere (getrusage(2))."""


class Sampler:
    """Samples a process tree and its GPUs until it is stopped; never raises.

    Args:
        pid: root of the process tree; by default this process, without its use so far.
        interval_seconds: seconds between two samples; the first few come sooner.
        nvml: NVML, initialised; by default that of this machine, where it has one.
        beat: called at every sample, as a sign of life.
    """

    def __init__(
        self,
        pid: int | None = None,
        interval_seconds: float = 2.0,
        *,
        nvml: Nvml | None = None,
        beat: Callable[[], None] | None = None,
    ) -> None:
        self._beat = beat or (lambda: None)
        self._pid = os.getpid() if pid is None else pid
        self._own = pid is None or pid == os.getpid()
        self._interval = max(0.01, interval_seconds)
        self._nvml = nvml
        self._close_nvml = nvml is None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._result: tuple[Usage | None, list[Gpu]] | None = None
        self._samples = 0
        self._cpu_before: float | None = None
        self._cpu = 0.0
        self._memory = 0
        self._gpus: list[_GpuWatch] = []
        self._started = self._ended = 0.0
        self._children_before = _children_usage()

    def start(self) -> None:
        """Start sampling; a second call changes nothing."""
        if self._thread is not None:
            return
        self._started = self._ended = time.monotonic()
        self._children_before = _children_usage()
        self._sample_process()
        self._thread = threading.Thread(target=self._run, name="ledger-sampler", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # out of threads: the run matters, not the samples
            self._stopped.set()

    def stop(self) -> tuple[Usage | None, list[Gpu]]:
        """Stop sampling and return the usage and the GPUs; none and an empty list without samples. Idempotent."""
        if self._result is None:
            self._stopped.set()
            if self._thread is not None and self._thread.is_alive():
                self._thread.join(_STOP_SECONDS)
            if self._thread is not None:
                self._sample_process()
                self._ended = time.monotonic()
                self._count_ended_children()
            self._result = (self._usage(), [watch.gpu() for watch in self._gpus])
        return self._result

    def _run(self) -> None:
        self._open_gpus()
        pause = min(self._interval, _FIRST_PAUSE_SECONDS)
        while not self._stopped.wait(pause):
            with contextlib.suppress(OSError):  # a full disk stops the sign of life, not the samples
                self._beat()
            self._sample_process()
            if pause == self._interval:
                for watch in self._gpus:
                    watch.sample()
            pause = min(self._interval, 2 * pause)
        for watch in self._gpus:
            watch.sample(last=True)
        if self._close_nvml and self._nvml is not None:
            with contextlib.suppress(Exception):  # nothing is left to lose
                self._nvml.nvmlShutdown()

    def _open_gpus(self) -> None:
        try:
            self._nvml = self._nvml or open_nvml()
            devices = visible_devices(self._nvml) if self._nvml is not None else []
            self._gpus = [_GpuWatch(self._nvml, device) for device in devices] if self._nvml is not None else []
            for watch in self._gpus:
                watch.sample(first=True)
        except Exception:  # noqa: BLE001  # `capture_hardware` gives the reason; here the run goes on without samples
            self._gpus = []

    def _sample_process(self) -> None:
        try:
            load = read_load(self._pid)
        except Exception:  # noqa: BLE001  # a failure costs one sample
            return
        if load is None:
            return
        if self._cpu_before is None:
            self._cpu_before = load.cpu_seconds if self._own else 0.0
        self._samples += 1
        self._cpu = max(self._cpu, load.cpu_seconds - self._cpu_before)
        self._memory = max(self._memory, load.memory_bytes)

    def _count_ended_children(self) -> None:
        """Add the use of a child between the last sample and its end, as the kernel reported it to the parent."""
        if self._own:
            return
        seconds, memory = _children_usage()
        self._cpu = max(self._cpu, seconds - self._children_before[0])
        if memory > self._children_before[1]:
            self._memory = max(self._memory, memory)

    def _usage(self) -> Usage | None:
        if not self._samples:
            return None
        wall = self._ended - self._started
        try:
            cores = usable_cores(read_limits().cores)
        except Exception:  # noqa: BLE001  # the share is unknown then, the seconds are not
            cores = 0.0
        share = self._cpu / (wall * cores) if wall > 0 and cores > 0 else None
        return Usage(
            samples=self._samples,
            interval_seconds=self._interval,
            cpu_seconds=round(self._cpu, 3),
            cpu_fraction_mean=None if share is None else round(min(1.0, share), 4),
            memory_peak_bytes=self._memory or None,
        )


class _GpuWatch:
    """Aggregates one GPU; a query that it does not support is not repeated."""

    def __init__(self, nvml: Nvml, device: Device) -> None:
        self._nvml = nvml
        self._handle = device.handle
        self._gpu = device.gpu
        self._refused: set[str] = set()
        self._busy: list[float] = [0.0, 0.0]
        self._count = 0
        self._memory = 0
        self._energy: tuple[int, int] | None = None
        self._power: list[float] = [0.0, 0.0]
        self._last = time.monotonic()

    def sample(self, *, first: bool = False, last: bool = False) -> None:
        """Take one sample; counters are read only the first and the last time."""
        energy = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        if energy is not None:
            self._energy = (self._energy[0] if self._energy else int(energy), int(energy))
        now = time.monotonic()
        power = self._ask("nvmlDeviceGetPowerUsage") if energy is None else None
        if power is not None:
            self._power[0] += float(power) * (now - self._last)  # mW x s = mJ
            self._power[1] += 1
        self._last = now
        memory = self._ask("nvmlDeviceGetMemoryInfo")
        if memory is not None:
            self._memory = max(self._memory, int(memory.used))
        if first or (last and self._count):
            return
        rates = self._ask("nvmlDeviceGetUtilizationRates")
        if rates is not None:
            busy = min(1.0, max(0.0, int(rates.gpu) / 100))
            self._busy[0] += busy
            self._busy[1] += busy < _IDLE_BELOW
            self._count += 1

    def gpu(self) -> Gpu:
        """Return the GPU with the aggregated samples."""
        energy = self._energy[1] - self._energy[0] if self._energy else self._power[0] if self._power[1] else None
        return msgspec.structs.replace(
            self._gpu,
            utilisation_mean=round(self._busy[0] / self._count, 4) if self._count else None,
            gpu_idle_fraction=round(self._busy[1] / self._count, 4) if self._count else None,
            memory_peak_bytes=self._memory or None,
            energy_kwh=None if energy is None or energy < 0 else energy / _MILLIJOULES_PER_KWH,
        )

    def _ask(self, question: str) -> Any:  # noqa: ANN401  # a number or a C struct
        if question in self._refused:
            return None
        try:
            return getattr(self._nvml, question)(self._handle)
        except Exception:  # noqa: BLE001  # not supported on this GPU, or the GPU is lost
            self._refused.add(question)
            return None


def _children_usage() -> tuple[float, int]:
    """Return CPU seconds and largest resident bytes of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_BYTES
