"""What predictions say by class, slice and confidence: by hand, and as scikit-learn, scipy and numpy say it."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import classification_report, confusion_matrix

from ledger.analysis.data.prediction_statistics import (
    calibration_error,
    calibration_table,
    class_table,
    confused_pairs,
    confusion_table,
    quartiles,
    slice_table,
    wilson_interval,
)
from ledger.errors import LedgerError

LABELS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=60)


@given(LABELS)
def test_matrix_and_scores_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    made = confusion_table(truth, predicted)
    theirs = confusion_matrix(truth, predicted, labels=[*made.labels, "never"])  # it warns of a matrix of one
    assert [made.row(label) for label in made.labels] == theirs[:-1, :-1].tolist()
    report = classification_report(truth, predicted, labels=made.labels, output_dict=True, zero_division=np.nan)
    for score in class_table(made):
        scores = report[score.label]
        ours = [np.nan if value is None else value for value in (score.precision, score.recall, score.f1)]
        np.testing.assert_allclose(ours, [scores["precision"], scores["recall"], scores["f1-score"]])
        assert score.support == scores["support"]
    assert made.right / made.samples == pytest.approx(
        np.mean([one == other for one, other in zip(truth, predicted, strict=True)])
    )


def test_a_ratio_of_nothing_is_none_and_not_zero() -> None:
    cat, dog = class_table(confusion_table(["cat", "cat"], ["cat", "dog"]))
    assert (cat.precision, cat.recall, cat.f1, cat.support) == (1.0, 0.5, 2 / 3, 2)
    assert (dog.precision, dog.recall, dog.f1, dog.support) == (0.0, None, 0.0, 0)


def test_classes_that_are_numbers_stand_in_their_order() -> None:
    assert confusion_table(["10", "9", "1"], ["2", "9", "1"]).labels == ("1", "2", "9", "10")
    assert confusion_table(["b", "10"], ["a", "2"]).labels == ("10", "2", "a", "b")


def test_the_most_confused_pairs_come_first() -> None:
    made = confusion_table(["a", "a", "b", "c", "c"], ["b", "b", "b", "a", "c"])
    assert confused_pairs(made, 1) == [("a", "b", 2)]
    assert confused_pairs(made, 9) == [("a", "b", 2), ("c", "a", 1)]


def test_no_samples_and_too_few_predictions_are_refused() -> None:
    with pytest.raises(LedgerError, match="no sample"):
        confusion_table([], [])
    with pytest.raises(LedgerError, match="`1 for 2`"):
        confusion_table(["a", "b"], ["a"])


def test_calibration_by_hand() -> None:
    bins = calibration_table([0.0, 0.1, 0.5, 0.55, 1.0], [False, True, False, True, True], bins=2)
    assert [each.confidence for each in bins] == pytest.approx([0.2, 0.775])
    assert [(each.accuracy, each.samples) for each in bins] == [(1 / 3, 3), (1.0, 2)]
    assert calibration_error(bins) == pytest.approx((3 * (1 / 3 - 0.2) + 2 * 0.225) / 5)
    assert calibration_error([]) is None


def test_calibration_is_that_of_scikit_learn() -> None:
    chance = random.Random(3)  # noqa: S311  # samples, not secrets
    confidence = [chance.random() for _ in range(2_000)]
    right = [chance.random() < value**1.5 for value in confidence]
    accuracy, mean = calibration_curve(right, confidence, n_bins=15)
    bins = calibration_table(confidence, right)
    np.testing.assert_allclose([each.accuracy for each in bins], accuracy)
    np.testing.assert_allclose([each.confidence for each in bins], mean)
    assert sum(each.samples for each in bins) == 2_000


def test_calibration_needs_a_probability_of_each_sample() -> None:
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(LedgerError, match="from 0 to 1"):
            calibration_table([wrong], [True])
    with pytest.raises(LedgerError, match="`1 for 2`"):
        calibration_table([0.5], [True, False])


def test_slices_come_worst_first_and_empty_ones_not_at_all() -> None:
    right = [True, True, False, False]
    slices = {"all": [0, 1, 2, 3], "none": [], "last": [3], "first": [0]}
    made = slice_table(right, slices)
    assert [(score.name, score.value, score.samples) for score in made] == [
        ("last", 0.0, 1), ("all", 0.5, 4), ("first", 1.0, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("right", "samples"), [(0, 5), (5, 5), (1, 2), (7, 20), (970, 1000)])
def test_the_interval_is_that_of_scipy(right: int, samples: int) -> None:
    theirs = binomtest(right, samples).proportion_ci(method="wilson")
    assert wilson_interval(right / samples, samples) == pytest.approx((theirs.low, theirs.high))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_quartiles_are_those_of_numpy(values: list[float]) -> None:
    np.testing.assert_allclose(quartiles(values), np.quantile(values, [0.25, 0.5, 0.75]), atol=1e-9)
