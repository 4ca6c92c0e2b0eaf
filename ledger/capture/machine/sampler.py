"""A thread that samples a run: CPU time, memory, disks, network, and how busy its GPUs are.

Everything is aggregated at once, so memory does not grow with the length of the run.
"""

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping

from ledger.capture.machine.cgroups import read_limits
from ledger.capture.machine.gpus.cards import Cards, open_cards
from ledger.capture.machine.gpus.watch import GpuWatch
from ledger.capture.machine.hardware import usable_cores
from ledger.capture.machine.network import read_traffic
from ledger.capture.machine.processes import Load, read_load
from ledger.model.boxes.machine import Gpu, Usage

_STOP_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.05
"""The first pause; each doubles up to the interval, so that a run of one second has samples, too."""
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of `ru_maxrss`: bytes on macOS, KiB elsewhere (getrusage(2))."""


class Sampler:
    """Samples a process tree and its GPUs until it is stopped; never raises.

    Args:
        pid: root of the process tree; by default this process, without its use so far.
        interval_seconds: seconds between two samples; the first few come sooner.
        beat: called at every sample, as a sign of life.
    """

    def __init__(
        self,
        pid: int | None = None,
        interval_seconds: float = 2.0,
        *,
        beat: Callable[[], None] | None = None,
    ) -> None:
        self._beat = beat or (lambda: None)
        self._pid = os.getpid() if pid is None else pid
        self._own = pid is None or pid == os.getpid()
        self._interval = max(0.01, interval_seconds)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._result: tuple[Usage | None, list[Gpu]] | None = None
        self._samples = 0
        self._before: Load | None = None
        self._now: Load | None = None
        self._cpu = 0.0
        self._memory = 0
        self._traffic = read_traffic()
        self._cards = Cards([])
        self._gpus: list[GpuWatch] = []
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
            self._sample_gpus()
            pause = min(self._interval, 2 * pause)
        self._sample_gpus()
        self._cards.close()

    def _sample_gpus(self) -> None:
        own = self._own_processes()
        for watch in self._gpus:
            watch.sample(own)

    def _open_gpus(self) -> None:
        try:
            self._cards = open_cards()
            self._gpus = [GpuWatch(card) for card in self._cards.cards]
            for watch in self._gpus:
                watch.sample()
        except Exception:  # noqa: BLE001  # `capture_hardware` gives the reason; here the run goes on without samples
            self._gpus = []

    def _own_processes(self) -> frozenset[int]:
        """Return the processes of the run; of a job of several ranks on this host, those of all of them."""
        if not self._gpus:
            return frozenset()
        if self._own and has_siblings(os.environ):
            with contextlib.suppress(Exception):  # the launcher may be gone
                launched = read_load(os.getppid())
                return launched.pids if launched is not None else frozenset()
        return self._now.pids if self._now is not None else frozenset()

    def _sample_process(self) -> None:
        try:
            load = read_load(self._pid)
        except Exception:  # noqa: BLE001  # a failure costs one sample
            return
        if load is None:
            return
        if self._before is None:
            self._before = load if self._own else Load(0.0, 0, disk_read_bytes=0, disk_written_bytes=0)
        self._samples += 1
        self._now = load
        self._cpu = max(self._cpu, load.cpu_seconds - self._before.cpu_seconds)
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
        received, sent = self._moved()
        before, now = self._before or Load(0.0, 0), self._now or Load(0.0, 0)
        return Usage(
            samples=self._samples,
            interval_seconds=self._interval,
            cpu_seconds=round(self._cpu, 3),
            cpu_fraction_mean=None if share is None else round(min(1.0, share), 4),
            memory_peak_bytes=self._memory or None,
            disk_read_bytes=_grown(before.disk_read_bytes, now.disk_read_bytes),
            disk_written_bytes=_grown(before.disk_written_bytes, now.disk_written_bytes),
            network_received_bytes=received,
            network_sent_bytes=sent,
        )

    def _moved(self) -> tuple[int | None, int | None]:
        try:
            before, now = self._traffic, read_traffic()
        except Exception:  # noqa: BLE001  # the rest of the usage is known
            return None, None
        if before is None or now is None:
            return None, None
        return _grown(before.received, now.received), _grown(before.sent, now.sent)


def has_siblings(variables: Mapping[str, str]) -> bool:
    """Return whether a launcher started several processes of one job on this host, by its variables."""
    return any(variables.get(name, "").isdigit() and int(variables[name]) > 1 for name in _PROCESSES_HERE)


_PROCESSES_HERE = ("LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS")
"""Variables of torchrun, Open MPI, MPICH and SLURM with the number of processes."""


def _grown(before: int | None, now: int | None) -> int | None:
    """Return what a counter grew by; none where it is unknown, or ran backwards."""
    return None if before is None or now is None or now < before else now - before


def _children_usage() -> tuple[float, int]:
    """Return CPU seconds and largest resident bytes of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_BYTES
