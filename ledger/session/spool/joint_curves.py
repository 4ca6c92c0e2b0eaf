"""The curves of a run from what its processes logged: those of the lowest rank, or of all ranks together."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.analysis.data.curves import Gathered, Gatherer, Point
from ledger.model.boxes.outputs import SeriesSummary
from ledger.model.characters import unseen_in
from ledger.model.values import LABEL_LENGTH, Reduction, counted
from ledger.recorder.record.draft import CaptureProblem
from ledger.session.process.parts import Part
from ledger.session.spool.events import Logged, LoggedNumbers
from ledger.session.spool.spool import POINT, load_event, read_points

_REDUCE: dict[Reduction, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: sum(values) / len(values),
    "sum": sum,
    "max": max,
    "min": min,
}
_DECODE = msgspec.json.Decoder(Point).decode
_AHEAD = 10_000
"""Most steps by which a rank may be ahead of rank 0, so that memory stays bounded; none is in a collective loop."""


class AttemptPoints(NamedTuple):
    """What the processes of one attempt logged."""

    parts: Sequence[Part]
    """Parts of its processes, by rank."""
    began: datetime
    """Its start, UTC."""
    offset: float = 0.0
    """Age of its spool in seconds when the run began."""
    longest: float = math.inf
    """Its age at its stated end, in seconds; points that were logged later have no time."""
    before: float = 0.0
    """Seconds that earlier attempts trained."""
    until: int | None = None
    """First step of a later attempt, which trained again from there on; none for the last."""

    @property
    def is_plain(self) -> bool:
        """Whether its points are those of the run as they are."""
        return self.longest == math.inf and self.until is None and self.before == self.offset


def joint_curves(stretches: Sequence[AttemptPoints]) -> tuple[Gathered | None, list[CaptureProblem]]:
    """Return the curves of all processes of all attempts, and what could not be joined.

    Of a series that several ranks logged the values of the lowest rank count, unless `run.log(…, reduce=…)` said how
    they become one: then those of all ranks at the same step, or without steps at the same call. Of a step that
    several attempts reached the last one's points count.

    Args:
        stretches: attempts, oldest first.
    """
    gatherer = Gatherer()
    reduced: dict[str, Reduction] = {}
    missing: dict[str, int] = {}
    for stretch in stretches:
        _gather(stretch, gatherer, reduced, missing)
    problems = [
        CaptureProblem(field=f"curves.{name}", message=f"{counted(count, 'point')} without the value of some rank")
        for name, count in sorted(missing.items())
    ]
    return _with_reductions(gatherer.result(), reduced), problems


def _gather(stretch: AttemptPoints, gatherer: Gatherer, reduced: dict[str, Reduction], missing: dict[str, int]) -> None:
    """Add the points of one attempt, and count those that lack the value of a rank."""
    taken: set[str] = set()
    others = [_OtherRank(part.path) for part in stretch.parts if part.rank > 0]
    if len(stretch.parts) == 1 and not others and stretch.is_plain:
        gatherer.add_all(_plain_points(stretch.parts[0].path))
        return
    for part in stretch.parts:
        apart = part.began if part.apart else None
        later = (apart.started_at - stretch.began).total_seconds() if apart is not None else 0.0
        later += stretch.before - stretch.offset
        series: set[str] = set()
        for event in read_points(part.path, taken if part.rank > 0 else frozenset()):
            if stretch.until is not None and event.step is not None and event.step >= stretch.until:
                continue
            values = _floats(event)
            if part.rank > 0:
                values = {name: value for name, value in values.items() if name not in taken}
            elif event.reduce is not None and others:
                reduced |= dict.fromkeys(values, event.reduce)
                _reduce(values, event, others, missing)
            if values:
                series.update(values)
                seconds = event.seconds + later if later else event.seconds
                time = seconds if event.seconds <= stretch.longest else None
                gatherer.add(Point(step=event.step, epoch=event.epoch, seconds=time, values=values))
        taken |= series


def _plain_points(path: Path) -> Iterator[Point]:
    """Yield what the only process of a run logged."""
    with path.open("rb") as lines:
        for line in lines:
            if not line.startswith(POINT):
                continue
            try:
                point = _DECODE(line)
                if not _PLAIN.issuperset(point.values):
                    point = msgspec.structs.replace(point, values=_renamed(point.values))
            except (msgspec.DecodeError, UnicodeDecodeError):  # NaN and infinities are text; or it is torn
                try:
                    event = load_event(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if not isinstance(event, Logged):
                    continue
                point = Point(step=event.step, epoch=event.epoch, seconds=event.seconds, values=_floats(event))
            if point.values:
                yield point


def _reduce(values: dict[str, float], event: Logged, others: Sequence["_OtherRank"], missing: dict[str, int]) -> None:
    """Replace values of rank 0 by those of all ranks together, and count those that some rank does not have."""
    if event.reduce is None:
        return
    join = _REDUCE[event.reduce]
    beside = [other.beside(event) for other in others]
    rows = [known.values() for known in beside if known is not None]
    if len(rows) == len(others):
        with suppress(TypeError):  # text among them: NaN and infinities, which `at` reads
            made = [join(row) for row in zip(values.values(), *rows, strict=True)]
            values.update(zip(values, made, strict=True))
            return
    for other, known in zip(others, beside, strict=True):
        if known is not None:
            other.put_back()
    for name, value in values.items():
        found = [value, *(its for other in others if (its := other.at(name, event.step)) is not None)]
        if len(found) <= len(others):
            missing[name] = missing.get(name, 0) + 1
        values[name] = join(found)


def _with_reductions(gathered: Gathered | None, reduced: Mapping[str, Reduction]) -> Gathered | None:
    if gathered is None or not reduced:
        return gathered
    series: dict[str, SeriesSummary] = {
        name: msgspec.structs.replace(summary, reduced=reduced.get(name))
        for name, summary in gathered.statistics.series.items()
    }
    return msgspec.structs.replace(gathered, statistics=msgspec.structs.replace(gathered.statistics, series=series))


class _OtherRank:
    """The values of another rank, read along with those of rank 0 in bounded memory."""

    def __init__(self, path: Path) -> None:
        self._events = (event for event in read_points(path) if event.reduce is not None)
        self._next: Logged | None = None
        self._taken: Logged | None = None
        self._values: dict[tuple[str, int], float] = {}
        self._calls: dict[str, int] = {}
        self._asked: dict[str, int] = {}

    def beside(self, event: Logged) -> Mapping[str, float] | None:
        """Return the values of the next call, where it is that of rank 0: the same step and series; else none.

        They may be text, where they are no numbers of JSON.
        """
        if event.step is None or self._values:
            return None
        known = self._next or next(self._events, None)
        if known is not None and known.step == event.step and list(known.values) == list(event.values):
            self._next, self._taken = None, known
            return known.values  # type: ignore[return-value]  # whoever adds text to numbers learns it
        self._next = known
        return None

    def put_back(self) -> None:
        """Take the call that was returned last for one that is still to come."""
        self._next, self._taken = self._taken, None

    def at(self, name: str, step: int | None) -> float | None:
        """Return the value of a series at a step, or without steps at the next call; none where there is none."""
        by_call = step is None
        if step is None:
            step = self._asked[name] = self._asked.get(name, 0) + 1
        key = name, step
        if len(self._values) >= _AHEAD:  # what rank 0 never asked for
            self._values = {known: value for known, value in self._values.items() if known[1] >= step}
        while key not in self._values and len(self._values) < _AHEAD:
            event, self._next = self._next or next(self._events, None), None
            if event is None:
                break
            for other, value in _floats(event).items():
                call = event.step
                if call is None:
                    call = self._calls[other] = self._calls.get(other, 0) + 1
                self._values[other, call] = value
            if not by_call and event.step is not None and event.step > step:
                break
        return self._values.pop(key, None)


_PLAIN: set[str] = set()
"""Names of series that a record can hold as they are."""
_PLAIN_MOST = 10_000


def _floats(event: Logged) -> dict[str, float]:
    """Return the values of a call by the names that the record has of them."""
    if isinstance(event, LoggedNumbers) and _PLAIN.issuperset(event.values):  # nearly always
        return event.values
    return _renamed(event.values)


def _renamed(values: Mapping[str, float | str]) -> dict[str, float]:
    made = {_series(name): float(value) for name, value in values.items()}
    if len(_PLAIN) < _PLAIN_MOST:
        _PLAIN.update(made.keys() & values.keys())
    return made


def _series(name: str) -> str:
    """Return a series name that a record can hold: hours of curves must not be lost for one odd name."""
    shown = name if unseen_in(name, label=True) is None else ascii(name)[1:-1]
    return shown[:LABEL_LENGTH] if shown.strip() else "unnamed"
