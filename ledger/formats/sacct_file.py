"""SLURM's accounting as `sacct --parsable2` prints it: lines in, allocations of GPUs out, one after the other.

Source: https://slurm.schedmd.com/sacct.html. A line that cannot be read is named and left out; nothing is kept of the
lines that were read, so a file may have millions.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from ledger.errors import InvalidDocument

NEEDED = ("JobID", "User", "NodeList", "Start", "End", "AllocTRES")
"""Columns without which nothing can be said."""
COMMAND = "sacct -a -P -S 2026-11-01 -o JobID,User,NodeList,Start,End,AllocTRES,TRESUsageInAve"
"""Command that prints them, with the use of GPUs where the cluster accounts for it."""
_GPUS = re.compile(r"(?:^|,)gres/gpu(?::([\w.-]{1,60}))?=(\d{1,6})(?=,|$)")
_USED = re.compile(r"(?:^|,)gres/gpuutil=(\d{1,6}(?:[.,]\d{1,6})?)(?=,|$)")
_LONGEST = 100_000
_FIRST_YEAR, _LAST_YEAR = 1990, 2200
_NEVER = {"", "Unknown", "None", "N/A"}


class Allocation(NamedTuple):
    """GPUs that a job had."""

    job: str
    user: str
    nodes: str
    """The nodes, as SLURM writes them: `gpu[01-03]`."""
    gpus: int
    """Number of GPUs on all nodes together."""
    kind: str | None
    """Kind of the GPUs; none where the cluster does not name it."""
    started_at: datetime
    ended_at: datetime | None
    """End, UTC; none for a job that was running when the file was written."""


class Unreadable(NamedTuple):
    """A line that says nothing."""

    line: int
    why: str


class JobUse(NamedTuple):
    """How much of the GPUs of a job worked, as one of its steps says."""

    job: str
    share: float
    """Mean share (0..1)."""


Line = Allocation | JobUse | Unreadable
"""What a line says."""


def read_sacct(lines: Iterable[str], source: str, zone: tzinfo | None = None) -> Iterator[Line]:
    """Yield the allocations of GPUs, the use of them, and every line that cannot be read.

    Args:
        lines: the file, the line with the names of the columns first.
        source: where it is, for messages.
        zone: time zone of its times; by default that of this machine, as sacct prints them.

    Raises:
        InvalidDocument: it is no output of `sacct --parsable2`, or a column that is needed is missing.
    """
    rows = iter(lines)
    names = [name.strip().lstrip("\ufeff") for name in next(rows, "").rstrip("\r\n").split("|")]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise InvalidDocument(source, [f"no column `{'`, `'.join(missing)}` in its first line"], hint=COMMAND)
    for number, line in enumerate(rows, start=2):
        text = line.rstrip("\r\n")
        if not text:
            continue
        cells = text.split("|")
        if len(cells) != len(names) or len(text) > _LONGEST or not line.endswith("\n"):
            yield Unreadable(number, f"{len(cells)} columns where the first line has {len(names)}, or cut short")
            continue
        yield from _read(dict(zip(names, cells, strict=True)), number, zone)


def _read(cells: Mapping[str, str], number: int, zone: tzinfo | None) -> Iterator[Line]:
    job, _, step = cells["JobID"].partition(".")
    used = _USED.search(cells.get("TRESUsageInAve") or cells.get("TRESUsageInTot") or "")
    if used is not None:
        yield JobUse(job, min(1.0, float(used[1].replace(",", ".")) / 100))
    if step:
        return
    counts = _counts(cells["AllocTRES"])
    if not counts or cells["NodeList"].strip() in _NEVER | {"None assigned"} or cells["Start"] in _NEVER:
        return  # no GPU, or a job that never began
    started, ended = _moment(cells["Start"], zone), _moment(cells["End"], zone)
    if started is None or (ended is None and cells["End"] not in _NEVER):
        yield Unreadable(number, "a time in another form than 2026-11-20T10:00:00 (unset SLURM_TIME_FORMAT)")
        return
    if ended is not None and ended < started:
        yield Unreadable(number, "it ended before it began")
        return
    user, nodes = cells["User"].strip() or "unknown", cells["NodeList"].strip()
    for kind, count in counts.items():
        yield Allocation(job, user, nodes, count, kind or None, started, ended)


def _counts(allocated: str) -> dict[str, int]:
    """Return the number of GPUs of each kind; those of no named kind are under an empty name."""
    counts = {kind: int(count) for kind, count in _GPUS.findall(allocated) if int(count)}
    unnamed = counts.pop("", 0) - sum(counts.values())
    return counts | ({"": unnamed} if unnamed > 0 else {})


def _moment(text: str, zone: tzinfo | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not _FIRST_YEAR < found.year < _LAST_YEAR:
        return None  # at its ends the calendar has no other time zones
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone) if zone is not None else found.astimezone()
    return found.astimezone(UTC)
