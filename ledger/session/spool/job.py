"""The ranks of one training, each with a spool of its own: rank 0 makes the record of them all.

Ranks know each other by the key of their group, which every launcher gives to all of them. What rank 0 has recorded
it notes beside the spools, so that a rank that ends later, or is killed, is not taken for a training of its own.
"""

import os
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from ledger.errors import LedgerError
from ledger.model.document import encode
from ledger.model.values import Document
from ledger.session.process.ranks import ON_HOST, is_silent
from ledger.session.spool.events import Ended, Start
from ledger.session.spool.spool import (
    ALL_HOSTS,
    EVENTS,
    Spool,
    claimed,
    last_events,
    last_sign_of_life,
    read_start,
    spools,
)

_NOTE = "job-{}.json"
"""Name of the note of a recorded training. A file in the state folder itself: every command looks into its folders."""
_KEPT = timedelta(days=30)
"""How long it is remembered that rank 0 has recorded a training."""
_SLACK = timedelta(seconds=60)
"""Most time between the starts of two ranks one of which dies before the other has begun."""
_MOMENT = timedelta(seconds=1)
WAIT_SECONDS = 1.0
"""How long rank 0 waits at its end for ranks that are still running: they end together, or wait for rank 0."""
_POLL_SECONDS = 0.02


class RecordedJob(Document, frozen=True, kw_only=True):
    """The note of rank 0 that it has recorded a training."""

    run: str
    """Run id of its record."""
    host: str
    """Host of rank 0."""
    parent: int
    """Process that started rank 0."""
    began: datetime
    """When rank 0 began, UTC."""
    ended: datetime
    """When its record was made, UTC."""
    seen: list[str] = []
    """Ids of the other ranks' spools that were there, whatever their clocks say."""


class RankSpool(Document, frozen=True, kw_only=True):
    """The spool of one rank."""

    folder: Path
    """Folder of the spool."""
    start: Start
    """Its start."""

    @property
    def rank(self) -> int:
        """Rank of the process."""
        return self.start.rank.rank if self.start.rank else 0


def belongs_to_job(start: Start) -> bool:
    """Return whether a spool is that of a rank whose record rank 0 makes."""
    return start.rank is not None and start.rank.group is not None and is_silent(start.rank) and not start.per_rank


def rank_spools(folder: Path, start: Start) -> list[RankSpool]:
    """Return the spools of the other ranks of a run's training that rank 0 speaks for, by rank.

    A training that is started again may meet at the same address while spools of its last attempt are still there:
    ranks begin together, so each belongs to the rank 0 that began nearest to it.
    """
    group = start.rank.group if start.rank else None
    if group is None or start.per_rank:
        return []
    spooled = list(group_spools(folder.parent.parent, group))
    leading = [one.start.started_at for one in spooled if not belongs_to_job(one.start)] or [start.started_at]
    nearest: dict[int, RankSpool] = {}
    for one in sorted(spooled, key=lambda one: abs(one.start.started_at - start.started_at)):
        began = one.start.started_at
        mine = min(leading, key=lambda leader: abs(leader - began)) == start.started_at or belongs_to_job(start)
        if one.folder != folder and belongs_to_job(one.start) and mine and _overlap(one, start.started_at):
            nearest.setdefault(one.rank, one)
    return [nearest[rank] for rank in sorted(nearest)]


