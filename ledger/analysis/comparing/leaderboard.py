"""The leaderboard of one comparable group: runs of one setting merged, ties shared, the possible best marked."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from ledger.analysis.comparing.best_set import CONFIDENCE, Sample, best_set
from ledger.analysis.comparing.comparable import Group, Leaderboard
from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.ranks import decode_trace, encode_trace, other_ranks, trace_of
from ledger.analysis.comparing.settings import Spread, setting_key
from ledger.analysis.judging.means import mean
from ledger.hashing import hash_bytes
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import StoredRun
from ledger.model.values import WITHDRAWN, Direction, Document, Number, number

_SAME = 1e-12
"""Relative difference of two means that rounding alone can cause: they are tied."""


class Score(Document, frozen=True, kw_only=True):
    """The value of one run within a comparable group."""

    run: str
    """Run id."""
    setting: str
    """Key that runs of its setting share and no other run has."""
    value: float
    """The value; the latest of several measurements."""
    unranked: str = ""
    """Why it is not ranked: `retracted`, `continued`, or how it ended; empty where it counts."""
    trace: str = ""
    """Text that identifies ranks of the same training; empty where that is not needed."""


class Place(Document, frozen=True, kw_only=True):
    """One setting on a board."""

    rank: int | None
    """Its rank, shared by ties; none where the board cannot be ranked, or it has no finite value."""
    tied: bool = False
    """Whether another setting has the same rank."""
    leading: bool = False
    """Whether it may be the best: its difference from the best is within the noise."""
    spread: Spread | None
    """Mean and range over its runs; none without a finite value."""
    deviation: float | None = None
    """Sample standard deviation (n - 1); none below two values."""
    runs: tuple[str, ...]
    """Its runs, best value first; then those without a finite value, then other ranks of the same trainings."""


class Withdrawn(Document, frozen=True, kw_only=True):
    """A run that does not count, with its value."""

    run: str
    """Run id."""
    value: Number
    """Its value."""
    why: str = "retracted"
    """`retracted`, or how it ended: `failed`, `killed`, `pruned`, …"""


class SettingBoard(Document, frozen=True, kw_only=True):
    """The settings of one comparable group, best first where that is known."""

    group: Group
    """Properties that their values share."""
    direction: Direction | None
    """Which values are better; none when nobody stated it or the runs disagree."""
    places: tuple[Place, ...]
    """One place for each setting."""
    runs: int
    """Number of runs on the board."""
    refused: str | None = None
    """Why there is no order."""
    unmarked: str | None = None
    """Why no setting is marked as possibly the best."""
    noise: float | None = None
    """Pooled standard deviation over runs of one setting; none where nothing was repeated."""
    withdrawn: tuple[Withdrawn, ...] = ()
    """Runs that are on no board: they did not finish, or were retracted."""
    outside: tuple[Withdrawn, ...] = ()
    """Runs whose value is outside of the range of the others, as 93.1 beside 0.92: not ranked."""
    ranks: tuple[str, ...] = ()
    """Number of runs that are other ranks of a training on the board, and so no repeats."""

    @property
    def leading(self) -> int:
        """Return how many settings may be the best."""
        return sum(place.leading for place in self.places)


def short_key(run: StoredRun) -> str:
    """Return the key of a run's setting as a short text: 128 bits of a hash."""
    return hash_bytes(setting_key(run)).removeprefix("blake3:")[:32]


def latest_metrics(run: StoredRun) -> dict[GroupId, Metric]:
    """Return the latest measurement in each comparable group, by key, content hash and evaluator."""
    return {metric.group_id: metric for metric in run.metrics()}


def settings_on(board: Leaderboard, keys: Mapping[str, str] | None = None) -> SettingBoard:
    """Return the settings of the runs of a board, ranked among these runs alone.

    Args:
        board: runs of one comparable group.
        keys: `short_key` of each run, where several boards are asked for.
    """
    scores = [
        Score(
            run=standing.run.record.id,
            setting=short_key(standing.run) if keys is None else keys[standing.run.record.id],
            value=standing.metric.number,
            trace=encode_trace(trace_of(standing.run)),
        )
        for standing in board.standings
    ]
    return setting_board(board.group, board.direction, scores)


def in_order(boards: Iterable[SettingBoard]) -> list[SettingBoard]:
    """Return boards in order: that with the newest run first, those on which no run counts last."""

    def newest(board: SettingBoard) -> tuple[str, Group]:
        return max((run for place in board.places for run in place.runs), default=""), board.group

    return sorted(boards, key=newest, reverse=True)


def setting_board(
    group: Group, direction: Direction | None, scores: Iterable[Score], include: Collection[str] = ()
) -> SettingBoard:
    """Return the settings of one comparable group, ranked by their means; runs that do not count are set apart."""
    members: dict[str, list[Score]] = {}
    counted: list[Score] = []
    withdrawn: list[Score] = []
    for score in scores:
        aside = score.unranked and (score.unranked in WITHDRAWN or score.unranked not in include)
        (withdrawn if aside else counted).append(score)
    strange = outside_range(group.key, [score.value for score in counted], direction) if group.known else []
    outside = [score for score, one in zip(counted, strange, strict=bool(strange)) if one]
    for score in counted if not outside else [one for one in counted if one not in outside]:
        # Values on unknown data are comparable with nothing: not even a mean is allowed.
        members.setdefault(score.setting if group.known else score.run, []).append(score)
    refused = None
    if not group.known:
        refused = "the dataset version is unknown"
    elif direction is None:
        refused = "no direction is recorded, or runs disagree on it"
    sign = -1.0 if direction == "lower" else 1.0
    ranks: list[str] = []
    settings = [_merged(own, sign, ranks) for own in members.values()]
    board = SettingBoard(
        group=group,
        direction=direction,
        places=(),
        runs=sum(map(len, members.values())),
        refused=refused,
        withdrawn=tuple(
            Withdrawn(run=score.run, value=number(score.value), why=score.unranked)
            for score in sorted(withdrawn, key=lambda score: score.run)
        ),
        outside=tuple(
            Withdrawn(run=score.run, value=number(score.value), why="outside of the range")
            for score in sorted(outside, key=lambda score: score.run)
        ),
        ranks=tuple(sorted(ranks)),
    )
    if refused is not None:
        return _with(board, places=sorted(settings, key=lambda place: max(place.runs), reverse=True))
    return _ranked(board, settings, sign)


