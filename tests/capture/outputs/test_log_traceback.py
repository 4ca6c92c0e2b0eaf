"""The failing layer of a training that nobody edited, by the traceback in its log."""

import runpy
import sys
import traceback
from pathlib import Path

import pytest

from ledger.capture.outputs.log_traceback import failing_layer_in_log
from ledger.store.branch.branch import Branch
from tests.conftest import Cli

MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d({channels}, 4, 3), nn.Flatten())
        self.head = nn.ModuleList([nn.Linear({width}, 8)])
        self.scale = torch.ones({scale})

    def forward(self, x):
        x = self.head[0](self.body(x))
        return x * self.scale

net = Net()
"""
FITS = {"channels": 1, "width": 144, "scale": 8}


def logged(tmp_path: Path, script: str) -> Path:
    """Return the log of a script that ran in a folder."""
    (tmp_path / "train.py").write_text(script)
    try:
        runpy.run_path(str(tmp_path / "train.py"))
    except RuntimeError:
        (tmp_path / "log").write_text(traceback.format_exc())
    return tmp_path / "log"


HEAD = "train.py, line 13, in forward: `x = self.head[0](self.body(x))`"


@pytest.mark.parametrize(
    ("wrong", "error", "layer"),
    [
        (
            {"width": 145},
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x144 and 145x8)",
            f"in layer `self.head[0]` (linear of torch), called at {HEAD}",
        ),
        (
            {"channels": 3},
            (
                "RuntimeError: Given groups=1, weight of size [4, 3, 3, 3], expected input[2, 1, 8, 8] to have 3 "
                "channels, but got 1 channels instead"
            ),
            f"in layer `self.body` (conv of torch), called at {HEAD}",
        ),
        (
            {"scale": 7},
            "RuntimeError: The size of tensor a (8) must match the size of tensor b (7) at non-singleton dimension 1",
            "in the forward pass itself, at train.py, line 14, in forward: `return x * self.scale`",
        ),
    ],
    ids=["linear", "convolution", "no layer"],
)
def test_the_layer_is_that_of_the_marked_call(tmp_path: Path, wrong: dict[str, int], error: str, layer: str) -> None:
    pytest.importorskip("torch")
    log = logged(tmp_path, MODEL.format(**{**FITS, **wrong}) + "net(torch.zeros(2, 1, 8, 8))\n")
    assert failing_layer_in_log(log, tmp_path) == f"{error}; by the traceback in its log, {layer}"


def test_a_model_without_a_class_of_its_own_is_named_by_the_line_that_calls_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = "import torch\nnet = torch.nn.Sequential(torch.nn.Linear(3, 4))\nout = net(torch.zeros(2, 5))\n"
    said = failing_layer_in_log(logged(tmp_path, script), Path("/elsewhere"))
    assert said is not None
    assert "in layer `net` (linear of torch), called at train.py, line 3, in <module>: `out = net(" in said


FRAMES = """Traceback (most recent call last):
  File "/job/train.py", line 9, in forward
    return self.fc(x)
           ^^^^^^^^^^
  File "/env/torch/nn/modules/module.py", line 1, in _call_impl
    return forward_call(*args, **kwargs)
RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x64 and 65x10)
"""
SAID = (
    "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x64 and 65x10); "
    "by the traceback in its log, in layer `self.fc`, called at train.py, line 9, in forward: `return self.fc(x)`"
)
OTHER = 'Traceback (most recent call last):\n  File "/job/train.py", line 2, in <module>\n    go()\n{error}\n'
CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (FRAMES, True),
        ("".join(f"[rank0]: {line}\n" for line in FRAMES.splitlines()), True),
        (FRAMES + CAUSE + OTHER.format(error="ValueError: the training broke"), True),
        (FRAMES + OTHER.format(error="torch.distributed.elastic.multiprocessing.errors.ChildFailedError: "), True),
        ("noise\n" * 200_000 + FRAMES, True),
        (FRAMES + "the shapes are odd, going on\n" + OTHER.format(error="ValueError: no disk"), False),
        (FRAMES.replace("mat1 and mat2 shapes cannot be multiplied", "CUDA is gone"), False),
        (FRAMES.rsplit("\n", 2)[0], False),
        (OTHER.format(error="ValueError: the shape of a table"), False),
        ("", False),
    ],
    ids=["plain", "rank", "cause", "launcher", "long", "caught before", "other error", "cut", "no layer", "empty"],
)
def test_only_what_ended_the_training_is_read(tmp_path: Path, log: str, found: bool) -> None:  # noqa: FBT001  # a parameter
    (tmp_path / "log").write_text(log)
    assert failing_layer_in_log(tmp_path / "log", tmp_path) == (SAID if found else None)


def test_a_log_that_is_no_text_or_not_there_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff\x00" * 1000 + FRAMES.encode()[:80])
    assert failing_layer_in_log(tmp_path / "log", tmp_path) is None
    assert failing_layer_in_log(tmp_path / "none", tmp_path) is None


def test_the_record_of_an_unedited_script_says_it_and_so_does_the_last_line(repo: Path, cli: Cli) -> None:
    pytest.importorskip("torch")
    (repo / "train.py").write_text(MODEL.format(**{**FITS, "width": 145}) + "net(torch.zeros(2, 1, 8, 8))\n")
    done = cli("run", "--", sys.executable, "train.py")
    assert done.code == 1
    (run,) = Branch.open(repo).contents().runs
    reason = (
        "exit code 1; RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x144 and 145x8); by the traceback in "
        "its log, in layer `self.head[0]` (linear of torch), called at train.py, line 13, in forward: "
        "`x = self.head[0](self.body(x))`"
    )
    assert run.record.reason == reason
    assert reason in done.err
    assert reason in cli("show", run.record.id).out
