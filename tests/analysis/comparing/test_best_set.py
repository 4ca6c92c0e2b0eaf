"""Multiple comparisons with the best, against published tables, scipy and simulation."""

import random
import statistics

import pytest
from scipy import stats

from ledger.analysis.comparing.best_set import Sample, best_set, critical_value

DUNNETT = {
    5: (2.02, 2.44, 2.68, 2.85),
    10: (1.81, 2.15, 2.34, 2.47),
    20: (1.72, 2.03, 2.19, 2.30),
    60: (1.67, 1.95, 2.10, 2.21),
}
"""Dunnett (1955), table 1a: one-sided, joint confidence 95 %, for 1 to 4 comparisons, by degrees of freedom."""


def sample(*values: float) -> Sample:
    mean = statistics.fmean(values)
    return Sample(count=len(values), mean=mean, squares=sum((value - mean) ** 2 for value in values))


@pytest.mark.parametrize("freedom", DUNNETT)
def test_the_published_table_is_reproduced(freedom: int) -> None:
    found = [critical_value(5, ((5, others),), freedom) for others in (1, 2, 3, 4)]
    assert found == pytest.approx(DUNNETT[freedom], abs=0.006)


@pytest.mark.parametrize("freedom", [1, 2, 3, 30, 5000])
def test_one_comparison_is_student_s_t(freedom: int) -> None:
    assert critical_value(2, ((7, 1),), freedom) == pytest.approx(stats.t.ppf(0.95, freedom), rel=1e-3)


def test_unequal_sizes_agree_with_scipy() -> None:
    chance = random.Random(3)  # noqa: S311  # samples, not secrets
    control = [chance.gauss(0, 1) for _ in range(4)]
    others = [[chance.gauss(0.4, 1) for _ in range(size)] for size in (3, 3, 8)]
    found = stats.dunnett(*others, control=control, alternative="greater", rng=1)
    level = 1 - min(found.pvalue)
    largest = max(found.statistic)
    assert critical_value(4, ((3, 2), (8, 1)), 4 + 3 + 3 + 8 - 4, level) == pytest.approx(largest, rel=0.01)


def test_what_the_best_beats_by_more_than_the_noise_is_out() -> None:
    chosen = best_set([sample(0.90, 0.91, 0.92), sample(0.905, 0.915, 0.91), sample(0.80, 0.81, 0.79)])
    assert chosen.members == (True, True, False)
    assert chosen.freedom == 6
    assert chosen.spread == pytest.approx(((2e-4 + 0.5e-4 + 2e-4) / 6) ** 0.5)


def test_a_single_run_is_judged_by_the_noise_of_the_others() -> None:
    repeated = sample(0.90, 0.91, 0.92), sample(0.89, 0.90, 0.91)
    assert best_set([*repeated, sample(0.86)]).members == (True, True, False)
    assert best_set([*repeated, sample(0.89)]).members == (True, True, True)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([sample(0.9), sample(0.8)], "no setting was repeated"),
        ([sample(0.9, 0.8)], "only one setting"),
        ([], "only one setting"),
        ([sample(0.5, 0.5), sample(0.4, 0.4)], "equal values"),
        ([sample(0.0, 0.0), sample(0.0)], "equal values"),
    ],
)
def test_where_the_noise_is_unknown_none_is_marked_and_it_is_said(samples: list[Sample], why: str) -> None:
    chosen = best_set(samples)
    assert not any(chosen.members)
    assert why in str(chosen.refused)


def test_the_best_is_in_the_set_as_often_as_stated() -> None:
    chance = random.Random(11)  # noqa: S311  # samples, not secrets
    trials, missed = 2000, 0
    for _ in range(trials):
        # The least favourable case: the best, which comes first, is level with all others, of which some ran once.
        samples = [sample(*(chance.gauss(0, 1) for _ in range(size))) for size in (3, 3, 3, 5, 1, 1)]
        missed += not best_set(samples).members[0]
    assert 0.033 < missed / trials < 0.067, "5 % within 3.5 standard errors"
