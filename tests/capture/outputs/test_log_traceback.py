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
    except (RuntimeError, IndexError, AssertionError) as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_name != "<module>":
            trace = trace.tb_next
        (tmp_path / "log").write_text("".join(traceback.format_exception(error.with_traceback(trace))))
    return tmp_path / "log"


HEAD = "train.py, line 13, in forward: `x = self.head[0](self.body(x))`"


@pytest.mark.parametrize(
    ("wrong", "error", "layer"),
    [
        (
            {"width": 145},
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x144 and 145x8)",
            f"in layer `self.head[0]` (a linear layer), called at {HEAD}",
        ),
        (
            {"channels": 3},
            (
                "RuntimeError: Given groups=1, weight of size [4, 3, 3, 3], expected input[2, 1, 8, 8] to have 3 "
                "channels, but got 1 channels instead"
            ),
            f"the call of `self.body` failed inside, in a convolution, called at {HEAD}",
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
    assert (
        "the call of `net` failed inside, in a linear layer, called at train.py, line 3, in <module>: `out = net("
        in said
    )


FRAMES = """Traceback (most recent call last):
  File "/job/train.py", line 20, in <module>
    net(batch)
  File "/job/train.py", line 9, in forward
    return self.fc(x)
           ^^^^^^^^^^
  File "/env/torch/nn/modules/module.py", line 1, in _call_impl
    return forward_call(*args, **kwargs)
RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x64 and 65x10)
"""
ERROR = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x64 and 65x10)"
LAYER = "; by the traceback in its log, in layer `self.fc`, called at train.py, line 9, in forward: `return self.fc(x)`"
SAID = ERROR + LAYER
OTHER = 'Traceback (most recent call last):\n  File "/job/train.py", line 2, in <module>\n    go()\n{error}\n'
CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
HANDLED = "\nDuring handling of the above exception, another exception occurred:\n\n"
TORCHRUN = (
    "W1129 01:49:40.637000 14175 /env/torch/distributed/elastic/multiprocessing/api.py:1028] Sending process 14428 "
    "closing signal SIGTERM\n"
    "E1129 01:49:40.655000 14175 /env/torch/distributed/elastic/multiprocessing/api.py:1002] failed (exitcode: 1) "
    "local_rank: 0 (pid: 14427) of binary: /env/bin/python\n"
    + OTHER.format(error="torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ")
    + f"{'=' * 60}\ndie.py FAILED\n{'-' * 60}\nFailures:\n  <NO_OTHER_FAILURES>\n{'-' * 60}\n"
    "Root Cause (first observed failure):\n[0]:\n  time      : 2026-11-29_01:49:40\n  host      : localhost\n"
    "  rank      : 0 (local_rank: 0)\n  exitcode  : 1 (pid: 14427) \n  error_file: <N/A>\n"
    f"  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html\n{'=' * 60}\n"
)
SPAWNED = (
    OTHER.format(error="torch.multiprocessing.spawn.ProcessRaisedException: ")
    + "\n-- Process 0 terminated with the following error:\n"
    + FRAMES.replace(
        '"/job/train.py", line 20, in <module>', '"/env/torch/multiprocessing/spawn.py", line 90, in _wrap'
    )
)
ACCELERATE = OTHER.format(
    error="subprocess.CalledProcessError: Command '['train.py']' returned non-zero exit status 1."
)
LEAKED = (
    "/usr/lib/python3.11/multiprocessing/resource_tracker.py:224: UserWarning: resource_tracker: There appear to be 1 "
    "leaked semaphore objects to clean up at shutdown\n  warnings.warn('resource_tracker: There appear to be %d '\n"
)
SHUTDOWN = "Exception ignored in: <function Loader.__del__ at 0x7f>\n" + OTHER.format(error="TypeError: None is gone")
BAR = "Epoch 0:  10%|█         | 3/30 [00:00<00:01, 20.1it/s]"
DEEP = FRAMES.replace("in <module>", "in step")


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (FRAMES, SAID),
        ("".join(f"[rank0]: {line}\n" for line in FRAMES.splitlines()), SAID),
        (
            FRAMES + CAUSE + OTHER.format(error="ValueError: the training broke"),
            f"ValueError: the training broke, raised from {SAID}",
        ),
        (FRAMES + FRAMES + TORCHRUN, SAID),
        (FRAMES + ACCELERATE + "srun: error: n1: task 0: Exited with exit code 1\n", SAID),
        (SPAWNED, SAID),
        (FRAMES + LEAKED, SAID),
        (FRAMES + SHUTDOWN, SAID),
        (f"{BAR}{FRAMES}\r{BAR}\n", SAID),
        (FRAMES + "\nwandb: You can sync this run to the cloud by running:\nwandb: Find logs at: wandb/run-1\n", SAID),
        (DEEP + "\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n", SAID),
        ("noise\n" * 200_000 + FRAMES, SAID),
        (OTHER.format(error="KeyError: 'x'") + HANDLED + FRAMES, SAID),
        (FRAMES + "the shapes are odd, going on\n" + OTHER.format(error="ValueError: no disk"), None),
        (FRAMES + "training goes on\nno space left for the checkpoint\n", None),
        (FRAMES + "going on\n" + TORCHRUN, None),
        (FRAMES + HANDLED + OTHER.format(error="KeyError: 'x'"), None),
        (FRAMES + HANDLED + OTHER.format(error="KeyError: 'x'") + CAUSE + OTHER.format(error="OSError: y"), None),
        ("Exception in thread Thread-1 (f):\n" + DEEP, None),
        (DEEP, None),
        (f"{FRAMES}\r{BAR}\r{BAR.replace('3/30', '4/30')}\n", None),
        (f"{FRAMES}{BAR.replace('10%', '100%')}\n", None),
        (FRAMES + "wandb: WARNING Step must only increase in log calls.\n", None),
        (FRAMES.replace("mat1 and mat2 shapes cannot be multiplied", "CUDA is gone"), None),
        (FRAMES.rsplit("\n", 2)[0], None),
        (OTHER.format(error="ValueError: the shape of a table"), None),
        ("", None),
    ],
    ids=[
        *("plain", "rank", "cause", "torchrun", "accelerate", "spawned", "leaked", "shutdown", "bar", "wandb", "hydra"),
        *("long", "while another was handled", "caught before", "caught", "caught in a rank", "handled"),
        *("handled, then a cause", "thread", "caught in a function", "bar goes on", "bar ends", "wandb goes on"),
        *("other error", "cut", "no layer", "empty"),
    ],
)
def test_only_what_ended_the_training_is_read(tmp_path: Path, log: str, said: str | None) -> None:
    (tmp_path / "log").write_text(log)
    assert failing_layer_in_log(tmp_path / "log", tmp_path) == said


