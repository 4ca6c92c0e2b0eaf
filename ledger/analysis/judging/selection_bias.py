"""The bias of selection: the best of a hundred trials is not a trial of one."""

import math

_STEPS = 2_000
_REACH = 9.0
"""Standard deviations over which the distribution of the best is integrated; beyond lies less than 1e-18."""


def corrected(p: float, trials: int) -> float:
    """Return the probability that any of `trials` comparisons shows as much, from that of one.

    1 - (1 - p)^trials (Sidak 1967, JASA 62:626). Exact for trials that know nothing of each other; trials that share
    what they are compared with lean the same way, and it is then too careful (Slepian 1962, Bell System Technical
    Journal 41:463), so the rate of false alarms stays at most what was asked for.
    """
    return 1.0 if p >= 1 else -math.expm1(trials * math.log1p(-p))


def allowed(alpha: float, trials: int) -> float:
    """Return the significance level of one comparison for which `trials` of them keep `alpha`; inverts `corrected`."""
    return -math.expm1(math.log1p(-alpha) / trials)


def best_by_luck(trials: int) -> float:
    """Return how many noise widths the best of equal trials is above their mean, on average.

    The mean of the largest of so many standard normal values, integral of 1 - Phi(x)^trials above zero less that of
    Phi(x)^trials below it: 2.5076 for 100 (tabulated by Tippett 1925, Biometrika 17:364).
    """
    width = 2 * _REACH / _STEPS
    total = 0.0
    for step in range(_STEPS):
        at = -_REACH + (step + 0.5) * width
        below: float = (0.5 * math.erfc(-at / math.sqrt(2))) ** trials
        total += (1 - below if at > 0 else -below) * width
    return total
