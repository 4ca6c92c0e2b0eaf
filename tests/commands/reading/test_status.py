"""`ledger status` tells of real processes while they live."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.commands.reading.living_text import living_text
from ledger.session.live.forecast import Forecast
from ledger.session.live.living import Living
from ledger.session.live.progress import RunProgress
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, run_python

TRAIN = """
import os, sys, time, ledger
run = ledger.run("digits", params={"lr": 0.1, "max_steps": 400, "batch_size": 8}, rank=int(os.environ.get("R", 0)))
for step in range(100):
    run.log({"train/loss": 1 / (step + 1)}, step)
    time.sleep(0.002)
print(run.id, flush=True)
sys.stdin.readline()
run.finish()
"""


@contextmanager
def training(repo: Path, script: str = TRAIN) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=repo,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("\n", timeout=60)


def test_a_living_run_is_shown_with_its_position_speed_and_end(repo: Path, cli: Cli) -> None:
    with training(repo) as run:
        told = cli("status")
        assert told.code == 0
        assert f"digits  {run}" in told.out
        assert "] 24.8 %, step" in told.out
        assert "step 99 of 400 (params.max_steps)" in told.out
        assert "samples/s (by batch_size)" in told.out
        assert " left (" in told.out
        assert "train/loss 0.01" in told.out
        (seen,) = json.loads(cli("status", run[16:], "--json").out)
        assert (seen["id"], seen["progress"]["step"], seen["progress"]["total_from"]) == (run, 99, "params.max_steps")
        assert (
            seen["progress"]["left"]["low"] <= seen["progress"]["left"]["seconds"] <= seen["progress"]["left"]["high"]
        )
    assert cli("status").out == "no run lives here now\n"
    gone = cli("status", run)
    assert gone.code == 1
    assert gone.err == (
        f"error: no living run has this id: `{run}`\nhint: what lives: ledger status; what has ended: ledger list\n"
    )
    assert json.loads(cli("status", "--json").out) == []


def test_stated_steps_win_over_params(repo: Path, cli: Cli) -> None:
    with training(repo, TRAIN.replace("rank=", "total_steps=200, rank=")):
        assert "step 99 of 200," in cli("status").out


def test_a_wrapped_command_is_known_by_its_log(repo: Path, cli: Cli) -> None:
    script = "import time\nprint('Epoch 3/10', flush=True)\nopen('printed', 'w').close()\ntime.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", "run", "--experiment", "plain", "--", sys.executable, "-c", script],
        cwd=repo, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while not (repo / "printed").exists():
            time.sleep(0.02)
        deadline = time.monotonic() + 30
        while "epoch 3 of 10 (log)" not in (told := cli("status").out):
            assert time.monotonic() < deadline, told
        assert "20 %" in told
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_watching_a_run_ends_when_it_ends(repo: Path, cli: Cli) -> None:
    script = TRAIN.replace("sys.stdin.readline()", "time.sleep(3)")
    process = run_python(script, cwd=repo)
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    watched = cli("status", run, "--watch", "--every", "0.2", "--json")
    process.communicate(timeout=60)
    assert watched.code == 0
    lines = [json.loads(line) for line in watched.out.splitlines()]
    assert lines
    assert {one["id"] for line in lines for one in line} == {run}
    assert f"{run} has ended; next: ledger show {run[16:]}" in watched.err


def test_the_ranks_of_a_job_are_one_run(repo: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29517"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("R", "0")
    with training(repo) as first:
        monkeypatch.setenv("R", "1")
        with training(repo):
            told = cli("status").out
            assert told.count("digits  ") == 1
            assert first in told
            assert "2 of 2 ranks live" in told


def living(**changes: object) -> Living:
    known = {
        "id": "20261128-094811-wbj045", "status": "running", "experiment": "e\x1b[31mvil", "host": "h", "pid": 7,
        "started_at": "2026-11-28T09:48:11+00:00", "seconds": 60.0, "silence_seconds": 1.0, "progress": RunProgress(),
    }  # fmt: skip
    return Living(**(known | changes))  # type: ignore[arg-type]  # a test's own table


NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(60, "done before"), (10, "not done before"), (21, "perhaps not done before"), (-1, "limit was")],
)
def test_a_time_limit_is_held_against_the_forecast(minutes: int, said: str) -> None:
    left = Forecast(seconds=1200.0, low=1100.0, high=1300.0)
    deadline = (NOW + timedelta(minutes=minutes)).isoformat()
    text = living_text(living(progress=RunProgress(left=left), deadline=deadline), NOW)
    assert said in text.splitlines()[-1]


def test_a_silent_run_is_called_silent_and_names_cannot_draw() -> None:
    guessed = RunProgress(step=3, total=9.0, unit="step", total_from="params.\x1b[31mmax_steps")
    text = living_text(living(silence_seconds=600.0, silent_points_seconds=300.0, progress=guessed), NOW)
    assert "last point 5 min 0 s ago" in text
    assert "last sign of life 10 min 0 s ago" in text
    assert "\x1b[31m" not in text


def test_a_reader_of_a_long_run_reads_its_end_only(repo: Path, cli: Cli) -> None:
    with training(repo) as run:
        events = Branch.open(repo).repository.state_dir / "spool" / run / "events.jsonl"
        line = b'{"is":"log","seconds":%d,"step":%d,"values":{"old":1}}\n'
        with events.open("ab") as file:
            for step in range(100, 120_000):
                file.write(line % (step, step))
        (seen,) = json.loads(cli("status", "--json").out)
        assert seen["progress"]["step"] == 119_999
        assert "train/loss" not in seen["last"]
