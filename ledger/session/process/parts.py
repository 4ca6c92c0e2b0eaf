"""The parts of a run: what each process wrote into its spool, and which run it belongs to."""

from pathlib import Path

from ledger.recorder.record.draft import Rank
from ledger.session.process.ranks import is_silent
from ledger.session.spool.events import AnyEvent, Attached, JoinEvent, Start
from ledger.session.spool.job import rank_spools
from ledger.session.spool.spool import event_files, read_events


class Part:
    """The events of one process, without the points of its curves.

    Args:
        path: file that it wrote.
        events: its events, without points.
        owner: id of the spool's run.
        start: start of the rank, where the file is in the spool of a rank other than 0.
    """

    def __init__(self, path: Path, events: list[AnyEvent], owner: str, start: Start | None = None) -> None:
        self.path = path
        self.events = events
        self.began = start
        self.apart = start is not None
        """Whether it is a rank with a spool of its own, which ends by itself."""
        first = events[0] if events else None
        self.joined: JoinEvent | None = first if isinstance(first, JoinEvent) else None
        self.said_rank: Rank | None = start.rank if start is not None else _rank(first)
        self.leads = start is None and not isinstance(first, JoinEvent | Attached)
        """Whether it created the spool."""
        self.rank = self.said_rank.rank if self.said_rank and is_silent(self.said_rank) else 0
        """Rank of the process; 0 where there are no ranks."""
        self.of: str | None = owner
        """Run that it belongs to; none for another rank of the run that joined."""
        if start is not None:
            return
        if isinstance(first, JoinEvent):
            self.began = first.start
            self.of = first.start.id if self.rank == 0 else None
        elif isinstance(first, Attached):
            self.of = first.run


def _rank(first: AnyEvent | None) -> Rank | None:
    if isinstance(first, JoinEvent):
        return first.start.rank
    return first.rank if isinstance(first, Attached) else None


def read_parts(folder: Path, start: Start) -> list[Part]:
    """Return the part of each process of a spool, by rank; the creator of the spool is the last of rank 0."""
    parts = [Part(path, list(read_events(path, points=False)), start.id) for path in event_files(folder)]
    for one in rank_spools(folder, start):
        parts += [
            Part(path, list(read_events(path, points=False)), start.id, one.start) for path in event_files(one.folder)
        ]
    return sorted(parts, key=lambda part: (part.rank, part.leads))
