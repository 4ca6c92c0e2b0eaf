"""Keep, discard, or cannot tell: each rule, and the published figures behind it."""

import math
import random

import msgspec
import pytest

from ledger.analysis.judging.noise import Repeats, pool
from ledger.analysis.judging.verdict import (
    ENOUGH,
    MOST_REPEATS,
    Question,
    Verdict,
    decide,
    power,
    repeats_needed,
)

SLEEP = (
    (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
    (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4),
)
"""Student's own example (Biometrika 6:1, 1908), which R's t.test gives t = -1.8608, df = 17.776, p-value = 0.07939."""

NOTHING = (0.0, 0)
KNOWN = (20.0, 20)
"""Twenty degrees of freedom that say: the noise is 1 wide."""


def repeats(*values: float) -> Repeats:
    return Repeats(runs=tuple(map(str, range(len(values)))), values=values)


def ask(
    ours: tuple[float, ...], theirs: tuple[float, ...], others: tuple[float, int] = NOTHING, **more: object
) -> Verdict:
    facts = {"higher": True} | more
    return decide(repeats(*ours), repeats(*theirs), others, Question(**facts))  # type: ignore[arg-type]  # fields by name


def test_welch_s_test_gives_the_published_figures() -> None:
    verdict = ask(SLEEP[1], SLEEP[0], min_effect=0)
    assert verdict.test == "welch"
    assert verdict.effect == pytest.approx(1.58)
    assert verdict.freedom == pytest.approx(17.776, abs=1e-3)
    assert verdict.p == pytest.approx(0.07939 / 2, abs=1e-5)
    assert verdict.answer == "keep"


def test_the_pooled_test_gives_the_published_quantile() -> None:
    # The interval of 90 % reaches 1.943 standard errors at six degrees of freedom: any table of Student's law.
    verdict = ask(SLEEP[1][:4], SLEEP[0][:4], min_effect=0)
    assert (verdict.test, verdict.freedom) == ("pooled", 6)
    assert verdict.low is not None
    assert verdict.width is not None
    assert (verdict.effect - verdict.low) / verdict.width == pytest.approx(1.943180 * 0.5**0.5, abs=1e-5)


@pytest.mark.parametrize(("effect", "repeats_of_each"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_the_repeats_asked_for_are_cohen_s(effect: float, repeats_of_each: int) -> None:
    # Cohen 1988, table 2.4.1 (two-sided 5 %, power 0.8): 393, 64, 26; G*Power gives 394 for the first.
    assert repeats_needed(effect, 0.025) == repeats_of_each


def test_an_effect_that_a_thousand_repeats_would_not_find_is_not_asked_for() -> None:
    assert repeats_needed(0.01, 0.05) is None
    assert repeats_needed(0.0, 0.05) is None
    assert repeats_needed(50.0, 0.05) == 2
    assert repeats_needed(-1e308, 0.05) is None  # where scipy gives up


@pytest.mark.parametrize(("effect", "found"), [(0.0, 0.05), (50.0, 1.0), (1e308, 1.0), (-50.0, 0.0)])
def test_the_power_is_a_chance_between_a_false_alarm_and_certainty(effect: float, found: float) -> None:
    assert power(effect, MOST_REPEATS, 0.05) == pytest.approx(found)


def test_a_clear_improvement_is_kept() -> None:
    verdict = ask((10.1, 9.9, 10.3, 10.0, 9.8), (0.2, 0.1, -0.3, 0.0, 0.1))
    assert verdict.answer == "keep"
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.low < verdict.effect < verdict.high


def test_where_lower_is_better_the_same_numbers_say_the_opposite() -> None:
    values = (10.1, 9.9, 10.3, 10.0, 9.8), (0.2, 0.1, -0.3, 0.0, 0.1)
    assert ask(*values, higher=False).answer == "discard"
    assert ask(values[1], values[0], higher=False).answer == "keep"


def test_the_noise_width_of_two_settings_is_the_mean_of_their_squares() -> None:
    assert min(5, 6) >= ENOUGH
    verdict = ask((1, 2, 3, 4, 5), (0, 2, 4, 6, 8, 10))
    assert verdict.test == "welch"
    assert verdict.width == pytest.approx(((2.5 + 14.0) / 2) ** 0.5)


def test_a_single_run_that_is_no_better_has_every_chance_to_be_so_by_noise() -> None:
    verdict = ask((1.0,), (1.0,), KNOWN)
    assert (verdict.test, verdict.p) == ("cantelli", 1.0)


@pytest.mark.parametrize("better", [0.5, 1.0, 5.0])
def test_the_chance_of_a_single_run_is_that_of_noise_of_any_shape(better: float) -> None:
    # Cantelli: 1 / (1 + t^2), and here t is the difference of two single values whose noise is 1 wide.
    assert ask((better,), (0.0,), KNOWN).p == pytest.approx(1 / (1 + better**2 / 2))


def test_an_equal_setting_with_many_repeats_is_within_noise() -> None:
    chance = random.Random(1)  # noqa: S311  # samples, not secrets
    ours, theirs = (tuple(chance.gauss(0, 1) for _ in range(40)) for _ in range(2))
    verdict = ask(ours, theirs)
    assert verdict.answer == "discard"
    assert verdict.why.startswith("within noise")
    assert verdict.repeats is None


def test_two_runs_and_nothing_else_say_nothing() -> None:
    verdict = ask((0.99,), (0.5,))
    assert (verdict.answer, verdict.test, verdict.repeats) == ("cannot tell", None, ENOUGH)
    assert "the noise is not known" in verdict.why


def test_single_runs_are_judged_by_the_noise_of_others_and_need_a_large_difference() -> None:
    assert ask((3.0,), (0.0,), KNOWN).answer == "cannot tell"
    verdict = ask((9.0,), (0.0,), KNOWN)
    assert (verdict.answer, verdict.test) == ("keep", "cantelli")


def test_the_best_of_many_needs_more_than_one_of_one() -> None:
    values = (3.1, 2.0, 1.2, 2.4, 1.6), (0.2, -0.9, 1.1, 0.3, -0.5)
    alone, chosen = ask(*values), ask(*values, trials=100)
    assert (alone.answer, chosen.answer) == ("keep", "cannot tell")
    assert alone.p == chosen.p
    assert chosen.corrected_p is not None
    assert alone.p is not None
    assert chosen.corrected_p > 50 * alone.p
    assert chosen.repeats is not None
    assert chosen.repeats > 5


def test_the_best_of_many_is_never_kept_for_two_lucky_seeds() -> None:
    assert ask((9.0, 9.5), (0.0, 0.5), KNOWN).answer == "keep"
    assert ask((9.0, 9.5), (0.0, 0.5), KNOWN, trials=100).answer == "cannot tell"


def test_better_by_exactly_what_is_asked_for_is_kept() -> None:
    verdict = ask((3.0, 2.75, 3.25, 3.0, 3.0), (1.0, 0.75, 1.25, 1.0, 1.0), min_effect=2.0)
    assert (verdict.effect, verdict.answer) == (2.0, "keep")


def test_better_by_less_than_is_asked_for_is_discarded() -> None:
    values = (1.01, 0.99, 1.0, 1.02, 0.98), (0.01, -0.01, 0.0, 0.02, -0.02)
    assert ask(*values, min_effect=0.5).answer == "keep"
    verdict = ask(*values, min_effect=2.0)
    assert (verdict.answer, verdict.why) == ("discard", "it is better, by less than is asked for")


def test_repeats_that_are_all_the_same_say_that_the_seed_may_not_be_in_use() -> None:
    verdict = ask((0.9,) * 5, (0.8,) * 5)
    assert verdict.answer == "cannot tell"
    assert "same value" in verdict.why
    assert ask((0.9,) * 5, (0.8,) * 5, (0.0004, 4)).test == "pooled"


def test_a_pair_that_spreads_more_than_others_is_judged_by_its_own_spread() -> None:
    ours, theirs = (5.0, 9.0, 1.0), (0.0, 4.0, -4.0)
    assert ask(ours, theirs, (20 * 1e-4, 20)).answer == "cannot tell"
    assert ask(ours, theirs, (20 * 1e-4, 20)).freedom == 4


def with_squares(total: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return two settings of three repeats whose sums of squares are `total` together."""
    apart = math.sqrt(total) / 2
    return (apart, 0.0, -apart), (apart, 0.0, -apart)


@pytest.mark.parametrize(("ratio", "freedom"), [(0.1, 24), (1.0, 24), (2.8, 24), (2.9, 4), (50.0, 4)])
@pytest.mark.parametrize("variance", [0.01, 1.0, 25.0])
def test_whether_a_pair_spreads_more_is_the_f_test_at_5_percent(ratio: float, freedom: int, variance: float) -> None:
    # F(4, 20) is 2.866 at 5 %: any table, as NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.3.
    verdict = ask(*with_squares(4 * ratio * variance), (20 * variance, 20))
    assert verdict.freedom == freedom
    total = 4 * ratio * variance + (20 * variance if freedom == 24 else 0)
    assert verdict.width == pytest.approx(math.sqrt(total / freedom))


def test_a_pair_beside_others_that_never_varied_is_judged_by_its_own_spread() -> None:
    assert ask(*with_squares(4.0), (0.0, 20)).freedom == 4


def test_two_repeats_of_one_setting_cannot_say_that_they_spread_more() -> None:
    assert ask((50.0, -50.0), (0.0,), KNOWN).freedom == 21


def test_three_degrees_of_freedom_are_needed() -> None:
    assert "3 are needed" in ask((9.0,), (0.0,), (2.0, 2)).why
    assert ask((9.0,), (0.0,), (3.0, 3)).width == 1


def test_what_was_judged_alone_is_not_said_to_be_the_best_of_many() -> None:
    for ours in ((1.0,), (9.0, 9.1, 9.2)):
        assert "trials" not in msgspec.to_builtins(ask(ours, (0.0,), KNOWN if len(ours) > 1 else NOTHING))
    assert msgspec.to_builtins(ask((1.0,), (0.0,), trials=3))["trials"] == 3


def test_unequal_numbers_count_as_the_smaller() -> None:
    few, many = (2.0, 2.2), (0.0, 0.1) * 10
    verdict = ask(few, many, KNOWN)
    assert verdict.low is not None
    assert verdict.width is not None
    assert verdict.freedom == 40
    assert (verdict.effect - verdict.low) / verdict.width == pytest.approx(1.683851, abs=1e-4)  # t(40) at 5 %, tables


@pytest.mark.parametrize("shape", ["normal", "skewed", "heavy"])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_keep_is_rarely_said_when_nothing_differs(shape: str, count: int) -> None:
    """A thousand pairs: `tests/benchmarks/verdicts.py` has the whole table."""
    chance = random.Random(f"{shape}{count}")  # noqa: S311  # samples, not secrets

    def draw() -> float:
        if shape == "normal":
            return chance.gauss(0, 1)
        return (
            chance.expovariate(1)
            if shape == "skewed"
            else chance.gauss(0, 1) / chance.gammavariate(1.5, 1 / 1.5) ** 0.5
        )

    kept = 0
    for _ in range(1000):
        ours, theirs = ([draw() for _ in range(count)] for _ in range(2))
        others = pool([repeats(draw(), draw()) for _ in range(8)])
        kept += ask(tuple(ours), tuple(theirs), others, min_effect=0).answer == "keep"
    assert kept < 75  # 50 are expected at most; 75 is 3.6 standard deviations more
