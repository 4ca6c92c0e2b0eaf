"""Learning curves as values: down-sampled, summarised, written as CSV and read back.

Points are thinned in three places, each for a reason of its own, and always by `down_sample`:

- `Gatherer` bounds memory while a run is read: a loop may log millions of points.
- The recorder bounds the file beside the record (`limits.curve_points`): git keeps it for ever, and reviewers read it.
- `publish.charts.curve_panels` bounds what a page draws (`POINTS_SHOWN`): a chart has no more pixels.
"""

import csv
import io
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress, islice
from typing import NamedTuple

from ledger.errors import InvalidDocument, LedgerError
from ledger.model.boxes.outputs import SeriesSummary, Statistics
from ledger.model.values import Document, check_label, number

_AXES = ("step", "epoch", "seconds")
_REAL = r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:e[+-]?[0-9]{1,4})?|NaN|-?Infinity"
_CELL = re.compile(rf"(?:{_REAL})?")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_QUOTED_AT_START = ("=", "+", "-", "@", "'")
"""First characters that make a spreadsheet run a cell as a formula
(https://owasp.org/www-community/attacks/CSV_Injection), and the sign that disarms them."""
_SHOWN = 20
_HELD = 1000
"""Points whose values are counted together: ten times as fast as one by one."""


class Point(Document, frozen=True, kw_only=True):
    """The values that were logged at one moment."""

    step: int | None = None
    """Step; none when not stated."""
    epoch: float | None = None
    """Epoch, possibly fractional; none when not stated."""
    seconds: float | None = None
    """Seconds since the start of the run; none when not stated."""
    values: dict[str, float] = {}
    """Value by name of the series; a series without a value here is absent."""


