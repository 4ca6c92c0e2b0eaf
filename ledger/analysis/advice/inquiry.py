"""What an experiment asks, what its authors expect, and what it showed: said by people, the latest of each stands."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from ledger.model.entries import Note, StoredRun
from ledger.model.values import OF_EXPERIMENTS, Document, NoteKind

State = Literal["open", "concluded"]
"""Whether the latest question of an experiment has a conclusion."""


class Inquiry(Document, frozen=True, kw_only=True):
    """The statements about one experiment."""

    question: Note | None = None
    """What it asks."""
    hypothesis: Note | None = None
    """What was expected."""
    conclusion: Note | None = None
    """What it showed."""
    earlier: tuple[Note, ...] = ()
    """Former questions, hypotheses and conclusions, oldest first."""

    @property
    def standing(self) -> tuple[Note, ...]:
        """Return the statements that stand: question, hypothesis, conclusion."""
        return tuple(note for note in (self.question, self.hypothesis, self.conclusion) if note is not None)

    @property
    def state(self) -> State:
        """Return whether it is concluded; a question that was asked after the conclusion opens it again."""
        if self.conclusion is None:
            return "open"
        asked_again = self.question is not None and _order(self.question)[:2] > _order(self.conclusion)[:2]
        return "open" if asked_again else "concluded"

    def runs_since(self, runs: Iterable[StoredRun]) -> int:
        """Return how many runs ended after the conclusion, which it cannot have seen; 0 where there is none."""
        if self.conclusion is None:
            return 0
        said = self.conclusion.noted_at
        return sum(run.record.timing.ended_at > said for run in runs)


NO_INQUIRY = Inquiry()
"""An experiment about which nobody said anything."""


def inquiry_of(notes: Iterable[Note]) -> Inquiry:
    """Return the inquiry of one experiment from the notes about it, in any order."""
    latest: dict[NoteKind, Note] = {}
    earlier: list[Note] = []
    for note in sorted(notes, key=_order):
        if (before := latest.get(note.kind)) is not None:
            earlier.append(before)
        latest[note.kind] = note
    question, hypothesis, conclusion = (latest.get(kind) for kind in OF_EXPERIMENTS)
    return Inquiry(
        question=question, hypothesis=hypothesis, conclusion=conclusion, earlier=tuple(sorted(earlier, key=_order))
    )


def inquiries_of(said: Iterable[Note]) -> Mapping[str, Inquiry]:
    """Return the inquiry of each experiment that somebody said something about, by its name."""
    members: dict[str, list[Note]] = {}
    for note in said:
        if note.experiment is not None:
            members.setdefault(note.experiment, []).append(note)
    return {name: inquiry_of(notes) for name, notes in sorted(members.items())}


def _order(note: Note) -> tuple[str, datetime, str]:
    """Return the sort key of a note: what one command said has one time, and then ids sort at random."""
    return note.id[:15], note.noted_at, note.id
