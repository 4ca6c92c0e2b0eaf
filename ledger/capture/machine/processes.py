"""CPU time and memory of a process and all its child processes.

On Linux straight from `/proc`: psutil lists every process of the machine to find children, which on a
host with 2,000 processes costs 30 ms a sample. Elsewhere psutil is asked.
"""

import os
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_DEPTH = 10_000
"""Most processes of one run that are followed."""


class Load(NamedTuple):
    """The resources used by a process tree so far."""

    cpu_seconds: float
    """CPU time in seconds, including children that have ended."""
    memory_bytes: int
    """Resident memory of the living processes, in bytes."""
    pids: frozenset[int] = frozenset()
    """Ids of the living processes."""
    disk_read_bytes: int | None = None
    """Bytes read from disks, by children that have ended too; none where the system does not say."""
    disk_written_bytes: int | None = None
    """Bytes written to disks."""


def read_load(pid: int) -> Load | None:
    """Return the use of the process and its children; none when it has ended."""
    if (_PROC / "self/stat").exists():
        return _from_proc(pid)
    return _from_psutil(pid)


def _from_proc(pid: int) -> Load | None:
    ticks, pages, found = 0, 0, False
    living, disk = set(), _Disk()
    waiting, seen = [pid], {pid}
    while waiting and len(seen) < _DEPTH:
        current = waiting.pop()
        try:
            stat = Path(f"/proc/{current}/stat").read_bytes()
        except OSError:
            continue
        # proc(5): the name in parentheses may hold anything, so fields are counted from behind it
        fields = stat[stat.rfind(b")") + 2 :].split()
        found = found or current == pid
        living.add(current)
        disk.add(current)
        ticks += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
        pages += int(fields[21])  # rss
        for child in _children(current):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    if not found:
        return None
    seconds, memory = ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")
    return Load(seconds, memory, frozenset(living), disk.read, disk.written)


class _Disk:
    """Sums what processes read from and wrote to disks (proc_pid_io(5)); none as long as no process says."""

    def __init__(self) -> None:
        self.read: int | None = None
        self.written: int | None = None

    def add(self, pid: int) -> None:
        try:
            lines = Path(f"/proc/{pid}/io").read_bytes().splitlines()
        except OSError:  # another user's, or a kernel that does not count
            return
        counted = dict(line.split(b": ", 1) for line in lines if b": " in line)
        self.read = (self.read or 0) + int(counted.get(b"read_bytes", 0))
        self.written = (self.written or 0) + int(counted.get(b"write_bytes", 0))


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  # pathlib costs three times as much, every sample
    except OSError:
        return []
    for thread in threads:
        try:
            children += [int(child) for child in Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split()]
        except OSError:
            continue
    return children


def _from_psutil(pid: int) -> Load | None:
    import psutil

    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return None
    seconds, memory = 0.0, 0
    for process in tree:
        try:
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            memory += process.memory_info().rss
        except psutil.Error:
            continue
    return Load(seconds, memory)
