"""Trainings that die of wrong dimensions name the layer, and the shapes that met in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
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
        (lambda: nn.Conv2d(3, 8, 3), (2, 1, 9, 9), "the module itself: Conv2d(3, 8"),
        (lambda: nn.BatchNorm1d(4), (2, 5), "the module itself: BatchNorm1d(4"),
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


class Head(nn.Module):  # type: ignore[misc, name-defined]  # as above
    """Gives other values, or another shape, to the name of its argument before it fails."""

    def forward(self, x: Any, scale: Any = None) -> Any:
        x = x.flatten(1)
        x = x[:, :3]
        return x @ torch.zeros(7, 2) * scale


class InPlace(nn.Module):  # type: ignore[misc, name-defined]  # as above
    def forward(self, x: Any) -> Any:
        x.unsqueeze_(0)
        return x @ torch.zeros(7, 2)


class Narrower(Head):
    def forward(self, x: Any, scale: Any = None) -> Any:
        return super().forward(x[:1], scale)


class Decorated(Head):
    @torch.no_grad()  # type: ignore[untyped-decorator]  # of torch
    def forward(self, x: Any, scale: Any = None) -> Any:
        x = x.flatten(1)
        return x @ torch.zeros(7, 2) * scale


class Hidden(nn.Module):  # type: ignore[misc, name-defined]  # as above
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(5, 2)]

    def forward(self, x: Any) -> Any:
        return self.layers[0](x)


def hooked(hook: Callable[..., Any]) -> Any:
    model = Head()
    model.register_forward_pre_hook(hook)
    return model


IMAGE = (5, 2, 4, 4)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: Head()(torch.zeros(IMAGE)), "in the module itself: Head() was given x (5, 2, 4, 4)"),
        (
            lambda: Head()(torch.zeros(IMAGE), scale=torch.ones(1)),
            "in the module itself: Head() was given x (5, 2, 4, 4), scale (1)",
        ),
        (lambda: nn.Sequential(Head())(torch.zeros(IMAGE)), "in layer `0`: Head() was given x (5, 2, 4, 4)"),
        (lambda: Head().forward(torch.zeros(IMAGE)), "in the module itself: Head(); x was (5, 3) then"),
        (lambda: InPlace()(torch.zeros(2, 3)), "in the module itself: InPlace(); x was (1, 2, 3) then"),
        (lambda: Narrower()(torch.zeros(IMAGE)), "in the module itself: Narrower() was given x (5, 2, 4, 4)"),
        (lambda: Decorated()(torch.zeros(IMAGE)), "in the module itself: Decorated() was given (5, 2, 4, 4)"),
        (
            lambda: hooked(lambda _, given: (given[0][:1],))(torch.zeros(IMAGE)),
            "in the module itself: Head() was given x (1, 2, 4, 4)",
        ),
        (
            lambda: hooked(lambda _, given: given[0] @ torch.zeros(7, 2))(torch.zeros(IMAGE)),
            "in a hook of the module itself: Head()",
        ),
        (
            lambda: hooked(partial(lambda wide, _, given: given[0] @ wide, torch.zeros(7, 2)))(torch.zeros(IMAGE)),
            "in a hook of the module itself: Head()",
        ),
        (
            lambda: Hidden()(torch.zeros(2, 3)),
            f"in a layer without a name: {nn.Linear(5, 2)}, whose weight is (2, 5), was given input (2, 3)",
        ),
        (
            lambda: nn.MSELoss()(torch.zeros(2, 3), torch.zeros(2, 4)),
            "in the module itself: MSELoss() was given input (2, 3), target (2, 4)",
        ),
    ],
    ids=[
        *("reassigned", "by name", "in a container", "no call of torch", "in place", "class above", "decorated"),
        *("pre-hook", "failing hook", "failing partial hook", "unregistered", "loss"),
    ],
)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_what_a_layer_was_given_is_not_what_its_names_hold_later(work: Callable[[], object], said: str) -> None:
    assert failing_layer(raised(work)) == said


def test_a_module_with_parts_is_named_by_its_class() -> None:
    class Net(nn.Module):  # type: ignore[misc, name-defined]  # as above
        def __init__(self) -> None:
            super().__init__()
            self.part = nn.ReLU()

        def forward(self, batch: dict[str, Any]) -> Any:
            return batch["x"] @ torch.zeros(7, 2)

    assert failing_layer(raised(lambda: Net()({"x": torch.zeros(2, 3)}))) == "in the module itself: Net"


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

        def __repr__(self) -> str:
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
