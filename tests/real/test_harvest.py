"""Scripts that know nothing of the ledger fill at least nine of the ten boxes, with no option but their data."""

import json
from collections.abc import Callable, Sequence

import pytest

from ledger.model.record import BOXES, Record
from tests.real.conftest import Project, check_common, json_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
Make = Callable[..., Project]


def full_boxes(record: Record) -> list[str]:
    """Return the boxes that say something; results that nobody measured say nothing."""
    return [name for name, box in record.boxes().items() if box.known and (name != "results" or box.metrics)]  # type: ignore[attr-defined]  # results have metrics


def recorded(there: Project, *command: str, split: str = "validation") -> tuple[Record, str]:
    printed = there.wrapped("python", *command, options=["-d", f"{split}:held-out@v1=data/validation"])
    (record,) = there.records()
    check_common(record)
    return record, printed


@pytest.mark.parametrize(
    ("files", "arguments", "sources", "metrics"),
    [
        (
            ["gpt.py"], ["--n_embd=8"],
            {"params": {"argv"}, "curves": "log", "model": "out/ckpt.pt"}, ["validation/loss"],
        ),
        (
            ["plain_mnist.py"], ["--epochs", "2"],
            {"params": {"argv", "argparse in plain_mnist.py"}, "curves": "log", "model": "mnist_cnn.pt"},
            ["test/accuracy", "test/loss", "train/loss"],
        ),
        (
            ["lit.py"], [],
            {
                "params": {"lightning_logs/version_0/hparams.yaml"},
                "curves": "lightning_logs/version_0/metrics.csv",
                "model": "last.ckpt",
            },
            ["validation/loss"],
        ),
        (
            ["trainer.py"], [],
            {
                "params": {"out_hf/trainer_state.json"},
                "curves": "out_hf/trainer_state.json",
                "model": "out_hf/final/model.safetensors",
            },
            ["validation/loss"],
        ),
        (
            ["plain_keras.py"], ["--units", "16"],
            {"params": {"argv", "argparse in plain_keras.py"}, "curves": "log", "model": "model.keras"},
            ["validation/accuracy", "validation/loss"],
        ),
    ],
    ids=["nanoGPT", "mnist", "Lightning", "Trainer", "Keras"],
)  # fmt: skip
def test_an_unedited_script_fills_nine_boxes(
    project: Make, files: Sequence[str], arguments: Sequence[str], sources: dict[str, object], metrics: Sequence[str]
) -> None:
    there = project(*files)
    split = "test" if "test/loss" in metrics else "validation"
    record, printed = recorded(there, files[0], *arguments, split=split)
    assert len(full_boxes(record)) >= 9, set(BOXES) - set(full_boxes(record))
    assert set(record.params.found.values()) == sources["params"]
    assert record.results.found == {"curves": sources["curves"]}
    assert record.model.path == sources["model"]
    found = {metric.key: metric for metric in record.results.metrics}
    assert set(metrics) <= found.keys()
    assert {metric.origin for metric in found.values()} == {"curve"}
    assert all(found[name].dataset == "held-out@v1" for name in metrics if not name.startswith("train"))
    assert "unknown boxes" not in printed
    there.verified()


def test_hydra_says_its_params_in_its_own_folder(project: Make) -> None:
    there = project("plain_hydra.py", "conf/config.yaml")
    record, _ = recorded(there, "plain_hydra.py", "optim.lr=0.2")
    assert len(full_boxes(record)) >= 9
    assert record.params.values["optim.lr"] == 0.2
    (place,) = set(record.params.found.values())
    assert place.endswith("/.hydra/config.yaml")
    assert record.results.found == {"curves": "log"}
    assert (record.model.path or "").endswith("/model.pt")
    assert record.headline is not None
    assert (record.headline.key, record.headline.dataset) == ("validation/loss", "held-out@v1")
    there.verified()


def test_found_values_are_what_the_training_itself_knows(project: Make) -> None:
    there = project("lit.py")
    record, printed = recorded(there, "lit.py")
    known = json_of(printed)
    assert record.headline is not None
    assert record.headline.number == pytest.approx(known["val_loss"], rel=1e-4)
    assert record.model.parameters == known["parameters"]
    assert json.dumps(record.params.values) == json.dumps({"lr": 0.1, "width": 8})


def test_seeds_of_a_script_that_says_nothing_are_repeats(project: Make) -> None:
    there = project("plain_mnist.py")
    for seed in ("1", "2", "3"):
        data = ["-d", "test:held-out@v1=data/validation"]
        there.wrapped("python", "plain_mnist.py", "--seed", seed, "--epochs", "1", options=data)
    assert {record.seed for record in there.records()} == {1, 2, 3}
    assert "1 setting of 3 runs" in there.run("ledger", "leaderboard")
