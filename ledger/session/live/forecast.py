"""How fast a run moves on, and when it will be done, with an interval: pure functions over points in time."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from ledger.model.values import Document

Move = tuple[float, float]
"""Seconds since the start of the run, and the position that was reached then: a step or an epoch."""

_BLOCKS = 20
"""Stretches of equal length into which the recent past is divided."""
_FEWEST = 5
"""With fewer stretches nothing is said of how sure a forecast is."""
_WINDOW_SECONDS = 60.0
"""The recent past is at least as long as this, and at least half of what is known."""
_MOST_CORRELATED = 0.8

_T_975 = (
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
    2.120,
    2.110,
    2.101,
    2.093,
)
"""The 97.5 % quantile of Student's t with 4 to 19 degrees of freedom."""


class Forecast(Document, frozen=True, kw_only=True):
    """The time that is left, in seconds from now."""

    seconds: float
    """Expected time."""
    low: float | None = None
    """Lower end of the 95 % prediction interval, or the soonest by a log; none where too little is known."""
    high: float | None = None
    """Its upper end, or the latest by a log."""


def recent_moves(moves: Sequence[Move]) -> list[Move]:
    """Return the recent past of a run: one time for each position, since the position last went back.

    Args:
        moves: times with positions, in the order of the times.
    """
    kept: list[Move] = []
    for seconds, position in moves:
        if kept and position < kept[-1][1]:
            kept = []  # the next phase counts from its own start
        if kept and position == kept[-1][1]:
            continue  # training and validation logged at one step
        kept.append((seconds, position))
    if not kept:
        return []
    newest, oldest = kept[-1][0], kept[0][0]
    since = newest - max(_WINDOW_SECONDS, (newest - oldest) / 2)
    return kept[bisect_left(kept, (since, -math.inf)) :]


def speed(moves: Sequence[Move]) -> float | None:
    """Return the positions passed in a second; none where that cannot be known."""
    if len(moves) < 2 or moves[-1][0] <= moves[0][0]:  # noqa: PLR2004  # one point has no speed
        return None
    return (moves[-1][1] - moves[0][1]) / (moves[-1][0] - moves[0][0])


def forecast(moves: Sequence[Move], total: float, now: float) -> Forecast | None:
    """Return the time until `total` is reached, if the run goes on as it did; none where it has no speed.

    The recent past is divided into stretches of equal length. Their mean time is that of each coming stretch, and
    their spread gives the interval: that of the sum of the coming stretches and of the mean itself. Neighbours that
    are alike say less than as many others would: their spread is enlarged by (1 + r) / (1 - r), r being the
    correlation of neighbours.

    Source: prediction interval of a sum, G. J. Hahn and W. Q. Meeker, Statistical Intervals (1991), chapter 4;
    effective number of observations, D. S. Wilks, Statistical Methods in the Atmospheric Sciences (2011), 5.2.4.

    Args:
        moves: the recent past, by `recent_moves`.
        total: position at the end of the run.
        now: seconds since the start of the run.
    """
    if not speed(moves):
        return None
    count = min(_BLOCKS, len(moves) - 1)
    width = (moves[-1][1] - moves[0][1]) / count
    took = [after - before for before, after in pairwise(_times(moves, width, count))]
    coming = max(0.0, (total - moves[-1][1]) / width)
    mean = sum(took) / count
    waited = max(0.0, now - moves[-1][0])
    expected = max(0.0, coming * mean - waited)
    if count < _FEWEST:
        return Forecast(seconds=expected)
    half = _T_975[count - _FEWEST] * math.sqrt(_variance(took, mean) * (coming + coming**2 / count))
    return Forecast(
        seconds=expected,
        low=max(0.0, coming * mean - half - waited),
        high=max(expected, coming * mean + half - waited),
    )


def _times(moves: Sequence[Move], width: float, count: int) -> list[float]:
    """Return when the boundary of each stretch was passed, by linear interpolation."""
    positions = [position for _, position in moves]
    times = [moves[0][0]]
    for number in range(1, count):
        wanted = positions[0] + number * width
        at = bisect_left(positions, wanted)
        (earlier, below), (later, above) = moves[at - 1], moves[at]
        times.append(earlier + (later - earlier) * (wanted - below) / (above - below))
    return [*times, moves[-1][0]]


def _variance(took: Sequence[float], mean: float) -> float:
    variance = sum((one - mean) ** 2 for one in took) / (len(took) - 1)
    if variance == 0:
        return 0.0
    together = sum((one - mean) * (other - mean) for one, other in pairwise(took)) / (len(took) - 1)
    alike = min(_MOST_CORRELATED, max(0.0, together / variance))
    return variance * (1 + alike) / (1 - alike)
