"""The files that real tools leave are taken: their numbers, and the names of the rest."""

import json
from pathlib import Path

import pytest

from ledger.capture.outputs.metrics import LAST_VALUE, MetricsFile, read_metrics
from ledger.errors import LedgerError


def read(folder: Path, values: object) -> MetricsFile:
    (folder / "m.json").write_text(json.dumps(values))
    return read_metrics(folder / "m.json")


def numbers(found: MetricsFile) -> dict[str, object]:
    return {made.key: made.value for made in found.metrics}


def test_the_results_of_lm_evaluation_harness(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "results": {
                "hellaswag": {"alias": "hellaswag", "acc,none": 0.51, "acc_stderr,none": 0.005},
                "gsm8k": {"exact_match,strict-match": 0.31, "exact_match_stderr,strict-match": "N/A"},
            },
            "versions": {"hellaswag": 1.0},
            "lm_eval_version": "0.4.9",
            "config": {"model": "hf", "limit": None},
        },
    )
    assert numbers(found) == {
        "hellaswag/acc": 0.51,
        "hellaswag/acc_stderr": 0.005,
        "gsm8k/exact_match,strict-match": 0.31,
    }
    assert found.metrics[0].evaluator == "lm-evaluation-harness 0.4.9, task version 1.0"
    assert found.metrics[0].direction == "higher"
    assert found.notice is not None
    assert "`results/hellaswag/alias` (a text)" in found.notice
    assert "`results/gsm8k/exact_match_stderr,strict-match` (a text)" in found.notice
    assert "`config` (about the evaluation)" in found.notice


def test_the_state_of_the_trainer_of_transformers(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "best_metric": 0.42,
            "global_step": 40,
            "log_history": [
                {"epoch": 1.0, "loss": 0.9, "step": 20},
                {"epoch": 1.0, "eval_loss": 0.6, "step": 20},
                {"epoch": 2.0, "eval_loss": 0.5, "step": 40},
            ],
        },
    )
    assert numbers(found) == {"loss": 0.9, "eval_loss": 0.5, "best_metric": 0.42}
    loss, _, best = found.metrics
    assert (loss.origin, loss.step, loss.epoch, loss.evaluator) == ("curve", 20, 1.0, LAST_VALUE)
    assert (best.origin, best.evaluator) == ("said", None)
    assert found.notice == "left out: `global_step` (about the training)"


def test_the_summary_of_wandb(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "_step": 99,
            "_wandb": {"runtime": 3},
            "val/acc": 0.91,
            "g": {"_type": "histogram", "values": [1]},
            "b": "9.pt",
        },
    )
    assert numbers(found) == {"val/acc": 0.91}
    assert found.notice == (
        "left out: `_step` (of W&B itself), `_wandb` (of W&B itself), `g` (a histogram of W&B), `b` (a text)"
    )


@pytest.mark.parametrize("split", [None, "test"])
def test_a_classification_report(tmp_path: Path, split: str | None) -> None:
    row = {"precision": 0.5, "recall": 0.25, "f1-score": 0.3, "support": 4.0}
    report = {"0": row, "cat": row, "accuracy": 0.6, "macro avg": row, "weighted avg": row}
    found = read(tmp_path, {split: report} if split else report)
    prefix = f"{split}/" if split else ""
    made = numbers(found)
    assert next(iter(made)) == f"{prefix}accuracy"
    assert made[f"{prefix}precision[cat]"] == 0.5
    assert made[f"{prefix}f1-score macro avg"] == 0.3
    assert made[f"{prefix}recall[0]"] == 0.25
    assert len(made) == 13
    assert f"`{prefix}cat/support` (a count of samples)" in str(found.notice)


@pytest.mark.parametrize(
    "values",
    [
        {"test_accuracy": [0.90, 0.92, 0.91], "fit_time": [0.1, 0.2, 0.1]},
        {"folds": [{"fold": 0, "test_accuracy": 0.90}, {"fold": 1, "test_accuracy": 0.92}, {"test_accuracy": 0.91}]},
        {"fold_0": {"test_accuracy": 0.9}, "fold_1": {"test_accuracy": 0.92}, "fold_2": {"test_accuracy": 0.91}},
    ],
)
def test_a_list_of_folds_is_one_metric_with_its_mean_and_deviation(tmp_path: Path, values: object) -> None:
    made = {one.key: one for one in read(tmp_path, values).metrics}["test_accuracy"]
    assert made.value == pytest.approx(0.91)
    assert made.folds == [0.90, 0.92, 0.91]
    assert made.deviation == pytest.approx(0.01)


def test_a_list_with_a_hole_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, {"a": 1, "b": [0.9, None], "c": ["x"], "d": [], "e": list(range(500))})
    assert numbers(found) == {"a": 1.0}
    assert "`b` (a list of 2), `c` (a list of 1), `d` (an empty list), `e` (a list of 500 numbers" in str(found.notice)


def test_a_history_gives_its_last_values_and_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, {"loss": [0.9, 0.5], "val_accuracy": [0.1, 0.2], "epoch": [0, 1]})
    assert numbers(found) == {"loss": 0.5, "val_accuracy": 0.2}
    assert {made.origin for made in found.metrics} == {"curve"}
    assert "`loss` is the last of 2 values" in str(found.notice)


def test_results_as_people_write_them(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "model": "resnet", "date": "2026-11-20", "version": "1.0", "commit": "9182733", "accuracy": "0.912",
            "top5": "93.1%", "loss": "tensor(0.25)", "classes": ["a"], "confusion": [[1, 2], [3, 4]],
        },
    )  # fmt: skip
    assert numbers(found) == {"accuracy": 0.912, "top5": 0.931, "loss": 0.25}
    assert "`top5` is written as 93.1%" in str(found.notice)
    assert "`commit` (a text)" in str(found.notice)
    assert "`confusion` (a list of 2)" in str(found.notice)


@pytest.mark.parametrize("name", ["events.out.tfevents.1", "metrics.py", "metrics.csv"])
def test_a_file_that_is_no_metrics_file_gets_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x18\x00\xff")
    with pytest.raises(LedgerError) as error:
        read_metrics(tmp_path / name)
    assert "\n" not in error.value.message
    assert error.value.hint
