"""The parts of a run: what each process wrote into its spool, and which run it belongs to."""

from pathlib import Path

from ledger.recorder.record.draft import Rank
from ledger.session.process.ranks import is_silent
from ledger.session.spool.events import AnyEvent, Attached, JoinEvent, Logged, Start
from ledger.session.spool.spool import event_files, read_events


class Part:
    """The events of one process, without the points of its curves.

    Args:
        path: file that it wrote.
        events: its events, without points.
        owner: id of the spool's run.
    """

    def __init__(self, path: Path, events: list[AnyEvent], owner: str) -> None:
        self.path = path
        self.events = events
        first = events[0] if events else None
        self.joined: JoinEvent | None = first if isinstance(first, JoinEvent) else None
        self.said_rank: Rank | None = _rank(first)
        self.leads = not isinstance(first, JoinEvent | Attached)
        """Whether it created the spool."""
        self.rank = self.said_rank.rank if self.said_rank and is_silent(self.said_rank) else 0
        """Rank of the process; 0 where there are no ranks."""
        self.of: str | None = owner
        """Run that it belongs to; none for another rank of the run that joined."""
        if isinstance(first, JoinEvent):
            self.of = first.start.id if self.rank == 0 else None
        elif isinstance(first, Attached):
            self.of = first.run


def _rank(first: AnyEvent | None) -> Rank | None:
    if isinstance(first, JoinEvent):
        return first.start.rank
    return first.rank if isinstance(first, Attached) else None


def read_parts(folder: Path, start: Start) -> list[Part]:
    """Return the part of each process of a spool, by rank; the creator of the spool is the last of rank 0."""
    parts = [
        Part(path, [event for event in read_events(path) if not isinstance(event, Logged)], start.id)
        for path in event_files(folder)
    ]
    return sorted(parts, key=lambda part: (part.rank, part.leads))
