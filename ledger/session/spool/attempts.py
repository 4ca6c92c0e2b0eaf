"""The attempts of one training that was stopped and resumed: together they are one run.

Attempts know each other by their resume key. One that ends without success leaves its spool, and the one that finishes
makes the record of them all, under the id of the first.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from ledger.errors import LedgerError
from ledger.model.boxes.machine import Hardware
from ledger.model.feed import Feed
from ledger.model.record import Attempt
from ledger.model.values import Document, Status, listed
from ledger.recorder.record.draft import CaptureProblem, Draft
from ledger.session.process.parts import Part, read_parts
from ledger.session.run.steps import in_order
from ledger.session.spool.events import Ended, Logged, Start
from ledger.session.spool.job import belongs_to_job, is_running
from ledger.session.spool.joint_use import joint_gpus, joint_usage
from ledger.session.spool.spool import read_events, read_start, silence_seconds, spools

_LOG = logging.getLogger("ledger")

KEPT = timedelta(days=7)
"""How long an attempt waits for the next one before any command records it; `ledger recover` records it at once."""
_GOOD: set[Status] = {"finished", "pruned"}
_LOGS = "attempts.txt"


class AttemptSpool(Document, frozen=True, kw_only=True):
    """The spool of one attempt."""

    folder: Path
    """Folder of the spool."""
    start: Start
    """Its start."""

    @property
    def order(self) -> tuple[datetime, str]:
        """Place among the attempts; ids of one second have no order."""
        return self.start.started_at, self.folder.name


def earlier_attempts(folder: Path, start: Start) -> list[AttemptSpool]:
    """Return the earlier attempts of a run that are not recorded yet, oldest first."""
    if start.resume is None or belongs_to_job(start):
        return []
    this = AttemptSpool(folder=folder, start=start)
    waiting = waiting_attempts(folder.parent.parent, start.resume)
    return [one for one in waiting if one.order < this.order and not is_running(one.folder)]


def waits_for_next(folder: Path) -> bool:
    """Return whether an attempt has ended without success, so that it is left to the next one."""
    start = read_start(folder)
    if start.resume is None or start.last_attempt or belongs_to_job(start):
        return False
    ends = [
        event.status
        for part in read_parts(folder, start)
        if not part.apart
        for event in part.events
        if isinstance(event, Ended)
    ]
    return not set(ends[-1:]) & _GOOD and silence_seconds(folder) < KEPT.total_seconds()


def has_later(folder: Path) -> bool:
    """Return whether a later attempt lives or is waiting: it speaks for this one."""
    start = read_start(folder)
    if start.resume is None or belongs_to_job(start):
        return False
    this = AttemptSpool(folder=folder, start=start)
    return any(one.order > this.order for one in waiting_attempts(folder.parent.parent, start.resume))


def waiting_attempts(state_dir: Path, key: str) -> list[AttemptSpool]:
    """Return all attempts with this key that are not recorded yet, oldest first."""
    found = []
    for folder in spools(state_dir):
        with suppress(LedgerError, OSError):  # just being made or removed
            start = read_start(folder)
            if start.resume == key and not belongs_to_job(start):
                found.append(AttemptSpool(folder=folder, start=start))
    return sorted(found, key=lambda one: one.order)


def begin_attempt(state_dir: Path, start: Start) -> tuple[Start, str]:
    """Return the start of an attempt, and the id of the record that it becomes part of: that of the first attempt.

    While an attempt with its key still runs, it cannot be the next one: it is a run of its own then, and has no key.
    """
    earlier = waiting_attempts(state_dir, start.resume) if start.resume else []
    if any(is_running(one.folder) for one in earlier):
        _LOG.warning(
            "run %s: a run with the resume key %s is still running, so this is a run of its own", start.id, start.resume
        )
        start, earlier = msgspec.structs.replace(start, resume=None), []
    return start, earlier[0].folder.name if earlier else start.id


def first_step(parts: Sequence[Part]) -> int | None:
    """Return the first step that an attempt logged: what earlier ones logged from there on was repeated."""
    firsts = []
    for part in parts:
        if part.rank == 0:
            steps = (event.step for event in read_events(part.path) if isinstance(event, Logged))
            firsts.append(next((step for step in steps if step is not None), None))
    known = [step for step in firsts if step is not None]
    return min(known, default=None)


def join_attempts(drafts: Sequence[Draft], hosts: Sequence[str], folder: Path) -> Draft:
    """Return the draft of a run from those of its attempts, oldest first; what was stated last counts.

    Curves are not joined here. Time, CPU time and energy are sums.

    Args:
        drafts: draft of each attempt.
        hosts: host of each attempt.
        folder: spool of the last one, for their logs together.
    """
    first, last = drafts[0], drafts[-1]
    params: dict[str, object] = {}
    changed: dict[str, None] = {}
    for draft in drafts:
        changed |= dict.fromkeys(name for name, value in draft.params.items() if params.get(name, value) != value)
        params |= draft.params
    metrics = {(one.key, one.dataset, one.step): one for draft in drafts for one in draft.metrics}
    figures = {one.title: one for draft in drafts for one in draft.figures}
    tables = {one.name: one for draft in drafts for one in draft.tables}
    uses = {(one.role, one.split, one.path, one.name, one.version): one for draft in drafts for one in draft.datasets}
    problems = _problems(drafts)
    if len({draft.captured.code.identity for draft in drafts if draft.captured is not None}) > 1:
        changed["code"] = None
    if changed:
        said = f"attempts differ, so the last counts, in: {listed(list(changed))}"
        problems.append(CaptureProblem(field="attempts", message=said))
    return msgspec.structs.replace(
        last,
        id=first.id,
        started_at=first.started_at,
        duration_seconds=sum(draft.duration_seconds for draft in drafts),
        machines=max(1, len({_machine(draft.captured.hardware) for draft in drafts if draft.captured is not None})),
        attempts=[_attempt(draft, host) for draft, host in zip(drafts, hosts, strict=True)],
        params=params,
        chain=in_order(step for draft in drafts for step in draft.chain),
        metrics=list(metrics.values()),
        headline=next((draft.headline for draft in reversed(drafts) if draft.headline), None),
        model=next((draft.model for draft in reversed(drafts) if draft.model), None),
        profile=next((draft.profile for draft in reversed(drafts) if draft.profile), None),
        figures=list(figures.values()),
        tables=list(tables.values()),
        datasets=list(uses.values()),
        feeds=_feeds(drafts),
        tags=list(dict.fromkeys(tag for draft in drafts for tag in draft.tags)),
        links=list(dict.fromkeys(link for draft in drafts for link in draft.links)),
        note="\n\n".join(dict.fromkeys(draft.note for draft in drafts if draft.note)) or None,
        log=_joined_logs([draft.log for draft in drafts if draft.log], folder),
        usage=joint_usage(drafts),
        gpus=joint_gpus(drafts),
        problems=problems,
    )


def _feeds(drafts: Sequence[Draft]) -> list[Feed]:
    """Return how all attempts were fed: those under one plan together, with what each was served as stretches."""
    feeds: dict[tuple[str, int], Feed] = {}
    for draft in drafts:
        for feed in draft.feeds:
            key = (feed.plan_digest, feed.world)
            feeds[key] = feed if key not in feeds else _joined_feed(feeds[key], feed)
    return list(feeds.values())


def _joined_feed(earlier: Feed, later: Feed) -> Feed:
    named = list(dict.fromkeys([*earlier.broken_named, *later.broken_named]))
    return msgspec.structs.replace(
        later,
        verified=earlier.verified and later.verified,
        batches=earlier.batches + later.batches,
        samples=earlier.samples + later.samples,
        stretches=[*earlier.stretches, *later.stretches],
        stretches_left_out=earlier.stretches_left_out + later.stretches_left_out,
        unique_samples=None,  # nobody counted over both, nor their waits
        bytes=earlier.bytes + later.bytes,
        padded=earlier.padded + later.padded,
        reconnects=earlier.reconnects + later.reconnects,
        cache_hits=earlier.cache_hits + later.cache_hits,
        broken=max(earlier.broken, later.broken, len(named)),
        broken_named=named,
        wait_seconds=round(earlier.wait_seconds + later.wait_seconds, 4),
        wait_p50_seconds=None,
        wait_p95_seconds=None,
        wait_p99_seconds=None,
        first_batch_seconds=earlier.first_batch_seconds,
    )


def _problems(drafts: Sequence[Draft]) -> list[CaptureProblem]:
    """Return the problems of all attempts, one for each field; those that only earlier ones had name the attempt."""
    said: dict[str, dict[str, None]] = {}
    for number, draft in enumerate(drafts, 1):
        for problem in draft.problems:
            again = problem in drafts[-1].problems
            text = problem.message if again else f"attempt {number}: {problem.message}"
            said.setdefault(problem.field, {})[text] = None
    return [CaptureProblem(field=field, message="; ".join(texts)) for field, texts in said.items()]


def _attempt(draft: Draft, host: str) -> Attempt:
    return Attempt(
        run=draft.id,
        host=host,
        started_at=draft.started_at,
        ended_at=draft.ended_at,
        duration_seconds=round(draft.duration_seconds, 3),
        status=draft.status,
        reason=draft.reason,
        last_step=draft.curves.statistics.steps if draft.curves else None,
    )


def _machine(hardware: Hardware) -> tuple[str | None, float | None, tuple[str, ...]]:
    """Return what the price of a machine depends on."""
    cores = hardware.cores if hardware.cores_limit is None else hardware.cores_limit
    return hardware.cpu, cores, tuple(gpu.name for gpu in hardware.gpus)


def _joined_logs(logs: Sequence[str], folder: Path) -> str | None:
    """Return one file with the logs of all attempts, one after the other."""
    if len(logs) < 2:  # noqa: PLR2004  # nothing to join
        return next(iter(logs), None)
    joined = folder / _LOGS
    try:
        with joined.open("wb") as file:
            for log in logs:
                with Path(log).open("rb") as part:
                    while chunk := part.read(1 << 20):
                        file.write(chunk)
    except OSError:
        return logs[-1]
    return str(joined)
