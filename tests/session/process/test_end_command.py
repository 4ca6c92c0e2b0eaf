"""The command at the end of each run: asked for in git's configuration, and never in the way of a training."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli, git_in, run_python

WRITES = 'printf "%s|%s|%s" "$LEDGER_RUN_ID" "$LEDGER_STATUS" "$LEDGER_EXPERIMENT" > ended'


def test_it_runs_at_the_end_of_a_script_and_of_a_command(repo: Path, cli: Cli) -> None:
    git_in(repo, "config", "ledger.onEnd", WRITES)
    run_python("import ledger\nwith ledger.run('digits; $(touch evil)') as run: pass", cwd=repo).communicate(timeout=60)
    (run,) = Branch.open(repo).contents().runs
    assert (repo / "ended").read_text() == f"{run.record.id}|finished|digits; $(touch evil)"
    assert not (repo / "evil").exists()
    assert cli("run", "--experiment", "wrapped", "--", "false").code == 1
    assert (repo / "ended").read_text().endswith("|failed|wrapped")


def test_what_fails_is_said_and_changes_no_exit_code(repo: Path, cli: Cli) -> None:
    git_in(repo, "config", "ledger.onEnd", "exit 3")
    told = cli("run", "--", "true")
    assert told.code == 0
    assert "warning: ledger.onEnd ended with exit code 3: `exit 3`" in told.err


def test_what_takes_long_goes_on_by_itself(repo: Path, cli: Cli) -> None:
    git_in(repo, "config", "ledger.onEnd", "sleep 4; touch done")
    started = time.monotonic()
    assert cli("run", "--", "true").code == 0
    while not (repo / "done").exists():
        assert time.monotonic() - started < 60
        time.sleep(0.05)


def test_no_policy_can_name_one(repo: Path, cli: Cli) -> None:
    cli("init")
    told = cli("policy", "set", "onEnd", "touch evil")
    assert told.code != 0
    assert cli("run", "--", "true").code == 0
    assert not (repo / "evil").exists()


@pytest.mark.parametrize("late", [False, True])
def test_an_end_at_the_time_limit_of_the_job_says_so(repo: Path, monkeypatch: pytest.MonkeyPatch, late: bool) -> None:  # noqa: FBT001  # a parameter of the test
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + (3600 if late else 1)))
    script = "import ledger, time\nrun = ledger.run('long')\nprint('begun', flush=True)\ntime.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=repo, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    process.terminate()
    process.communicate(timeout=60)
    (run,) = Branch.open(repo).contents().runs
    assert (run.record.status, run.record.reason) == (
        "killed",
        "SIGTERM" + ("" if late else ", at the time limit of the job"),
    )
