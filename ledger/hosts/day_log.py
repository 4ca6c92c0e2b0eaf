"""The minutes of a host's GPUs on one day, added up until a document is made of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from unicodedata import normalize

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
    most_cards: int = 0
    """Most cards that it had at once."""

    @classmethod
    def at(cls, host: str, minute: datetime) -> "DayLog":
        """Return the empty log of the day of a minute."""
        minute = minute.astimezone(UTC)
        return cls(host=host, day=f"{minute:%Y-%m-%d}", first=minute, last=minute, watched=[0] * HOURS)

    def add(self, minute: datetime, cards: Sequence[CardMinute], *, minutes: int = 1) -> None:
        """Add some minutes of one hour, in which every card was used as it says.

        Minutes that are there already are left out: a clock that goes back tells them again.

        Args:
            minute: the first of them.
            cards: how each card was used.
            minutes: how many.
        """
        hour = minute.astimezone(UTC).hour
        minutes = min(minutes, MINUTES - self.watched[hour])
        if minutes <= 0 or (minute <= self.last and any(self.watched)):
            return
        self.first = min(self.first, minute)
        self.last = max(self.last, minute + timedelta(minutes=minutes - 1))
        before = list(self.watched)
        self.watched[hour] += minutes
        places: Counter[str] = Counter()
        seen = set()
        self.most_cards = max(self.most_cards, len(cards))
        for card in cards[:MOST_CARDS]:
            name = clean_name(card.name) or "GPU"
            key = card.uuid or f"{name} {places[name]}"
            places[name] += 1
            seen.add(key)
            log = self.cards.get(key)
            if log is None:
                log = self.cards[key] = _unseen(name, card.uuid, before)
            if card.use != "free":
                getattr(log, card.use)[hour] += minutes
            if card.use in HELD:
                self._hold(card, log.name, minutes)
        for key in self.cards.keys() - seen:
            self.cards[key].missing[hour] += minutes

    def _hold(self, card: CardMinute, gpu: str, minutes: int) -> None:
        user, job = clean_name(card.user) or NOBODY, clean_name(card.job or "")
        key = _SEPARATOR.join((user, job, gpu))
        if key not in self.holders and len(self.holders) >= _MOST_KEPT:
            key = _SEPARATOR.join((user if len(self.holders) < 2 * _MOST_KEPT else OTHERS, "", gpu))
        self.holders.setdefault(key, [0, 0, 0])[HELD.index(card.use)] += minutes

    @property
    def left_out(self) -> dict[str, str]:
        """What a document cannot hold of it, and why."""
        beyond = self.most_cards - MOST_CARDS
        return (
            {"gpus": f"{beyond} of {self.most_cards} cards are left out: {MOST_CARDS} are the most"}
            if beyond > 0
            else {}
        )


@lru_cache(maxsize=4096)
def clean_name(text: str) -> str:
    """Return a name from a cluster as a document may hold it: visible characters, and not too many."""
    visible = "".join(character for character in normalize("NFC", text) if character.isprintable())
    return " ".join(visible.split())[:_LONGEST_NAME].strip()


def _unseen(name: str, uuid: str | None, watched: list[int]) -> CardLog:
    """Return the log of a card that is seen for the first time: what was watched before is missing of it."""
    busy, held, unclear = ([0] * HOURS for _ in range(3))
    return CardLog(name=name, uuid=uuid, busy=busy, held=held, unclear=unclear, missing=list(watched))


_Whose = tuple[str, str | None, str]
"""User, job, and product name of the GPU."""
_Held = tuple[_Whose, list[int]]
"""Minutes busy, held idle and unclear."""
_SEPARATOR = "\x1f"
_LONGEST_NAME = 60
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
    return [_holder(whose, minutes) for whose, minutes in _ranked(_few_enough(summed))]


def _few_enough(pairs: dict[_Whose, list[int]]) -> dict[_Whose, list[int]]:
    """Return the largest jobs by themselves, and the rest of each user together, as many as a document names."""
    if len(pairs) <= MOST_HOLDERS:
        return pairs
    users: dict[_Whose, list[int]] = {}
    for (user, _, gpu), minutes in pairs.items():
        users[user, None, gpu] = _added(users.get((user, None, gpu)), minutes)
    ranked = _ranked(users)
    kinds = {gpu for (_, _, gpu), _ in ranked}
    if len(ranked) > MOST_HOLDERS:
        kept = dict(ranked[: MOST_HOLDERS - len(kinds)])
        for (_, _, gpu), minutes in ranked[len(kept) :]:
            kept[OTHERS, None, gpu] = _added(kept.get((OTHERS, None, gpu)), minutes)
        return dict(_ranked(kept)[:MOST_HOLDERS])
    for (user, job, gpu), minutes in _ranked(pairs):
        if len(users) >= MOST_HOLDERS:
            break
        if job is not None:
            rest = [whole - part for whole, part in zip(users[user, None, gpu], minutes, strict=True)]
            users[user, job, gpu] = minutes
            users[user, None, gpu] = rest
    return {whose: minutes for whose, minutes in users.items() if sum(minutes)}


def _ranked(pairs: Mapping[_Whose, list[int]]) -> list[_Held]:
    return sorted(pairs.items(), key=lambda one: (-sum(one[1]), one[0][0], one[0][1] or ""))


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
