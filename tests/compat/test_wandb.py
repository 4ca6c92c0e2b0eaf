"""W&B's calls: each makes of a run what `ledger.run()` would, and none raises."""

import importlib
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ledger
from ledger.compat import nothing
from ledger.model.record import Record
from ledger.store.branch.branch import Branch


@pytest.fixture
def wandb(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module as it is in a fresh process."""
    monkeypatch.setattr(nothing, "_TOLD", set())
    module = importlib.reload(importlib.import_module("ledger.compat.wandb"))
    yield module
    module.finish()


def recorded() -> Record:
    (run,) = Branch.open(Path()).contents().runs
    return run.record


def file_of(record: Record, name: str) -> bytes:
    day = f"{record.id[:4]}/{record.id[4:6]}/{record.id[6:8]}"
    content = Branch.open(Path()).read(f"runs/{day}/{record.id}/{name}")
    assert content is not None
    return content


def test_a_script_of_wandb_is_recorded(wandb: Any) -> None:
    run = wandb.init(
        project="digits", name="wide", group="sweep", job_type="train", tags=["cnn"], notes="does width help?",
        config={"lr": 0.1, "seed": 3}, entity="team", settings=wandb.Settings(silent=True),
    )  # fmt: skip
    assert wandb.run is run
    wandb.config.width = 64
    wandb.config["depth"] = 2
    wandb.config.update({"optimizer": {"name": "sgd"}}, allow_val_change=True)
    for step in range(3):
        wandb.log({"train/loss": 1 / (step + 1)}, commit=False)
        wandb.log({"train/accuracy": step / 3})
    run.summary["validation/accuracy"] = 0.93
    run.summary.update({"validation/loss": 0.2})
    wandb.finish()
    assert wandb.run is None
    record = recorded()
    assert (record.experiment, record.seed, record.status) == ("digits", 3, "finished")
    assert record.tags == ["cnn", "sweep", "train"]
    assert record.note == "name: wide\ndoes width help?"
    assert record.params.values == {"lr": 0.1, "seed": 3, "width": 64, "depth": 2, "optimizer.name": "sgd"}
    assert record.statistics.steps == 2
    assert record.statistics.series["train/loss"].count == 3
    assert {metric.key: metric.number for metric in record.results.metrics} == {
        "validation/accuracy": 0.93, "validation/loss": 0.2,
    }  # fmt: skip


def test_the_configuration_is_read_as_items_and_attributes(wandb: Any) -> None:
    wandb.config.early = 1  # before init
    wandb.init(config=SimpleNamespace(lr=0.1))
    config = wandb.config
    assert (config.lr, config["lr"], config.get("missing", 7), config.early) == (0.1, 0.1, 7, 1)
    assert ("lr" in config, dict(config), config.as_dict()) == (True, {"early": 1, "lr": 0.1}, {"early": 1, "lr": 0.1})
    config.setdefaults({"lr": 9, "depth": 2})
    assert dict(**config) == {"early": 1, "lr": 0.1, "depth": 2}
    with pytest.raises(AttributeError, match="no value `missing`"):
        _ = config.missing
    wandb.finish()
    assert recorded().params.values == {"early": 1, "lr": 0.1, "depth": 2}


def test_steps_that_go_back_are_kept(wandb: Any) -> None:
    wandb.init()
    for step in (5, 2, 7):
        wandb.log({"loss": float(step)}, step=step)
    wandb.log({"other": 1.0})
    assert wandb.run.step == 8
    wandb.finish()
    lines = file_of(recorded(), "curves.csv").decode().splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {"2", "5", "7"}


def test_a_metric_that_is_defined_is_stated_by_its_rule(wandb: Any) -> None:
    wandb.init()
    wandb.define_metric("validation/loss", summary="min")
    wandb.define_metric("validation/score", summary="best", goal="maximize")
    wandb.define_metric("test/*", summary="mean")
    for step, value in enumerate([3.0, 1.0, 2.0]):
        wandb.log({"validation/loss": value, "validation/score": value, "test/wobble": value}, step=step)
    wandb.finish()
    assert {(one.key, one.number, one.direction, one.evaluator) for one in recorded().results.metrics} == {
        ("validation/loss", 1.0, "lower", "min of what was logged"),
        ("validation/score", 3.0, "higher", "max of what was logged"),
        ("test/wobble", 2.0, None, "mean of what was logged"),
    }


def test_a_series_may_be_the_step_of_all(wandb: Any) -> None:
    wandb.init()
    wandb.define_metric("*", step_metric="train/global_step", step_sync=True)
    wandb.log({"train/loss": 1.0, "train/global_step": 40})
    wandb.finish()
    assert recorded().statistics.steps == 40
    assert list(recorded().statistics.series) == ["train/loss"]


def test_media_are_figures_and_tables(wandb: Any, repo: Path) -> None:
    np = pytest.importorskip("numpy")
    wandb.init()
    pixels = np.zeros((4, 6, 3))
    pixels[1, 2] = 1.0
    table = wandb.Table(columns=["image", "label"], data=[[wandb.Image(pixels), "cat"]])
    table.add_data(None, "dog")
    table.add_column("score", [0.9, 0.8])
    wandb.log({"examples": [wandb.Image(pixels), wandb.Image(np.zeros((3, 4, 6), "uint8"), caption="black")]})
    wandb.log({"predictions": table, "weights": wandb.Histogram([1, 2, 2, 5], num_bins=4), "loss": 1.0})
    wandb.log({"picture": wandb.Image("no such file.png"), "text": "words are not kept"})
    wandb.finish()
    record = recorded()
    assert len(record.results.figures) == 2
    assert file_of(record, "tables/predictions.csv").decode().splitlines() == [
        "image,label,score", "a Image,cat,0.9", ",dog,0.8",
    ]  # fmt: skip
    assert file_of(record, "tables/weights.csv").decode().splitlines()[1] == "1.0,2.0,1.0"
    assert list(record.statistics.series) == ["loss"]


def test_what_has_no_counterpart_says_so_once(wandb: Any, caplog: pytest.LogCaptureFixture) -> None:
    run = wandb.init()
    artifact = wandb.Artifact("model", type="model")
    artifact.add_file("model.pt")
    with artifact.new_file("x.txt") as file:
        file.write("x")
    for _ in range(3):
        wandb.log_artifact(artifact)
        run.log_artifact(artifact).wait()
        run.use_artifact("digits:latest").download()
        run.watch(None)
        wandb.watch(None)
        wandb.alert(title="it is done")
        run.log_code(".")
    wandb.log({"roc": wandb.plot.roc_curve([1], [0.5])})
    for name in ("wandb.Artifact", "wandb.log_artifact", "wandb.use_artifact", "wandb.watch", "wandb.alert"):
        assert caplog.text.count(f"{name} does nothing here") == 1, name
    with pytest.raises(AttributeError, match="no counterpart"):
        _ = wandb.no_such_thing


def test_a_run_that_is_disabled_records_nothing(wandb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, variables in (({"mode": "disabled"}, {}), ({}, {"WANDB_MODE": "disabled"})):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with wandb.init(config={"lr": 1}, **options) as run:
            run.log({"loss": 1})
            run.summary["a"] = 1
            assert (run.disabled, run.config.lr) == (True, 1)
    assert not Branch.open(Path()).contents().runs


def test_variables_of_wandb_are_read(wandb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PROJECT": "digits", "TAGS": "a,b", "RUN_GROUP": "g", "NOTES": "why"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    wandb.init()
    wandb.finish()
    record = recorded()
    assert (record.experiment, record.tags, record.note) == ("digits", ["a", "b", "g"], "why")


def test_a_block_that_raises_has_failed(wandb: Any) -> None:
    with pytest.raises(ValueError, match="boom"), wandb.init():
        raise ValueError("boom")
    assert (recorded().status, recorded().reason) == ("failed", "ValueError: boom")


def test_an_exit_code_is_the_end(wandb: Any) -> None:
    wandb.init()
    wandb.finish(exit_code=3)
    assert (recorded().status, recorded().reason) == ("failed", "exit code 3")


def test_a_second_init_returns_the_open_run_unless_it_is_to_end(wandb: Any) -> None:
    first = wandb.init()
    assert wandb.init() is first
    assert wandb.init(reinit=True) is not first
    wandb.finish()
    assert len(Branch.open(Path()).contents().runs) == 2


def test_a_run_around_it_is_joined(wandb: Any) -> None:
    with ledger.run("outer", output=False) as run:
        assert wandb.init(project="inner", config={"lr": 0.1}).id == run.id
        wandb.finish()
        assert not Branch.open(Path()).contents().runs
    assert (recorded().experiment, recorded().params.values) == ("outer", {"lr": 0.1})


def test_nothing_raises_before_init_or_after_finish(wandb: Any, caplog: pytest.LogCaptureFixture) -> None:
    wandb.log({"loss": 1})
    wandb.login()
    wandb.finish()
    run = wandb.init()
    run.finish()
    run.log({"loss": 1})
    run.summary["a"] = 1
    run.finish()
    assert "was called before wandb.init" in caplog.text


def test_what_is_no_mapping_raises_nothing(wandb: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    wandb.init(config=7)
    wandb.log(None)
    wandb.define_metric("loss", summary="min")
    wandb.log({"loss": "no number"})
    wandb.log({"loss": [1, 2]})
    wandb.finish()
    assert recorded().status == "finished"


def test_a_file_of_a_model_is_recorded(wandb: Any, repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    wandb.init()
    path = Path(wandb.run.dir) / "model.pt"
    path.write_bytes(b"weights")
    wandb.save(str(path))
    wandb.save("*.txt")
    wandb.finish()
    assert recorded().model.bytes == 7
    assert "uploads nothing" in caplog.text


def test_trackio_is_the_same(wandb: Any) -> None:
    import ledger.compat.trackio as trackio  # noqa: PLR0402  # as a script writes it

    trackio.init(project="digits")
    trackio.log({"loss": 1.0})
    trackio.finish()
    assert recorded().experiment == "digits"
