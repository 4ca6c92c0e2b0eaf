"""Attempts of one training that was stopped and resumed are one run."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ledger.model.entries import StoredRun
from ledger.recorder.record.draft import Rank
from ledger.session.process.resume import with_resume_key
from ledger.session.spool.events import Start
from ledger.session.spool.spool import CAPTURED, LOG, spools
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


def test_a_problem_that_only_an_earlier_attempt_had_names_it(repo: Path, script: Path, cli: Cli) -> None:
    script.write_text(TRAIN.replace('"attempt": float(first)', '"attempt": None if first == 0 else 1.0'))
    attempt(script, 0, 3, "kill")
    attempt(script, 3, 6)
    assert runs(repo)[0].record.results.unknown["curves"].startswith("attempt 1: no numbers, so left out: attempt")


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


SWEEP = """
import ledger
for lr in (0.1, 0.2, 0.3):
    try:
        with ledger.run("sweep", params={"lr": lr}, output=False) as run:
            run.log({"loss": lr}, 0)
            if lr == 0.1:
                raise RuntimeError("diverged")
    except RuntimeError:
        pass
"""


def test_trials_of_a_job_that_may_be_started_again_are_no_attempts_of_one_another(repo: Path, cli: Cli) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LEDGER_RESUME": "job-9"}
    subprocess.run([sys.executable, "-c", SWEEP], cwd=repo, env=environment, check=True, timeout=60)
    cli("recover")
    told = {run.record.params.values["lr"]: (run.record.status, len(run.record.timing.attempts)) for run in runs(repo)}
    assert told == {0.1: ("failed", 0), 0.2: ("finished", 0), 0.3: ("finished", 0)}


def test_attempts_that_differ_say_in_what_and_other_machines_have_no_common_price(
    repo: Path, script: Path, cli: Cli
) -> None:
    attempt(script, 0, 10, "kill")
    (folder,) = waiting(repo)
    captured = (folder / CAPTURED).read_text()
    (folder / CAPTURED).write_text(captured.replace('"cpu":"', '"cpu":"another '))
    script.write_text(TRAIN.replace('"lr": 0.1', '"lr": 0.2'))
    attempt(script, 10, 20)
    record = runs(repo)[0].record
    assert record.params.values["lr"] == 0.2
    assert record.results.unknown["attempts"] == "attempts differ, so the last counts, in: lr, code"
    assert record.cost.amount is None
    assert "2 kinds of machine" in record.cost.unknown["amount"]


def test_two_wrapped_commands_at_once_are_two_runs(repo: Path, cli: Cli) -> None:
    (repo / "job.sh").write_text("echo $LEDGER_RUN_ID >> ids; while [ ! -e go ]; do sleep 0.05; done\n")
    command = [sys.executable, "-m", "ledger", "run", "-e", "wrapped", "--", "sh", "job.sh"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LEDGER_RESUME": "job-8"}
    both = [subprocess.Popen(command, cwd=repo, env=environment, stderr=subprocess.DEVNULL) for _ in range(2)]
    deadline = time.monotonic() + 60
    while not (repo / "ids").exists() or len((repo / "ids").read_text().split()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (repo / "go").touch()
    assert [one.wait(60) for one in both] == [0, 0]
    assert len(runs(repo)) == 2
    assert all(run.record.timing.attempts == [] for run in runs(repo))


def start(**changes: object) -> Start:
    began = datetime(2026, 11, 20, tzinfo=UTC)
    known = Start(id="x", host="h", pid=1, started_at=began, experiment="e", command=["python", "a.py", "--resume"])
    return msgspec.structs.replace(known, **changes)


def test_a_launcher_that_restarts_its_processes_gives_the_key() -> None:
    first = {"TORCHELASTIC_RUN_ID": "x", "TORCHELASTIC_RESTART_COUNT": "0", "TORCHELASTIC_MAX_RESTARTS": "1"}
    second = first | {"TORCHELASTIC_RESTART_COUNT": "1"}
    keyed = [with_resume_key(start(), variables) for variables in (first, second)]
    assert keyed[0].resume == keyed[1].resume is not None
    assert [one.last_attempt for one in keyed] == [False, True]
    assert with_resume_key(start(), first | {"TORCHELASTIC_MAX_RESTARTS": "0"}).resume is None
    assert with_resume_key(start(), {}).resume is None


def test_what_the_script_states_stands_before_a_variable_which_is_that_of_a_whole_job() -> None:
    variable = {"LEDGER_RESUME": "a"}
    assert with_resume_key(start(), variable, stated="b").resume == "b"
    key = with_resume_key(start(), variable).resume
    assert key == with_resume_key(start(command=["python", "a.py"]), variable).resume
    others = [start(params={"lr": 0.1}), start(seed=1), start(experiment="f"), start(command=["python", "b.py"])]
    assert len({key, *(with_resume_key(one, variable).resume for one in others)}) == 5
    ranks = [start(rank=Rank(rank=number, processes=2, launcher="x"), per_rank=True) for number in range(2)]
    assert len({with_resume_key(one, variable, stated="b").resume for one in ranks}) == 2


def test_a_wrapped_command_states_its_key_as_an_option(repo: Path, cli: Cli) -> None:
    (repo / "once.sh").write_text("test -e done || { touch done; exit 3; }\n")
    assert cli("run", "--resume", "night", "--", "sh", "once.sh").code == 3
    assert runs(repo) == ()
    assert cli("run", "--resume", "night", "--", "sh", "once.sh").code == 0
    (run,) = runs(repo)
    assert [one.status for one in run.record.timing.attempts] == ["failed", "finished"]


RESUMES = """
import os, sys, ledger
first, ending = sys.argv[1], sys.argv[2]
with ledger.run("long", params={"lr": float(sys.argv[3])}, seed=1, output=False) as run:
    if first == "resumed":
        run.resumed_from("last.pt")
    open("last.pt", "a").write(first)
    run.model("last.pt")
    if ending == "raise":
        raise MemoryError("preempted")
    if ending == "kill":
        os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("ending", ["raise", "kill"])
