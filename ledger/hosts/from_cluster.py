"""Days of hosts from what a cluster keeps already: accounting of SLURM, or a dump of a Prometheus server."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import NamedTuple

from ledger.capture.machine.gpus.watch import IDLE_BELOW
from ledger.capture.machine.holders import nodes_in
from ledger.formats.prometheus_dump import CardSeries
from ledger.formats.sacct_file import Allocation, JobUse, read_sacct
from ledger.hosts.day_log import HELD_BYTES, CardMinute, DayLog, Use, use_of
from ledger.model.hosts import MOST_CARDS, NOBODY
from ledger.model.values import Document

_MINUTE = timedelta(minutes=1)
_MIB = 1 << 20
_LONGEST_STEP = 300.0
"""Seconds that one sample of a series stands for at most: with more between two, nothing is known."""


class ClusterDays(Document, frozen=True, kw_only=True):
    """What a file of a cluster gave."""

    logs: list[DayLog]
    """Days of hosts, by host and day."""
    unreadable: list[str] = []
    """The first lines that say nothing, each with its reason."""
    left_out: int = 0
    """Number of lines that say nothing."""
    unknown: dict[str, str] = {}
    """What such a source cannot know."""


class _Span(NamedTuple):
    """Cards that a job had on one host."""

    start: datetime
    end: datetime
    cards: int
    kind: str
    user: str
    job: str
    use: Use


_SHOWN = 20


def from_sacct(lines: Iterable[str], source: str, zone: tzinfo | None = None) -> ClusterDays:
    """Return days of hosts from SLURM's accounting, which knows who had how many GPUs, and where accounted their use.

    Raises:
        InvalidDocument: it is no output of `sacct --parsable2`.
    """
    allocations: list[Allocation] = []
    uses: dict[str, float] = {}
    unreadable: list[str] = []
    left_out = 0
    for one in read_sacct(lines, source, zone):
        if isinstance(one, Allocation):
            allocations.append(one)
        elif isinstance(one, JobUse):
            uses[one.job] = max(one.share, uses.get(one.job, 0.0))
        else:
            left_out += 1
            if len(unreadable) < _SHOWN:
                unreadable.append(f"line {one.line}: {one.why}")
    newest = max((one.ended_at or one.started_at for one in allocations), default=None)
    spans: dict[str, list[_Span]] = {}
    for allocation in allocations:
        for host, span in _spans(allocation, uses.get(allocation.job), newest or allocation.started_at):
            spans.setdefault(host, []).append(span)
    unknown = {
        "gpus": "accounting names no cards: there are at least as many as were held at once",
        "hosts": "GPUs that the nodes of a job cannot share evenly are taken as those of the first ones",
        "use": "the mean of a whole job, where the cluster accounts for it (gres/gpuutil)",
    }
    logs = [log for host in sorted(spans) for log in _days_of(host, spans[host])]
    return ClusterDays(logs=logs, unreadable=unreadable, left_out=left_out, unknown=unknown)


def _spans(one: Allocation, share: float | None, newest: datetime) -> Iterator[tuple[str, _Span]]:
    """Yield what a job had on each of its hosts; GPUs that they do not share evenly are on the first ones."""
    nodes = nodes_in(one.nodes)
    ended = one.ended_at or max(newest, one.started_at)
    each, more = divmod(one.gpus, max(1, len(nodes)))
    use: Use = "unclear" if share is None else "busy" if share >= IDLE_BELOW else "held"
    for place, node in enumerate(nodes):
        if count := each + (place < more):
            kind = one.kind or "GPU"
            job = f"slurm {one.job}"
            yield node, _Span(one.started_at, ended, min(count, MOST_CARDS), kind, one.user, job, use)


def _days_of(host: str, spans: Sequence[_Span]) -> Iterator[DayLog]:
    """Yield the days of a host."""
    log: DayLog | None = None
    for start, minutes, cards in _stretches(spans):
        if log is None or log.day != f"{start:%Y-%m-%d}":
            if log is not None:
                yield log
            log = DayLog.at(host, start)
        log.add(start, cards, minutes=minutes)
    if log is not None:
        yield log


def _stretches(spans: Sequence[_Span]) -> Iterator[tuple[datetime, int, list[CardMinute]]]:
    """Yield times in one hour each, with their minutes and cards; between two changes all minutes are alike."""
    changes = sorted({_whole(moment) for span in spans for moment in (span.start, span.end)})
    at_once = list(_held_between(spans, changes))
    most: dict[str, int] = {}
    for held in at_once:
        counts: Counter[str] = Counter()
        for span in held:
            counts[span.kind] += span.cards
        most |= {kind: max(count, most.get(kind, 0)) for kind, count in counts.items()}
    for (moment, following), held in zip(pairwise(changes), at_once, strict=True):
        cards = _cards(held, most)
        yield from ((start, minutes, cards) for start, minutes in _hours(moment, following))


def _held_between(spans: Sequence[_Span], changes: Sequence[datetime]) -> Iterator[tuple[_Span, ...]]:
    """Yield what was held from each change to the next."""
    begins: dict[datetime, list[_Span]] = {}
    ends: dict[datetime, list[_Span]] = {}
    for span in spans:
        begins.setdefault(_whole(span.start), []).append(span)
        ends.setdefault(_whole(span.end), []).append(span)
    held: list[_Span] = []
    for moment in changes[:-1]:
        held += begins.get(moment, ())
        for span in ends.get(moment, ()):
            held.remove(span)
        yield tuple(held)


def _cards(spans: Sequence[_Span], most: Mapping[str, int]) -> list[CardMinute]:
    """Return all cards that the host is known to have: those that are held, and of each kind those that are not."""
    cards: list[CardMinute] = []
    for kind, known in most.items():
        held = [span for span in spans if span.kind == kind for _ in range(span.cards)]
        cards += (CardMinute(name=kind, use=span.use, user=span.user, job=span.job) for span in held)
        cards += (CardMinute(name=kind, use="free") for _ in range(known - len(held)))
    return cards


def _hours(start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield the parts of a time that lie in one hour each, with their minutes."""
    while start < end:
        following = min(end, start.replace(minute=0) + timedelta(hours=1))
        yield start, int((following - start) / _MINUTE)
        start = following


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def from_prometheus(series: Sequence[CardSeries]) -> ClusterDays:
    """Return days of hosts from the series of a Prometheus server, minute by minute."""
    logs: list[DayLog] = []
    by_host: dict[str, dict[str, list[CardSeries]]] = {}
    for one in series:
        by_host.setdefault(one.host, {}).setdefault(one.uuid, []).append(one)
    for host, by_card in sorted(by_host.items()):
        cards = [_CardMinutes(uuid, ones) for uuid, ones in sorted(by_card.items())]
        log: DayLog | None = None
        for minute in sorted({minute for card in cards for minute in card.minutes}):
            moment = datetime.fromtimestamp(minute * 60, tz=UTC)
            if log is None or log.day != f"{moment:%Y-%m-%d}":
                log = DayLog.at(host, moment)
                logs.append(log)
            log.add(moment, [card.at(minute) for card in cards])
    return ClusterDays(logs=logs, unknown={"held": "by the user or job of a card, or 512 MiB of its memory in use"})


