"""What GPUs did, run or no run: sums by host, user, job, kind, day, week or hour, and what idle minutes cost."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from ledger.analysis.hosts.day_sums import DaySums, Minutes, apart
from ledger.formatting import iso_week
from ledger.model.hosts import HOURS
from ledger.model.values import Document

IdleGroup = Literal["host", "user", "job", "gpu", "day", "week", "hour"]
"""What sums are over."""
_MINUTES = 60.0
_AWAY_DAYS = 31
"""Days without a document after which a host counts as gone and not as unwatched."""

PriceOf = Callable[[str, str], float | None]
"""Returns the price of one GPU per hour, by its product name and the day; none where there is no price."""


class IdleSum(Document, frozen=True, kw_only=True):
    """How the GPUs of one group were used."""

    name: str
    """Name of the group."""
    busy_hours: float = 0.0
    """Hours of GPUs that worked."""
    held_hours: float = 0.0
    """Hours of GPUs that were held and did nothing."""
    unclear_hours: float = 0.0
    """Hours of GPUs that were held, and how much worked is not known."""
    free_hours: float = 0.0
    """Hours of GPUs that nobody held; of users and jobs none."""
    missing_hours: float = 0.0
    """Hours in which GPUs did not answer, although their host was watched."""
    held_amount: float | None = None
    """Price of the hours held idle; none where some of them have no price."""
    unpriced_hours: float = 0.0
    """Hours held idle of GPUs without a price."""
    unwatched_hours: float = 0.0
    """Hours of GPUs in which nobody watched their host, between its first and its last day; of users and jobs none."""
    days: int = 0
    """Number of days that are counted in it, of a week at most 7."""

    @property
    def held_share(self) -> float | None:
        """Share of the held hours, of known use, in which nothing was done."""
        known = self.busy_hours + self.held_hours
        return self.held_hours / known if known else None

    @property
    def watched_share(self) -> float | None:
        """Share of all hours in which somebody watched; none where nothing is known."""
        watched = self.busy_hours + self.held_hours + self.unclear_hours + self.free_hours + self.missing_hours
        both = watched + self.unwatched_hours
        return watched / both if both else None


class HostCalendar(Document, frozen=True, kw_only=True):
    """One host, day by day and hour by hour."""

    host: str
    """Name of the host."""
    cards: int
    """Most cards that it had on a day."""
    days: dict[str, list[Minutes]]
    """Minutes busy, held, unclear, free and missing of each hour, by day; no minutes where it was not watched."""


class IdleReport(Document, frozen=True, kw_only=True):
    """How GPUs were used."""

    by: IdleGroup
    """What sums are over."""
    groups: list[IdleSum]
    """Sums, those with most idle hours first."""
    all: IdleSum
    """All of them together."""
    currency: str
    """Currency of every amount."""
    hosts: int
    """Number of hosts."""
    first: str
    """First day."""
    last: str
    """Last day."""
    planted: bool = False
    """Whether the documents were planted in the demo."""
    left_out: list[str] = []
    """Documents that speak of hours which another one has, and why they do not count."""


class HostUse(NamedTuple):
    """Days of watched hosts, with the prices of their GPUs."""

    days: tuple[DaySums, ...] = ()
    price_of: PriceOf = lambda *_: None
    currency: str = "USD"


NO_HOSTS = HostUse()
"""No host was watched."""


class _Sum:
    def __init__(self) -> None:
        self.minutes = Minutes()
        self.amount = 0.0
        self.unpriced = 0
        self.unwatched = 0
        self.days: set[str] = set()

    def add(self, minutes: Minutes, price: float | None) -> None:
        self.minutes = self.minutes.plus(minutes)
        if price is None:
            self.unpriced += minutes.held
        else:
            self.amount += minutes.held / _MINUTES * price

    def named(self, name: str) -> IdleSum:
        busy, held, unclear, free, missing = (minutes / _MINUTES for minutes in self.minutes)
        return IdleSum(
            name=name,
            busy_hours=busy,
            held_hours=held,
            unclear_hours=unclear,
            free_hours=free,
            missing_hours=missing,
            held_amount=None if self.unpriced else round(self.amount, 6),
            unpriced_hours=self.unpriced / _MINUTES,
            unwatched_hours=self.unwatched / _MINUTES,
            days=len(self.days),
        )


def idle_report(days: Sequence[DaySums], by: IdleGroup, price_of: PriceOf, currency: str) -> IdleReport | None:
    """Return how GPUs were used; none where no day is known.

    Args:
        days: days of hosts, in any order.
        by: what sums are over.
        price_of: price of a GPU per hour.
        currency: currency of the prices.
    """
    counted, left_out = apart(days)
    if not counted:
        return None
    sums: dict[str, _Sum] = {}
    whole = _Sum()
    for one in counted:
        for name, gpu, minutes in _parts(one, by):
            found = sums.setdefault(name, _Sum())
            found.add(minutes, price_of(gpu, one.day))
            found.days.add(one.day)
        for kind in one.kinds:
            whole.add(one.minutes(kind.gpu), price_of(kind.gpu, one.day))
        whole.days.add(one.day)
    for gap in _gaps(counted):
        whole.unwatched += gap.minutes
        if (group := _group_of(gap, by)) is not None:
            sums.setdefault(group, _Sum()).unwatched += gap.minutes
    groups = [found.named(name) for name, found in sums.items()]
    in_order = by in {"day", "week", "hour"}
    groups.sort(key=lambda one: one.name if in_order else (-one.held_hours, one.name))
    return IdleReport(
        by=by,
        groups=groups,
        all=whole.named("all"),
        currency=currency,
        hosts=len({one.host for one in counted}),
        first=min(one.day for one in counted),
        last=max(one.day for one in counted),
        planted=any(one.source == "demo" for one in counted),
        left_out=left_out,
    )


def _parts(one: DaySums, by: IdleGroup) -> Iterable[tuple[str, str, Minutes]]:
    """Yield the parts of a day: name of the group, kind of GPU, minutes."""
    if by in {"user", "job"}:
        for held in one.holders:
            name = held.user if by == "user" else f"{held.job or 'no job'} ({held.user})"
            yield name, held.gpu, Minutes(held.busy, held.held, held.unclear)
        return
    for kind in one.kinds:
        if by == "hour":
            for hour, watched in enumerate(one.watched):
                yield f"{hour:02}:00", kind.gpu, kind.in_hour(hour, watched)
            continue
        yield _name_of(one.host, kind.gpu, one.day, by), kind.gpu, one.minutes(kind.gpu)


def _name_of(host: str, gpu: str, day: str, by: IdleGroup) -> str:
    return {"host": host, "gpu": gpu, "day": day, "week": iso_week(date.fromisoformat(day))}[by]


class _Gap(NamedTuple):
    """Minutes of GPUs of one kind in an hour in which nobody watched their host."""

    host: str
    day: str
    hour: int
    gpu: str
    minutes: int


def _group_of(gap: _Gap, by: IdleGroup) -> str | None:
    if by in {"user", "job"}:
        return None
    return f"{gap.hour:02}:00" if by == "hour" else _name_of(gap.host, gap.gpu, gap.day, by)


def _gaps(days: Sequence[DaySums]) -> Iterable[_Gap]:
    """Yield what nobody watched of each host, from its first day to its last; whole days with the GPUs of before."""
    by_host: dict[str, dict[str, list[DaySums]]] = {}
    for one in days:
        by_host.setdefault(one.host, {}).setdefault(one.day, []).append(one)
    for host, by_day in by_host.items():
        before: str | None = None
        cards = Counter[str]()
        for day in sorted(by_day):
            for missed in _days_between(before, day):
                yield from (_Gap(host, missed, hour, *gpu) for hour in range(HOURS) for gpu in _left_of(cards, 0))
            before, seen = day, by_day[day]
            cards = Counter[str]()
            for kind in (kind for one in seen for kind in one.kinds):
                cards[kind.gpu] = max(cards[kind.gpu], kind.cards)
            watched = [sum(one.watched[hour] for one in seen) for hour in range(HOURS)]
            for hour, minutes in enumerate(watched):
                yield from (_Gap(host, day, hour, *gpu) for gpu in _left_of(cards, minutes))


def _left_of(cards: Mapping[str, int], watched: int) -> list[tuple[str, int]]:
    """Return the minutes of an hour that are left of each kind of GPU, where there are any."""
    left = int(_MINUTES) - watched
    return [(gpu, left * count) for gpu, count in cards.items()] if left > 0 else []


def _days_between(first: str | None, last: str) -> Iterable[str]:
    """Yield the days between two, neither of them counted; none after so many that the host counts as gone."""
    if first is None:
        return
    start = date.fromisoformat(first)
    apart_by = (date.fromisoformat(last) - start).days
    if apart_by <= _AWAY_DAYS:
        yield from ((start + timedelta(days=past)).isoformat() for past in range(1, apart_by))


def calendars(days: Sequence[DaySums]) -> list[HostCalendar]:
    """Return the hosts with their days and hours, by name."""
    counted, _ = apart(days)
    found: dict[str, dict[str, list[Minutes]]] = {}
    cards: dict[str, int] = {}
    for one in counted:
        hours = found.setdefault(one.host, {}).setdefault(one.day, [Minutes() for _ in range(HOURS)])
        cards[one.host] = max(cards.get(one.host, 0), sum(kind.cards for kind in one.kinds))
        for kind in one.kinds:
            for hour, watched in enumerate(one.watched):
                hours[hour] = hours[hour].plus(kind.in_hour(hour, watched))
    return [
        HostCalendar(
            host=host,
            cards=cards[host],
            days=dict(sorted(by_day.items())),
        )
        for host, by_day in sorted(found.items())
    ]
