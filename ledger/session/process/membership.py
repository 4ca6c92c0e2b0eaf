"""The record that a run in a script becomes part of: its own, that of the `ledger run` around it, or none.

One training, one record: the first run inside `ledger run` joins it, every further one has a record of its own
with the outer one as its parent, and of several ranks of a job rank 0 keeps the record. Whether the first was the only
one is known only at the end; `spool/draft.py` decides then.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from ledger.errors import InvalidDocument
from ledger.model.ids import is_id
from ledger.model.values import Document
from ledger.recorder.record.draft import Rank
from ledger.session.process.ranks import is_silent
from ledger.session.spool.attempts import begin_attempt
from ledger.session.spool.events import Attached, JoinEvent, Start
from ledger.session.spool.location import SpoolPlace, create_spool
from ledger.session.spool.spool import Spool, add_child, claim_first, read_start
from ledger.settings import RUN_ID_VARIABLE, SPOOL_VARIABLE

_LOG = logging.getLogger("ledger")

_RUNS_OF_GROUP: dict[tuple[int, str], int] = {}
"""Runs that this process has begun in a training, by process and group: the second is that of rank 0's second."""
_RANKS_JOINED: set[tuple[int, str]] = set()
"""Process and spool that a rank other than 0 has joined: its second run belongs to the second run of rank 0."""
_JOINING = threading.Lock()


class Outer(Document, frozen=True, kw_only=True):
    """The `ledger run` around a script."""

    folder: str
    """Its spool."""
    start: Start
    """Its start, written before its command started."""


class Seat:
    """The place where a run in this process writes.

    Args:
        shown: run id that the script sees: the id of the record it becomes part of.
        role: `leads` makes a record; `joins` is part of another's; `rank` writes for the record of rank 0; `silent`
            writes nothing; `lost` has no spool because none can be written.
        spool: spool that it writes to; none where it writes nothing.
        began: start of its clock, in seconds since 1970.
        whole: whether this process has the run from start to end, and not a copy from another process.
        own: id of the run itself, where the record may be another's.
    """

    def __init__(
        self,
        shown: str,
        role: Literal["leads", "joins", "rank", "silent", "lost"],
        spool: Spool | None,
        began: float,
        *,
        whole: bool = True,
        own: str | None = None,
    ) -> None:
        self.id = shown
        self.own = own or shown
        self.whole = whole
        self.role = role
        self.spool = spool
        self.began = began


def find_outer(environment: Mapping[str, str]) -> Outer | None:
    """Return the living `ledger run` around this process, if there is one."""
    folder = environment.get(SPOOL_VARIABLE)
    if not folder or not Path(folder).is_dir():
        return None
    try:
        return Outer(folder=folder, start=read_start(Path(folder)))
    except (OSError, InvalidDocument):  # it has just ended, and is being removed
        return None


def take_seat(place: SpoolPlace, start: Start) -> Seat:
    """Return the place where a run writes; where none is writable, warn and return one without a spool.

    Args:
        place: place where it would be recorded.
        start: what is known before its first step.
    """
    silent = is_silent(start.rank) and not start.per_rank
    outer = find_outer(os.environ)
    try:
        if outer is None:
            start = _numbered(start)
            return _beside_leader(place, start) if silent else _own(place, start)
        if silent:
            return _rank_seat(outer, start)
        # One with a start of its own cannot be the command, which starts now.
        if not start.per_rank and not start.stated and claim_first(Path(outer.folder), start.id):
            return _join(outer, start)
        add_child(Path(outer.folder), start.id)
        return _own(place, msgspec.structs.replace(start, parent=start.parent or outer.start.id))
    except OSError as error:
        _LOG.warning("run %s is not recorded: its spool cannot be written: %s", start.id, error)
        return Seat(start.id, "lost", None, time.time())


def attach(folder: Path, run: str, began: float, rank: Rank | None) -> Seat:
    """Return the place of a process that received a run from another one; without a spool once the run has ended."""
    try:
        if read_start(folder):
            spool = Spool.join(folder)
            spool.write(Attached(run=run, rank=rank))
            return Seat(folder.name, "joins", spool, began, whole=False, own=run)
    except (OSError, InvalidDocument):
        _LOG.warning("run %s has ended: what this process logs to it is not recorded", folder.name)
    return Seat(folder.name, "silent", None, began, whole=False)


def _own(place: SpoolPlace, start: Start) -> Seat:
    began = start.started_at.timestamp() if start.stated else time.time()
    start, shown = begin_attempt(place.state_dir, start)
    return Seat(shown, "leads", create_spool(place, start), began, own=start.id)


def _numbered(start: Start) -> Start:
    """Return the start with the key of its training: the runs that a process makes one after the other have others."""
    rank = start.rank
    if rank is None or rank.group is None:
        return start
    with _JOINING:
        key = os.getpid(), rank.group
        number = _RUNS_OF_GROUP[key] = _RUNS_OF_GROUP.get(key, 0) + 1
    group = f"{rank.group}-{number}"
    rank = msgspec.structs.replace(rank, group=group)
    return msgspec.structs.replace(start, rank=rank, parent_pid=os.getppid())


def _beside_leader(place: SpoolPlace, start: Start) -> Seat:
    """Return the place of a rank other than 0: a spool of its own, which becomes part of rank 0's record."""
    _warn_of_rank(start)
    return Seat(start.id, "rank", create_spool(place, start), time.time())


def _silent(start: Start) -> Seat:
    _warn_of_rank(start)
    return Seat(start.id, "silent", None, time.time())


def _warn_of_rank(start: Start) -> None:
    if (rank := start.rank) is not None:
        of = f" of {rank.processes}" if rank.processes else ""
        _LOG.warning(
            "rank %d%s keeps no record, rank 0 does (according to %s; ledger.run(per_rank=True) records each rank)",
            *(rank.rank, of, rank.launcher),
        )


def _rank_seat(outer: Outer, start: Start) -> Seat:
    """Return the place of a rank other than 0: in the first run of rank 0, and silent in every further one."""
    key = os.getpid(), outer.folder
    with _JOINING:
        again = key in _RANKS_JOINED
        _RANKS_JOINED.add(key)
    return _silent(start) if again else _join(outer, start)


def _join(outer: Outer, start: Start) -> Seat:
    began = outer.start.started_at.timestamp()
    spool = Spool.join(Path(outer.folder))
    spool.write(JoinEvent(start=start, offset_seconds=round(max(0.0, time.time() - began), 6)))
    shown = os.environ.get(RUN_ID_VARIABLE, "")
    return Seat(shown if is_id(shown) else outer.start.id, "joins", spool, began, own=start.id)