class _CardMinutes:
    """One card of a dump, minute by minute."""

    def __init__(self, uuid: str, series: Sequence[CardSeries]) -> None:
        self._uuid = uuid
        self._name = series[0].name
        ranks = [one.rank for one in series if one.rank is not None]
        best = min(ranks, default=None)
        self._activity = _by_minute([one for one in series if one.rank is not None and one.rank == best])
        self._memory = _by_minute([one for one in series if one.rank is None])
        self.minutes = self._activity.keys() | self._memory.keys()

    def at(self, minute: int) -> CardMinute:
        shares, user, job = self._activity.get(minute, ([], None, None))
        sizes, memory_user, memory_job = self._memory.get(minute, ([], None, None))
        user, job = user or memory_user, job or memory_job
        held = bool(user or job) or any(size * _MIB >= HELD_BYTES for size in sizes)
        use = use_of(shares, held=held, below=IDLE_BELOW)
        return CardMinute(name=self._name, uuid=self._uuid, use=use, user=user or NOBODY, job=job)


_Minute = tuple[list[float], str | None, str | None]
"""Values in a minute, and whose they are."""


def _by_minute(series: Sequence[CardSeries]) -> dict[int, _Minute]:
    """Return values by minute; one sample stands for all minutes up to the next, at most five."""
    found: dict[int, _Minute] = {}
    for one in series:
        for (at, value), following in zip(one.points, [*one.points[1:], None], strict=True):
            until = min(following[0] if following else at + 60.0, at + _LONGEST_STEP)
            for minute in range(int(at // 60), max(int(at // 60) + 1, int(until // 60))):
                values, _, _ = found.setdefault(minute, ([], one.user, one.job))
                values.append(value)
                if one.job is not None:
                    found[minute] = (values, one.user, one.job)
    return found
