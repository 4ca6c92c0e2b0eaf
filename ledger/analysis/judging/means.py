"""Means and sums of squares of any finite floats: values near the largest one are no reason to fail."""

import math
from collections.abc import Collection, Iterable


def mean(values: Collection[float]) -> float:
    """Return the arithmetic mean of finite values, rounded once, and never outside of them."""
    try:
        found = math.fsum(values) / len(values)
    except OverflowError:  # the sum passes the largest float, of which the mean is far
        found = 2 * math.fsum(value / (2 * len(values)) for value in values)
    return min(max(found, min(values)), max(values))


def square_sum(values: Iterable[float]) -> float:
    """Return the sum of squares; infinite where it passes the largest float."""
    try:
        return math.fsum(value * value for value in values)
    except OverflowError:
        return math.inf
