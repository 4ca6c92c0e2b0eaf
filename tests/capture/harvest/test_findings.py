"""What is found of a training, box by box: each value with its source, and nothing that may be another's."""

import json
import os
import time
from pathlib import Path

import pytest

from ledger.capture.harvest.findings import find
from ledger.capture.harvest.known_files import FORMATS, check_formats
from ledger.capture.harvest.search import Findings, TrainingPlace
from ledger.errors import UsageError
from ledger.formats.trackers.wandb_file import read_wandb_file
from tests.formats.trackers.archive import unpack

EVERYTHING = ("params", "curves", "metrics", "model")
tensorboard = pytest.importorskip("torch.utils.tensorboard")


class Training:
    """A folder in which a training ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begun = time.time() - 100

    def left(self, name: str, content: str | bytes, age: float = 50.0) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        moment = self.begun + 100 - age
        os.utime(path, (moment, moment))
        return path

    def find(self, *wanted: str, choice: str = "auto", **options: object) -> Findings:
        source = TrainingPlace(folder=self.folder, begun=self.begun, ended=self.begun + 101, **options)  # type: ignore[arg-type]
        return find(source, check_formats(choice), wanted or EVERYTHING)


@pytest.fixture
def training(tmp_path: Path) -> Training:
    return Training(tmp_path)


def test_a_folder_without_anything_gives_nothing(training: Training) -> None:
    assert training.find() == Findings()


def test_hydra_says_more_than_the_command_line(training: Training) -> None:
    training.left("outputs/1/.hydra/config.yaml", "lr: 0.2\nmodel: {depth: 4}\n")
    training.left("outputs/1/.hydra/hydra.yaml", "hydra: {run: {dir: x}}\n")
    found = training.find("params", command=["python", "train.py", "lr=0.2", "depth=4", "--extra", "1"])
    assert found.params == {"lr": 0.2, "model.depth": 4, "extra": 1}
    assert found.sources == {
        "params.lr": "outputs/1/.hydra/config.yaml",
        "params.model.depth": "outputs/1/.hydra/config.yaml",
        "params.extra": "argv",
    }


def test_configs_of_several_trainings_are_named_and_left_out(training: Training) -> None:
    for job in range(3):
        training.left(f"multirun/{job}/.hydra/config.yaml", f"lr: {job}\n")
    found = training.find("params")
    assert found.params == {}
    (note,) = found.notes["params"]
    names = ", ".join(f"multirun/{job}/.hydra/config.yaml" for job in range(3))
    assert note == f"3 files of hydra, perhaps of several trainings, are left out: {names}"


def test_the_description_of_a_model_is_no_set_of_params(training: Training) -> None:
    training.left("out/config.json", json.dumps({"architectures": ["Bert"], "model_type": "bert", "hidden_size": 8}))
    found = training.find("params", command=["python", "train.py", "--lr", "1"])
    assert found.params == {"lr": 1}


def test_declared_defaults_come_after_the_command_line(training: Training) -> None:
    script = training.left("train.py", "p.add_argument('--lr', default=1)\np.add_argument('--wd', default=2)\n", 1000)
    found = training.find("params", command=["python", "train.py", "--lr", "3"], script=script)
    assert found.params == {"lr": 3, "wd": 2}
    assert found.sources == {"params.lr": "argv", "params.wd": "argparse in train.py"}


def test_a_short_option_is_the_declared_one_and_no_word_of_the_script_is_its_value(training: Training) -> None:
    text = "p.add_argument('-a', '--arch', default='r18')\np.add_argument('--no-amp', action='store_true')\n"
    script = training.left("train.py", text, 1000)
    command = ["python", "train.py", "-a", "r50", "data/imagenet", "--no-amp"]
    assert training.find("params", command=command, script=script).params == {"arch": "r50", "no_amp": True}


def test_event_files_go_before_tables_and_tables_before_the_log(training: Training) -> None:
    log = training.left("log", "step 1: loss 0.9\n")
    assert training.find("curves", log=log).sources == {"curves": "log"}
    training.left("history.csv", "epoch,loss\n0,0.8\n1,0.7\n")
    assert training.find("curves", log=log).sources == {"curves": "history.csv"}
    training.left("lightning_logs/version_0/metrics.csv", "step,loss\n0,0.6\n")
    assert training.find("curves", log=log).sources == {"curves": "lightning_logs/version_0/metrics.csv"}
    writer = tensorboard.SummaryWriter(str(training.folder / "runs/a"))
    writer.add_scalar("loss", 0.5, 0)
    writer.close()
    found = training.find("curves", log=log)
    assert found.sources == {"curves": "tfevents in runs/a"}
    assert [point.values for point in found.points] == [{"loss": 0.5}]
    chosen = training.find("curves", log=log, choice="csv,log")
    assert chosen.sources == {"curves": "history.csv"}


def test_event_files_of_splits_are_one_training_and_others_are_not(training: Training) -> None:
    for split, value in (("train", 0.5), ("validation", 0.25)):
        writer = tensorboard.SummaryWriter(str(training.folder / "logs" / split))
        writer.add_scalar("epoch_loss", value, 0)
        writer.close()
    found = training.find("curves")
    assert found.sources == {"curves": "tfevents in logs"}
    assert sorted(name for point in found.points for name in point.values) == ["train/loss", "validation/loss"]
    writer = tensorboard.SummaryWriter(str(training.folder / "logs/other"))
    writer.add_scalar("loss", 1.0, 0)
    writer.close()
    found = training.find("curves")
    assert found.points == []
    assert found.notes["curves"] == [
        "event files in 3 folders, perhaps of several trainings, are left out: logs/other, logs/train, logs/validation"
    ]


def test_of_states_of_the_trainer_the_newest_counts(training: Training) -> None:
    for step, age in ((10, 60.0), (20, 50.0)):
        rows = [{"step": at, "epoch": at / 10, "loss": 1 / at} for at in range(10, step + 1, 10)]
        state = {"log_history": rows, "num_train_epochs": 2, "max_steps": 20, "train_batch_size": 8}
        training.left(f"out/checkpoint-{step}/trainer_state.json", json.dumps(state), age)
    found = training.find("params", "curves")
    assert found.params == {"num_train_epochs": 2, "max_steps": 20, "train_batch_size": 8}
    assert [point.step for point in found.points] == [10, 20]
    assert found.sources["curves"] == "out/checkpoint-20/trainer_state.json"


def test_tables_that_are_no_curves_are_not_taken_for_some(training: Training) -> None:
    training.left("predictions.csv", "sample,label,score\na,1,0.5\n")
    training.left("rows.jsonl", '{"text": "a", "label": 1}\n')
    assert training.find("curves") == Findings()


def test_a_table_of_data_with_an_epoch_among_its_columns_is_none_of_curves(training: Training) -> None:
    training.left("people.csv", "id,epoch,acc\n1,1980,3\n2,1990,4\n")
    assert training.find("curves").points == []
    training.left("log.csv", "Wall time,Step,loss\n1,1,0.5\n")
    assert [point.values["loss"] for point in training.find("curves").points] == [0.5]


def test_a_table_that_several_trainings_wrote_is_left_out_and_named(training: Training) -> None:
    training.left("log.csv", "epoch,loss\n1,0.5\n2,0.4\n3,0.3\n1,0.9\n2,0.8\n")
    found = training.find("curves")
    assert found.points == []
    assert found.notes["curves"] == ["log.csv: its steps go back, as of several trainings"]
    training.left("log.csv", "epoch,step,loss\n1,1,0.5\n1,2,0.4\n2,1,0.3\n2,2,0.2\n")
    assert len(training.find("curves").points) == 4


def test_a_box_that_breaks_costs_no_other(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr("ledger.capture.harvest.curves_box.read_log_curves", overflow)
    log = training.left("log.txt", "step 1 loss 1\n")
    found = training.find(command=["python", "train.py", "--lr", "1"], log=log)
    assert found.params == {"lr": 1}
    assert found.notes["curves"] == ["what the training left was not read: OverflowError"]


def test_final_values_in_files_are_marked_and_speed_is_none(training: Training) -> None:
    training.left("out/eval_results.json", json.dumps({"eval_loss": 0.5, "eval_runtime": 3.1, "epoch": 2.0}))
    found = training.find("metrics")
    assert [(metric.key, metric.value, metric.origin) for metric in found.metrics] == [("eval_loss", 0.5, "file")]
    assert found.sources == {"metrics.eval_loss": "out/eval_results.json"}


def test_the_model_that_was_written_last_counts_and_others_are_counted(training: Training) -> None:
    training.left("out/step_1.pt", "a", 60)
    training.left("out/step_2.pt", "b", 50)
    training.left("out/optimizer.pt", "c", 10)
    found = training.find("model")
    assert found.model == str(training.folder / "out/step_2.pt")
    assert found.sources == {"model": "out/step_2.pt, the last written of 2 model files"}


def test_beside_another_run_only_what_the_command_names_counts(training: Training) -> None:
    training.left("model.pt", "a")
    training.left("mine/model.pt", "b")
    command = ["python", "train.py", "--out=mine", "--data", "data"]
    found = training.find("model", command=command, shared="another run was going on here at the same time")
    assert found.model == str(training.folder / "mine/model.pt")
    assert training.find("model", shared="another run").model is None


def test_files_that_lie_are_named_and_the_next_source_counts(training: Training) -> None:
    log = training.left("log", "step 1: loss 0.9\n")
    training.left("events.out.tfevents.1.x", b"\0" * 100)
    training.left("lightning_logs/version_0/hparams.yaml", "a: !!python/object/apply:os.system [touch here]\n")
    training.left("lightning_logs/version_0/metrics.csv", "step,step\n1,2\n")
    training.left("checkpoint-1/trainer_state.json", "{" * 100_000)
    found = training.find("params", "curves", log=log, command=["python", "train.py", "--lr", "1"])
    assert found.params == {"a": "os.system(touch here)", "lr": 1}, "a tag is text, and nothing is executed"
    assert not (training.folder / "here").exists()
    assert found.sources["curves"] == "log"
    assert [note.partition(":")[0] for note in found.notes["curves"]] == [
        ".",
        "lightning_logs/version_0/metrics.csv",
        "checkpoint-1/trainer_state.json",
    ]


def test_a_choice_is_checked() -> None:
    assert check_formats("auto") == frozenset(FORMATS)
    assert check_formats("off") == frozenset()
    assert check_formats("argv, log") == {"argv", "log"}
    for wrong in ("", "argv,nothing", "auto,log", "\x1b"):
        with pytest.raises(UsageError, match="nothing is found in"):
            check_formats(wrong)


def test_what_another_tracker_kept_of_the_same_training_is_the_most_telling(training: Training) -> None:
    log = training.left("log", "step 1: loss 0.9\n")
    training.left("dvclive/params.yaml", "lr: 0.1\n")
    training.left("dvclive/metrics.json", json.dumps({"step": 1, "train": {"loss": 0.25}, "final": 0.9}))
    training.left("dvclive/plots/metrics/train/loss.tsv", "step\tloss\n0\t0.5\n1\t0.25\n")
    found = training.find(log=log, command=["python", "train.py", "--lr", "0.1", "--seed", "3"])
    assert found.params == {"lr": 0.1, "seed": 3}
    assert [(point.step, point.values) for point in found.points] == [
        (0, {"train/loss": 0.5}),
        (1, {"train/loss": 0.25}),
    ]
    assert [(metric.key, metric.value, metric.origin) for metric in found.metrics] == [("final", 0.9, "file")]
    assert found.sources == {
        "params.lr": "dvclive", "params.seed": "argv", "curves": "dvclive", "metrics.final": "dvclive",
    }  # fmt: skip


def test_an_offline_run_of_wandb_of_another_time_is_not_this_one(training: Training) -> None:
    folder = unpack("wandb_file", training.folder / "stores")
    files = sorted(folder.rglob("run-*.wandb"))
    assert files
    for file in files:
        os.utime(file, (training.begun + 50, training.begun + 50))
    found = training.find("params", "curves")
    assert (found.params, found.points) == ({}, [])


def test_an_offline_run_of_wandb_of_this_training_is_read(training: Training) -> None:
    folder = unpack("wandb_file", training.folder / "stores")
    (run, file) = next(
        (run, file)
        for file in sorted(folder.rglob("run-*.wandb"))
        for run in read_wandb_file(file)
        if run.started_at and run.scalars
    )
    assert run.started_at is not None
    begun = run.started_at.timestamp() - 1
    os.utime(file, (begun + 50, begun + 50))
    source = TrainingPlace(folder=training.folder, begun=begun, ended=begun + 100)
    found = find(source, check_formats("wandb"), EVERYTHING)
    place = file.relative_to(training.folder).as_posix()
    assert found.params
    assert sum(len(point.values) for point in found.points) == len(run.scalars)
    assert {found.sources["curves"], *(found.sources[f"params.{name}"] for name in found.params)} == {place}
