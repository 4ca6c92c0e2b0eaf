"""Metrics find the data that they were measured on by the names that trainers give them, and say so where not."""

from pathlib import Path

import pytest

from ledger.analysis.comparing.comparable import data_of_curve
from ledger.analysis.data.curves import Point, gather
from ledger.capture.outputs.metrics import parse_key
from ledger.errors import NotFound
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import StoredRun
from ledger.recorder.data.datasets import attach_datasets, with_aliases
from ledger.recorder.record.draft import Dataset
from ledger.recorder.record.warnings import warn_of_data
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import Policy, load_policy
from ledger.store.index.leaderboards import read_standings
from tests.recorder.record.test_record import add, draft


@pytest.fixture
def data(repo: Path) -> Path:
    folder = repo / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("1")
    return folder


VALIDATION = DatasetUse(role="validation", split="validation", name="v", version="v1", hash="blake3:1")
NIGHT = DatasetUse(role="validation", split="validation", name="night", version="v1", hash="blake3:2")
TRAIN = DatasetUse(role="train", split="train", name="t", version="v1", hash="blake3:3")


def placed(key: str, *uses: DatasetUse, policy: Policy | None = None) -> Metric:
    (made,) = attach_datasets([parse_key(key, 0.5)], with_aliases(uses, policy or Policy()))
    return made


@pytest.mark.parametrize(
    "key",
    [
        "val/loss",
        "valid/loss",
        "dev/loss",
        "eval/loss",
        "Val/loss",
        "val_loss",
        "valid_loss",
        "dev_loss",
        "eval_loss",
        "validation_loss",
    ],
)
def test_other_names_of_the_validation_split_find_its_dataset(key: str) -> None:
    made = placed(key, VALIDATION, TRAIN)
    assert (made.key, made.dataset, made.said) == ("validation/loss", "v@v1", key)


def test_a_name_that_is_right_stays_as_it_is() -> None:
    made = placed("validation/loss", VALIDATION)
    assert (made.key, made.dataset, made.said) == ("validation/loss", "v@v1", None)
    assert placed("train_loss", VALIDATION, TRAIN).dataset == "t@v1"


def test_without_such_a_dataset_nothing_is_renamed() -> None:
    made = placed("val/loss", TRAIN)
    assert (made.key, made.dataset, made.said) == ("val/loss", None, None)
    assert placed("valve_loss", VALIDATION).dataset is None
    assert placed("eval", VALIDATION).key == "eval"


def test_a_dataset_whose_split_is_called_so_is_meant_first() -> None:
    own = DatasetUse(role="test", split="val", name="w", version="v1", hash="blake3:9")
    made = placed("val/loss", VALIDATION, own)
    assert (made.key, made.dataset) == ("val/loss", "w@v1")


def test_the_name_of_a_dataset_means_that_dataset() -> None:
    for key in ("night/accuracy", "night@v1/accuracy"):
        made = placed(key, VALIDATION, NIGHT)
        assert (made.key, made.dataset, made.dataset_hash) == (key, "night@v1", "blake3:2")


def test_two_datasets_of_one_split_leave_it_open_and_it_is_said_how_to_name_them() -> None:
    made = placed("validation/f1", VALIDATION, NIGHT)
    assert made.dataset is None
    (line,) = warn_of_data([made], [VALIDATION, NIGHT])
    assert line.startswith("validation/f1 has no dataset, because several datasets are `validation` (v@v1, night@v1)")
    assert line.endswith("rename it to v/f1 or night/f1")


def test_equal_values_under_two_names_are_one_metric_and_unequal_ones_keep_their_names() -> None:
    uses = with_aliases([VALIDATION], Policy())
    same = attach_datasets([parse_key("val/f1", 0.5), parse_key("eval_f1", 0.5)], uses)
    assert [(made.key, made.said) for made in same] == [("validation/f1", "val/f1")]
    other = attach_datasets([parse_key("val/f1", 0.5), parse_key("validation/f1", 0.6)], uses)
    assert [(made.key, made.value, made.dataset) for made in other] == [
        ("val/f1", 0.5, "v@v1"),
        ("validation/f1", 0.6, "v@v1"),
    ]


def test_the_policy_gives_other_names_and_takes_them_away() -> None:
    policy = load_policy(b"splits:\n  holdout: test\n  VAL: val\n")
    test = DatasetUse(role="test", split="test", name="x", version="v1", hash="blake3:5")
    assert placed("holdout/f1", test, policy=policy).key == "test/f1"
    assert placed("val/f1", VALIDATION, policy=policy).key == "val/f1"
    assert placed("eval/f1", VALIDATION, policy=policy).key == "validation/f1"


def test_a_metric_on_no_dataset_gets_one_line_that_says_what_to_type() -> None:
    metrics = [parse_key("accuracy", 0.9), parse_key("auc", 0.8)]
    (told,) = warn_of_data(metrics, [VALIDATION])
    assert told.startswith("accuracy, auc are measured on no dataset, so they are never ranked")
    assert told.endswith("if that was v@v1, rename it to validation/accuracy")
    for key, said in (
        ("accuracy", "name the data with --dataset validation=PATH, and rename it to validation/accuracy"),
        ("val/accuracy", "name the data with --dataset validation=PATH"),
        ("test_accuracy", "name the data with --dataset test=PATH"),
        ("hellaswag/acc", "--dataset test:hellaswag@v1=PATH, or rename it to validation/acc"),
    ):
        (line,) = warn_of_data([parse_key(key, 0.9)], [])
        assert line.endswith(said)
    assert warn_of_data([placed("val/accuracy", VALIDATION)], [VALIDATION]) == []


def test_a_curve_finds_its_data_by_the_same_names(ledger: Branch, data: Path) -> None:
    made = draft(
        datasets=[Dataset(role="validation", path=str(data))],
        curves=gather([Point(step=1, values={"val_loss": 0.5})]),
    )
    record = add(ledger, made).record
    run = StoredRun(record=record, path="", files={})
    assert record.datasets.used[0].aliases == ["val", "valid", "dev", "eval"]
    for series in ("val/loss", "val_loss", "eval_loss", "validation/loss"):
        assert data_of_curve(run, series) == record.datasets.used[0]
    assert data_of_curve(run, "loss") is None


def test_a_board_is_found_under_the_other_name_of_its_split(ledger: Branch, data: Path) -> None:
    datasets = [Dataset(role="validation", path=str(data), name="v", version="v1")]
    add(ledger, draft(metrics=[parse_key("val/accuracy", 0.9)], datasets=datasets))
    assert read_standings(ledger, "val/accuracy").key == "validation/accuracy"
    with pytest.raises(NotFound, match="no run here has this metric"):
        read_standings(ledger, "val/loss")
