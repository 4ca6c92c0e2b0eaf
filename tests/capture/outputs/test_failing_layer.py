"""Trainings that die of wrong dimensions name the layer, and the shapes that met in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.capture.outputs.failing_layer import failing_layer
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli

torch = pytest.importorskip("torch")
nn = torch.nn


def raised(work: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # each model fails in its own way
        work()
    return caught.value


class Classifier(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(12, 4))

    def forward(self, image: Any) -> Any:
        return self.head(self.body(image))


def test_the_innermost_layer_and_both_shapes_are_named() -> None:
    found = failing_layer(raised(lambda: Classifier()(torch.zeros(3, 8))))
    assert found == (
        "in layer `head.1`: Linear(in_features=12, out_features=4, bias=True), whose weight is (4, 12), "
        "was given input (3, 16)"
    )


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        (lambda: nn.Conv2d(3, 8, 3), (2, 1, 9, 9), "the model itself: Conv2d(3, 8"),
        (lambda: nn.BatchNorm1d(4), (2, 5), "the model itself: BatchNorm1d(4"),
        (lambda: nn.Sequential(nn.LSTM(4, 8)), (7, 2, 5), "layer `0`: LSTM(4, 8)"),
    ],
    ids=["convolution", "normalisation", "recurrent"],
)
def test_other_layers_are_named_or_nothing_is(
    model: Callable[[], Any], given: tuple[int, ...], expected: str | None
) -> None:
    made = model()
    found = failing_layer(raised(lambda: made(torch.zeros(*given))))
    assert (found is None) if expected is None else (found is not None and expected in found)


def test_exceptions_about_something_else_name_no_layer() -> None:
    class Broken(nn.Module):  # type: ignore[misc, name-defined]  # as above
        def forward(self, _: Any) -> Any:
            raise ValueError("the file is gone")

    assert failing_layer(raised(lambda: Broken()(torch.zeros(1)))) is None
    assert failing_layer(ValueError("a shape outside of any layer")) is None


def test_objects_that_raise_when_they_are_looked_at_change_nothing() -> None:
    class Hostile(nn.Module):  # type: ignore[misc, name-defined]  # as above
        def forward(self, _: Any) -> Any:
            raise RuntimeError("wrong shape")

        def named_modules(self, *_: Any, **__: Any) -> Any:
            raise SystemError("no")

    assert failing_layer(raised(lambda: Hostile()(torch.zeros(1)))) is None


def test_the_record_says_it_and_so_does_the_last_line(repo: Path, cli: Cli) -> None:
    (repo / "train.py").write_text(
        "import torch, ledger\n"
        "model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(12, 4))\n"
        "with ledger.run('shapes'):\n"
        "    model(torch.zeros(3, 8))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "train.py"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (run,) = Branch.open(repo).contents().runs
    linear = "Linear(in_features=12, out_features=4, bias=True)"
    layer = f"in layer `1`: {linear}, whose weight is (4, 12), was given input (3, 16)"
    assert run.record.reason is not None
    assert run.record.reason.endswith(layer)
    assert run.record.reason.startswith("RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert layer in done.stderr
    assert layer in cli("show", run.record.id).out
