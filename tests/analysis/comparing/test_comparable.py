"""What may be compared with what, and who is best where that can be said."""

import math

import msgspec
import pytest

from ledger.analysis.comparing.comparable import Leaderboard, group_of, leaderboards, why_not_comparable
from ledger.analysis.comparing.compare import SAME_SETTING, compare
from ledger.analysis.query.order_warnings import measure_command
from ledger.model.boxes.inputs import Params
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import StoredRun
from ledger.model.values import number
from tests.asking import sort_runs
from tests.samples import sample_ledger

V1 = {"dataset": "d@v1", "dataset_hash": "blake3:1"}
V2 = {"dataset": "d@v2", "dataset_hash": "blake3:2"}


def metric(value: float, **more: object) -> Metric:
    facts = {"name": "accuracy", "split": "validation", "direction": "higher", "value": number(value)}
    return Metric(**(facts | V1 | more))  # type: ignore[arg-type]  # fields by name


def run(index: int, *metrics: Metric) -> StoredRun:
    base = sample_ledger()[0].runs[0]
    record = msgspec.structs.replace(
        base.record, id=f"20261120-194812-{index:06d}", results=Results(metrics=list(metrics))
    )
    return msgspec.structs.replace(base, record=record, evaluations=())


def other(index: int, *metrics: Metric) -> StoredRun:
    """Return a run of another setting."""
    made = run(index, *metrics)
    return msgspec.structs.replace(made, record=msgspec.structs.replace(made.record, params=Params(values={"lr": 7})))


def board(*runs: StoredRun) -> Leaderboard:
    (found,) = leaderboards(runs)
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "loss"}, "different metrics"),
        ({"split": "test"}, "different metrics"),
        (V2, "measured on different data: `d@v1` and `d@v2`"),
        ({"evaluator": "2"}, "different evaluators"),
        ({"dataset": None, "dataset_hash": None}, "the dataset version is unknown"),
    ],
)
def test_every_part_of_a_metric_s_identity_decides(change: dict[str, object], said: str) -> None:
    assert why_not_comparable(metric(0.5), metric(0.6)) is None
    assert said in str(why_not_comparable(metric(0.5), metric(0.6, **change)))


def test_content_decides_and_names_do_not() -> None:
    assert why_not_comparable(metric(0.5), metric(0.6, dataset="renamed")) is None
    assert why_not_comparable(metric(0.5), metric(0.6, dataset_hash="blake3:other")) is not None


@pytest.mark.parametrize(("direction", "best"), [("higher", 2), ("lower", 0)])
def test_the_best_comes_first_in_its_direction_and_nan_last(direction: str, best: int) -> None:
    values = [0.1, 0.5, 0.9, math.nan]
    found = board(*(run(index, metric(value, direction=direction)) for index, value in enumerate(values)))
    assert found.best is not None
    assert found.best.run.record.id.endswith(str(best))
    assert math.isnan(found.standings[-1].metric.number)


def test_each_dataset_version_has_a_board_of_its_own_the_newest_first() -> None:
    boards = leaderboards([run(1, metric(0.99)), run(2, metric(0.5, **V2)), run(3, metric(0.98))])
    assert [(found.group.dataset, len(found.standings)) for found in boards] == [("d@v1", 2), ("d@v2", 1)]
    boards = leaderboards([run(1, metric(0.99)), run(2, metric(0.5, **V2))])
    assert [found.group.dataset for found in boards] == ["d@v2", "d@v1"]


def test_validation_comes_before_train() -> None:
    boards = leaderboards([run(1, metric(1.0, split="train"), metric(0.9), metric(0.8, split="test"))])
    assert [found.group.key for found in boards] == ["validation/accuracy", "test/accuracy", "train/accuracy"]


def test_other_splits_come_after_test_and_before_train_whatever_they_are_called() -> None:
    splits = ["zulu", "train", "test", "adversarial", "validation"]
    boards = leaderboards([run(1, *(metric(0.9, split=split) for split in splits))])
    assert [found.group.key.partition("/")[0] for found in boards] == [
        "validation",
        "test",
        "adversarial",
        "zulu",
        "train",
    ]


def test_an_infinite_value_is_no_best() -> None:
    assert board(run(1, metric(math.inf, direction=None)), run(2, metric(math.inf))).best is None


def test_a_group_is_named_with_its_evaluator_where_it_has_one() -> None:
    assert group_of(metric(0.5)).label == "validation/accuracy on d@v1"
    assert group_of(metric(0.5, evaluator="2")).label == "validation/accuracy on d@v1, evaluator 2"
    unnamed = group_of(metric(0.5, dataset=None, dataset_hash="blake3:0123456789abcdef"))
    assert unnamed.label == "validation/accuracy on blake3:0123456789ab"


@pytest.mark.parametrize("change", [{"dataset": None, "dataset_hash": None}, {"direction": None}])
def test_without_data_or_direction_nobody_is_best(change: dict[str, object]) -> None:
    found = board(run(1, metric(0.1, **change)), run(2, metric(0.9, **change)), run(3, metric(0.5, **change)))
    assert (found.ranked, found.best) == (False, None)
    assert [standing.metric.number for standing in found.standings] == [0.1, 0.9, 0.5], "in order of time"


def test_runs_that_disagree_on_the_direction_are_not_ranked() -> None:
    assert board(run(1, metric(0.1, direction="lower")), run(2, metric(0.9))).best is None


def test_a_tie_has_no_best_in_a_comparison() -> None:
    (row,) = compare([run(1, metric(0.5)), other(2, metric(0.5))]).metrics
    assert (row.best, row.refused) == (None, "a tie")


def test_a_comparison_refuses_and_says_why() -> None:
    (row,) = compare([run(1, metric(0.5)), run(2, metric(0.9, **V2))]).metrics
    assert row.best is None
    assert "different data" in str(row.refused)
    (row,) = compare([run(1, metric(0.5)), other(2, metric(0.9))]).metrics
    assert (row.best, row.refused) == (1, None)


def test_repeats_of_one_setting_are_never_better_than_each_other() -> None:
    (row,) = compare([run(1, metric(0.5)), run(2, metric(0.9))]).metrics
    assert (row.best, row.refused) == (None, SAME_SETTING)


def test_a_refusal_to_order_names_what_differs_and_the_command_that_helps() -> None:
    data = sort_runs([run(1, metric(0.9)), run(2, metric(0.5, **V2))], "validation/accuracy")
    assert data.warning == (
        "validation/accuracy was measured on different data (d@v2, d@v1): sorted within each, not across; "
        "to compare them: ledger reevaluate d@v2 -- COMMAND {model}"
    )
    evaluators = sort_runs([run(1, metric(0.9)), run(2, metric(0.5, evaluator="2"))], "validation/accuracy")
    assert "by different evaluators (d@v1 by 2, d@v1 by unknown)" in str(evaluators.warning)


@pytest.mark.parametrize("label", ["d;rm -rf ~@v1", "d@v1 -- x", "-d@v1", "d@", "@v1", "d", "d@$(x)", "é@v1", "d@v@1"])
def test_a_label_that_is_no_label_stands_in_no_command(label: str) -> None:
    assert measure_command([label]) is None
    assert measure_command([label, "d@v1"]) == "ledger reevaluate d@v1 -- COMMAND {model}"