def down_sample(points: Sequence[Point], limit: int = 500) -> list[Point]:
    """Return at most `limit` of the points, in order, that draw the same picture.

    Kept before all else are the first and the last point, and of every series its minimum, its maximum
    and its first value that is not finite, even where those alone are more than `limit`. The rest goes to
    the minimum and maximum of every series in buckets of equal width, then to evenly spaced points.
    Deterministic; O(points x series). The method is min-max aggregation, the rendering-preserving part
    of M4 (Jugel et al., VLDB 2014, https://doi.org/10.14778/2732951.2732953).
    """
    count = len(points)
    if count <= limit:
        return list(points)
    columns = _columns(points)
    kept = (
        {0, count - 1}
        | _extremes(columns, 0, count)
        | {column.broken for column in columns if column.broken is not None}
    )
    buckets = (limit - len(kept)) // (2 * len(columns)) if columns else 0
    for bucket in range(max(0, buckets)):
        kept |= _extremes(columns, count * bucket // buckets, count * (bucket + 1) // buckets)
    spare = limit - len(kept)
    for place in range(max(0, spare)):
        kept.add((2 * place + 1) * count // (2 * spare))
    return [points[position] for position in sorted(kept)]


class _Column(NamedTuple):
    """The finite values of one series, and where they are."""

    positions: Sequence[int]
    values: list[float]
    broken: int | None
    """Position of its first NaN or infinity, where the training broke."""


def _columns(points: Sequence[Point]) -> list[_Column]:
    """Return the series of points; most have every series, and only finite values."""
    columns = []
    for name in dict.fromkeys(chain.from_iterable(point.values for point in points)):
        places: Sequence[int] = range(len(points))
        try:
            values = [point.values[name] for point in points]
        except KeyError:
            places = [place for place, point in enumerate(points) if name in point.values]
            values = [points[place].values[name] for place in places]
        if all(map(math.isfinite, values)):
            columns.append(_Column(places, values, None))
            continue
        finite = [math.isfinite(value) for value in values]
        broken = places[finite.index(False)]
        columns.append(_Column(list(compress(places, finite)), list(compress(values, finite)), broken))
    return columns


def _extremes(columns: Sequence[_Column], start: int, end: int) -> set[int]:
    """Return the positions of the smallest and largest value of each series in a range, the first of equal ones."""
    found = set()
    for positions, values, _ in columns:
        whole = isinstance(positions, range)
        first = start if whole else bisect_left(positions, start)
        here = values[first : end if whole else bisect_left(positions, end)]
        if here:
            found |= {positions[first + here.index(min(here))], positions[first + here.index(max(here))]}
    return found


class _Tally:
    """One series in constant memory.

    Mean and variance of parts are joined as Chan, Golub and LeVeque do (1983), doi:10.1080/00031305.1983.10483115;
    one value at a time, where their sum is too large for a number, as Welford does (1962),
    doi:10.1080/00401706.1962.10490022.
    """

    def __init__(self, first: float) -> None:
        self.first = self.last = first
        self.count = self.finite = 0
        self.mean = self.squares = 0.0
        self.low, self.high = math.inf, -math.inf

    def add(self, values: list[float]) -> None:
        """Count some values, one at least."""
        self.last = values[-1]
        self.count += len(values)
        try:
            if not math.isfinite(total := math.fsum(values)):
                self._add_finite([value for value in values if math.isfinite(value)])
                return
            mean = total / len(values)
            # The distance of all values from their mean: its square is the sum of their squares, at the speed of C.
            self._join(len(values), mean, math.dist(values, [mean] * len(values)) ** 2)
        except (OverflowError, ValueError):  # their sum is too large, or has infinities of both signs
            self._add_finite([value for value in values if math.isfinite(value)])
            return
        self.low, self.high = min(self.low, *values), max(self.high, *values)

    def _add_finite(self, values: list[float]) -> None:
        for value in values:
            self._join(1, value, 0.0)
            self.low, self.high = min(self.low, value), max(self.high, value)

    def _join(self, count: int, mean: float, squares: float) -> None:
        total = self.finite + count
        delta = mean - self.mean if self.finite else 0.0
        # Of the product of deltas before and after, which is shorter, a constant series has a spread by rounding.
        self.squares += squares + delta * delta / total * self.finite * count
        self.mean = self.mean + delta / total * count if self.finite else mean
        self.finite = total

    def summary(self) -> SeriesSummary:
        known = self.finite > 0
        variance = self.squares / (self.finite - 1) if self.finite > 1 else 0.0
        return SeriesSummary(
            count=self.count,
            first=number(self.first),
            last=number(self.last),
            min=number(self.low if known else math.nan),
            max=number(self.high if known else math.nan),
            mean=number(self.mean if known else math.nan),
            stdev=number(math.sqrt(variance) if known and variance >= 0 else math.nan),
            not_finite=self.count - self.finite,
        )


class _Summary:
    """Summaries of all series in constant memory."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}
        self._steps: int | None = None
        self._epochs: float | None = None
        self._whole_from_zero = True
        self._held: list[dict[str, float]] = []

    def add(self, *points: Point) -> None:
        self._steps = next((point.step for point in reversed(points) if point.step is not None), self._steps)
        for epoch in [point.epoch for point in points if point.epoch is not None]:
            self._whole_from_zero &= epoch.is_integer() and (self._epochs is not None or epoch == 0)
            self._epochs = epoch
        self._held += [point.values for point in points]
        if len(self._held) >= _HELD:
            self._settle()

    def _settle(self) -> None:
        """Count the values of the points that are held."""
        held, self._held = self._held, []
        for name in dict.fromkeys(chain.from_iterable(held)):
            try:
                values = [one[name] for one in held]
            except KeyError:
                values = [one[name] for one in held if name in one]
            tally = self._tallies.get(name)
            if tally is None:
                tally = self._tallies[name] = _Tally(values[0])
            tally.add(values)

    def statistics(self) -> Statistics:
        self._settle()
        series = {name: tally.summary() for name, tally in sorted(self._tallies.items())}
        # The epoch counted as 0 is one, too; of fractions the last is the number of epochs.
        epochs = self._epochs + 1 if self._epochs is not None and self._whole_from_zero else self._epochs
        return Statistics(steps=self._steps, epochs=epochs, series=series)


def summarise(points: Iterable[Point]) -> Statistics:
    """Return the summary of every series, and the last step and epoch; numbers are over finite values only."""
    summary = _Summary()
    for point in points:
        summary.add(point)
    return summary.statistics()


class Gathered(Document, frozen=True, kw_only=True):
    """A long history in bounded memory: down-sampled points, and statistics over all of them."""

    points: list[Point]
    """The points, down-sampled where there were very many."""
    logged: int
    """Number of points before down-sampling."""
    statistics: Statistics
    """Summary of every series, over all points."""


def gather(points: Iterable[Point]) -> Gathered | None:
    """Return any number of points in bounded memory; none when there are none."""
    gatherer = Gatherer()
    gatherer.add_all(points)
    return gatherer.result()


class Gatherer:
    """Takes any number of points one at a time, and holds at most `HELD` of them."""

    HELD = 100_000
    """Most points held in memory: about 60 MB with five series."""
    KEPT = 20_000
    """Points that remain when these are down-sampled; many more than any picture shows."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._logged = 0
        self._summary = _Summary()

    def add(self, point: Point) -> None:
        """Add the next point."""
        self._summary.add(point)
        self._points.append(point)
        self._logged += 1
        if len(self._points) > self.HELD:
            self._points = down_sample(self._points, self.KEPT)

    def add_all(self, points: Iterable[Point]) -> None:
        """Add the next points, faster than one by one."""
        following = iter(points)
        while block := list(islice(following, _HELD)):
            self._summary.add(*block)
            self._points += block
            self._logged += len(block)
            if len(self._points) > self.HELD:
                self._points = down_sample(self._points, self.KEPT)

    def result(self) -> Gathered | None:
        """Return the gathered points; none when there were none."""
        if not self._logged:
            return None
        return Gathered(points=self._points, logged=self._logged, statistics=self._summary.statistics())


def render_curves(points: Sequence[Point]) -> bytes:
    """Return the points as CSV: step, epoch, seconds, then the series by name; blank where nothing was logged.

    A series whose name a spreadsheet would run as a formula, or that is called like an axis, is written
    behind an apostrophe. The same points give the same bytes.

    Raises:
        LedgerError: a series' name cannot be shown.
    """
    series = sorted({name for point in points for name in point.values})
    for name in series:
        check_label("series name", name)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*_AXES, *(_quoted(name) for name in series)])
    for point in points:
        axes = ["" if point.step is None else str(point.step), _cell(point.epoch), _cell(point.seconds)]
        writer.writerow([*axes, *(_cell(point.values.get(name)) for name in series)])
    return file.getvalue().encode()