def test_a_run_that_loads_the_checkpoint_of_a_stopped_one_is_its_next_attempt(ending: str, repo: Path) -> None:
    (repo / "own.py").write_text(RESUMES)
    run_python_file(repo, "first", ending, "0.1")
    assert run_python_file(repo, "resumed", "well", "0.1").returncode == 0
    earlier, later = sorted(runs(repo), key=lambda run: run.record.timing.started_at)
    assert later.record.parent == earlier.record.id
    assert (earlier.continued_by, later.continues) == (later.record.id, [earlier.record.id])


@pytest.mark.parametrize(("ending", "lr"), [("well", "0.1"), ("raise", "0.2")])
def test_a_run_that_is_derived_from_another_is_one_of_its_own(ending: str, lr: str, repo: Path) -> None:
    (repo / "own.py").write_text(RESUMES)
    run_python_file(repo, "first", ending, "0.1")
    run_python_file(repo, "resumed", "well", lr)
    earlier, later = sorted(runs(repo), key=lambda run: run.record.timing.started_at)
    assert later.record.parent == earlier.record.id
    assert not [*earlier.notes, *later.notes]


def test_a_run_is_never_its_own_parent(repo: Path) -> None:
    (repo / "own.py").write_text(
        "import ledger\nopen('last.pt', 'w').write('w')\n"
        "with ledger.run('x') as run:\n    run.model('last.pt'); run.resumed_from('last.pt')\n"
    )
    assert "no run here has recorded this checkpoint" in run_python_file(repo).stderr
    (run,) = runs(repo)
    assert run.record.parent is None


@pytest.mark.parametrize("parent", ["../../..", "20261128-094811-wbj045", "\x1b[31m"])
def test_a_parent_that_is_no_run_here_costs_no_record(parent: str, repo: Path) -> None:
    (repo / "own.py").write_text(
        "import ledger, sys\nopen('last.pt', 'w').write('w')\n"
        "with ledger.run('x', parent=sys.argv[1]) as run:\n    run.resumed_from('last.pt')\n"
    )
    assert run_python_file(repo, parent).returncode == 0
    assert len(runs(repo)) == 1


def test_a_checkpoint_that_nobody_recorded_names_no_parent(repo: Path) -> None:
    (repo / "own.py").write_text(RESUMES)
    (repo / "last.pt").write_text("from somewhere else")
    done = run_python_file(repo, "resumed", "well", "0.1")
    assert "no run here has recorded this checkpoint as its model: `last.pt`" in done.stderr
    (run,) = runs(repo)
    assert run.record.parent is None
    (repo / "last.pt").unlink()
    assert "there is no model at: `last.pt`" in run_python_file(repo, "resumed", "well", "0.1").stderr


def run_python_file(repo: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "own.py", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=repo, env=environment, capture_output=True, text=True, check=False, timeout=60)
