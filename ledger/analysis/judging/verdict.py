"""Verdicts: keep, discard, or cannot tell, from the values of two settings.

Pure statistics over values; `judgement.py` finds the values. Every rule here was tried by simulation:
`python -m tests.benchmarks.verdicts` prints how often each answer is wrong.
"""

import math
from typing import Literal

from ledger.analysis.judging.noise import Repeats, squares
from ledger.analysis.judging.selection_bias import allowed, corrected
from ledger.model.values import Document

ALPHA = 0.05
"""Highest rate of `keep` when nothing differs, and of `discard` when the improvement exists."""
POWER = 0.8
"""How often the repeats asked for settle it, when the improvement is there: Cohen, Statistical Power Analysis for the
Behavioral Sciences (2nd edition 1988), 2.4."""
ENOUGH = 5
"""Repeats of both settings from which their own spreads are used, and from which means are near enough to normal to be
judged far out in the tail: with fewer, the best of 100 was kept in 20 of 100 null trials (skewed noise, t test)."""
FEWEST_FREEDOM = 3
"""Fewest degrees of freedom of a usable noise floor."""
MOST_REPEATS = 1_000
"""Repeats beyond which the advice is that repeats will not decide it."""

Answer = Literal["keep", "discard", "cannot tell"]
Test = Literal["welch", "pooled", "cantelli"]

TESTS: dict[Test, str] = {
    "welch": "Welch's t test on the repeats of both (Welch 1947, Biometrika 34:28)",
    "pooled": "t test with the noise pooled over settings (Student 1908, Biometrika 6:1)",
    "cantelli": "one-sided Chebyshev bound with the noise pooled over settings, which holds for noise of any shape"
    " (Cantelli 1928, Atti del Congresso Internazionale dei Matematici 6:47)",
}
"""Name and source of each test."""


class Question(Document, frozen=True, kw_only=True):
    """The question about two settings."""

    higher: bool
    """Whether larger values are better."""
    min_effect: float | None = None
    """The smallest improvement worth having, in the metric's unit; the noise width when none."""
    trials: int = 1
    """Number of comparisons that this one was chosen from."""
    alpha: float = ALPHA
    """Allowed rate of `keep` when nothing differs."""


class Verdict(Document, frozen=True, kw_only=True):
    """The answer, and what it is based on; effects are positive where the judged setting is better."""

    answer: Answer
    """`keep`, `discard` or `cannot tell`."""
    why: str
    """The reason, in one line."""
    effect: float
    """Improvement of the mean, in the metric's unit."""
    low: float | None = None
    """Lower end of the interval of the improvement, which contains the truth in 1 - 2 alpha of cases."""
    high: float | None = None
    """Upper end."""
    test: Test | None = None
    """Test that was used; none where there was nothing to test with."""
    width: float | None = None
    """Noise width that the test used."""
    freedom: float | None = None
    """Degrees of freedom of the test."""
    p: float | None = None
    """Probability of an improvement this large or larger when nothing differs."""
    corrected_p: float | None = None
    """The same for the best of `trials`."""
    trials: int = 1
    """Number of comparisons that it was chosen from."""
    min_effect: float | None = None
    """Requested improvement."""
    repeats: int | None = None
    """Repeats of each setting that would decide it; none where it is decided, or where repeats cannot decide it."""


class _Scale(Document, frozen=True, kw_only=True):
    """The scale for a difference of means."""

    test: Test
    error: float
    """Standard error of the difference."""
    freedom: float
    width: float


