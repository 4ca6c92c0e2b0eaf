"""The CPU and memory limits that Linux control groups put on this process.

Formats: https://docs.kernel.org/admin-guide/cgroup-v2.html (`cpu.max`, `memory.max`) and
https://docs.kernel.org/scheduler/sched-bwc.html (v1). A limit of any group above counts, the smallest wins.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_NO_LIMIT = 1 << 60
"""Bytes from which on there is no limit; cgroup v1 writes a number near 2^63 then."""


class CgroupLimits(NamedTuple):
    """Limits of the control groups; none where they set no limit."""

    cores: float | None
    """CPU limit in cores."""
    memory_bytes: int | None
    """Memory limit in bytes."""


def read_limits(root: Path = Path("/")) -> CgroupLimits:
    """Return the limits of this process; none outside Linux.

    Args:
        root: root of the file system; `/` except in tests.
    """
    cores: list[float] = []
    memory: list[int] = []
    for controllers, path in _groups(root):
        if not controllers:
            for folder in _upward(root / "sys/fs/cgroup", path):
                cores += _quota(_text(folder / "cpu.max"))
                memory += _integers(_text(folder / "memory.max"))
        if "cpu" in controllers:
            for folder in _mounts(root, controllers, "cpu", path):
                quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
                cores += _quota(f"{quota} {period}")
        if "memory" in controllers:
            for folder in _mounts(root, controllers, "memory", path):
                memory += _integers(_text(folder / "memory.limit_in_bytes"))
    real = [limit for limit in memory if limit < _NO_LIMIT]
    return CgroupLimits(min(cores, default=None), min(real, default=None))


def _groups(root: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the controllers (none for v2) and the path of every group this process is in."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        yield tuple(controllers.split(",")) if controllers else (), path


def _upward(mount: Path, path: str) -> Iterator[Path]:
    """Yield the group's folder and those above; in a container the path may not exist below its mount."""
    parts = [part for part in PurePosixPath(path).parts if part not in {"/", "..", "."}]
    for length in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:length])


def _mounts(root: Path, controllers: tuple[str, ...], controller: str, path: str) -> Iterator[Path]:
    for name in dict.fromkeys((controller, ",".join(controllers))):
        yield from _upward(root / "sys/fs/cgroup" / name, path)


def _quota(text: str) -> list[float]:
    quota, _, period = text.partition(" ")
    if quota.isdigit() and period.strip().isdigit() and int(period) > 0:
        return [int(quota) / int(period)]
    return []


def _integers(text: str) -> list[int]:
    return [int(text)] if text.isdigit() else []


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
