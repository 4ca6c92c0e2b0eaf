"""Per-sample results: the bootstrap is that of scipy, holds what it promises, and is silent where it must be."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from ledger.analysis.judging.per_sample import sample_evidence


def named(values: "np.ndarray[tuple[int], np.dtype[np.float64]]", start: int = 0) -> dict[str, float]:
    return {f"img-{start + at}": float(value) for at, value in enumerate(values)}


@pytest.mark.parametrize("kind", ["right or wrong", "loss", "many different losses"])
def test_the_interval_is_that_of_scipy(kind: str) -> None:
    chance = np.random.default_rng(3)
    if kind == "right or wrong":
        ours, theirs = (chance.random(400) < 0.9).astype(float), (chance.random(400) < 0.85).astype(float)
    else:
        size = 400 if kind == "loss" else 4_000
        ours, theirs = chance.gamma(2, 0.9, size), chance.gamma(2, 1.0, size)
    found = sample_evidence([named(ours)], [named(theirs)], "higher")
    expected = bootstrap((ours - theirs,), np.mean, method="percentile", n_resamples=4_000, random_state=1)
    assert found is not None
    assert found.paired
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.06 * width)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.06 * width)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance = np.random.default_rng(4)
    inside = 0
    for _ in range(1_000):
        hard = chance.random(200) < 0.2  # some samples are hard for both
        ours = (chance.random(200) < np.where(hard, 0.5, 0.95)).astype(float)
        theirs = (chance.random(200) < np.where(hard, 0.4, 0.95)).astype(float)
        found = sample_evidence([named(ours)], [named(theirs)], "higher")
        assert found is not None
        inside += found.low <= 0.2 * 0.1 <= found.high
    assert 0.925 <= inside / 1_000 <= 0.975


def test_pairing_makes_the_interval_narrow_where_samples_differ_more_than_models() -> None:
    chance = np.random.default_rng(5)
    hardness = chance.normal(0, 1, 300)
    ours, theirs = hardness + 0.1 + chance.normal(0, 0.1, 300), hardness + chance.normal(0, 0.1, 300)
    paired = sample_evidence([named(ours)], [named(theirs)], "higher")
    apart = sample_evidence([named(ours)], [named(theirs, start=1_000)], "higher")
    assert paired is not None
    assert apart is not None
    assert (paired.paired, apart.paired) == (True, False)
    assert (paired.decided, apart.decided) == (True, False)
    assert paired.high - paired.low < 0.2 * (apart.high - apart.low)


def test_lower_is_better_where_the_metric_says_so() -> None:
    less, more = named(np.full(20, 0.1)), named(np.full(20, 0.3))
    found = sample_evidence([less], [more], "lower")
    assert found is not None
    assert found.effect == pytest.approx(0.2)
    assert found.low > 0


def test_repeats_are_averaged_for_each_sample() -> None:
    found = sample_evidence(
        [named(np.zeros(12)), named(np.ones(12))], [named(np.full(12, 0.25)), named(np.full(12, 0.25))], "higher"
    )
    assert found is not None
    assert found.effect == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([named(np.ones(9))], [named(np.ones(9))]),
        ([named(np.array([1.0] * 19 + [np.nan]))], [named(np.ones(20))]),
        ([named(np.array([1.0] * 19 + [np.inf]))], [named(np.ones(20))]),
        ([named(np.ones(20)), named(np.ones(20), start=500)], [named(np.ones(20))]),
        ([], [named(np.ones(20))]),
        ([named(np.full(20, 1.7e308))], [named(np.full(20, -1.7e308))]),
    ],
)
def test_too_few_samples_and_values_that_are_no_numbers_say_nothing(
    ours: list[dict[str, float]], theirs: list[dict[str, float]]
) -> None:
    assert sample_evidence(ours, theirs, "higher") is None
