"""`run.predictions`: the tables and metrics of a classifier from its single predictions, whatever they come as."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import ledger as api
from ledger.model.entries import StoredRun
from ledger.store.branch.branch import Branch

TRUTH = ["cat", "cat", "dog", "dog"]
TAKEN = ["cat", "dog", "dog", "dog"]


def only_run(repo: Path) -> StoredRun:
    (run,) = Branch.open(repo).contents().runs
    return run


def tables(repo: Path) -> dict[str, str]:
    run = only_run(repo)
    return {
        table.name: Branch.open(repo).read_blob(run.files[table.file]).decode()
        for table in run.record.statistics.tables
    }


def test_predictions_become_tables_and_metrics_of_one_dataset_version(repo: Path) -> None:
    (repo / "val").mkdir()
    (repo / "val" / "a.txt").write_text("a")
    with api.run("p", folder=repo) as run:
        used = run.dataset(repo / "val", role="validation", name="pets", version="v1")
        run.predictions(
            TRUTH, TAKEN, dataset=used, evaluator="e1", confidence=[0.9, 0.6, 0.8, 1.0],
            slices=["day", "night", "day", "night"], samples=["a", "b", "c", "d"],
        )  # fmt: skip
    assert tables(repo) == {
        "confusion validation/accuracy": "truth,cat,dog\ncat,1,1\ndog,0,2\n",
        "classes validation/accuracy": (
            "class,precision,recall,f1,support\ncat,1.0,0.5,0.6666666666666666,2\ndog,0.6666666666666666,1.0,0.8,2\n"
        ),
        "samples validation/accuracy": "sample,value\na,1\nb,0\nc,1\nd,1\n",
        "calibration validation/accuracy": "confidence,accuracy,samples\n0.6,0.0,1\n0.8,1.0,1\n0.9,1.0,1\n1.0,1.0,1\n",
        "slices validation/accuracy": "slice,accuracy,samples\nnight,0.5,2\nday,1.0,2\n",
        "mistakes validation/accuracy": "sample,truth,predicted,confidence\nb,cat,dog,0.6\n",
    }
    record = only_run(repo).record
    metrics = {metric.key: (float(metric.value), metric.direction) for metric in record.results.metrics}
    assert metrics == {
        "validation/accuracy": (0.75, "higher"),
        "validation/calibration_error": (pytest.approx((0.6 + 0.2 + 0.1 + 0) / 4), "lower"),
        "validation/worst_slice_accuracy": (0.5, "higher"),
    }
    assert {(each.dataset, each.evaluator) for each in record.results.metrics} == {("pets@v1", "e1")}
    assert {(each.dataset, each.evaluator) for each in record.statistics.tables} == {("pets@v1", "e1")}
    assert record.statistics.unknown == {"series": "nothing was logged"}


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        (np.array([0, 0, 1]), np.array([0, 1, 1])),
        (torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])),
        (pd.Series([0.0, 0.0, 1.0]), [0, 1, 1]),
        (iter(["0", "0", "1"]), np.array([0.0, 1.0, 1.0], dtype=np.float32)),
    ],
)
def test_labels_come_as_lists_arrays_tensors_and_series(repo: Path, truth: object, predicted: object) -> None:
    with api.run("p", folder=repo) as run:
        run.predictions(truth, predicted, split="test")
    assert tables(repo)["confusion test/accuracy"] == "truth,0,1\n0,1,1\n1,0,1\n"
    assert only_run(repo).record.results.metrics[0].value == 2 / 3


def test_a_metric_that_was_stated_is_not_stated_again(repo: Path) -> None:
    with api.run("p", folder=repo) as run:
        run.metric("validation/accuracy", 0.8, headline=True)
        run.predictions(TRUTH, TAKEN)
    (metric,) = only_run(repo).record.results.metrics
    assert metric.value == 0.8


def test_slices_may_overlap_when_they_are_masks(repo: Path) -> None:
    with api.run("p", folder=repo) as run:
        run.predictions(
            TRUTH, TAKEN, slices={"all": np.ones(4, bool), "second": [False, True, False, False], "none": [0] * 4}
        )
    assert tables(repo)["slices validation/accuracy"] == "slice,accuracy,samples\nsecond,0.0,1\nall,0.75,4\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"predicted": TAKEN[:2]}, "one prediction for each sample expected: `2 for 4`"),
        ({"predicted": np.zeros((4, 2))}, "predicted is one label for each sample"),
        ({"truth": [None] * 4}, "truth is one label for each sample: a label is empty"),
        ({"truth": [], "predicted": []}, "there is no sample"),
        ({"samples": ["a"]}, "one id for each sample expected"),
        ({"truth": 3}, "truth is one label for each sample"),
    ],
)
def test_predictions_that_say_nothing_never_stop_training(repo: Path, arguments: dict[str, object], why: str) -> None:
    with api.run("p", folder=repo) as run:
        run.predictions(**{"truth": TRUTH, "predicted": TAKEN, **arguments})  # type: ignore[arg-type]  # that they are wrong is what is tested
    record = only_run(repo).record
    assert why in record.statistics.unknown["tables.predictions validation"]
    assert record.status == "finished"
    assert record.statistics.tables == []


@pytest.mark.parametrize(
    ("arguments", "field", "why"),
    [
        (
            {"confidence": [2.0, 0, 0, 0]},
            "tables.calibration validation",
            "a confidence is a number from 0 to 1: `2.0`",
        ),
        ({"confidence": np.ones((4, 2))}, "tables.calibration validation", "one probability for each sample"),
        ({"slices": ["a"]}, "tables.slices validation", "slices must have one value for each sample: `1 for 4`"),
        ({"slices": {"a": [True]}}, "tables.slices validation", "slice `a` must have one value for each sample"),
        ({"slices": {}}, "tables.slices validation", "no slice holds a sample"),
    ],
)
def test_a_bad_part_leaves_the_others(repo: Path, arguments: dict[str, object], field: str, why: str) -> None:
    with api.run("p", folder=repo) as run:
        run.predictions(TRUTH, TAKEN, **arguments)  # type: ignore[arg-type]  # that they are wrong is what is tested
    record = only_run(repo).record
    assert why in record.statistics.unknown[field]
    assert len(record.statistics.tables) == 3
    assert [metric.key for metric in record.results.metrics] == ["validation/accuracy"]


def test_of_very_many_classes_the_confused_pairs_are_kept(repo: Path) -> None:
    truth = list(range(1000))
    with api.run("p", folder=repo) as run:
        run.predictions(truth, [1, *truth[1:]])
    kept = tables(repo)
    assert kept["confused pairs validation/accuracy"] == "truth,predicted,count\n0,1,1\n"
    assert "confusion validation/accuracy" not in kept
