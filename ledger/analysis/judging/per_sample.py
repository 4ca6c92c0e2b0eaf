"""How much of a difference the choice of evaluation samples explains: a bootstrap over per-sample results.

The spread between seeds predicts another training; this predicts another set of samples of the same size.
A difference that should generalise must be larger than both.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ledger.model.values import Direction, Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RESAMPLES = 2_000
"""Number of resamples: Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3, require 1,000."""
_VALUES = 2_500
"""Most distinct values; means of more samples are close to normal, and drawing them would take 40 MB."""
_TAILS = (2.5, 97.5)
_LARGEST = 1e150
"""Values from which squares and sums overflow a float (IEEE 754 binary64: 1.8e308)."""
_FEWEST = 10
"""Fewest samples: below it the percentile interval is far too narrow (same, table 14.2)."""


class SampleEvidence(Document, frozen=True, kw_only=True):
    """The difference of two settings over the samples of an evaluation."""

    samples: int
    """Number of samples of the judged setting."""
    paired: bool
    """Whether both were measured on the same samples, so that each sample is compared with itself."""
    effect: float
    """Improvement, in the metric's unit; positive is better."""
    low: float
    """Lower end of its 95 % interval over samples."""
    high: float
    """Upper end."""

    @property
    def decided(self) -> bool:
        """Whether other samples should give the same sign."""
        return self.low > 0 or self.high < 0


def sample_evidence(
    ours: Sequence[Mapping[str, float]], theirs: Sequence[Mapping[str, float]], direction: Direction
) -> SampleEvidence | None:
    """Return the evidence of per-sample results for two settings; none with too few samples, or with a value of NaN.

    Args:
        ours: value by sample, for each repeat of the judged setting; repeats are averaged for each sample.
        theirs: the same for the other setting.
        direction: which values are better.

    Raises:
        ModuleNotFoundError: numpy is not installed.
    """
    import numpy as np

    left, right = _means(ours), _means(theirs)
    if min(len(left), len(right)) < _FEWEST:
        return None
    sign = 1.0 if direction == "higher" else -1.0
    paired = left.keys() == right.keys()
    order = sorted(left)
    mine = sign * np.array([left[sample] for sample in order])
    other = sign * np.array([right[sample] for sample in (order if paired else sorted(right))])
    if not (np.abs(mine) < _LARGEST).all() or not (np.abs(other) < _LARGEST).all():  # NaN is not less than anything
        return None
    if paired:
        low, high = _interval([mine - other])
    else:
        low, high = _interval([mine, -other])
    return SampleEvidence(
        samples=len(mine), paired=paired, effect=float(mine.mean() - other.mean()), low=low, high=high
    )


def _means(repeats: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each sample that all repeats have."""
    if not repeats:
        return {}
    shared = set(repeats[0]).intersection(*repeats[1:])
    return {sample: sum(repeat[sample] for repeat in repeats) / len(repeats) for sample in shared}


def _interval(parts: Sequence["NDArray[np.float64]"]) -> tuple[float, float]:
    """Return the 95 % percentile interval of the sum of the parts' means, each part resampled independently.

    Efron and Tibshirani (1993), section 13.3. The same values give the same interval: the generator has a fixed seed.
    """
    import numpy as np

    chance = np.random.default_rng(0)
    means = np.zeros(_RESAMPLES)
    for part in parts:
        values, counts = np.unique(part, return_counts=True)
        if len(values) > _VALUES:
            means += chance.normal(part.mean(), part.std(ddof=1) / len(part) ** 0.5, _RESAMPLES)
        else:
            # The counts of distinct values are multinomial: for right and wrong, three numbers a resample.
            drawn = chance.multinomial(len(part), counts / len(part), size=_RESAMPLES)
            means += drawn @ values / len(part)
    low, high = np.percentile(means, _TAILS)
    return float(low), float(high)