def _merged(scores: Sequence[Score], sign: float, ranks: list[str]) -> Place:
    """Return a setting; other ranks of one training are listed, also in `ranks`, and not counted."""
    if len(scores) == 1:
        return _merge(scores, sign)
    others = other_ranks([(score.run, decode_trace(score.trace)) for score in scores if score.trace])
    if not others:
        return _merge(scores, sign)
    ranks += others
    place = _merge([score for score in scores if score.run not in others], sign)
    return msgspec.structs.replace(place, runs=(*place.runs, *sorted(others)))


def _merge(scores: Sequence[Score], sign: float) -> Place:
    if len(scores) == 1 and math.isfinite(value := scores[0].value):
        return Place(rank=None, spread=Spread(count=1, mean=value, low=value, high=value), runs=(scores[0].run,))
    ordered = sorted(scores, key=lambda score: (not math.isfinite(score.value), -sign * score.value, score.run))
    values = [score.value for score in ordered if math.isfinite(score.value)]
    runs = tuple(score.run for score in ordered)
    if not values:
        return Place(rank=None, spread=None, runs=runs)
    low, high = min(values), max(values)
    middle = mean(values)
    spread = Spread(count=len(values), mean=middle, low=low, high=high)
    if len(values) == 1:
        return Place(rank=None, spread=spread, runs=runs)
    # hypot scales before it squares: no overflow where the result fits.
    deviation = math.hypot(*(value - middle for value in values)) / math.sqrt(len(values) - 1)
    return Place(rank=None, spread=spread, deviation=deviation, runs=runs)


def _ranked(board: SettingBoard, settings: Sequence[Place], sign: float) -> SettingBoard:
    measured = [(place, place.spread) for place in settings if place.spread is not None]
    measured.sort(key=lambda pair: (-sign * pair[1].mean, pair[0].runs[0]))
    samples = [
        Sample(
            count=spread.count,
            mean=sign * spread.mean,
            squares=0.0 if place.deviation is None else _square(place.deviation) * (spread.count - 1),
        )
        for place, spread in measured
    ]
    chosen = best_set(samples)
    ranks: list[int] = []
    for index, (_, spread) in enumerate(measured):
        first = measured[ranks[-1] - 1][1].mean if ranks else 0.0
        tie = bool(ranks) and math.isclose(spread.mean, first, rel_tol=_SAME)
        ranks.append(ranks[-1] if tie else index + 1)
    places = [
        Place(
            rank=rank,
            tied=rank in (*ranks[max(index - 1, 0) : index], *ranks[index + 1 : index + 2]),
            leading=leading,
            spread=place.spread,
            deviation=place.deviation,
            runs=place.runs,
        )
        for index, ((place, _), rank, leading) in enumerate(zip(measured, ranks, chosen.members, strict=True))
    ]
    places += sorted((place for place in settings if place.spread is None), key=lambda place: place.runs)
    return _with(board, places=places, unmarked=chosen.refused, noise=chosen.spread)


def _with(
    board: SettingBoard, *, places: Sequence[Place], unmarked: str | None = None, noise: float | None = None
) -> SettingBoard:
    return msgspec.structs.replace(board, places=tuple(places), unmarked=unmarked, noise=noise)


def _square(value: float) -> float:
    return value * value  # `**` raises where this becomes infinite


def mean_noise(board: SettingBoard) -> tuple[float | None, float | None]:
    """Return the noise of a board, and the half width of the interval of a single run; none where it is unknown.

    The noise is pooled over all settings of the board, so that one run has an interval as well; that of a mean of n
    runs is narrower by the root of n (Student's t; Box, Hunter and Hunter, Statistics for Experimenters, 2nd edition
    2005, 3.4).

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    freedom = sum(place.spread.count - 1 for place in board.places if place.spread)
    noise = board.noise if board.noise is not None else _pooled(board, freedom)
    if noise is None or freedom < 1:
        return noise, None
    from scipy.special import stdtrit

    return noise, float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * noise


def mean_interval(spread: Spread, reach: float) -> tuple[float, float]:
    """Return the interval of a mean, from the half width of that of a single run."""
    half = reach / math.sqrt(spread.count)
    return spread.mean - half, spread.mean + half


def _pooled(board: SettingBoard, freedom: int) -> float | None:
    """Return the pooled deviation of a board on which nothing is starred, as one of a single setting."""
    squares = [
        _square(place.deviation) * (place.spread.count - 1)
        for place in board.places
        if place.deviation and place.spread
    ]
    if not squares or not math.isfinite(whole := sum(squares)):
        return None
    return math.sqrt(whole / freedom)