def decide(ours: Repeats, theirs: Repeats, others: tuple[float, int], question: Question) -> Verdict:
    """Judge one setting against another.

    `keep` when the improvement is beyond chance (one-sided, corrected for selection) and at least the
    requested one; `discard` when an improvement of that size is excluded.

    Args:
        ours: values of the setting that is judged; at least one.
        theirs: values of the one it is judged against; at least one.
        others: sum of squares and degrees of freedom of other settings of the group, as `pool` gives them.
        question: the question.

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    effect = (ours.mean - theirs.mean) * (1 if question.higher else -1)
    scale = _scale(ours, theirs, others)
    if isinstance(scale, str):
        return Verdict(
            answer="cannot tell",
            why=scale,
            effect=effect,
            trials=question.trials,
            min_effect=question.min_effect,
            repeats=None if "same value" in scale else ENOUGH,
        )
    asked = scale.width if question.min_effect is None else question.min_effect
    p = _chance(scale, effect / scale.error)
    far_out = scale.test == "pooled" and question.trials > 1
    together = corrected(_cantelli(effect / scale.error) if far_out else p, question.trials)
    reach = scale.error * _reach(scale, question.alpha)
    low, high = effect - reach, effect + reach
    answer, why = _answer(effect, low, high, asked, together <= question.alpha, p <= question.alpha)
    return Verdict(
        answer=answer,
        why=why,
        effect=effect,
        low=low,
        high=high,
        test=scale.test,
        width=scale.width,
        freedom=scale.freedom,
        p=p,
        corrected_p=together,
        trials=question.trials,
        min_effect=asked,
        repeats=_more(ours, theirs, max(asked, effect) / scale.width, question) if answer == "cannot tell" else None,
    )


def _more(ours: Repeats, theirs: Repeats, effect: float, question: Question) -> int | None:
    """Return how many repeats of each setting would decide on an improvement of so many noise widths."""
    needed = repeats_needed(effect, allowed(question.alpha, question.trials))
    return None if needed is None else max(needed, ENOUGH, min(ours.count, theirs.count) + 1)


def _chance(scale: _Scale, errors: float) -> float:
    """Return the probability of an improvement of so many standard errors or more when nothing differs."""
    from scipy.special import stdtr

    alike = float(stdtr(scale.freedom, -errors))
    return max(alike, _cantelli(errors)) if scale.test == "cantelli" else alike


def _cantelli(errors: float) -> float:
    """Return the largest such probability for noise of any shape: 1 / (1 + t^2) above its mean (Cantelli 1928)."""
    return 1 / (1 + errors**2) if errors > 0 else 1.0


def _reach(scale: _Scale, alpha: float) -> float:
    """Return how many standard errors the interval extends to each side; inverts `_chance`."""
    from scipy.special import stdtrit

    alike = float(stdtrit(scale.freedom, 1 - alpha))
    return max(alike, math.sqrt(1 / alpha - 1)) if scale.test == "cantelli" else alike


def _answer(effect: float, low: float, high: float, asked: float, beyond: bool, alone: bool) -> tuple[Answer, str]:  # noqa: FBT001, PLR0911  # two findings; one return for each reason
    if high < 0:
        return "discard", "it is worse, by more than chance explains"
    if beyond and effect >= asked:
        return "keep", "it is better, by more than chance explains and by at least what is asked for"
    if high < asked:
        if low > 0:
            return "discard", "it is better, by less than is asked for"
        return "discard", "within noise: an improvement of the size asked for is excluded"
    if beyond:
        return "cannot tell", "it is better, but whether by as much as is asked for is open"
    if alone:
        return "cannot tell", "it looks better, but the best of so many trials would by luck"
    return "cannot tell", "the difference is no larger than chance explains, and a better model is not excluded"


def _scale(ours: Repeats, theirs: Repeats, others: tuple[float, int]) -> _Scale | str:
    """Return the scale for the difference, or why there is none."""
    n, m = ours.count, theirs.count
    mine, yours = squares(ours.values), squares(theirs.values)
    if min(n, m) >= ENOUGH and mine > 0 and yours > 0:
        return _welch(n, m, mine / (n - 1), yours / (m - 1))
    own, own_freedom = mine + yours, n + m - 2
    total, freedom = own + others[0], own_freedom + others[1]
    if own_freedom >= FEWEST_FREEDOM and _spread_more(own, own_freedom, others):
        total, freedom = own, own_freedom
    if freedom < FEWEST_FREEDOM:
        return (
            f"the noise is not known: {freedom} repeats beyond the first of a setting, and {FEWEST_FREEDOM} are needed"
        )
    if total <= 0:
        return "the noise is not known: every repeat gave the same value, so the seed may not be in use"
    width, fewer = math.sqrt(total / freedom), min(n, m)
    # Skewed noise cancels only between equal numbers (3 repeats against 10 kept 7 of 100), so both count as 3.
    error = width * math.sqrt(2 / fewer)
    return _Scale(test="cantelli" if fewer == 1 else "pooled", error=error, freedom=freedom, width=width)


def _welch(n: int, m: int, mine: float, yours: float) -> _Scale:
    """Return the scale of Welch's test, with the degrees of freedom of Satterthwaite (1946, Biometrics 2:110)."""
    fewer = min(n, m)  # as above: 5 repeats against 10 kept 8 of 100 equal settings with skewed noise
    a, b = mine / fewer, yours / fewer
    freedom = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1))
    return _Scale(test="welch", error=math.sqrt(a + b), freedom=freedom, width=math.sqrt((mine + yours) / 2))


def _spread_more(own: float, freedom: int, others: tuple[float, int]) -> bool:
    """Return whether two settings spread more than the others, by the F test of two variances at 5 %.

    NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.9.
    """
    from scipy.special import fdtrc

    if others[0] <= 0:
        return own > 0
    return float(fdtrc(freedom, others[1], (own / freedom) / (others[0] / others[1]))) < 0.05  # noqa: PLR2004  # the 5 % above


def power(effect: float, repeats: int, alpha: float) -> float:
    """Return how often a one-sided t test of two settings finds an improvement.

    One less the noncentral t law at the critical value (Cohen 1988, 2.2 and 12.8).

    Args:
        effect: improvement in noise widths.
        repeats: of each setting, at least two.
        alpha: chance of a false alarm, one-sided.

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    from scipy.special import nctdtr, stdtrit

    freedom = 2 * (repeats - 1)
    found = 1 - float(nctdtr(freedom, effect * math.sqrt(repeats / 2), float(stdtrit(freedom, 1 - alpha))))
    return found if math.isfinite(found) else 1.0  # scipy gives up where the improvement is beyond any doubt


def repeats_needed(effect: float, alpha: float, wanted: float = POWER) -> int | None:
    """Return how many repeats of each setting find an improvement with power `wanted`; none beyond a thousand.

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    if effect <= 0 or power(effect, MOST_REPEATS, alpha) < wanted:
        return None
    low, high = 1, MOST_REPEATS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, alpha) >= wanted else (middle, high)
    return high
