"""The minutes of a host's GPUs on one day, added up until a document is made of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from ledger.model.hosts import HOURS, MINUTES, MOST_CARDS, MOST_HOLDERS, NOBODY, OTHERS, GpuDay, Holder, hours_text
from ledger.model.values import Document

Use = Literal["busy", "held", "unclear", "free", "missing"]
"""How a GPU was used in a minute: it worked, it was held idle, it was held and nobody knows, nothing, no answer."""
HELD: tuple[Use, ...] = ("busy", "held", "unclear")
"""Uses of a GPU that somebody held."""


HELD_BYTES = 512 << 20
"""Memory in use from which a card counts as held where nobody says by whom: a driver alone keeps up to 450 MiB."""


class CardMinute(Document, frozen=True, kw_only=True):
    """One GPU in one minute."""

    name: str
    """Product name."""
    uuid: str | None = None
    """Id of the card; none where the source names none, and cards are told apart by their place."""
    use: Use
    """How it was used."""
    user: str = NOBODY
    """Who held it."""
    job: str | None = None
    """Job that held it."""


class CardLog(Struct, kw_only=True):
    """Minutes of one GPU, by hour."""

    name: str
    """Product name."""
    uuid: str | None = None
    """Id of the card."""
    busy: list[int]
    """Minutes of each hour in which it worked."""
    held: list[int]
    """Minutes in which it was held idle."""
    unclear: list[int]
    """Minutes in which it was held, and its use is not known."""
    missing: list[int]
    """Minutes in which it did not answer."""


class DayLog(Struct, kw_only=True):
    """Minutes of one host on one day, in UTC; grows with the number of cards and jobs, and not with time."""

    host: str
    """Name of the host."""
    day: str
    """Day, as `2026-11-20`."""
    first: datetime
    """Start of the first minute, UTC."""
    last: datetime
    """Start of the last minute, UTC."""
    watched: list[int]
    """Minutes of each hour that were added."""
    cards: dict[str, CardLog] = {}
    """Its GPUs, by id or place."""
    holders: dict[str, list[int]] = {}
    """Minutes busy, held idle and unclear, by user, job and GPU in one text."""

    @classmethod
    def at(cls, host: str, minute: datetime) -> "DayLog":
        """Return the empty log of the day of a minute."""
        minute = minute.astimezone(UTC)
        return cls(host=host, day=f"{minute:%Y-%m-%d}", first=minute, last=minute, watched=[0] * HOURS)

    def add(self, minute: datetime, cards: Sequence[CardMinute], *, minutes: int = 1) -> None:
        """Add some minutes of one hour, in which every card was used as it says.

        Args:
            minute: the first of them.
            cards: how each card was used.
            minutes: how many.
        """
        hour = minute.astimezone(UTC).hour
        minutes = min(minutes, MINUTES - self.watched[hour])
        if minutes <= 0:
            return
        self.first, self.last = min(self.first, minute), max(self.last, minute)
        before = list(self.watched)
        self.watched[hour] += minutes
        seen = set()
        for place, card in enumerate(cards[:MOST_CARDS]):
            key = card.uuid or str(place)
            seen.add(key)
            log = self.cards.get(key)
            if log is None:
                log = self.cards[key] = _unseen(card, before)
            if card.use != "free":
                getattr(log, card.use)[hour] += minutes
            if card.use in HELD:
                self._hold(card, minutes)
        for key in self.cards.keys() - seen:
            self.cards[key].missing[hour] += minutes

    def _hold(self, card: CardMinute, minutes: int) -> None:
        key = _SEPARATOR.join((card.user, card.job or "", card.name))
        if key not in self.holders and len(self.holders) >= _MOST_KEPT:
            key = _SEPARATOR.join((OTHERS, "", card.name))
        self.holders.setdefault(key, [0, 0, 0])[HELD.index(card.use)] += minutes


def _unseen(card: CardMinute, watched: list[int]) -> CardLog:
    """Return the log of a card that is seen for the first time: what was watched before is missing of it."""
    busy, held, unclear = ([0] * HOURS for _ in range(3))
    return CardLog(name=card.name, uuid=card.uuid, busy=busy, held=held, unclear=unclear, missing=list(watched))


_Whose = tuple[str, str | None, str]
"""User, job, and product name of the GPU."""
_Held = tuple[_Whose, list[int]]
"""Minutes busy, held idle and unclear."""
_SEPARATOR = "\x1f"
_MOST_KEPT = 2_000
"""Most pairs of user and job that are kept apart while a day lasts."""


def gpus_of(log: DayLog) -> list[GpuDay]:
    """Return the GPUs of a day, as a document has them."""
    return [
        GpuDay(
            name=card.name,
            uuid=card.uuid,
            busy=hours_text(card.busy),
            held=hours_text(card.held),
            unclear=hours_text(card.unclear),
            missing=hours_text(card.missing),
        )
        for card in log.cards.values()
    ]


def holders_of(log: DayLog, *, names: bool = True) -> list[Holder]:
    """Return who held GPUs, most minutes first; those beyond the most that a document names are one.

    Args:
        log: the day.
        names: whether users are named; without, all are `others`, and no job is named.
    """
    summed: dict[_Whose, list[int]] = {}
    for key, minutes in log.holders.items():
        user, job, gpu = key.split(_SEPARATOR)
        whose = (user, job or None, gpu) if names else (OTHERS, None, gpu)
        summed[whose] = _added(summed.get(whose), minutes)
    ranked = sorted(summed.items(), key=lambda one: (-sum(one[1]), one[0][0], one[0][1] or ""))
    return [_holder(whose, minutes) for whose, minutes in _cut(ranked)]


def _cut(ranked: list[_Held]) -> list[_Held]:
    if len(ranked) <= MOST_HOLDERS:
        return ranked
    kinds = len({gpu for (_, _, gpu), _ in ranked})
    kept = ranked[: max(0, MOST_HOLDERS - kinds)]
    rest: dict[_Whose, list[int]] = {}
    for (_, _, gpu), minutes in ranked[len(kept) :]:
        rest[(OTHERS, None, gpu)] = _added(rest.get((OTHERS, None, gpu)), minutes)
    return [*kept, *list(rest.items())[: MOST_HOLDERS - len(kept)]]


def _added(one: list[int] | None, other: list[int]) -> list[int]:
    return [before + more for before, more in zip(one or [0, 0, 0], other, strict=True)]


def _holder(whose: _Whose, minutes: list[int]) -> Holder:
    user, job, gpu = whose
    busy, held, unclear = minutes
    return Holder(user=user, job=job, gpu=gpu, busy_minutes=busy, held_minutes=held, unclear_minutes=unclear)


def use_of(activities: Sequence[float | None], *, held: bool, below: float) -> Use:
    """Return how a GPU was used in a minute, by the looks at it.

    Args:
        activities: share of it that worked at each look; none where it did not answer.
        held: whether a process or an allocation held it at any look.
        below: share under which a held GPU is idle.
    """
    known = [activity for activity in activities if activity is not None]
    if not known:
        return "unclear" if held else "missing"
    if sum(known) / len(known) >= below:
        return "busy"
    return "held" if held else "free"


def merged(owners: Mapping[str, str | None]) -> tuple[str, str | None]:
    """Return user and job of a minute in which several held one card: their names joined, no job."""
    if len(owners) == 1:
        return next(iter(owners.items()))
    return "+".join(sorted(owners))[:60], None
