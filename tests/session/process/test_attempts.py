"""Attempts of one training that was stopped and resumed are one run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.model.entries import StoredRun
from ledger.session.process.resume import find_resume
from ledger.session.spool.spool import LOG, spools
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli

TRAIN = """
import os, sys, time, ledger
first, last, end = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with ledger.run("long", params={"lr": 0.1}, resume=os.environ.get("KEY"), output=False) as run:
    for step in range(first, last):
        run.log({"loss": 1 / (step + 1), "attempt": float(first)}, step)
    open("id", "w").write(run.id)
    if end == "kill":
        os.kill(os.getpid(), 9)
    if end == "term":
        os.kill(os.getpid(), 15)
    if end == "raise":
        raise RuntimeError("out of memory")
    if end == "slow":
        while not os.path.exists("go"):
            time.sleep(0.01)
    run.metric("score", last / 100, split="validation")
"""


@pytest.fixture
def script(repo: Path) -> Path:
    path = repo / "train.py"
    path.write_text(TRAIN)
    return path


def attempt(script: Path, first: int, last: int, end: str = "well", **variables: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KEY": "job-7"} | variables
    command = [sys.executable, str(script), str(first), str(last), end]
    subprocess.run(command, cwd=script.parent, env=environment, capture_output=True, check=False, timeout=60)
    return (script.parent / "id").read_text()


def runs(repo: Path) -> tuple[StoredRun, ...]:
    return tuple(Branch.open(repo).contents().runs)


def waiting(repo: Path) -> list[Path]:
    return spools(Branch.open(repo).repository.state_dir)


def test_attempts_are_one_run_under_the_id_of_the_first(repo: Path, script: Path, cli: Cli) -> None:
    seen = {attempt(script, 0, 10, "kill"), attempt(script, 5, 15, "term"), attempt(script, 8, 20, "raise")}
    cli("list")
    assert runs(repo) == ()
    seen.add(attempt(script, 12, 25))
    (run,) = runs(repo)
    record = run.record
    assert seen == {record.id}
    told = [(one.status, one.last_step) for one in record.timing.attempts]
    assert told == [("lost", 9), ("killed", 14), ("failed", 19), ("finished", 24)]
    assert record.timing.attempts[0].run == record.id
    assert record.status == "finished"
    assert record.timing.duration_seconds == pytest.approx(
        sum(one.duration_seconds for one in record.timing.attempts), abs=0.01
    )
    assert waiting(repo) == []


def test_a_stretch_that_was_trained_again_counts_once(repo: Path, script: Path, cli: Cli) -> None:
    attempt(script, 0, 10, "kill")
    attempt(script, 6, 12)
    record = runs(repo)[0].record
    assert record.statistics.series["loss"].count == 12
    assert record.statistics.series["attempt"].last == 6.0
    assert record.statistics.series["attempt"].mean == pytest.approx(6 * 6 / 12)


def test_an_attempt_that_is_not_resumed_is_recorded_as_it_is_on_request(repo: Path, script: Path, cli: Cli) -> None:
    attempt(script, 0, 10, "raise")
    assert "waits for its next attempt" in cli("recover", "--list").out
    cli("recover")
    (run,) = runs(repo)
    assert (run.record.status, run.record.reason) == ("failed", "RuntimeError: out of memory")
    assert waiting(repo) == []


def test_an_attempt_that_nobody_resumed_for_a_week_is_recorded_by_any_command(
    repo: Path, script: Path, cli: Cli
) -> None:
    attempt(script, 0, 10, "kill")
    (folder,) = waiting(repo)
    then = time.time() - 8 * 86_400
    for path in folder.rglob("*"):
        os.utime(path, (then, then))
    cli("list")
    assert [run.record.status for run in runs(repo)] == ["lost"]


def test_two_attempts_at_once_are_two_runs(repo: Path, script: Path, cli: Cli) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KEY": "job-7"}
    slow = subprocess.Popen([sys.executable, str(script), "0", "5", "slow"], cwd=repo, env=environment)
    deadline = time.monotonic() + 30
    while not (repo / "id").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    attempt(script, 5, 9)
    (repo / "go").touch()
    assert slow.wait(60) == 0
    assert [run.record.statistics.series["loss"].count for run in runs(repo)] == [5, 4]
    assert all(run.record.timing.attempts == [] for run in runs(repo))


def test_other_keys_are_other_runs(repo: Path, script: Path, cli: Cli) -> None:
    attempt(script, 0, 10, "kill", KEY="a")
    attempt(script, 0, 10, KEY="b")
    (run,) = runs(repo)
    assert run.record.timing.attempts == []
    assert len(waiting(repo)) == 1


def test_a_record_that_a_kill_kept_from_clearing_up_is_made_once(repo: Path, script: Path, cli: Cli) -> None:
    attempt(script, 0, 10, "kill")
    (first,) = waiting(repo)
    kept = {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()}
    attempt(script, 10, 20)
    first.mkdir()
    for name, data in kept.items():
        (first / name).write_bytes(data)
    cli("recover")
    assert [len(run.record.timing.attempts) for run in runs(repo)] == [2]
    assert waiting(repo) == []


def test_logs_of_all_attempts_are_one(repo: Path, script: Path, cli: Cli) -> None:
    said = TRAIN.replace("output=False", "output=True").replace("    open(", "    print('from', first)\n    open(")
    script.write_text(said)
    attempt(script, 0, 10, "kill")
    (folder,) = waiting(repo)
    deadline = time.monotonic() + 30
    while b"from 0" not in (folder / LOG).read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    attempt(script, 5, 15)
    (run,) = runs(repo)
    log = Branch.open(repo).read(f"{run.path}/log.txt") or b""
    assert log.index(b"from 0") < log.index(b"from 5")


def test_a_wrapped_command_is_resumed_by_the_variable(repo: Path, cli: Cli) -> None:
    (repo / "job.sh").write_text("exit ${CODE:-0}\n")
    for code in ("3", "0"):
        cli("run", "-e", "wrapped", "--", "sh", "job.sh", env={"LEDGER_RESUME": "job-8", "CODE": code})
    (run,) = runs(repo)
    assert [one.status for one in run.record.timing.attempts] == ["failed", "finished"]


def test_a_launcher_that_restarts_its_processes_gives_the_key() -> None:
    first = {"TORCHELASTIC_RUN_ID": "x", "TORCHELASTIC_RESTART_COUNT": "0", "TORCHELASTIC_MAX_RESTARTS": "1"}
    second = first | {"TORCHELASTIC_RESTART_COUNT": "1"}
    assert find_resume(first, None).key == find_resume(second, None).key is not None
    assert (find_resume(first, None).last, find_resume(second, None).last) == (False, True)
    assert find_resume(first | {"TORCHELASTIC_MAX_RESTARTS": "0"}, None).key is None
    assert find_resume(first | {"LEDGER_RESUME": "a"}, None).key == "a"
    assert find_resume(first | {"LEDGER_RESUME": "a"}, "b").key == "b"
    assert find_resume({}, None).key is None
