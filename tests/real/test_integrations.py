"""Each adapter in a real training, as the handbook shows it, and what may go wrong around it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.model.boxes.outputs import Metric
from ledger.model.record import Record
from tests.real.conftest import Project, check_common

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
Make = Callable[..., Project]
DESTROY = "torch.distributed.destroy_process_group()\n"
END = "print('reached the end')\n"


def recorded(there: Project, script: str) -> Record:
    """Run a script and return the only record that it makes."""
    there.run("python", script)
    (record,) = there.records()
    return record


def metric_of(record: Record, key: str) -> Metric:
    (found,) = [metric for metric in record.results.metrics if metric.key == key]
    return found


def last_of(record: Record, series: str) -> float:
    return float(record.statistics.series[series].last)


def test_lightning(project: Make) -> None:
    record = recorded(project("with_lightning.py"), "with_lightning.py")
    check_common(record)
    assert (record.status, record.experiment) == ("finished", "with-lightning")
    assert (record.params.values, record.seed) == ({"lr": 0.1}, 3)
    assert record.statistics.series["train/loss"].count == 12
    assert record.statistics.series["validation/loss"].count == 3
    assert record.statistics.epochs == 3
    best = metric_of(record, "validation/loss")
    assert best.number == pytest.approx(float(record.statistics.series["validation/loss"].min))
    assert (best.direction, best.evaluator) == ("lower", "best value of Lightning's checkpoint")
    assert metric_of(record, "test/loss").evaluator == "last value that Lightning logged"
    assert record.model.parameters == 5
    assert record.model.path is not None
    assert record.model.path.startswith("out/")


FAILING = """
Net.step = lambda self, batch, name: 1 / 0 if self.global_step == 5 else self.layer(batch[0]).mean()
try:
    trainer.fit(Net(), loader)
except ZeroDivisionError:
    print("gone on")
"""


def test_lightning_that_fails_is_recorded_as_failed_although_the_script_goes_on(project: Make) -> None:
    there = project("with_lightning.py")
    script = (there.folder / "with_lightning.py").read_text("utf-8").partition("trainer.fit(")[0]
    (there.folder / "with_lightning.py").write_text(script + FAILING, "utf-8")
    record = recorded(there, "with_lightning.py")
    assert (record.status, record.reason) == ("failed", "ZeroDivisionError: division by zero")


@pytest.mark.parametrize("script", ["with_lightning.py", "with_transformers.py"])
def test_two_ranks_are_one_record(project: Make, script: str) -> None:
    there = project(script)
    if script == "with_lightning.py":
        there.edit(script, 'accelerator="cpu"', 'accelerator="cpu", devices=2, strategy="ddp"')
    # A rank whose threads are left to the end of its process aborts there now and then, with or without a ledger.
    (there.folder / script).write_text((there.folder / script).read_text("utf-8") + DESTROY, "utf-8")
    there.run("torchrun", "--standalone", "--nproc-per-node=2", script)
    (record,) = there.records()
    assert record.status == "finished"
    assert (record.hardware.processes, record.hardware.launcher) == (2, "torch.distributed")
    assert record.statistics.series["validation/loss"].count == (3 if script == "with_lightning.py" else 2)
    assert metric_of(record, "validation/loss")


@pytest.mark.parametrize("around", ["ledger.run()", "ledger run"])
def test_a_run_around_the_training_is_joined(project: Make, around: str) -> None:
    there = project("with_lightning.py")
    if around == "ledger run":
        there.wrapped("python", "with_lightning.py", options=["-p", "seed=3"])
    else:
        begin = "import ledger\nrun = ledger.run('outer', params={'seed': 3})\ntrainer.fit("
        there.edit("with_lightning.py", "trainer.fit(", begin)
        there.edit("with_lightning.py", "trainer.test(", "run.metric('validation/loss', 7)\ntrainer.test(")
        there.run("python", "with_lightning.py")
    (record,) = there.records()
    assert record.experiment == ("with-lightning" if around == "ledger run" else "outer")
    assert record.params.values == {"lr": 0.1, "seed": 3}
    assert record.statistics.series["train/loss"].count == 12
    if around == "ledger.run()":
        assert metric_of(record, "validation/loss").number == 7, "what the script states replaces what an adapter does"


def test_transformers(project: Make) -> None:
    there = project("with_transformers.py")
    record = recorded(there, "with_transformers.py")
    check_common(record)
    assert (record.status, record.seed) == ("finished", 42)
    chosen = record.params.values
    assert (chosen["weight_decay"], chosen["num_train_epochs"], chosen["learning_rate"]) == (0.01, 2, 5e-5)
    assert len(chosen) < 15
    assert "output_dir" not in chosen
    assert {metric.key for metric in record.results.metrics} == {
        "validation/accuracy", "validation/loss", "test/accuracy", "test/loss",
    }  # fmt: skip
    assert metric_of(record, "validation/accuracy").evaluator == "evaluation of the Trainer's best checkpoint"
    assert set(record.statistics.series) == {
        "train/loss", "train/grad_norm", "train/learning_rate", "validation/loss", "validation/accuracy",
    }  # fmt: skip
    assert record.statistics.epochs == 2
    assert record.model.parameters == 11_586
    assert record.model.format == "safetensors"
    assert "adam_beta1,0.9" in there.file(record, "tables/training-arguments.csv")


def test_a_training_that_raised_is_not_mixed_with_the_next_one(project: Make) -> None:
    there = project("with_transformers.py")
    there.edit("with_transformers.py", "trainer.train()\n", """
