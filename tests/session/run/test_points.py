"""What `run.log` keeps of a call that holds something else than numbers."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import ledger as api
from ledger.model.record import Record
from ledger.session.run.points import Points
from ledger.store.branch.branch import Branch


def only_record(repo: Path) -> Record:
    (run,) = Branch.open(repo).contents().runs
    return run.record


def test_a_value_that_is_no_number_takes_no_neighbour_with_it(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    with api.run("x") as run:
        for step in range(100):
            run.log({"train/loss": 0.5, "val/loss": 0.25 if step % 10 == 9 else None, "lr": "???"}, step=step)
    record = only_record(repo)
    assert {name: series.count for name, series in record.statistics.series.items()} == {
        "train/loss": 100,
        "val/loss": 10,
    }
    assert record.results.unknown["curves"] == "no numbers, so left out: lr 100 times ('???'), val/loss 90 times (None)"
    assert len([entry for entry in caplog.records if "val/loss" in entry.getMessage()]) == 1


def test_what_was_left_out_is_known_of_a_killed_run(repo: Path) -> None:
    from ledger.session.spool.draft import read_draft
    from ledger.session.spool.spool import spools

    run = api.run("x")
    for _ in range(5):
        run.log({"lr": None, "loss": 1.0})
    (folder,) = spools(Branch.open(repo).repository.state_dir)
    (said,) = [problem.message for problem in read_draft(folder).problems if problem.field == "curves"]
    assert said == "no numbers, so left out: lr 4 times (None)"  # at every doubling
    run.finish()


def test_the_step_may_stand_second(repo: Path) -> None:
    with api.run("x") as run:
        run.log({"loss": 0.5}, 3)
        run.log({"loss": 0.25}, 3, step=4)
        run.log([("loss", 1.0)], 5)  # type: ignore[arg-type]  # the mistake under test
    record = only_record(repo)
    assert (record.statistics.steps, record.statistics.series["loss"].count) == (4, 2)
    assert "values 1 time (a list)" in record.results.unknown["curves"]


def test_nested_values_become_series_of_their_own(repo: Path) -> None:
    with api.run("x") as run:
        run.log({"train": {"loss": 0.5, "by_class": {3: 0.25}}, "val": {"loss": None}}, 1)
    record = only_record(repo)
    assert set(record.statistics.series) == {"train/loss", "train/by_class/3"}
    assert "val/loss 1 time (None)" in record.results.unknown["curves"]


def test_tensors_are_read_without_a_warning_about_gradients() -> None:
    points = Points()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = {
            "loss": torch.tensor(0.5, requires_grad=True),
            "one": torch.tensor([[0.25]]),
            "many": torch.zeros(3),
            "half": np.float16(0.5),
            "count": np.int64(3),
        }
        assert points.numbers(given, {}) == {"loss": 0.5, "one": 0.25, "half": 0.5, "count": 3.0}
    assert {name: left.first for name, left in points.left_out.items()} == {"many": "a Tensor"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [(3, 3), (3.0, 3), (np.int64(2**53 + 1), 2**53 + 1), (2**53 + 1, 2**53 + 1), (torch.tensor(7), 7), ("8", 8)],
)
def test_whole_steps_are_kept_exactly(said: object, kept: int) -> None:
    points = Points()
    assert points.step(said) == kept
    assert points.left_out == {}


@pytest.mark.parametrize("said", [2.5, float("nan"), "two", object(), 10**18, np.zeros(2)])
def test_a_step_that_is_not_whole_is_left_out_and_said(said: object) -> None:
    points = Points()
    assert points.step(said) is None
    assert points.left_out["step"].count == 1


def test_many_series_are_named_up_to_a_limit() -> None:
    points = Points()
    points.numbers({f"series/{number}": None for number in range(300)}, {})
    assert len(points.left_out) == 201
    assert points.left_out["other series"].count == 100
