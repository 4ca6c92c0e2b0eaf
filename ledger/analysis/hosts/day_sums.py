"""One day of a host, summed up over its GPUs: what the index keeps, and every report starts from."""

from collections.abc import Sequence
from typing import NamedTuple

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
_SHARED = 2
"""Minutes that one watcher and its successor may both have counted: the one in which the first ended."""


def apart(days: Sequence[DaySums]) -> tuple[list[DaySums], list[str]]:
    """Return days that count, each minute of a host once, and what was left out and why.

    Of documents that speak of the same hours of a host that counts which saw most: minutes before accounting, then more
    minutes before fewer.
    """
    by_day: dict[tuple[str, str], list[DaySums]] = {}
    for one in days:
        by_day.setdefault((one.host, one.day), []).append(one)
    kept: list[DaySums] = []
    left_out: list[str] = []
    for (host, day), ones in by_day.items():
        taken = [0] * HOURS
        for one in sorted(ones, key=lambda one: (_ORDER[one.source], -sum(one.watched), one.id)):
            both = _added(taken, one.watched)
            if max(both) > _HOUR + _SHARED:
                left_out.append(f"{host} on {day}: `{one.id}` ({one.source}) speaks of hours that another document has")
                continue
            taken = both
            kept.append(one)
    return kept, left_out
