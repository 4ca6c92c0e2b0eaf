"""The spool of a rank on another host, as rank 0 receives it: a spool like any other beside its own.

What comes over the wire is checked before it is written: an event of a known kind, and none that names a file.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from ledger.model.document import encode
from ledger.model.ids import is_id
from ledger.session.link.messages import FILES, LINE_BYTES, RankMachine, RankStart
from ledger.session.spool.events import (
    AnyEvent,
    Attached,
    Ended,
    Failed,
    Fed,
    Imported,
    Logged,
    MetricEvent,
    Missing,
    ParamsEvent,
    Start,
    StatementEvent,
    StepEvent,
    Used,
    Waited,
    Warned,
)
from ledger.session.spool.job import belongs_to_job, has_ended
from ledger.session.spool.keeper import hold, mark_received
from ledger.session.spool.spool import EVENTS, MACHINE, Spool, load_event, spool_dir

_PASSED = (
    *(Attached, Logged, MetricEvent, ParamsEvent, StepEvent, StatementEvent, Used),
    *(Failed, Warned, Missing, Waited, Fed, Imported, Ended),
)
"""Kinds of events that a rank may send. Figures, tables and models are files; a join is an event of `ledger run`."""


class ReceivedSpool:
    """A spool that rank 0 writes for another rank, and keeps alive as long as it hears of it.

    Args:
        state_dir: folder of rank 0's state.
        start: start of the rank's spool, checked.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, state_dir: Path, start: Start) -> None:
        self.start = start
        self.heard = 0.0
        """When it was last heard of, by a monotonic clock."""
        self.ending = False
        """Whether the rank has ended, and its rest is on the way."""
        self._spool = Spool.create(state_dir, start)
        self.folder = self._spool.folder
        mark_received(self.folder, socket.gethostname())
        self._spool.close()
        self._free: Callable[[], None] | None = None
        self._files: dict[int, _ReceivedFile] = {}

    def is_of(self, start: Start) -> bool:
        """Return whether this is the spool of that rank."""
        return start.id == self.start.id and start.rank == self.start.rank

    @property
    def alive(self) -> bool:
        """Whether the rank counts as alive."""
        return self._free is not None

    @property
    def ended(self) -> bool:
        """Whether the end of the rank is here."""
        return has_ended(self.folder)

    def hear(self, now: float) -> None:
        """Note a sign of life: from now on the rank counts as alive."""
        self.heard = now
        if self._free is None:
            self._free = hold(self.folder)
        self._spool.beat()

    def let_go(self) -> None:
        """Count the rank as gone, until it is heard again."""
        if self._free is not None:
            self._free()
            self._free = None

    def take(self, number: int, offset: int, data: bytes) -> int:
        """Write part of a file of events and return how much of it is here; what is here already is skipped.

        Raises:
            OSError: it cannot be written.
            ValueError: there are too many files, or an event is too long.
        """
        if number not in self._files:
            if number >= FILES:
                raise ValueError(f"too many files: `{number}`")
            self._files[number] = _ReceivedFile(self.folder / (EVENTS if number == 0 else f"events-{number}.jsonl"))
        return self._files[number].take(offset, data)

    def write_machine(self, machine: RankMachine) -> None:
        """Write what the rank saw of its machine.

        Raises:
            OSError: it cannot be written.
        """
        (self.folder / MACHINE).write_bytes(encode(machine.hardware))

    def close(self) -> None:
        """Close its files; the rank is not heard any more."""
        self.let_go()
        for file in self._files.values():
            file.close()


class _ReceivedFile:
    """A file of events; its offsets are those of the rank's own file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._here = 0
        self._torn = b""

    def take(self, offset: int, data: bytes) -> int:
        if offset > self._here:
            return self._here
        new = data[self._here - offset :]
        *lines, torn = (self._torn + new).split(b"\n")
        if len(torn) > LINE_BYTES:
            raise ValueError("an event is too long")
        safe = b"".join(passed + b"\n" for line in lines if (passed := _passed(line)) is not None)
        if safe:
            os.write(self._file, safe)
        self._torn = torn
        self._here += len(new)
        return self._here

    def close(self) -> None:
        os.close(self._file)


def load_rank_start(data: bytes, leader: Start) -> Start:
    """Return the start of a rank as rank 0 keeps it: without what only its own host can use.

    Raises:
        ValueError: it is no rank of this training.
    """
    start = msgspec.json.decode(data, type=RankStart).start
    rank, ours = start.rank, leader.rank
    if not is_id(start.id) or start.started_at.tzinfo is None or not belongs_to_job(start):
        raise ValueError("it is no spool of a rank")
    if rank is None or ours is None or rank.group != ours.group or not 0 < rank.rank < (ours.processes or 0):
        raise ValueError("it is no rank of this training")
    return msgspec.structs.replace(
        start, home=leader.home, folder=leader.folder, given=None, working_folder=None, resume=None
    )


def spool_is_here(state_dir: Path, start: Start) -> bool:
    """Return whether the spool of a rank is in the folder of rank 0: they share it."""
    return (spool_dir(state_dir) / start.id).exists()


def _passed(line: bytes) -> bytes | None:
    """Return an event as it is written; none where its kind, or a path in it, has no business here."""
    try:
        event = load_event(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(event, _PASSED):
        return None
    kept: AnyEvent = event
    if isinstance(event, Used) and event.dataset.path:
        return None  # a path of another host; what rank 0 says of its data counts
    if isinstance(event, Ended) and event.ended_at.tzinfo is None:
        return None
    if isinstance(event, StatementEvent) and event.log is not None:
        kept = msgspec.structs.replace(event, log=None)
    return line if kept is event else encode(kept)
