"""Means and sums of squares of any finite floats, without overflow near the largest float."""

import math
from collections.abc import Collection, Iterable


def mean(values: Collection[float]) -> float:
    """Return the arithmetic mean of finite values, rounded once, and never outside of their range."""
    try:
        found = math.fsum(values) / len(values)
    except OverflowError:  # the sum overflows a float, though the mean does not
        found = 2 * math.fsum(value / (2 * len(values)) for value in values)
    return min(max(found, min(values)), max(values))


def square_sum(values: Iterable[float]) -> float:
    """Return the sum of squares; infinite where it overflows."""
    try:
        return math.fsum(value * value for value in values)
    except OverflowError:
        return math.inf
