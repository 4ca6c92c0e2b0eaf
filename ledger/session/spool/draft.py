"""Conversion of a spool, living or dead, to the draft that the recorder turns into a record."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from ledger.model.boxes.machine import Usage
from ledger.model.record import fields_of
from ledger.model.values import DEFAULT_EXPERIMENT, Status
from ledger.recorder.record.draft import CaptureProblem, Dataset, Draft, ExecutedCell, FigureSource
from ledger.recorder.record.options import seed_of
from ledger.session.process.parts import Part, read_parts
from ledger.session.process.ranks import launched_by
from ledger.session.run.points import left_out_text
from ledger.session.run.steps import in_order
from ledger.session.spool.attempts import AttemptSpool, earlier_attempts, first_step, join_attempts
from ledger.session.spool.events import (
    AnyEvent,
    CellEnded,
    CellEvent,
    Ended,
    Event,
    Failed,
    Fed,
    FigureEvent,
    Imported,
    MetricEvent,
    Missing,
    NotebookEvent,
    OmittedValues,
    ParamsEvent,
    ProfileEvent,
    Start,
    StatementEvent,
    StepEvent,
    Tabled,
    Trained,
    Used,
    Waited,
    Warned,
)
from ledger.session.spool.job_draft import first_rank, with_lives, with_statements
from ledger.session.spool.joint_curves import AttemptPoints, joint_curves
from ledger.session.spool.spool import (
    EVENTS,
    LOG,
    event_files,
    last_sign_of_life,
    read_captured,
    read_children,
    read_start,
)

E = TypeVar("E", bound=Event)
T = TypeVar("T")


def read_draft(folder: Path) -> Draft:
    """Return the draft of a spooled run; one without an end is `lost`.

    A run that joined it is part of it only where it was the only one, and ended as the command did. Where there were
    several, none of them can represent the whole: they are its children, with records of their own.

    Raises:
        OSError: the spool cannot be read.
        InvalidDocument: its start is damaged.
    """
    start = read_start(folder)
    earlier = earlier_attempts(folder, start)
    if not earlier:
        return _read_one(folder, start)
    attempts = [*earlier, AttemptSpool(folder=folder, start=start)]
    drafts = [_read_one(one.folder, one.start) for one in attempts]
    draft = join_attempts(drafts, [one.start.host for one in attempts], folder)
    until: int | None = None
    before = draft.duration_seconds
    stretches: list[AttemptPoints] = []
    for one, part in zip(reversed(attempts), reversed(drafts), strict=True):
        before -= part.duration_seconds
        parts = read_parts(one.folder, one.start)
        stretches.insert(0, AttemptPoints(parts, one.start.started_at, before=max(0.0, before), until=until))
        first = first_step(parts)
        until = first if until is None else until if first is None else min(first, until)
    curves, unjoined = joint_curves(stretches)
    return msgspec.structs.replace(draft, curves=curves, problems=[*draft.problems, *unjoined])


def _read_one(folder: Path, start: Start) -> Draft:
    """Return the draft of one attempt, or of a run that was never stopped."""
    parts = read_parts(folder, start)
    inner = _own_record(folder, parts)
    if inner is not None:
        parts = [part for part in parts if part.of not in {None, inner.id}]
    children = [*([inner.id] if inner else []), *read_children(folder)]
    draft = _draft(start, folder, parts)
    first = next((part.joined for part in parts if part.joined and part.rank == 0), None)
    log = str(folder / LOG) if (folder / LOG).exists() and not draft.elsewhere else None
    return msgspec.structs.replace(
        draft,
        children=children,
        log=draft.log or log,
        rank=start.rank or (first.start.rank if first else None) or first_rank(parts) or launched_by(start.command),
    )


def read_inner_draft(folder: Path) -> Draft | None:
    """Return the draft of the run that joined a spool, where it has a record of its own; else none.

    Raises:
        OSError: the spool cannot be read.
        InvalidDocument: its start is damaged.
    """
    if event_files(folder) == [folder / EVENTS]:
        return None  # no run joined it
    outer = read_start(folder)
    parts = read_parts(folder, outer)
    inner = _own_record(folder, parts)
    if inner is None:
        return None
    mine = [part for part in parts if part.of in {None, inner.id}]
    offset = next((part.joined.offset_seconds for part in mine if part.joined and part.rank == 0), 0.0)
    draft = _draft(inner, folder, mine, offset=offset)
    return msgspec.structs.replace(
        draft,
        parent=draft.parent or outer.id,
        rank=inner.rank or first_rank(mine),
        folder=draft.folder or outer.folder,
    )


def _own_record(folder: Path, parts: Sequence[Part]) -> Start | None:
    """Return the run that joined, where it must have a record of its own; else none.

    It must where other runs were started beside it, or where it failed and the script still ended well.
    """
    first = next((part for part in parts if part.joined is not None and part.rank == 0), None)
    if first is None or first.joined is None:
        return None
    if read_children(folder):
        return first.joined.start
    led = [event for part in parts if part.leads for event in _only(Ended, part.events)]
    caught = [event for event in _only(Ended, first.events) if event.raised and event.status not in _GOOD]
    return first.joined.start if caught and led and led[-1].status == "finished" else None


_TIMING = "timing."
"""Start of the field of a problem with a stated time."""
_ENDED_FROM_OUTSIDE = {"killed", "preempted", "lost"}
_BEFORE_LIMIT = timedelta(seconds=10)
"""A last sign of life may be so much older than an end, and a scheduler so early."""
_GOOD = {"finished", "pruned"}
"""Ends of a run that are consistent with a command that ends well."""


def _draft(start: Start, folder: Path, parts: Sequence[Part], *, offset: float = 0.0) -> Draft:
    """Return the draft of a run from the parts of its processes, rank 0 first: its statements win."""
    leading = [event for part in parts if part.rank == 0 for event in part.events]
    others = [event for part in parts if part.rank > 0 for event in part.events]
    draft = _with_events(_begun(start), leading)
    draft = with_statements(draft, _with_events(_begun(start), others)) if others else draft
    end = _end_of(parts)
    elsewhere = end is not None and end.stated
    longest = end.seconds if end is not None and elsewhere else math.inf
    curves, unjoined = joint_curves([AttemptPoints(parts, start.started_at, offset, longest)])
    draft = msgspec.structs.replace(
        draft,
        curves=curves,
        elsewhere=elsewhere,
        times="options" if start.stated or elsewhere else "clock",
        captured=read_captured(folder),
        problems=[*draft.problems, *_left_out_problems(parts), *unjoined],
    )
    draft = with_lives(_with_end(draft, start, parts, folder, offset), start, folder, parts)
    return _with_waiting(draft, [*leading, *others])


def stated_so_far(start: Start, parts: Sequence[Part]) -> Draft:
    """Return what a living run has stated: everything but its curves, its end and what probes found."""
    return _with_events(_begun(start), [event for part in parts if part.rank == 0 for event in part.events])


def _begun(start: Start) -> Draft:
    return Draft(
        id=start.id,
        status="lost",
        experiment=start.experiment,
        started_at=start.started_at,
        ended_at=start.started_at,
        duration_seconds=0.0,
        command=start.command,
        folder=start.folder,
        **fields_of(start),
        params=start.params,
        param_sources=start.param_sources,
    )


def _with_events(draft: Draft, events: Sequence[AnyEvent]) -> Draft:
    measured, said = _only(MetricEvent, events), _only(StatementEvent, events)
    # A later statement of the same measurement wins.
    metrics = {(event.metric.key, event.metric.dataset, event.metric.step): event.metric for event in measured}
    params = dict(draft.params)
    for chosen in _only(ParamsEvent, events):
        params |= chosen.values
    notes = [draft.note, *(event.note for event in said)]
    problems = [event.problem for event in _only(Failed, events)]
    named = _last(event.experiment for event in said if event.experiment)
    return msgspec.structs.replace(
        draft,
        # Options of `ledger run` take precedence over statements of the script inside.
        experiment=named if named and draft.experiment == DEFAULT_EXPERIMENT else draft.experiment,
        parent=draft.parent or _last(event.parent for event in said if event.parent),
        baseline=draft.baseline or _last(event.baseline for event in said if event.baseline),
        metrics=list(metrics.values()),
        headline=_last(event.metric.key for event in measured if event.headline),
        log=_last(event.log for event in said if event.log) or draft.log,
        checkpoint=_last(event.checkpoint for event in said if event.checkpoint),
        model=_last(event.model for event in _only(Trained, events)),
        profile=_last(event.model for event in _only(ProfileEvent, events)),
        note="\n\n".join(note for note in notes if note) or None,
        seed=seed_of(_last([draft.seed, *(event.seed for event in said if event.seed is not None)]), params),
        params=params,
        chain=in_order([*draft.chain, *(event.step for event in _only(StepEvent, events))]),
        tags=list(dict.fromkeys([*draft.tags, *(tag for event in said for tag in event.tags)])),
        links=[*draft.links, *(link for event in said for link in event.links)],
        datasets=_datasets(events),
        feeds=[event.feed for event in _last_feeds(events)],
        figures=[FigureSource(title=event.title, path=event.path) for event in _only(FigureEvent, events)],
        tables=[event.table for event in _only(Tabled, events)],
        problems=[problem for problem in problems if not problem.field.startswith(_TIMING)],
        times_unknown={
            problem.field.removeprefix(_TIMING): f"that of the clock, as the stated one was refused: {problem.message}"
            for problem in problems
            if problem.field.startswith(_TIMING)
        },
        imported=_imported(events),
        notebook=_last(event.notebook for event in _only(NotebookEvent, events)),
        cells=_cells(events),
    )


def _datasets(events: Sequence[AnyEvent]) -> list[Dataset]:
    """Return the datasets that were stated, and those that fed the run and were not."""
    used = _only(Used, events)
    stated = [event.dataset for event in used if not event.fed]
    fed = [event.dataset for event in used if event.fed]
    return [*stated, *(one for one in fed if not any(_is_same(one, other) for other in stated))]


def _is_same(one: Dataset, other: Dataset) -> bool:
    named = (one.name, one.version) == (other.name, other.version) if one.name else False
    return one.role == other.role and (named or (one.hash is not None and one.hash == other.hash))


def _last_feeds(events: Sequence[AnyEvent]) -> list[Fed]:
    """Return the last state of each feed, where it served anything."""
    last = {event.number: event for event in _only(Fed, events)}
    return [event for event in last.values() if event.feed.stretches]


def _cells(events: Sequence[AnyEvent]) -> list[ExecutedCell]:
    """Return the cells that were executed, each with its end where that was seen."""
    cells = {event.cell.number: event.cell for event in _only(CellEvent, events)}
    for event in _only(CellEnded, events):
        if (cell := cells.get(event.number)) is not None:
            ended = {"seconds": event.seconds, "status": event.status, "reason": event.reason}
            cells[event.number] = msgspec.structs.replace(cell, **ended)
    return [cells[number] for number in sorted(cells)]


def _imported(events: Sequence[AnyEvent]) -> dict[str, str] | None:
    """Return the frameworks that processes had imported; none where no process reported any."""
    said = [event.frameworks for event in _only(Imported, events)]
    return {name: version for one in said for name, version in one.items()} if said else None


def _left_out_problems(parts: Sequence[Part]) -> list[CaptureProblem]:
    """Return the omitted values of the curves as one problem, with the last count that each process gave by series."""
    total: dict[str, OmittedValues] = {}
    for part in parts:
        last: dict[str, OmittedValues] = {}
        for event in _only(Missing, part.events):
            last |= event.series
        for name, left in last.items():
            known = total.get(name)
            total[name] = OmittedValues(count=left.count + (known.count if known else 0), first=(known or left).first)
    return [CaptureProblem(field="curves", message=left_out_text(total))] if total else []


def _only(kind: type[E], events: Iterable[AnyEvent]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def _last(values: Iterable[T]) -> T | None:
    return next(reversed(list(values)), None)


def _end_of(parts: Sequence[Part]) -> Ended | None:
    """Return how a run ended, none where that is unknown; the end of a command is decided by its exit code.

    An unsuccessful end of an inner run replaces a good one where the script stated it, or where it is no failure;
    it also replaces a plain failure, with its cause.
    """
    led = _last(event for part in parts if part.leads for event in _only(Ended, part.events))
    inside = [event for part in parts if not part.leads and not part.apart for event in _only(Ended, part.events)]
    bad = next((event for event in inside if event.status != "finished"), None)
    if led is None:
        return bad or _last(inside)
    if bad is None or (led.status == "finished" and bad.raised and bad.status != "pruned"):
        return led
    if led.status == "finished" or (led.status == "failed" and bad.status not in _GOOD):
        return msgspec.structs.replace(led, status=bad.status, reason=bad.reason)
    return led


def _with_end(draft: Draft, start: Start, parts: Sequence[Part], folder: Path, offset: float) -> Draft:
    end = _end_of(parts)
    if end is not None:
        return msgspec.structs.replace(
            draft,
            status=end.status,
            reason=_with_limit(end.reason, end.status, start, end.ended_at),
            exit_code=end.exit_code,
            ended_at=end.ended_at,
            duration_seconds=max(0.0, end.seconds - offset),
            usage=None if end.stated else end.usage,
            gpus=[] if end.stated else end.gpus,
            imported=None if end.stated else draft.imported,
        )
    ended_at = last_sign_of_life(folder)
    logged = draft.curves.points[-1].seconds if draft.curves else None
    seconds = max((ended_at - start.started_at).total_seconds(), logged or 0.0, 0.0)
    warned = [event for part in parts if not part.apart for event in _only(Warned, part.events)]
    return msgspec.structs.replace(
        draft,
        status=(status := warned[-1].status if warned else "lost"),
        reason=_with_limit(
            warned[-1].reason if warned else "the process ended without reporting how", status, start, ended_at
        ),
        ended_at=max(ended_at, start.started_at),
        duration_seconds=seconds,
    )


def _with_limit(reason: str | None, status: Status, start: Start, ended_at: datetime) -> str | None:
    """Return the cause of an end, with the time limit of the job where that was reached: schedulers end it then."""
    if start.deadline is None or status not in _ENDED_FROM_OUTSIDE or ended_at < start.deadline - _BEFORE_LIMIT:
        return reason
    return f"{reason}, at the time limit of the job" if reason else "the time limit of the job"


def _with_waiting(draft: Draft, events: Iterable[AnyEvent]) -> Draft:
    """Add how long training waited for data: the longest wait of several parallel processes."""
    longest = max((event.seconds for event in _only(Waited, events)), default=None)
    if longest is None:
        return draft
    seen = draft.usage or Usage(samples=0, interval_seconds=0.0)
    return msgspec.structs.replace(draft, usage=msgspec.structs.replace(seen, data_wait_seconds=round(longest, 3)))
