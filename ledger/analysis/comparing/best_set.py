"""The settings that may be the best: multiple comparisons with the best, corrected for their number."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ledger.model.values import Document

CONFIDENCE = 0.95
"""Probability that the truly best setting is among those marked, under the assumptions of `best_set`."""
_STEP = 0.25
"""Step of the quadrature over the normal density, in standard deviations.

The trapezoidal rule converges exponentially for such functions: Trefethen and Weideman, SIAM Review 56 (2014).
"""
_REACH = 7.0
"""Range of that quadrature in standard deviations: 3e-12 of the density lies beyond."""
_CHI_POINTS = 48
"""Points of the quadrature over the chi density."""
_TINY = 1e-300
"""Smallest probability whose logarithm is computed."""


class Sample(Document, frozen=True, kw_only=True):
    """Summary of the finite values of one setting."""

    count: int
    """Number of values."""
    mean: float
    """Arithmetic mean; larger is better."""
    squares: float
    """Sum of squared deviations from the mean."""


class BestSet(Document, frozen=True, kw_only=True):
    """The result: which samples may be of the best setting."""

    members: tuple[bool, ...]
    """Whether each sample may be of the best; all false where that is unknown."""
    spread: float | None = None
    """Pooled standard deviation within samples; none where nothing was repeated."""
    freedom: int = 0
    """Its degrees of freedom."""
    refused: str | None = None
    """Why none is marked."""


def best_set(samples: Sequence[Sample]) -> BestSet:
    """Return the samples that no other one beats by more than chance explains.

    Hsu's multiple comparisons with the best: a sample is out when another is above it by more than
    `d * s * sqrt(1/n + 1/m)`, with the pooled spread `s` and Dunnett's one-sided critical value `d` for as many
    comparisons as there are other samples. It takes noise to be normal and of one width everywhere; a setting that is
    noisier than the others makes the set larger, never smaller.

    Source: J. C. Hsu, Multiple Comparisons: Theory and Methods (1996), chapter 4; Annals of Statistics 9 (1981) 1026.
    """
    nothing = tuple(False for _ in samples)
    freedom = sum(sample.count - 1 for sample in samples)
    if len(samples) < 2:  # noqa: PLR2004  # a single setting has no other
        return BestSet(members=nothing, refused="there is only one setting")
    if freedom == 0:
        return BestSet(members=nothing, refused="no setting was repeated, so the noise is unknown")
    whole = sum(sample.squares for sample in samples)
    spread = math.sqrt(math.fsum(sample.squares for sample in samples) / freedom) if math.isfinite(whole) else math.inf
    if not math.isfinite(spread):
        return BestSet(members=nothing, refused="the values are too large to compute their spread")
    if spread <= 1e-12 * max(abs(sample.mean) for sample in samples):
        return BestSet(members=nothing, refused="repeats gave equal values, so they say nothing about the noise")
    counts = Counter(sample.count for sample in samples)
    tops = dict.fromkeys(counts, -math.inf)
    for sample in samples:
        tops[sample.count] = max(tops[sample.count], sample.mean)
    floors = {}
    for own in counts:
        reach = critical_value(own, _others(counts, own), freedom) * spread
        floors[own] = max(top - reach * math.sqrt(1 / own + 1 / count) for count, top in tops.items())
    members = tuple(sample.mean > floors[sample.count] for sample in samples)
    return BestSet(members=members, spread=spread, freedom=freedom)


def _others(counts: Counter[int], own: int) -> tuple[tuple[int, int], ...]:
    """Return the sizes of the other samples, with the number of samples of each size."""
    return tuple(sorted((size, many - (size == own)) for size, many in counts.items() if many > (size == own)))


@lru_cache(maxsize=512)
def critical_value(own: int, others: tuple[tuple[int, int], ...], freedom: int, level: float = CONFIDENCE) -> float:
    """Return Dunnett's one-sided critical value for one sample against others, of equal or unequal sizes.

    Args:
        own: size of the one sample.
        others: sizes of the others, with the number of samples of each size.
        freedom: degrees of freedom of the pooled spread, at least one.
        level: joint confidence.

    `scipy.stats.dunnett` answers by random sampling, differently each time, and only for samples; a page must come out
    the same twice, so the integral is done here. Source: C. W. Dunnett, JASA 50 (1955) 1096, equation 4.
    """
    weights = tuple((math.sqrt(size / (size + own)), many) for size, many in others)
    widths = list(_chi(freedom))
    low, high = 0.0, 2.0
    while _covered(high, weights, widths) < level:
        low, high = high, 2 * high
    for _ in range(24):  # bisection: to six digits of a value below 10
        middle = (low + high) / 2
        low, high = (middle, high) if _covered(middle, weights, widths) < level else (low, middle)
    return high


def _covered(d: float, weights: Sequence[tuple[float, int]], widths: Sequence[tuple[float, float]]) -> float:
    """Return the probability that none of the others exceeds the one by more than `d` spreads."""
    steps = int(_REACH / _STEP)
    total = 0.0
    for width, share in widths:
        for step in range(-steps, steps + 1):
            z = step * _STEP
            log = -z * z / 2
            for weight, many in weights:
                below = math.erfc(-(weight * z + d * width) / math.sqrt(2 * (1 - weight * weight))) / 2
                log += many * math.log(max(below, _TINY))
            total += share * _STEP * math.exp(log) / math.sqrt(2 * math.pi)
    return total


def _chi(freedom: int) -> Iterator[tuple[float, float]]:
    """Yield points of the distribution of `s / sigma` with their weights, which sum to one."""
    if freedom > 2000:  # noqa: PLR2004  # its standard deviation is 1 / sqrt(2 * 2000): the width is known to 2 %
        yield 1.0, 1.0
        return
    # On a logarithmic axis the density is smooth and falls off on both sides; it peaks at zero.
    reach_up = math.sqrt(70 / freedom) if freedom > 70 else math.log(1 + math.sqrt(72 / freedom))  # noqa: PLR2004  # exp(-35) of the peak
    reach_down = -35 / freedom - math.sqrt(35 / freedom)
    count = _CHI_POINTS + 200 // freedom  # the fewer degrees of freedom, the longer the way down
    step = (reach_up - reach_down) / count
    points = [reach_down + step * index for index in range(count + 1)]
    shares = [math.exp(freedom * (t - (math.exp(2 * t) - 1) / 2)) for t in points]
    whole = math.fsum(shares)
    yield from ((math.exp(t), share / whole) for t, share in zip(points, shares, strict=True))