@pytest.mark.parametrize(
    ("source", "marks", "layer"),
    [
        ("return self.fc(x)", "       ^^^^^^^^^^", "in layer `self.fc`, called at"),
        ("y = self.a(self.b(x))", None, "in one of the layers of this line:"),
        ("y = self.a(self.b(x))", "           ^^^^^^^^^", "in layer `self.b`, called at"),
        ("y = self.layers[i](x)", None, "in layer `self.layers[i]`, called at"),
        ("y = self.layer(i)(x)", "    ^^^^^^^^^^^^^^^^", "in one of the layers of this line:"),
        ("y = self.layer(i)(x)", None, "in one of the layers of this line:"),
        ("y = self.head(", "    ^^^^^^^^^^", "in layer `self.head`, called at"),
    ],
)
def test_a_layer_is_named_only_where_the_line_leaves_no_doubt(
    tmp_path: Path, source: str, marks: str | None, layer: str
) -> None:
    line = f"    {source}\n" + (f"    {marks}\n" if marks else "")
    (tmp_path / "log").write_text(FRAMES.replace("    return self.fc(x)\n           ^^^^^^^^^^\n", line))
    said = failing_layer_in_log(tmp_path / "log", tmp_path)
    assert said == f"{ERROR}; by the traceback in its log, {layer} train.py, line 9, in forward: `{source}`"


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("embed(torch.tensor([7]))", "in layer `embed` (an embedding), called at train.py, line 8"),
        (
            "nn.TransformerEncoderLayer(8, 2)(torch.zeros(2, 3, 9))",
            "failed inside, in an activation or attention layer",
        ),
        ("hooked(torch.zeros(2, 3))", "in other code that the call of `hooked` runs, called at train.py, line 8"),
    ],
)
def test_what_failed_has_the_name_that_users_know(tmp_path: Path, call: str, what: str) -> None:
    pytest.importorskip("torch")
    script = (
        "import torch\nfrom torch import nn\n"
        "def hook(module, given, made):\n    return made @ torch.ones(7)\n"
        "hooked = nn.Linear(3, 4)\nhooked.register_forward_hook(hook)\nembed = nn.Embedding(5, 3)\n"
    )
    said = failing_layer_in_log(logged(tmp_path, f"{script}{call}\n"), tmp_path)
    assert said is not None
    assert what in said
    assert "of torch" not in said


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
        "its log, in layer `self.head[0]` (a linear layer), called at train.py, line 13, in forward: "
        "`x = self.head[0](self.body(x))`"
    )
    assert run.record.reason == reason
    assert reason in done.err
    assert reason in cli("show", run.record.id).out


ENDS = {
    "caught, then another code": (
        "import sys, traceback\n"
        "try:\n    net(torch.zeros(2, 1, 8, 8))\nexcept RuntimeError:\n    traceback.print_exc()\nsys.exit(3)\n"
    ),
    "handled": "try:\n    net(torch.zeros(2, 1, 8, 8))\nexcept RuntimeError:\n    {}['x']\n",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_was_handled_is_no_cause_of_death(repo: Path, cli: Cli, end: str) -> None:
    pytest.importorskip("torch")
    (repo / "train.py").write_text(MODEL.format(**{**FITS, "width": 145}) + end)
    done = cli("run", "--", sys.executable, "train.py")
    assert done.code in {1, 3}
    (run,) = Branch.open(repo).contents().runs
    assert run.record.reason == f"exit code {done.code}"
