"""From a spool, living or dead, to the draft that the recorder turns into a record."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec

from ledger.analysis.curves import Gatherer, Point
from ledger.model.boxes import Usage
from ledger.model.values import DEFAULT_EXPERIMENT, LABEL_LENGTH, is_plain_text
from ledger.recorder.draft import Draft, FigureSource
from ledger.recorder.given import seed_of
from ledger.session.events import (
    AnyEvent,
    Chosen,
    Drawn,
    Ended,
    Event,
    Failed,
    Logged,
    Measured,
    Said,
    Start,
    Tabled,
    Trained,
    Used,
    Waited,
    Warned,
)
from ledger.session.spool import LOG, last_sign_of_life, read_captured, read_events, read_start

E = TypeVar("E", bound=Event)
T = TypeVar("T")


def read_draft(folder: Path) -> Draft:
    """Return the draft of a spooled run; one that says nothing of its end is `lost`.

    Raises:
        OSError: the spool cannot be read.
        InvalidDocument: its start is damaged.
    """
    start = read_start(folder)
    gatherer = Gatherer()
    events: list[AnyEvent] = []
    for event in read_events(folder):
        if isinstance(event, Logged):
            gatherer.add(_point(event))  # a million of them must not fill the memory that training used
        else:
            events.append(event)
    draft = _with_events(_begun(start, folder), events)
    draft = msgspec.structs.replace(draft, curves=gatherer.result(), captured=read_captured(folder))
    return _with_waiting(_with_end(draft, start, events, folder), events)


def _begun(start: Start, folder: Path) -> Draft:
    return Draft(
        id=start.id,
        status="lost",
        experiment=start.experiment,
        started_at=start.started_at,
        ended_at=start.started_at,
        duration_seconds=0.0,
        command=start.command,
        folder=start.folder,
        parent=start.parent,
        baseline=start.baseline,
        tags=start.tags,
        note=start.note,
        seed=start.seed,
        links=start.links,
        params=start.params,
        param_sources=start.param_sources,
        log=str(folder / LOG) if (folder / LOG).exists() else None,
    )


def _with_events(draft: Draft, events: Sequence[AnyEvent]) -> Draft:
    measured, said = _only(Measured, events), _only(Said, events)
    # A later statement of the same measurement stands.
    metrics = {(event.metric.key, event.metric.dataset, event.metric.step): event.metric for event in measured}
    params = dict(draft.params)
    for chosen in _only(Chosen, events):
        params |= chosen.values
    notes = [draft.note, *(event.note for event in said)]
    named = _last(event.experiment for event in said if event.experiment)
    return msgspec.structs.replace(
        draft,
        # What `ledger run` was told stands before what the script inside says.
        experiment=named if named and draft.experiment == DEFAULT_EXPERIMENT else draft.experiment,
        parent=draft.parent or _last(event.parent for event in said if event.parent),
        baseline=draft.baseline or _last(event.baseline for event in said if event.baseline),
        metrics=list(metrics.values()),
        headline=_last(event.metric.key for event in measured if event.headline),
        log=_last(event.log for event in said if event.log) or draft.log,
        model=_last(event.model for event in _only(Trained, events)),
        note="\n\n".join(note for note in notes if note) or None,
        seed=seed_of(_last([draft.seed, *(event.seed for event in said if event.seed is not None)]), params),
        params=params,
        tags=list(dict.fromkeys([*draft.tags, *(tag for event in said for tag in event.tags)])),
        links=[*draft.links, *(link for event in said for link in event.links)],
        datasets=[event.dataset for event in _only(Used, events)],
        figures=[FigureSource(title=event.title, path=event.path) for event in _only(Drawn, events)],
        tables=[event.table for event in _only(Tabled, events)],
        problems=[event.problem for event in _only(Failed, events)],
    )


def _point(event: Logged) -> Point:
    values = {_series(name): float(value) for name, value in event.values.items()}
    return Point(step=event.step, epoch=event.epoch, seconds=event.seconds, values=values)


@lru_cache
def _series(name: str) -> str:
    """Return a name that a record can hold: the curves of hours must not be lost for one odd name."""
    shown = name if is_plain_text(name) else ascii(name)[1:-1]
    return shown[:LABEL_LENGTH] if shown.strip() else "unnamed"


def _only(kind: type[E], events: Iterable[AnyEvent]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def _last(values: Iterable[T]) -> T | None:
    return next(reversed(list(values)), None)


def _with_end(draft: Draft, start: Start, events: Iterable[AnyEvent], folder: Path) -> Draft:
    ends = _only(Ended, events)
    if ends:
        # The first failure is the truth; a leader's later "finished" does not undo it.
        end = next((event for event in ends if event.status != "finished"), ends[-1])
        last = max(ends, key=lambda event: event.seconds)
        return msgspec.structs.replace(
            draft,
            status=end.status,
            reason=end.reason,
            exit_code=next((event.exit_code for event in ends if event.exit_code is not None), None),
            ended_at=last.ended_at,
            duration_seconds=last.seconds,
            usage=next((event.usage for event in ends if event.usage), None),
            gpus=next((event.gpus for event in ends if event.gpus), []),
        )
    ended_at = last_sign_of_life(folder)
    logged = draft.curves.points[-1].seconds if draft.curves else None
    seconds = max((ended_at - start.started_at).total_seconds(), logged or 0.0, 0.0)
    warned = _only(Warned, events)
    return msgspec.structs.replace(
        draft,
        status=warned[-1].status if warned else "lost",
        reason=warned[-1].reason if warned else "the process was gone without a word",
        ended_at=max(ended_at, start.started_at),
        duration_seconds=seconds,
    )


def _with_waiting(draft: Draft, events: Iterable[AnyEvent]) -> Draft:
    """Add how long training waited for data: of several processes, which wait beside each other, the longest."""
    longest = max((event.seconds for event in _only(Waited, events)), default=None)
    if longest is None:
        return draft
    seen = draft.usage or Usage(samples=0, interval_seconds=0.0)
    return msgspec.structs.replace(draft, usage=msgspec.structs.replace(seen, data_wait_seconds=round(longest, 3)))
