"""The range of a sum of values that are still to come, from a few like them."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

FEWEST = 3
"""Fewest values from which a range is stated."""


def predict_sum(values: Sequence[float], count: int) -> tuple[float, float] | None:
    """Return the 95 % prediction interval of the sum of `count` new values; none with fewer than three.

    Mean and deviation are estimated from the same few values, so the interval is that of Student's t: Hahn and Meeker,
    Statistical Intervals (1991), 4.8.2.

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    if len(values) < FEWEST:
        return None
    from scipy.special import stdtrit

    error = stdev(values) * math.sqrt(count + count * count / len(values))
    reach = float(stdtrit(len(values) - 1, 0.975)) * error
    middle = mean(values) * count
    return middle - reach, middle + reach
