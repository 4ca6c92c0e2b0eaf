"""Values of frameworks: what is a result, what a series is called, and that no step waits for a GPU."""

from pathlib import Path
from typing import Any

import pytest

import ledger
from ledger.integrations import values
from ledger.integrations.values import LatePoints, results_of, series_of

HF = {
    "eval_loss": 0.5,
    "eval_accuracy": 0.9,
    "eval_runtime": 1.2,
    "eval_samples_per_second": 10.0,
    "eval_steps_per_second": 2.0,
    "eval_jit_compilation_time": 1.0,
    "epoch": 2.0,
    "total_flos": 1e9,
}


def test_how_fast_the_machine_was_is_no_result() -> None:
    assert results_of(series_of(HF, {"eval_": "validation"}, "train")) == {
        "validation/loss": 0.5,
        "validation/accuracy": 0.9,
    }


def test_what_is_no_number_is_no_result() -> None:
    assert results_of({"a": True, "b": "text", "c": None, "d": 1}) == {"d": 1.0}


def test_a_series_without_a_prefix_belongs_to_the_training() -> None:
    assert series_of({"loss": 1, "val_loss": 2}, {"val_": "validation"}, "train") == {
        "train/loss": 1,
        "validation/loss": 2,
    }


class Event:
    """What tells that a GPU is done."""

    def __init__(self) -> None:
        self.done = False

    def query(self) -> bool:
        return self.done

    def synchronize(self) -> None:
        self.done = True


class Tensor:
    """A tensor of a GPU, which nobody may read before it is done."""

    is_cuda = True

    def __init__(self, value: float) -> None:
        self.value, self.event = value, Event()


class Copied:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def item(self) -> float:
        assert self.tensor.event.done, "this would have waited"
        return self.tensor.value


@pytest.fixture
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(tensors: dict[str, Tensor]) -> tuple[list[Event], dict[str, Any]]:
        return [one.event for one in tensors.values()], {name: Copied(one) for name, one in tensors.items()}

    monkeypatch.setattr(values, "_copy", copy)


@pytest.mark.usefixtures("_gpu")
def test_a_value_that_a_gpu_still_computes_is_logged_when_it_is_there(repo: Path) -> None:
    with ledger.run(output=False) as run:
        points = LatePoints(run)
        tensors = [Tensor(float(step)) for step in range(5)]
        for step, tensor in enumerate(tensors):
            points.log({"loss": tensor}, step=step)
            if step == 2:
                tensors[0].event.done = True
        points.log({"loss": 5.0}, step=5)
        points.flush()
    assert run.recorded is not None
    series = run.recorded.record.statistics.series["loss"]
    assert (series.count, series.min, series.last) == (6, 0.0, 5.0)


@pytest.mark.usefixtures("_gpu")
def test_no_more_than_64_points_wait(repo: Path) -> None:
    with ledger.run(output=False) as run:
        points = LatePoints(run)
        tensors = [Tensor(1.0) for _ in range(70)]
        for step, tensor in enumerate(tensors):
            points.log({"loss": tensor}, step=step)
        assert [one.event.done for one in tensors].count(True) == 6
        points.flush()
    assert all(one.event.done for one in tensors)


def test_other_values_are_logged_at_once(repo: Path) -> None:
    with ledger.run(output=False) as run:
        LatePoints(run).log({"loss": 1.0}, step=0)
    assert run.recorded is not None
    assert run.recorded.record.statistics.series["loss"].count == 1
