"""What a dataset looks like in numbers: counted whole, shown in part, and told where it is too small."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from ledger.data.samples.reading import Reading
from ledger.data.samples.samples import Samples
from ledger.data.samples.statistics import FEWEST_TO_JUDGE, shown, summarise
from ledger.model.statistics import DatasetStatistics, FeatureSummary


def looked(
    count: int = 0,
    labels: Sequence[Sequence[str]] | None = None,
    slices: dict[str, list[str | None]] | None = None,
    **features: list[float],
) -> DatasetStatistics:
    names = [f"s{number}" for number in range(len(labels) if labels is not None else count)]
    samples = Samples(names=names, features={name: np.array(values, float) for name, values in features.items()})
    carried = None if labels is None else [tuple(one) for one in labels]
    return summarise(
        Reading(kind="texts", names=names, contents=[], labels=carried, slices=slices or {}, samples=samples)
    )


def feature(*values: float) -> FeatureSummary:
    (found,) = looked(len(values), x=list(values)).features
    return found


def test_labels_are_counted_and_a_sample_may_carry_several_or_none() -> None:
    statistics = looked(labels=[["cat"], ["dog", "cat"], [], ["dog"]])
    assert statistics.labels == {"cat": 2, "dog": 2}
    assert (statistics.samples, statistics.unlabelled) == (4, 1)
    assert "1 of 4 samples have no label" in statistics.warnings


def test_of_very_many_labels_the_most_frequent_stand_and_it_is_said() -> None:
    statistics = looked(labels=[["often"], ["often"], *([f"l{number}"] for number in range(1_000))])
    assert len(statistics.labels) == 1_000
    assert statistics.labels["often"] == 2
    assert any(one.startswith("1001 different labels") for one in statistics.warnings)


def test_slices_are_counted_largest_first_and_a_missing_value_is_none() -> None:
    statistics = looked(4, slices={"camera": ["b", "a", None, "b"]})
    assert [(one.name, one.value, one.samples) for one in statistics.slices] == [("camera", "b", 2), ("camera", "a", 1)]


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"a": FEWEST_TO_JUDGE, "b": FEWEST_TO_JUDGE}, None),
        ({"a": FEWEST_TO_JUDGE, "b": FEWEST_TO_JUDGE - 1}, "1 of 2 have fewer than 97 samples"),
        ({"a": 4, "b": 25, "c": 200}, "2 of 3 have fewer than 97 samples"),
        ({"a": 4}, None),
    ],
)
def test_a_part_too_small_to_judge_by_is_told_where_there_are_several(sizes: dict[str, int], told: str | None) -> None:
    warnings = looked(labels=[[label] for label, count in sizes.items() for _ in range(count)]).warnings
    assert len(warnings) == (told is not None)
    assert told is None or told in warnings[0]


def test_how_little_the_smallest_part_says_is_a_number() -> None:
    (warning,) = looked(labels=[["a"]] * 4 + [["b"]] * 200).warnings
    assert "smallest: a with 4, where it is known to 49 points up or down" in warning


def test_a_feature_is_its_mean_spread_and_quantiles_without_what_is_no_number() -> None:
    found = feature(1, 2, 3, math.nan, math.inf)
    assert (found.count, found.missing, found.mean, found.deviation) == (3, 2, 2.0, 1.0)
    assert (found.quantiles[0], found.quantiles[3], found.quantiles[-1]) == (1.0, 2.0, 3.0)
    assert sum(found.counts) == 3
    assert (found.edges[0], found.edges[-1], len(found.edges)) == (1.0, 3.0, len(found.counts) + 1)


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [-1.7e308, 1.7e308]])
def test_a_feature_without_a_spread_that_can_be_drawn_has_no_bins(values: list[float]) -> None:
    found = feature(*values)
    assert (found.count, found.edges, found.counts) == (len(values), [], [])


def test_a_feature_of_one_value_has_no_deviation_and_one_of_none_is_left_out() -> None:
    assert feature(7.0).deviation == 0.0
    assert looked(2, x=[math.nan, math.inf]).features == []


def test_a_name_from_the_data_is_short_seen_and_never_empty() -> None:
    assert shown("a\x1b[31m") == "a\\x1b[31m"
    assert len(shown("x" * 500)) == 200
    assert shown("") == "''"
    assert looked(labels=[["\u202e"]]).labels == {"\\u202e": 1}


def test_numbers_are_kept_to_six_digits() -> None:
    assert feature(1 / 3, 1 / 3).mean == 0.333333
