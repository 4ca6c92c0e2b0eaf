"""What the boxes say of themselves: how data and metrics are called, what a metric may be compared with."""

import math
from itertools import permutations

import msgspec
import pytest

from ledger.model.boxes.code import Code
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.datasets import must_differ
from ledger.model.statistics import Drift, DriftFigure
from ledger.model.values import Role
from tests.minimal import minimal_record


def test_a_box_is_known_unless_all_of_it_is_unknown() -> None:
    assert Code(unknown={"remote": "there is none"}).known
    assert not Code(unknown={"all": "no git"}).known


@pytest.mark.parametrize(
    ("use", "label"),
    [
        (DatasetUse(role="test", split="test", name="digits", version="v2", path="data"), "digits@v2"),
        (DatasetUse(role="test", split="test", name="digits"), "digits"),
        (DatasetUse(role="test", split="test", version="v2", path="data/test"), "data/test"),
        (DatasetUse(role="test", split="test"), "test"),
        (DatasetUse(role="test", split="test", name="org/squad", declared=True), "org/squad (declared)"),
    ],
)
def test_data_is_called_by_the_best_name_that_there_is(use: DatasetUse, label: str) -> None:
    assert use.label == label


def test_a_metric_is_compared_with_those_of_its_key_its_content_and_its_evaluator() -> None:
    metric = Metric(
        name="accuracy", split="validation", value=0.5, dataset="digits@v1", dataset_hash="h", evaluator="e 1"
    )
    assert metric.key == "validation/accuracy"
    assert metric.group_id == GroupId("validation/accuracy", "h", "e 1")
    for field, other in {"name": "f1", "split": None, "dataset_hash": None, "evaluator": None}.items():
        assert msgspec.structs.replace(metric, **{field: other}).group_id != metric.group_id
    for field, same in {"dataset": "renamed@v9", "step": 3, "value": 0.1, "origin": "curve"}.items():
        assert msgspec.structs.replace(metric, **{field: same}).group_id == metric.group_id


def test_what_nobody_said_is_one_group_and_not_none() -> None:
    assert Metric(name="loss", value=1.0).group_id == GroupId("loss", "", "")


def test_a_value_that_json_cannot_hold_is_a_number_again() -> None:
    assert math.isnan(Metric(name="a", value="NaN").number)
    assert Metric(name="a", value="-Infinity").number == -math.inf


def test_folds_spread_by_the_sample_deviation_and_one_fold_by_nothing() -> None:
    assert Metric(name="a", value=2.0, folds=[1.0, 2.0, 3.0]).deviation == 1.0
    assert Metric(name="a", value=2.0, folds=[1.0, 3.0]).deviation == pytest.approx(math.sqrt(2))
    assert Metric(name="a", value=2.0, folds=[2.0]).deviation is None
    assert Metric(name="a", value=2.0).deviation is None
    assert math.isnan(Metric(name="a", value="NaN", folds=[1.0, "NaN"]).deviation or 0.0)


def test_training_validation_and_test_must_share_nothing_and_production_may() -> None:
    roles: tuple[Role, ...] = ("train", "validation", "test", "production")
    apart = {(one, other) for one, other in permutations(roles, 2) if must_differ(one, other)}
    assert apart == set(permutations(("train", "validation", "test"), 2))
    assert not any(must_differ(role, role) for role in roles)


def test_a_run_whose_duration_nobody_knows_took_no_time_that_can_be_told() -> None:
    timing = minimal_record().timing
    assert timing.took is None
    assert msgspec.structs.replace(timing, duration_seconds=None).took is None
    assert msgspec.structs.replace(timing, duration_seconds=2.5).took == 2.5


def test_a_headline_that_names_no_metric_is_none() -> None:
    record = minimal_record()
    results = msgspec.structs.replace(record.results, headline="test/f1", metrics=[Metric(name="f1", value=1.0)])
    assert msgspec.structs.replace(record, results=results).headline is None
    assert record.headline is None


def test_one_figure_that_drifted_makes_the_whole_drift() -> None:
    still = DriftFigure(subject="a", test="ks", value=0.1, p=0.9, adjusted=0.9, drifted=False, reference=9, compared=9)
    drift = Drift(reference="v1", reference_hash="h", alpha=0.01, figures=[still, still])
    assert not drift.drifted
    moved = msgspec.structs.replace(still, drifted=True)
    assert msgspec.structs.replace(drift, figures=[still, moved]).drifted
