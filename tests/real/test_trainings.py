"""What the record of a real training says, held against what the training itself knows to be true."""

from collections.abc import Callable

import pytest

from tests.real.conftest import Project, check_common, json_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
Make = Callable[..., Project]


def test_a_script_that_knows_nothing_of_the_ledger_is_recorded_whole(project: Make) -> None:
    there = project("gpt.py")
    known = json_of(there.wrapped("python", "gpt.py", "--n_embd=8", options=["-e", "gpt", "--model", "out/ckpt.pt"]))
    (record,) = there.records()
    check_common(record)
    assert (record.status, record.exit_code) == ("finished", 0)
    assert record.command[-1] == "--n_embd=8"
    # The checkpoint holds a tensor beside the model, tied weights, and an optimizer.
    assert record.model.parameters == known["parameters"]
    assert (record.params.values, record.params.found) == ({"n_embd": 8}, {"all": "argv"})
    assert record.datasets.unknown == {"all": "no dataset was named"}
    assert "step 30: train loss" in there.file(record, "log.txt")
    there.verified()


def test_three_seeds_of_one_setting_are_repeats_whatever_they_leave_behind(project: Make) -> None:
    there = project("gpt.py")
    for seed in (1, 2, 3):
        given = ["-p", f"seed={seed}", "-m", f"validation/loss=0.{seed}", "-d", "validation:v@v1=data/validation"]
        there.wrapped("python", "gpt.py", f"--seed={seed}", "--max_iters=10", options=["-e", "gpt", *given])
    assert "1 setting of 3 runs" in there.run("ledger", "leaderboard")


def test_an_example_with_the_api_fills_every_box(project: Make) -> None:
    there = project("mnist.py")
    known = json_of(there.run("python", "mnist.py", "--epochs=3"))
    (record,) = there.records()
    check_common(record)
    assert record.params.values == {"epochs": 3, "lr": 0.5, "gamma": 0.7, "seed": 1}
    assert record.seed == 1
    assert {use.label for use in record.datasets.used} == {"text@v1", "held-out@v1"}
    assert record.datasets.leaks == []
    assert record.model.parameters == known["parameters"]
    (metric,) = record.results.metrics
    assert (metric.key, metric.dataset) == ("test/accuracy", "held-out@v1")
    assert metric.number == pytest.approx(known["accuracy"], abs=1e-6)
    assert record.statistics.steps == known["steps"]
    assert record.statistics.epochs == 3
    assert record.statistics.series["train/loss"].count == known["steps"]
    assert record.hardware.usage is not None
    assert record.hardware.usage.data_wait_seconds is not None
    there.verified()


def test_what_the_trainer_leaves_is_taken_as_it_is(project: Make) -> None:
    there = project("trainer.py")
    left = [
        "--curves",
        "out_hf/trainer_state.json",
        "--metrics",
        "out_hf/trainer_state.json",
        "--model",
        "out_hf/final",
    ]
    data = ["-d", "validation:v@v1=data/validation"]
    known = json_of(there.wrapped("python", "trainer.py", options=[*left, *data]))
    (record,) = there.records()
    check_common(record)
    assert record.model.parameters == known["parameters"]
    assert record.model.format == "safetensors"
    (loss,) = [metric for metric in record.results.metrics if metric.name == "loss" and metric.split == "validation"]
    assert loss.number == pytest.approx(known["eval_loss"], rel=1e-4)
    assert (loss.dataset, loss.said) == ("v@v1", "eval_loss")
    assert record.statistics.epochs == 2
    there.verified()


def test_a_lightning_module_is_taken_from_its_logger_and_its_checkpoint(project: Make) -> None:
    there = project("lit.py")
    logs = "lightning_logs/version_0"
    left = ["--params", f"{logs}/hparams.yaml", "--curves", f"{logs}/metrics.csv", "--model", "last.ckpt"]
    known = json_of(there.wrapped("python", "lit.py", options=[*left, "-d", "validation:v@v1=data/validation"]))
    (record,) = there.records()
    check_common(record)
    assert record.params.values == {"width": 8, "lr": 0.1}
    assert record.model.parameters == known["parameters"]
    assert record.statistics.series["val_loss"].count == 3
    assert float(record.statistics.series["val_loss"].last) == pytest.approx(known["val_loss"], rel=1e-4)
    (loss,) = [metric for metric in record.results.metrics if metric.name == "loss"]
    assert (loss.split, loss.origin, loss.dataset) == ("validation", "curve", "v@v1")
    there.verified()