calls = iter([1, 2])
trainer.compute_metrics = lambda found: {"accuracy": 0.5} if next(calls, None) is None else 1 / 0
for _ in range(3):
    try:
        trainer.train()
    except ZeroDivisionError:
        pass
""")  # fmt: skip
    there.run("python", "with_transformers.py")
    records = there.records()
    assert [record.status for record in records] == ["failed", "failed", "finished"]
    assert [record.statistics.series["train/loss"].count for record in records] == [2, 2, 4]


SEARCH = """
trainer.model_init = lambda trial=None: BertForSequenceClassification(model.config)
trainer.hyperparameter_search(
    lambda trial: {"learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-3, log=True)},
    n_trials=2, backend="optuna", compute_objective=lambda metrics: metrics["eval_loss"],
)
"""


def test_each_trial_of_a_search_by_transformers_is_a_run(project: Make) -> None:
    there = project("with_transformers.py")
    there.edit("with_transformers.py", "trainer.train()\ntrainer.predict(data[32:48])\n", SEARCH)
    there.run("python", "with_transformers.py")
    first, second = there.records()
    assert (first.status, second.status) == ("finished", "finished")
    assert first.params.values["learning_rate"] != second.params.values["learning_rate"]
    assert [one.statistics.series["train/loss"].count for one in (first, second)] == [4, 4]


def test_accelerate(project: Make) -> None:
    record = recorded(project("with_accelerate.py"), "with_accelerate.py")
    check_common(record)
    assert (record.status, record.experiment) == ("finished", "with-accelerate")
    assert record.params.values == {"lr": 0.1, "seed": 0}
    assert record.statistics.series["train/loss"].count == 12


def test_keras(project: Make) -> None:
    record = recorded(project("with_keras.py"), "with_keras.py")
    assert (record.status, record.seed) == ("finished", 0)
    assert record.params.values == {
        "epochs": 3, "loss": "binary_crossentropy", "optimizer.name": "SGD", "optimizer.learning_rate": 0.1, "seed": 0,
    }  # fmt: skip
    accuracy = metric_of(record, "validation/accuracy")
    assert accuracy.number == pytest.approx(last_of(record, "validation/accuracy"))
    assert accuracy.evaluator == "last epoch of Keras"
    assert (record.statistics.epochs, record.model.parameters) == (3, 49)


def test_each_job_of_hydra_is_a_run_and_one_that_fails_stops_no_other(project: Make) -> None:
    there = project("with_hydra.py", "conf/with_hydra.yaml")
    there.run("python", "with_hydra.py", "-m", "lr=0.5,5,0.1", fails=True)
    records = there.records()
    assert [(record.status, record.params.values) for record in records] == [
        ("finished", {"lr": 0.5, "seed": 0}), ("failed", {"lr": 5, "seed": 0}), ("finished", {"lr": 0.1, "seed": 0}),
    ]  # fmt: skip
    assert records[1].reason == "ValueError: the loss is not finite"
    objective = metric_of(records[0], "objective")
    assert objective.number == pytest.approx(0.16)
    assert objective.direction == "lower"


def test_each_trial_of_optuna_is_a_run_with_its_own_times(project: Make) -> None:
    there = project("with_optuna.py")
    there.edit(
        "with_optuna.py", "    if trial.number == 3", "    __import__('time').sleep(0.2)\n    if trial.number == 3"
    )
    there.run("python", "with_optuna.py", fails=True)
    records = sorted(there.records(), key=lambda record: record.tags)
    assert [record.status for record in records] == ["finished", "finished", "pruned", "failed"]
    assert [record.tags for record in records] == [[f"trial-{number}"] for number in range(4)]
    assert all("lr" in record.params.values for record in records)
    seconds = [record.timing.duration_seconds or 0 for record in records]
    assert [0.15 < one < 2 for one in seconds] == [True, True, False, True]
    loss = metric_of(records[0], "validation/loss")
    assert (loss.direction, loss.evaluator) == ("lower", "value of the Optuna trial")
    assert records[0].statistics.series["validation/loss"].count == 4


def test_a_search_of_scikit_learn_is_one_run_with_a_table(project: Make) -> None:
    there = project("with_sklearn.py")
    record = recorded(there, "with_sklearn.py")
    assert record.params.values == {"C": 10, "gamma": 0.01, "estimator": "SVC", "seed": 0}
    table = there.file(record, "tables/candidates.csv").splitlines()
    assert len(table) == 1 + 3
    assert "mean_test_score" in table[0]
    best = max(float(row.split(",")[table[0].split(",").index("mean_test_score")]) for row in table[1:])
    assert metric_of(record, "validation/accuracy").number == pytest.approx(best)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_boosting_states_the_round_that_early_stopping_chose(project: Make, name: str) -> None:
    record = recorded(project(f"with_{name}.py"), f"with_{name}.py")
    assert (record.status, record.seed) == ("finished", 0)
    series = record.statistics.series["validation/auc"]
    assert 3 < series.count < 60
    framework = {"xgboost": "XGBoost", "lightgbm": "LightGBM"}[name]
    assert {metric.evaluator for metric in record.results.metrics} == {f"best round of {framework}"}
    auc = metric_of(record, "validation/auc")
    assert auc.direction == "higher"
    if name == "lightgbm":  # XGBoost stops by the last metric of the last data, LightGBM by any
        assert auc.number == pytest.approx(float(series.max))
        assert metric_of(record, "validation/binary_logloss").direction == "lower"


def test_plain_torch(project: Make) -> None:
    record = recorded(project("with_torch.py"), "with_torch.py")
    check_common(record)
    assert record.params.values == {"lr": 0.1, "seed": 0, "batch_size": 16}
    (data,) = record.datasets.used
    assert (data.samples, data.role) == (64, "train")
    assert record.statistics.series["gradient/norm"].count == 2
    assert record.model.parameters == 49


@pytest.mark.parametrize(
    ("script", "writable"),
    [("with_lightning.py", True), ("with_transformers.py", False), ("with_accelerate.py", False)],
)
def test_a_training_goes_on_outside_of_a_repository(
    project: Make, tmp_path: Path, script: str, *, writable: bool
) -> None:
    there = project(script)
    (there.folder / ".git").rename(there.folder / "git")
    (tmp_path / "no-folder").write_text("")
    (there.folder / script).write_text((there.folder / script).read_text("utf-8") + END, "utf-8")
    said = there.run("python", script, state=None if writable else tmp_path / "no-folder")
    assert "reached the end" in said
    assert ("the record will wait in" if writable else "is not recorded") in said


@pytest.mark.parametrize("script", ["with_transformers.py", "with_keras.py", "with_xgboost.py", "with_lightgbm.py"])
def test_a_callback_that_fails_stops_no_training_and_says_so_once(project: Make, script: str) -> None:
    there = project(script)
    broken = "import ledger\nledger.Run.log = lambda *_, **__: 1 / 0\n"
    (there.folder / script).write_text(broken + (there.folder / script).read_text("utf-8") + END, "utf-8")
    said = there.run("python", script)
    assert "reached the end" in said
    assert said.count("division by zero; the training goes on") == 1


@pytest.mark.parametrize("name", ["transformers", "accelerate", "lightning"])
def test_what_a_framework_reports_to_wandb_reaches_the_ledger(project: Make, name: str) -> None:
    there = project(f"with_{name}.py")
    if name == "transformers":
        there.edit("with_transformers.py", "report_to=[]", 'report_to="wandb"')
        there.edit("with_transformers.py", 'callbacks=[TransformersCallback("with-transformers")],', "")
    elif name == "accelerate":
        there.edit("with_accelerate.py", 'log_with="ledger"', 'log_with="wandb"')
    else:
        there.edit("with_lightning.py", "ledger.integrations.lightning", "lightning.pytorch.loggers")
        there.edit("with_lightning.py", "LightningLogger", "WandbLogger")
        there.edit("with_lightning.py", '("with-lightning")', '(project="digits")')
    there.wrapped("python", f"with_{name}.py", options=["--as", "wandb"])
    (record,) = there.records()
    assert record.status == "finished"
    series = record.statistics.series["train/loss"]
    if name == "transformers":
        assert (record.experiment, series.count) == ("huggingface", 4)
        assert len(record.params.values) < 20
        assert record.params.values["weight_decay"] == 0.01
        assert "hidden_size,16" in there.file(record, "tables/config.csv")
        assert record.statistics.steps == 8
    elif name == "accelerate":
        assert (record.experiment, series.count) == ("with-accelerate", 12)
        assert record.params.values == {"lr": 0.1, "seed": 0}
    else:
        assert (record.experiment, series.count) == ("digits", 12)
        assert record.params.values == {"lr": 0.1}


def test_what_lightning_writes_to_tensorboard_reaches_the_ledger(project: Make) -> None:
    there = project("with_lightning.py")
    there.edit("with_lightning.py", "ledger.integrations.lightning", "lightning.pytorch.loggers")
    there.edit("with_lightning.py", "LightningLogger", "TensorBoardLogger")
    there.edit("with_lightning.py", '("with-lightning")', '("runs")')
    there.wrapped("python", "with_lightning.py", options=["--as", "tensorboard"])
    (record,) = there.records()
    assert record.status == "finished"
    assert record.params.values == {"lr": 0.1}
    assert record.statistics.series["train/loss"].count == 12
