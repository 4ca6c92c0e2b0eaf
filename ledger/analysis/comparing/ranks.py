"""Detection of runs that are ranks of one training: they share its values, and have no spread of their own.

New records state rank and job. Older ones do not, so runs count as ranks of one training if they lived at the
same time on the same host, began within a minute of each other and have equal values.
"""

from collections.abc import Iterable, Sequence

import msgspec

from ledger.hashing import hash_bytes
from ledger.model.entries import StoredRun
from ledger.model.values import Document

_APART_SECONDS = 60.0
"""Longest time between the starts of ranks of a job: launchers wait for all of them."""


class Trace(Document, frozen=True, kw_only=True):
    """The data that distinguishes ranks of one training from repeats."""

    values: str
    """Hash of the host and of all final metrics; empty where there are none."""
    started: float
    """Start, seconds since 1970."""
    ended: float | None = None
    """End; none where the duration is unknown."""
    rank: int | None = None
    """Rank in the record."""
    job: str | None = None
    """Job in the record."""


def trace_of(run: StoredRun) -> Trace:
    """Return the trace of a run."""
    record, hardware = run.record, run.record.hardware
    measured = sorted(
        (metric.key, metric.dataset_hash or "", metric.evaluator or "", str(metric.value))
        for metric in record.results.metrics
    )
    values = hash_bytes(msgspec.json.encode((hardware.host, measured)))[-16:] if measured and hardware.host else ""
    started, took = record.timing.started_at.timestamp(), record.timing.took
    return Trace(
        values=values,
        started=started,
        ended=None if took is None else started + took,
        rank=hardware.rank,
        job=hardware.job if hardware.rank is not None else None,
    )


def encode_trace(trace: Trace) -> str:
    """Return a trace as a short text."""
    return msgspec.json.encode(trace).decode()


decode_trace = msgspec.json.Decoder(Trace).decode
"""Returns the trace of such a text."""


def other_ranks(traces: Sequence[tuple[str, Trace]]) -> dict[str, str]:
    """Return the runs that are ranks of a training of which another run is kept, each with that run.

    Args:
        traces: trace of each run of one setting.
    """
    kept: list[tuple[str, Trace]] = []
    others: dict[str, str] = {}
    for run, trace in sorted(traces, key=lambda pair: (pair[1].rank or 0, pair[1].started, pair[0])):
        leader = next((known for known, theirs in reversed(kept) if _same_training(trace, theirs)), None)
        if leader is None:
            kept.append((run, trace))
        else:
            others[run] = leader
    return others


def _same_training(one: Trace, other: Trace) -> bool:
    if one.rank is not None and other.rank is not None and one.job and one.job == other.job:
        return one.rank != other.rank
    if not one.values or one.values != other.values or abs(one.started - other.started) > _APART_SECONDS:
        return False
    if one.rank is not None or other.rank is not None:
        return (one.rank or 0) != (other.rank or 0)
    if one.ended is None or other.ended is None:
        return False
    return one.started < other.ended and other.started < one.ended


def split_ranks(runs: Iterable[StoredRun]) -> tuple[list[StoredRun], list[StoredRun]]:
    """Return the runs of a setting that count, and those that are other ranks of them, both in the order given."""
    members = list(runs)
    if len(members) == 1:
        return members, []
    others = other_ranks([(run.record.id, trace_of(run)) for run in members])
    return (
        [run for run in members if run.record.id not in others],
        [run for run in members if run.record.id in others],
    )