def await_ranks(folder: Path, start: Start, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the other ranks have ended, or the time is over."""
    deadline = time.monotonic() + seconds
    others = rank_spools(folder, start)
    while (others := [one for one in others if is_running(one.folder)]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def is_running(folder: Path) -> bool:
    """Return whether the process of a spool lives and its run has not ended."""
    if has_ended(folder):
        return False
    with claimed(folder, ALL_HOSTS) as dead:
        return not dead


def has_ended(folder: Path) -> bool:
    """Return whether the run of a spool has reported its end."""
    return any(isinstance(event, Ended) for event in last_events(folder / EVENTS))


def close_job(folder: Path, start: Start) -> None:
    """Note that rank 0 has recorded its training, and discard the spools of ranks that have ended.

    Raises:
        OSError: the note cannot be written.
    """
    if start.rank is None or start.rank.group is None or start.per_rank:
        return
    others = rank_spools(folder, start)
    place = folder.parent.parent
    note = RecordedJob(
        run=start.id,
        host=start.host,
        parent=start.parent_pid,
        began=start.started_at,
        ended=datetime.now(UTC),
        seen=[one.folder.name for one in others],
    )
    note_recorded(place, start.rank.group, note)
    for one in others:
        if not is_running(one.folder):
            Spool.discard(one.folder)


def note_recorded(state_dir: Path, group: str, note: RecordedJob) -> None:
    """Keep the note that the training of a group is recorded.

    Raises:
        OSError: it cannot be written.
    """
    name = _NOTE.format(group)
    aside = state_dir / f"{name}.{os.getpid()}.new"
    aside.write_bytes(encode(note))
    aside.replace(state_dir / name)
    _forget_old(state_dir)


def read_recorded(state_dir: Path, group: str) -> RecordedJob | None:
    """Return the note that the training of a group is recorded, if it is."""
    try:
        return msgspec.json.decode((state_dir / _NOTE.format(group)).read_bytes(), type=RecordedJob)
    except (OSError, ValueError, msgspec.DecodeError):
        return None


def is_covered(folder: Path, start: Start) -> bool:
    """Return whether the record of rank 0 has been made, so that the spool of this rank is no longer needed."""
    if not belongs_to_job(start) or start.rank is None:
        return False
    note = read_recorded(folder.parent.parent, start.rank.group or "")
    try:
        seen = last_sign_of_life(folder)
    except (OSError, ValueError):
        return False
    if note is not None and folder.name in note.seen:
        return True
    if note is None or seen < note.began - _SLACK:
        return False  # nothing is recorded, or an earlier training that met at the same address
    if start.started_at <= note.ended + _MOMENT:
        return True
    # Began after the record: a late rank of the same job, unless another launcher has started it.
    return start.rank.job is not None and (note.host != start.host or note.parent == start.parent_pid)


def leads_in_place(folder: Path, start: Start, hosts: Collection[str] = ()) -> bool:
    """Return whether a dead rank speaks for its training, because rank 0 has left nothing here.

    On a host without rank 0, nobody here can know what rank 0 has recorded elsewhere: only where a person names this
    host does the lowest rank speak.
    """
    if start.rank is None or start.rank.group is None:
        return False
    lower = [
        one
        for one in group_spools(folder.parent.parent, start.rank.group)
        if one.folder != folder and _overlap(one, start.started_at)
    ]
    if any(one.rank < start.rank.rank or is_running(one.folder) for one in lower):
        return False
    beside_leader = start.rank.local == start.rank.rank or start.rank.group.startswith(ON_HOST)
    return beside_leader or bool({socket.gethostname(), ALL_HOSTS} & set(hosts))


def group_spools(state_dir: Path, group: str) -> Iterator[RankSpool]:
    """Yield the spools of all ranks of a training, rank 0 among them."""
    for folder in spools(state_dir):
        with suppress(LedgerError, OSError):  # just being made or removed
            start = read_start(folder)
            if start.rank is not None and start.rank.group == group:
                yield RankSpool(folder=folder, start=start)


def _overlap(one: RankSpool, began: datetime) -> bool:
    """Return whether a rank lived when another began, or nearly so."""
    try:
        return last_sign_of_life(one.folder) >= began - _SLACK
    except (OSError, ValueError):
        return False


def _forget_old(place: Path) -> None:
    oldest = time.time() - _KEPT.total_seconds()
    for path in place.glob(_NOTE.format("*")):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