@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "inside ledger run"])
def test_a_multirun_is_a_run_for_each_job_and_seeds_are_repeats(project: Make, *, wrapped: bool) -> None:
    there = project("hydra_app.py", "conf/config.yaml")
    command = ["python", "hydra_app.py", "-m", "optim.lr=0.5,0.1", "seed=0,1"]
    said = there.wrapped(*command) if wrapped else there.run(*command)
    jobs = [record for record in there.records() if record.experiment == "hydra"]
    assert len(jobs) == 4, said
    assert {(record.params.values["optim.lr"], record.params.values["seed"]) for record in jobs} == {
        (0.5, 0),
        (0.5, 1),
        (0.1, 0),
        (0.1, 1),
    }
    for record in jobs:
        check_common(record)
        assert record.model.parameters == 4 * 8 + 8 + 8 + 1
    assert "2 settings of 4 runs" in there.run("ledger", "leaderboard")
    if wrapped:
        (outer,) = [record for record in there.records() if record.children]
        assert (outer.status, outer.results.metrics, outer.params.values) == ("finished", [], {})
        assert set(outer.children) == {record.id for record in jobs}
    there.verified()


@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "inside ledger run"])
def test_a_study_with_two_threads_is_a_run_for_each_trial(project: Make, *, wrapped: bool) -> None:
    there = project("study.py")
    said = there.wrapped("python", "study.py") if wrapped else there.run("python", "study.py")
    trials = [record for record in there.records() if record.experiment == "study"]
    known = json_of(said)
    assert len(trials) == 8, said
    assert sorted(record.status for record in trials) == ["finished"] * 6 + ["pruned"] * 2
    assert known["states"].count("PRUNED") == 2
    best = min(record.results.metrics[0].number for record in trials if record.status == "finished")
    assert best == pytest.approx(known["best"])
    for record in trials:
        check_common(record)
        loss, lr = record.statistics.series["validation/loss"], float(str(record.params.values["lr"]))
        assert loss.count == (20 if record.status == "finished" else 6), "no curve is mixed with another"
        assert float(loss.last) == pytest.approx((lr - 0.1) ** 2 + 1 / loss.count)
        assert len(record.tags) == 1
    there.verified()


NOTEBOOK = """
import nbclient, nbformat as nf
first = "import ledger\\nrun = ledger.run('notebook', params={'seed': 0})\\nrun.log({'train/loss': 1.0}, step=0)"
cells = [first, CELL]
book = nf.v4.new_notebook(cells=[nf.v4.new_code_cell(cell) for cell in cells])
try:
    nbclient.NotebookClient(book, kernel_name="python3").execute()
except nbclient.exceptions.CellExecutionError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("cell", "status"),
    [("run.metric('train/loss', 0.5)", "finished"), ("1 / 0", "failed"), ("run.finish()\n1 / 0", "finished")],
)
def test_a_notebook_ends_as_its_last_cell_does(project: Make, cell: str, status: str) -> None:
    there = project("gpt.py")
    there.run("python", "-c", NOTEBOOK.replace("CELL", repr(cell)))
    (record,) = there.records()
    assert record.status == status
    assert record.params.values == {"seed": 0}
    assert record.statistics.series["train/loss"].count == 1
    there.verified()


@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "inside ledger run"])
def test_two_ranks_are_one_training(project: Make, *, wrapped: bool) -> None:
    there = project("ddp.py")
    command = ["torchrun", "--standalone", "--nproc-per-node=2", "ddp.py"]
    said = there.wrapped(*command) if wrapped else there.run(*command)
    (record,) = there.records()
    known = json_of(said)
    check_common(record)
    assert record.hardware.processes == 2
    assert record.seed == 0
    assert record.statistics.series["train/loss"].count == 5
    (metric,) = record.results.metrics
    assert metric.number == pytest.approx(known["loss"])
    assert [use.label for use in record.datasets.used] == ["vd@v1"]
    there.verified()