def load_curves(data: bytes, source: str) -> list[Point]:
    """Return the points that `render_curves` wrote.

    Args:
        data: content of the CSV file.
        source: its origin, for messages.

    Raises:
        InvalidDocument: it is something else; every problem is named, with its line.
    """
    problems: list[str] = []
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        header = next(reader, [])
        names = _names(header, problems)
        points = [] if problems else list(_points(reader, names, problems))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidDocument(source, [str(error).lower()]) from error
    if problems:
        raise InvalidDocument(source, problems)
    return points


def _names(header: list[str], problems: list[str]) -> list[str]:
    if tuple(header[: len(_AXES)]) != _AXES:
        problems.append("line 1: the columns must begin with step,epoch,seconds")
        return []
    names = [name.removeprefix("'") for name in header[len(_AXES) :]]
    if len(set(names)) != len(names):
        problems.append("line 1: a column appears twice")
    for name in names:
        try:
            check_label("series name", name)
        except LedgerError as error:
            problems.append(f"line 1: {error}")
    return names


def _points(reader: Iterable[list[str]], names: list[str], problems: list[str]) -> Iterator[Point]:
    for line, row in enumerate(reader, start=2):
        if len(problems) >= _SHOWN:
            return
        if len(row) != len(names) + len(_AXES):
            problems.append(f"line {line}: {len(names) + len(_AXES)} columns expected, not {len(row)}")
            continue
        step, *cells = row
        if not all(map(_CELL.fullmatch, cells)) or (step and not _WHOLE.fullmatch(step)):
            wrong = [*(cell for cell in cells if not _CELL.fullmatch(cell)), step]
            problems.append(f"line {line}: not a number: `{ascii(wrong[0])[1:-1][:40]}`")
            continue
        epoch, seconds, *values = (float(cell) if cell else None for cell in cells)
        yield Point(
            step=int(step) if step else None,
            epoch=epoch,
            seconds=seconds,
            values={name: value for name, value in zip(names, values, strict=True) if value is not None},
        )


def _quoted(name: str) -> str:
    return f"'{name}" if name.startswith(_QUOTED_AT_START) or name in _AXES else name


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    shown = number(float(value))
    return shown if isinstance(shown, str) else repr(shown)
