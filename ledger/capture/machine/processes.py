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


def read_load(pid: int) -> Load | None:
    """Return the use of the process and its children; none when it has ended."""
    if (_PROC / "self/stat").exists():
        return _from_proc(pid)
    return _from_psutil(pid)


def _from_proc(pid: int) -> Load | None:
    ticks, pages, found = 0, 0, False
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
        ticks += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
        pages += int(fields[21])  # rss
        for child in _children(current):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return Load(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")) if found else None


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
