"""Metrics made of others: over dataset versions, over slices, and comparable with their like only."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.analysis.comparing.aggregates import Aggregate, derive, what_is_wrong
from ledger.analysis.comparing.comparable import why_not_comparable
from ledger.model.boxes.outputs import Metric
from ledger.model.values import number

OVER = ["d@v1", "d@v2"]


def measured(value: float, version: str = "d@v1", **more: object) -> Metric:
    said = {"name": "accuracy", "split": "validation", "direction": "higher", "evaluator": "1"} | more
    return Metric(value=number(value), dataset=version, dataset_hash=f"hash of {version}", **said)  # type: ignore[arg-type]  # fields of a metric


def one(metrics: list[Metric], **definition: object) -> Metric:
    said = {"of": "validation/accuracy", "over": OVER} | definition
    (made,) = derive(metrics, {"validation/everywhere": Aggregate(**said)})  # type: ignore[arg-type]  # fields of an aggregate
    return made


def test_mean_worst_and_weighted_are_what_they_say() -> None:
    parts = [measured(0.9), measured(0.6, "d@v2")]
    assert one(parts).number == pytest.approx(0.75)
    assert one(parts, how="worst").number == 0.6
    assert one(parts, how="weighted", weights=[3.0, 1.0]).number == pytest.approx(0.825)
    errors = [measured(0.1, direction="lower"), measured(0.4, "d@v2", direction="lower")]
    assert one(errors, how="worst").number == 0.4
    made = one(parts)
    assert (made.key, made.derived_from, made.direction) == ("validation/everywhere", "validation/accuracy", "higher")
    assert made.dataset == "mean of d@v1, d@v2"


def test_a_whole_needs_all_its_parts_by_one_evaluator() -> None:
    definition = {"validation/everywhere": Aggregate(of="validation/accuracy", over=OVER)}
    assert derive([measured(0.9)], definition) == []
    assert derive([measured(0.9), measured(0.6, "d@v2", evaluator="2")], definition) == []
    both = [measured(0.9, version, evaluator=by) for version in OVER for by in ("1", "2")]
    assert [metric.evaluator for metric in derive(both, definition)] == ["1", "2"]
    assert derive([measured(0.9), measured(0.6, "d@v2", name="f1")], definition) == []


def test_the_latest_measurement_of_a_part_counts() -> None:
    assert one([measured(0.1), measured(0.6, "d@v2"), measured(0.8)]).number == pytest.approx(0.7)


def test_aggregates_are_comparable_with_the_same_definition_over_the_same_content_only() -> None:
    parts = [measured(0.9), measured(0.6, "d@v2")]
    again = [measured(0.6, "d@v2"), measured(0.2)]
    assert why_not_comparable(one(parts), one(again)) is None
    assert why_not_comparable(one(parts), one(parts, over=OVER[::-1])) is None
    for other in ({"how": "worst"}, {"how": "weighted", "weights": [1.0, 2.0]}):
        assert why_not_comparable(one(parts), one(parts, **other))
    third = [*parts, measured(0.6, "d@v3")]
    assert why_not_comparable(one(parts), one(third, over=["d@v1", "d@v3"]))


def test_the_worst_is_not_guessed_where_nobody_said_which_that_is() -> None:
    parts = [measured(0.9, direction=None), measured(0.6, "d@v2", direction=None)]
    definition = Aggregate(of="validation/accuracy", over=OVER, how="worst")
    assert derive(parts, {"validation/worst": definition}) == []


def test_the_worst_slice_of_one_dataset_version() -> None:
    night, day = (measured(value, name=f"accuracy[{part}]") for part, value in (("night", 0.5), ("day", 0.9)))
    elsewhere = measured(0.1, "d@v2", name="accuracy[night]")
    made = one([night, day, elsewhere, measured(0.7)], over="slices", how="worst")
    assert (made.number, made.dataset) == (0.5, "worst of 2 slices of d@v1")
    week = "2026-11-01/2026-11-07"
    online = [measured(value, name=f"accuracy[{part}]", period=week) for part, value in (("night", 0.5), ("day", 0.9))]
    assert one(online, over="slices", how="worst").period == week
    dusk = measured(0.7, name="accuracy[dusk]")
    assert why_not_comparable(made, one([night, dusk], over="slices", how="worst")), "other slices are other data"


@given(st.lists(st.floats(), min_size=2, max_size=5), st.sampled_from(["mean", "worst"]))
def test_no_number_makes_it_fall(values: list[float], how: str) -> None:
    over = [f"d@v{at}" for at in range(len(values))]
    made = one([measured(value, version) for value, version in zip(values, over, strict=True)], over=over, how=how)
    if any(map(math.isnan, values)):
        assert math.isnan(made.number)
    elif how == "worst":
        assert made.number == min(values)
    elif all(map(math.isfinite, values)):
        assert min(values) <= made.number <= max(values) or made.number == pytest.approx(values[0])


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ({"over": ["d@v1"]}, "two or more"),
        ({"over": ["d@v1", "d@v1"]}, "different"),
        ({"over": ["d", "d@v1"]}, "name@version"),
        ({"over": OVER, "how": "weighted"}, "weights"),
        ({"over": OVER, "weights": [1.0, 2.0]}, "weights"),
        ({"over": OVER, "how": "weighted", "weights": [1.0]}, "one number"),
        ({"over": OVER, "how": "weighted", "weights": [1.0, 0.0]}, "above zero"),
        ({"over": OVER, "how": "weighted", "weights": [1.0, math.nan]}, "above zero"),
        ({"over": "slices", "how": "weighted", "weights": [1.0, 2.0]}, "one number"),
    ],
)
def test_a_definition_that_says_nothing_is_told_what_is_wrong(definition: dict[str, object], why: str) -> None:
    assert why in str(what_is_wrong(Aggregate(of="validation/accuracy", **definition)))  # type: ignore[arg-type]  # fields of an aggregate
