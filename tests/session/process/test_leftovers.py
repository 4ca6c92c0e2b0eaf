"""What a training leaves fills the boxes that nobody filled, and what was said always wins."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ledger.model.record import Record
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli

PYTHON = sys.executable
SCRIPT = """
    import argparse, pathlib
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--out-dir", default="out")
    args = parser.parse_args()
    for epoch in range(args.epochs):
        print(f"epoch {epoch}: train loss {1 / (epoch + 1)}, val loss {2 / (epoch + 1)}")
    folder = pathlib.Path(args.out_dir)
    folder.mkdir(exist_ok=True)
    (folder / "model.pt").write_bytes(b"weights")
"""


def script(repo: Path, text: str = SCRIPT) -> None:
    (repo / "train.py").write_text(textwrap.dedent(text))


def records(repo: Path) -> list[Record]:
    return [run.record for run in Branch.open(repo).contents().runs]


def only(repo: Path) -> Record:
    (record,) = records(repo)
    return record


def test_a_script_that_knows_nothing_fills_its_boxes(repo: Path, cli: Cli) -> None:
    script(repo)
    done = cli("run", "--", PYTHON, "train.py", "--lr", "0.5", "--out-dir", "left")
    record = only(repo)
    assert record.params.values == {"lr": 0.5, "out_dir": "left", "epochs": 2}
    assert record.params.found == {"lr": "argv", "out_dir": "argv", "epochs": "argparse in train.py"}
    assert record.results.found == {"curves": "log"}
    assert record.statistics.series["val/loss"].count == 2
    assert record.headline is not None
    assert (record.headline.key, record.headline.value, record.headline.origin) == ("val/loss", 1.0, "curve")
    assert (record.model.path, record.model.found) == ("left/model.pt", {"all": "left/model.pt, written by the run"})
    (line,) = [line for line in done.err.splitlines() if line.startswith("hint: found")]
    assert line == (
        "hint: found 2 params in argv, 1 param in argparse in train.py, curves in log, model left/model.pt; "
        "unknown boxes: datasets; fill them with `ledger run --dataset ROLE=PATH`"
    )
    shown = cli("show", record.id).out
    assert "lr, out_dir in argv" in shown
    assert "epochs in argparse in train.py" in shown
    assert "everything in left/model.pt, written by the run" in shown
    assert cli("verify").code == 0


def test_what_was_said_wins(repo: Path, cli: Cli) -> None:
    script(repo)
    given = ["-p", "lr=0.7", "-m", "validation/accuracy=0.9", "--model", "train.py"]
    cli("run", *given, "--", PYTHON, "train.py", "--lr", "0.5")
    record = only(repo)
    assert record.params.values == {"lr": 0.7, "epochs": 2, "out_dir": "out"}
    assert "lr" not in record.params.found
    assert [metric.key for metric in record.results.metrics] == ["validation/accuracy"]
    assert record.model.path == "train.py"
    assert record.model.found == {}


def test_a_script_that_states_its_params_states_all_of_them(repo: Path, cli: Cli) -> None:
    script(repo, "import ledger\nwith ledger.run(params={'rate': 0.5}) as run:\n    run.log({'loss': 1.0}, step=0)\n")
    cli("run", "--", PYTHON, "train.py", "--lr", "0.5")
    record = only(repo)
    assert record.params.values == {"rate": 0.5}
    assert record.params.found == {}
    assert list(record.statistics.series) == ["loss"]


def test_a_run_of_the_api_takes_what_its_script_left(repo: Path, cli: Cli) -> None:
    text = """
        import pathlib, ledger
        with ledger.run("api"):
            for step in range(3):
                print(f"step {step}: loss {1 / (step + 1)}")
            pathlib.Path("model.pt").write_bytes(b"weights")
        """
    script(repo, text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([PYTHON, "train.py", "--lr", "0.5"], check=True, env=environment, capture_output=True)
    record = only(repo)
    assert (record.params.values, record.params.found) == ({"lr": 0.5}, {"all": "argv"})
    assert record.results.found == {"curves": "log"}
    assert record.model.path == "model.pt"


@pytest.mark.parametrize("choice", ["off", "log"])
def test_a_choice_limits_what_is_found(repo: Path, cli: Cli, choice: str) -> None:
    script(repo)
    cli("run", "--harvest", choice, "--", PYTHON, "train.py", "--lr", "0.5")
    record = only(repo)
    assert record.params.values == {}
    assert record.model.path is None
    assert bool(record.statistics.series) == (choice == "log")


def test_the_policy_decides_where_nobody_chose(repo: Path, cli: Cli) -> None:
    script(repo)
    assert cli("init").code == 0
    assert cli("policy", "set", "harvest", "off").code == 0
    cli("run", "--", PYTHON, "train.py", "--lr", "0.5")
    cli("run", "--harvest", "argv", "--", PYTHON, "train.py", "--lr", "0.5")
    assert [record.params.values for record in records(repo)] == [{}, {"lr": 0.5}]
    done = cli("policy", "set", "harvest", "everything")
    assert done.code == 1
    assert "nothing is found in: `everything`" in done.err


def test_a_wrong_choice_is_refused_before_anything_runs(repo: Path, cli: Cli) -> None:
    done = cli("run", "--harvest", "telepathy", "--", "touch", "here")
    assert done.code == 2
    assert "nothing is found in: `telepathy`" in done.err
    assert not (repo / "here").exists()


def test_files_of_the_run_before_are_not_those_of_this_one(repo: Path, cli: Cli) -> None:
    script(repo)
    cli("run", "--", PYTHON, "train.py")
    cli("run", "--", PYTHON, "-c", "print('nothing')")
    first, second = records(repo)
    assert first.model.path == "out/model.pt"
    assert second.model.unknown == {"all": "no model was given"}


def test_files_beside_a_run_that_goes_on_at_the_same_time_are_left_out(repo: Path, cli: Cli) -> None:
    script(repo)
    (repo / "long.py").write_text("import time\nopen('started', 'w').close()\ntime.sleep(60)\n")
    command = [PYTHON, "-m", "ledger", "run", "--", PYTHON, "long.py"]
    other = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not (repo / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        cli("run", "--", PYTHON, "train.py")
        (repo / "mine").mkdir()
        cli("run", "--", PYTHON, "train.py", "--out-dir", "mine")
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()
    first, second = records(repo)
    assert first.model.path is None
    assert "another run was going on here at the same time" in first.model.unknown["all"]
    assert second.model.path == "mine/model.pt"
    assert first.results.found == {"curves": "log"}, "its own output is its own"


def test_secrets_in_what_is_found_are_replaced(repo: Path, cli: Cli) -> None:
    script(repo, "print('done')\n")
    key = "AKIA" + "Z7QW3KNV5TRX2BLM"
    cli("run", "--", PYTHON, "train.py", "--api-key", "hunter2hunter2", "--note", key)
    record = only(repo)
    assert "hunter2" not in json.dumps(record.params.values)
    assert key not in json.dumps(record.params.values)
    assert sum(record.redactions.values()) >= 2
