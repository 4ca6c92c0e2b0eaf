"""One day of a host, summed up over its GPUs: what the index keeps, and every report starts from."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from ledger.model.hosts import HOURS, HostDay, HostSource, hours_of
from ledger.model.values import Document


class Minutes(NamedTuple):
    """Minutes of GPUs by how they were used."""

    busy: int = 0
    held: int = 0
    unclear: int = 0
    free: int = 0
    missing: int = 0

    @property
    def known(self) -> int:
        """Minutes whose use is known."""
        return self.busy + self.held + self.free

    def plus(self, other: "Minutes") -> "Minutes":
        """Return both together."""
        return Minutes(*(one + more for one, more in zip(self, other, strict=True)))


class KindDay(Document, frozen=True, kw_only=True):
    """The GPUs of one kind on one day of a host, by hour."""

    gpu: str
    """Product name."""
    cards: int
    """Number of them."""
    busy: list[int]
    """Minutes of each hour in which they worked."""
    held: list[int]
    """Minutes held idle."""
    unclear: list[int]
    """Minutes held, use unknown."""
    missing: list[int]
    """Minutes without an answer."""

    def in_hour(self, hour: int, watched: int) -> Minutes:
        """Return the minutes of an hour in which the host was watched that long."""
        busy, held, unclear, missing = self.busy[hour], self.held[hour], self.unclear[hour], self.missing[hour]
        free = max(0, watched * self.cards - busy - held - unclear - missing)
        return Minutes(busy, held, unclear, free, missing)


class HeldBy(NamedTuple):
    """Minutes that a user and a job held GPUs of one kind."""

    user: str
    job: str | None
    gpu: str
    busy: int
    held: int
    unclear: int


class DaySums(Document, frozen=True, kw_only=True):
    """One day of a host."""

    id: str
    """Id of its document."""
    host: str
    """Name of the host."""
    day: str
    """Day, as `2026-11-20`."""
    source: HostSource
    """Source of the document."""
    span: tuple[int, int]
    """First minute of the day that it is about, and the end of the last one."""
    watched: list[int]
    """Minutes of each hour in which the host was watched."""
    kinds: list[KindDay]
    """Its GPUs, by kind."""
    holders: list[HeldBy]
    """Who held them."""

    def minutes(self, gpu: str | None = None) -> Minutes:
        """Return the minutes of all GPUs, or of those of one kind."""
        found = Minutes()
        for kind in self.kinds:
            if gpu is None or kind.gpu == gpu:
                busy, held, unclear, missing = sum(kind.busy), sum(kind.held), sum(kind.unclear), sum(kind.missing)
                free = max(0, sum(self.watched) * kind.cards - busy - held - unclear - missing)
                found = found.plus(Minutes(busy, held, unclear, free, missing))
        return found


def sums_of(day: HostDay) -> DaySums:
    """Return a day of a host, summed up over its GPUs of each kind."""
    kinds: dict[str, KindDay] = {}
    for gpu in day.gpus:
        before = kinds.get(gpu.name)
        parts = [hours_of(text) for text in (gpu.busy, gpu.held, gpu.unclear, gpu.missing)]
        if before is not None:
            known = (before.busy, before.held, before.unclear, before.missing)
            parts = [_added(one, more) for one, more in zip(known, parts, strict=True)]
        busy, held, unclear, missing = parts
        cards = 1 if before is None else before.cards + 1
        kinds[gpu.name] = KindDay(gpu=gpu.name, cards=cards, busy=busy, held=held, unclear=unclear, missing=missing)
    return DaySums(
        id=day.id,
        host=day.host,
        day=f"{day.id[:4]}-{day.id[4:6]}-{day.id[6:8]}",
        source=day.source,
        span=day.span,
        watched=hours_of(day.watched),
        kinds=list(kinds.values()),
        holders=[
            HeldBy(one.user, one.job, one.gpu, one.busy_minutes, one.held_minutes, one.unclear_minutes)
            for one in day.holders
        ],
    )


def _added(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [before + more for before, more in zip(one, other, strict=True)]


_ORDER: dict[HostSource, int] = {"watch": 0, "prometheus": 1, "sacct": 2, "demo": 3}
"""Sources by how much they see: minutes, samples, accounting."""
_HOUR = 60
_Span = tuple[int, int]


def apart(days: Sequence[DaySums]) -> tuple[list[DaySums], list[str]]:
    """Return days that count, each hour of a host once, and what was left out and why.

    Of documents that speak of the same time of a host that counts which saw most: minutes before accounting, then more
    minutes before fewer. The others keep the hours that it does not have; what users held in those is taken as their
    share of the whole document, since a document says that for the day.
    """
    by_day: dict[tuple[str, str], dict[str, DaySums]] = {}
    for one in days:
        by_day.setdefault((one.host, one.day), {})[one.id] = one
    kept: list[DaySums] = []
    left_out: list[str] = []
    for (host, day), ones in by_day.items():
        if len(ones) == 1:
            kept += ones.values()
            continue
        taken: list[list[_Span]] = [[] for _ in range(HOURS)]
        for one in sorted(ones.values(), key=lambda one: (_ORDER[one.source], -sum(one.watched), one.id)):
            cut = [hour for hour in range(HOURS) if one.watched[hour] and _overlaps(_within(one, hour), taken[hour])]
            rest = _without(one, cut) if cut else one
            if cut:
                some = f"{len(cut)} hours" if len(cut) > 1 else "an hour"
                left_out.append(
                    f"{host} on {day}: `{one.id}` ({one.source}) speaks of {some} that another document has"
                )
            for hour in range(HOURS):
                if rest.watched[hour]:
                    taken[hour].append(_within(one, hour))
            if any(rest.watched):
                kept.append(rest)
    return kept, left_out


def _within(one: DaySums, hour: int) -> _Span:
    """Return the part of an hour that a document is about, in minutes of the day."""
    first, last = one.span
    return max(first, _HOUR * hour), min(last, _HOUR * (hour + 1))


def _overlaps(span: _Span, others: Sequence[_Span]) -> bool:
    """Return whether a time overlaps one of others by more than the minute in which one watcher followed another."""
    for other in others:
        both = min(span[1], other[1]) - max(span[0], other[0])
        if both > 1 or (both == 1 and both >= min(span[1] - span[0], other[1] - other[0])):
            return True
    return False


def _without(one: DaySums, cut: Sequence[int]) -> DaySums:
    """Return a day without some of its hours."""

    def rest(minutes: Sequence[int]) -> list[int]:
        return [0 if hour in cut else part for hour, part in enumerate(minutes)]

    kinds = [
        replace(
            kind,
            busy=rest(kind.busy),
            held=rest(kind.held),
            unclear=rest(kind.unclear),
            missing=rest(kind.missing),
        )
        for kind in one.kinds
    ]
    before, after = {kind.gpu: kind for kind in one.kinds}, {kind.gpu: kind for kind in kinds}

    def share(held: HeldBy, use: Literal["busy", "held", "unclear"]) -> int:
        whole, left = sum(getattr(before[held.gpu], use)), sum(getattr(after[held.gpu], use))
        minutes: int = getattr(held, use)
        return round(minutes * left / whole) if whole else 0

    holders = [
        held._replace(busy=share(held, "busy"), held=share(held, "held"), unclear=share(held, "unclear"))
        for held in one.holders
        if held.gpu in before
    ]
    return replace(one, watched=rest(one.watched), kinds=kinds, holders=holders)
