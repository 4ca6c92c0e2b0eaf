"""The machine of a run, and the limits of the run on it.

On Linux everything is read from `/proc` and `/sys`: importing psutil would cost 18 ms of CPU.
"""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ledger.capture.machine.cgroups import read_limits
from ledger.capture.machine.gpus.cards import open_cards
from ledger.model.boxes.machine import Gpu, Hardware, Platform

T = TypeVar("T")


def capture_hardware(folder: Path, platforms: Callable[[], list[Platform]] | None = None) -> Hardware:
    """Return host, CPU, memory, disk and GPUs with their limits, with the reason for everything unknown.

    Args:
        folder: folder in which the run works, for the disk.
        platforms: what finds the platforms that it is on.
    """
    unknown: dict[str, str] = {}

    def ask(field: str, probe: Callable[[], T]) -> T | None:
        try:
            return probe()
        except Exception as error:  # noqa: BLE001  # no probe may ever harm a run
            unknown[field] = " ".join(str(error).split())[:200] or type(error).__name__
            return None

    limits = ask("cores_limit", read_limits)
    disk = ask("disk_bytes", lambda: shutil.disk_usage(folder))
    cpu = ask("cpu", _cpu)
    if cpu is None:
        unknown.setdefault("cpu", "the system does not name it")
    return Hardware(
        host=ask("host", socket.gethostname),
        cpu=cpu,
        cores=ask("cores", os.cpu_count),
        cores_limit=ask("cores_limit", lambda: usable_cores(limits.cores if limits else None)),
        memory_bytes=ask("memory_bytes", lambda: os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
        memory_limit_bytes=limits.memory_bytes if limits else None,
        disk_bytes=disk.total if disk else None,
        disk_free_bytes=disk.free if disk else None,
        gpus=ask("gpus", lambda: _gpus(unknown)) or [],
        platforms=(ask("platforms", platforms) or []) if platforms else [],
        unknown=unknown,
    )


def usable_cores(quota: float | None = None) -> float:
    """Return the number of cores that this process may use, by affinity, and by the cgroup quota when given."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return float(affinity) if quota is None else min(float(affinity), quota)


def _cpu() -> str | None:
    names = ("model name", "Model", "Hardware", "cpu model")  # x86, Raspberry Pi, older ARM, MIPS
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        import platform

        return platform.processor() or None
    found = {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
    return next((found[name] for name in names if found.get(name)), os.uname().machine)


def _gpus(unknown: dict[str, str]) -> list[Gpu]:
    opened = open_cards()
    if opened.lost:
        unknown["lost_gpus"] = f"GPUs that the driver has and that do not answer: {', '.join(opened.lost)}"
    try:
        return [card.gpu for card in opened.cards]
    finally:
        opened.close()
