"""What fed a run, in words: the order of its samples, what was served, and how long training waited."""

from collections.abc import Iterator, Sequence

from ledger.formatting import duration, share
from ledger.model.feed import Feed, FeedOrder, FeedStage, FeedStretch
from ledger.model.values import counted, listed

_ORDERS: dict[FeedOrder, str] = {
    "shuffle": "shuffled",
    "sequential": "in the order of the dataset",
    "weighted": "drawn with replacement by the weights of labels",
    "blocked": "shuffled by blocks",
}
_TAILS = {"drop": "dropped", "pad": "padded from the start of the epoch", "short": "a short batch"}
_LEAST_SECONDS = 0.0005
_STRETCHES = 3
"""Most stretches whose digests are shown."""


def feed_facts(feed: Feed, took_seconds: float | None) -> Iterator[tuple[str, str]]:
    """Yield what is to say of a feed, as name and text.

    Args:
        feed: which one.
        took_seconds: duration of the run; none where it is unknown.
    """
    plan = feed.plan
    ranks = f" on each of {feed.world} ranks, {plan.global_batch_size} together" if feed.world > 1 else ""
    yield "order", f"{_stage(plan.stages[0])}, seed {plan.seed}, batches of {feed.batch_size}{ranks}"
    for stage in plan.stages[1:]:
        yield f"from epoch {stage.from_epoch}", _stage(stage)
    if any(stage.samples % plan.global_batch_size for stage in plan.stages):
        yield "samples that fill no batch", _TAILS[plan.tail]
    for skipped in plan.skip:
        yield "skipped", f"batches {skipped.first} to {skipped.last} of epoch {skipped.epoch}"
    different = f", {feed.unique_samples} different" if feed.unique_samples is not None else ""
    padded = f", {feed.padded} of them to fill a batch" if feed.padded else ""
    served = f"{counted(feed.batches, 'batch')}, {counted(feed.samples, 'sample')}{different}{padded}"
    yield "served", f"{served}; {_epochs(feed.stretches)}"
    by = " by the server" if feed.server is not None else ""
    yield "content", f"compared with its hash{by}" if feed.verified else "not compared with its hash"
    if feed.broken:
        more = f" and {feed.broken - 1} more" if feed.broken > 1 else ""
        yield "broken samples", f"left out: {feed.broken_named[0] if feed.broken_named else feed.broken}{more}"
    if feed.code_unknown is not None:
        yield "code of samples", f"unknown: {feed.code_unknown}"
    elif feed.code is not None:
        yield "code of samples", feed.code[:19]
    part = f", {share(feed.wait_seconds / took_seconds)} of the time" if took_seconds else ""
    waits = (
        ("half of the batches", feed.wait_p50_seconds),
        ("95 of 100", feed.wait_p95_seconds),
        ("99 of 100", feed.wait_p99_seconds),
    )
    known = ", ".join(f"{name} {_short(seconds)}" for name, seconds in waits if seconds is not None)
    yield "waited for it", f"{duration(feed.wait_seconds)}{part}{f'; {known} at most' if known else ''}"
    if feed.server is not None:
        again = f", connected again {counted(feed.reconnects, 'time')}" if feed.reconnects else ""
        shared = f", {counted(feed.cache_hits, 'batch')} decoded before" if feed.cache_hits else ""
        yield "data server", f"over {feed.server}{again}{shared}"
    if feed.first_batch_seconds is not None:
        yield "first batch after", _short(feed.first_batch_seconds)


def shown_stretches(feed: Feed) -> Sequence[FeedStretch]:
    """Return the last stretches of a feed: those whose digests are shown."""
    return feed.stretches[-_STRETCHES:]


def _stage(stage: FeedStage) -> str:
    of = f" of {stage.block} rows" if stage.block is not None else ""
    kept = "".join(f", {name} {listed(values)} only" for name, values in stage.keep.items())
    weights = ", ".join(f"{label} {weight:g}" for label, weight in stage.weights.items())
    weighted = f" ({weights})" if weights else ""
    return f"{_ORDERS[stage.order]}{of}{weighted}{kept}, {counted(stage.samples, 'sample')}"


def _epochs(stretches: Sequence[FeedStretch]) -> str:
    first, last = min(one.epoch for one in stretches), max(one.epoch for one in stretches)
    return f"epoch {first}" if first == last else f"epochs {first} to {last}"


def _short(seconds: float) -> str:
    return duration(seconds) if seconds >= _LEAST_SECONDS else "under 1 ms"
