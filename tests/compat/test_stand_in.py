"""`ledger run --as`: scripts that know nothing of the ledger reach it, and nothing else changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.compat.stand_in import TRACKERS, environment_as
from ledger.model.record import Record
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli

SCRIPT = """
import NAME as wandb
import NAME.sdk
from NAME.integration.sb3 import WandbCallback
from NAME.sdk.lib.config_util import ConfigError
assert issubclass(ConfigError, Exception)
WandbCallback(verbose=2)
with wandb.init(project="digits", config={"lr": 0.1}) as run:
    for step in range(3):
        wandb.log({"train/loss": 1 / (step + 1)})
    run.summary["validation/accuracy"] = 0.9
"""

WRITER = """
import sys
from torch.utils.tensorboard import SummaryWriter
import tensorboardX
assert tensorboardX.SummaryWriter is SummaryWriter
with SummaryWriter("runs/one") as writer:
    for step in range(3):
        writer.add_scalar("train/loss", 1 / (step + 1), step)
"""


@pytest.fixture(autouse=True)
def _package(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def recorded() -> Record:
    (run,) = Branch.open(Path()).contents().runs
    return run.record


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_an_unedited_script_reaches_the_ledger(repo: Path, cli: Cli, name: str) -> None:
    (repo / "train.py").write_text(SCRIPT.replace("NAME", name))
    done = cli("run", "--as", name, "--", sys.executable, "train.py")
    assert done.code == 0, done.err
    record = recorded()
    assert (record.experiment, record.params.values["lr"]) == ("digits", 0.1)
    assert record.statistics.series["train/loss"].count == 3
    assert [metric.key for metric in record.results.metrics] == ["validation/accuracy"]
    assert record.command[-1] == "train.py"


@pytest.mark.slow
def test_a_writer_of_torch_reaches_the_ledger(repo: Path, cli: Cli) -> None:
    pytest.importorskip("torch")
    (repo / "train.py").write_text(WRITER)
    done = cli("run", "--as", "tensorboard", "--", sys.executable, "train.py")
    assert done.code == 0, done.err
    assert recorded().statistics.series["train/loss"].count == 3
    assert not (repo / "runs").exists()


def test_a_script_that_fails_has_its_exit_code_and_its_points(repo: Path, cli: Cli) -> None:
    (repo / "train.py").write_text("import wandb\nwandb.init()\nwandb.log({'loss': 1})\nraise SystemExit(3)\n")
    assert cli("run", "--as", "wandb", "--", sys.executable, "train.py").code == 3
    assert (recorded().status, recorded().statistics.series["loss"].count) == ("failed", 1)


@pytest.mark.parametrize(
    ("tracker", "script"),
    [("wandb", "import wandb"), ("tensorboard", "import tensorboardX")],
)
def test_a_python_without_the_ledger_is_told_what_it_lacks(repo: Path, tracker: str, script: str) -> None:
    variables = environment_as(tracker, {})
    command = [sys.executable, "-c", f"import sys; sys.modules['ledger'] = None; {script}"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert f"`ledger run --as {tracker}` needs git-ledger in the Python of the command" in done.stderr


def test_a_tracker_that_nobody_stands_in_for_is_refused(cli: Cli) -> None:
    assert cli("run", "--as", "mlflow", "--", "true").code == 2


def test_a_path_that_was_there_stays_behind_ours() -> None:
    for tracker in TRACKERS:
        first, *rest = environment_as(tracker, {"PYTHONPATH": "/a:/b"})["PYTHONPATH"].split(os.pathsep)
        assert Path(first).is_dir()
        assert rest == ["/a", "/b"]
        assert environment_as(tracker, {})["PYTHONPATH"] == first


def test_a_sitecustomize_of_the_machine_is_run_as_always(repo: Path) -> None:
    own = repo / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import builtins\nbuiltins.customised = True\n")
    variables = environment_as("tensorboard", {"PYTHONPATH": f"{own}{os.pathsep}{ROOT}"})
    script = "import sys; print(customised, 'ledger' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]
