"""The noise floor: the spread of a metric when only the seed changes, and its uncertainty.

Knows only values and run ids; `judgement.py` decides which runs are repeats of one setting.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import median

from ledger.analysis.judging.means import mean, square_sum
from ledger.model.values import Document

_OUTLYING = 3.5
"""Robust widths from the middle of its setting beyond which a run is named an outlier: Iglewicz and Hoaglin, How to
Detect and Handle Outliers (1993), page 12."""
_SHAMOS = 1.0483580
"""1 / (sqrt(2) * Phi^-1(3/4)): makes the median distance of two values the standard deviation of a normal law (Shamos
1976; Rousseeuw and Croux 1993, JASA 88:1273, where it is compared with other robust spreads)."""
_INTERVAL = 0.95

ASSUMPTIONS = (
    "runs of one setting differ by seed only: the same params, code and training data, and each its own chance",
    "all settings pooled here spread alike; a pair that clearly spreads more is judged by its own spread instead",
    "the tests are those for normal noise; by simulation they keep their rate for skewed and heavy-tailed noise too",
)
"""Assumptions behind the width, as shown to people."""


class Repeats(Document, frozen=True, kw_only=True):
    """The finite values of one setting in one comparable group."""

    runs: tuple[str, ...]
    """Ids of the runs."""
    values: tuple[float, ...]
    """One value per run."""

    @property
    def count(self) -> int:
        """The number of runs."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return mean(self.values)


class Noise(Document, frozen=True, kw_only=True):
    """The spread over seeds, pooled over settings with repeats."""

    width: float
    """Pooled standard deviation, in the metric's unit."""
    freedom: int
    """Degrees of freedom: runs less settings."""
    low: float
    """Lower end of the 95 % interval of `width`."""
    high: float
    """Upper end."""
    robust: float
    """The same width from the median difference of two repeats, which single outliers hardly change."""
    settings: int
    """Number of settings with at least two repeats."""
    runs: int
    """Number of runs of those settings."""
    outliers: tuple[str, ...] = ()
    """Runs far from the others of their setting; they count, which makes answers more careful and never bolder."""
    assumptions: tuple[str, ...] = ASSUMPTIONS
    """Its assumptions."""


def squares(values: Sequence[float]) -> float:
    """Return the sum of squared deviations from the mean; exactly 0 for equal values, as their mean is exact."""
    middle = mean(values)
    return square_sum(value - middle for value in values)


def pool(settings: Iterable[Repeats]) -> tuple[float, int]:
    """Return the sum of squares within settings, and its degrees of freedom.

    The pooled variance is their ratio (Box, Hunter and Hunter, Statistics for Experimenters, 2nd edition 2005, 3.4).
    """
    values = [one.values for one in settings]
    within = [squares(own) for own in values if len(own) > 1]  # of one value it is 0
    return math.fsum(within) if math.isfinite(sum(within)) else math.inf, sum(len(own) - 1 for own in values)


def measure_noise(settings: Iterable[Repeats]) -> Noise | None:
    """Return the noise floor from settings with repeats; none where no setting has two.

    The interval is the chi-square interval of a variance: freedom * width^2 / chi^2 (NIST/SEMATECH e-Handbook of
    Statistical Methods, 1.3.5.8). It is exact for normal noise and too narrow for heavy tails.

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    from scipy.special import chdtri

    repeated = [one for one in settings if one.count > 1]
    total, freedom = pool(repeated)
    if freedom == 0:
        return None
    tail = (1 - _INTERVAL) / 2
    robust = _robust_width(repeated)
    return Noise(
        width=math.sqrt(total / freedom),
        freedom=freedom,
        low=math.sqrt(total / float(chdtri(freedom, tail))),
        high=math.sqrt(total / float(chdtri(freedom, 1 - tail))),
        robust=robust,
        settings=len(repeated),
        runs=sum(one.count for one in repeated),
        outliers=_outliers(repeated, robust),
    )


def _robust_width(settings: Sequence[Repeats]) -> float:
    """Return the scaled median difference between two repeats: all differences have one distribution, for any count."""
    apart = [
        abs(value - other) for one in settings for at, value in enumerate(one.values) for other in one.values[at + 1 :]
    ]
    return _SHAMOS * median(apart)


def _outliers(settings: Sequence[Repeats], width: float) -> tuple[str, ...]:
    if width == 0:
        return ()
    return tuple(
        run
        for one in settings
        for run, value in zip(one.runs, one.values, strict=True)
        if abs(value - median(one.values)) > _OUTLYING * width
    )
