"""One training, one record: runs inside `ledger run`, and runs handed to other processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.model.entries import StoredRun
from ledger.session.spool.recovery import recover
from ledger.session.spool.spool import spool_dir
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli, run_python

PYTHON = sys.executable

SWEEP = """
import ledger
for seed in range(3):
    with ledger.run("inner", params={"seed": seed}) as run:
        run.log({"train/loss": seed + 0.5}, 0)
        run.metric("accuracy", seed / 10, split="validation")
"""


def runs_of(repo: Path) -> list[StoredRun]:
    return list(Branch.open(repo).contents().runs)


def by_experiment(repo: Path, name: str) -> list[StoredRun]:
    return [run for run in runs_of(repo) if run.record.experiment == name]


def test_every_run_of_a_sweep_has_a_record_of_its_own(repo: Path, cli: Cli) -> None:
    assert cli("run", "-e", "sweep", "--", PYTHON, "-c", SWEEP).code == 0
    (outer,) = by_experiment(repo, "sweep")
    inner = by_experiment(repo, "inner")
    assert [(run.record.params.values["seed"], run.record.results.metrics[0].value) for run in inner] == [
        (0, 0.0),
        (1, 0.1),
        (2, 0.2),
    ]
    assert {run.record.parent for run in inner} == {outer.record.id}
    assert sorted(outer.record.children) == sorted(run.record.id for run in inner)
    assert all(run.record.statistics.series["train/loss"].count == 1 for run in inner)


def test_a_command_of_several_runs_keeps_no_value_of_any_of_them(repo: Path, cli: Cli) -> None:
    cli("run", "-e", "sweep", "--param", "study=3", "--", PYTHON, "-c", SWEEP)
    (outer,) = by_experiment(repo, "sweep")
    assert outer.record.params.values == {"study": "3" if isinstance(outer.record.params.values["study"], str) else 3}
    assert outer.record.results.metrics == []
    assert outer.record.results.curves is None
    assert outer.record.results.unknown["metrics"] == "3 runs started in it have records of their own"
    shown = cli("show", outer.record.id).out
    assert "children" in shown


def test_a_failure_that_the_script_caught_is_not_that_of_the_command(repo: Path, cli: Cli) -> None:
    script = """
import ledger
for seed in range(2):
    try:
        with ledger.run("inner", params={"seed": seed}):
            if seed == 0:
                raise ValueError("diverged")
    except ValueError:
        pass
"""
    assert cli("run", "-e", "sweep", "--", PYTHON, "-c", script).code == 0
    assert [run.record.status for run in by_experiment(repo, "sweep")] == ["finished"]
    assert {run.record.params.values["seed"]: run.record.status for run in by_experiment(repo, "inner")} == {
        0: "failed",
        1: "finished",
    }


def test_the_only_run_has_its_own_record_where_it_failed_and_the_command_did_not(repo: Path, cli: Cli) -> None:
    script = """
import ledger
try:
    with ledger.run("inner", params={"lr": 0.1}) as run:
        run.log(loss=3.0)
        raise ValueError("diverged")
except ValueError:
    pass
"""
    assert cli("run", "-e", "outer", "--", PYTHON, "-c", script).code == 0
    (outer,), (inner,) = by_experiment(repo, "outer"), by_experiment(repo, "inner")
    assert (outer.record.status, inner.record.status) == ("finished", "failed")
    assert (outer.record.children, inner.record.parent) == ([inner.record.id], outer.record.id)
    assert outer.record.params.values == {}
    assert inner.record.statistics.series["loss"].last == 3.0


def test_runs_in_threads_at_the_same_time_are_not_mixed(repo: Path, cli: Cli) -> None:
    script = """
import ledger, threading
both = threading.Barrier(2)
def trial(number):
    with ledger.run("inner", params={"number": number}) as run:
        for step in range(20):
            both.wait()
            run.log({"loss": float(number)}, step)
threads = [threading.Thread(target=trial, args=(number,)) for number in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    done = cli("run", "-e", "outer", "--", PYTHON, "-c", script)
    assert done.code == 0, done.err
    seen = {}
    for run in by_experiment(repo, "inner"):
        series = run.record.statistics.series["loss"]
        seen[run.record.params.values["number"]] = (series.count, series.min, series.max)
    assert seen == {0: (20, 0.0, 0.0), 1: (20, 1.0, 1.0)}


def test_trainings_in_other_processes_have_records_of_their_own(repo: Path, cli: Cli) -> None:
    script = (
        "import ledger, subprocess, sys\n"
        "code = \"import ledger; ledger.run('inner', params={'n': N}).finish()\"\n"
        "for n in range(2): subprocess.run([sys.executable, '-c', code.replace('N', str(n))], check=True)\n"
    )
    assert cli("run", "-e", "outer", "--", PYTHON, "-c", script).code == 0
    assert len(by_experiment(repo, "inner")) == 2
    assert len(by_experiment(repo, "outer")[0].record.children) == 2


def test_a_wrapped_command_inside_a_wrapped_command_is_its_child(repo: Path, cli: Cli) -> None:
    inside = f"{PYTHON} -m ledger run -e inner -- true"
    assert cli("run", "-e", "outer", "--", "sh", "-c", inside).code == 0
    (outer,), (inner,) = by_experiment(repo, "outer"), by_experiment(repo, "inner")
    assert (inner.record.parent, outer.record.children) == (outer.record.id, [inner.record.id])


def test_a_wrapper_killed_outright_loses_no_run_of_a_sweep(repo: Path, cli: Cli) -> None:
    script = SWEEP + "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
    process = subprocess.Popen(
        [PYTHON, "-m", "ledger", "run", "-e", "sweep", "--", PYTHON, "-c", script],
        cwd=repo,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    process.wait(timeout=60)
    time.sleep(1.0)  # what it started goes on for a moment
    book = Branch.open(repo)
    recover(book, book.repository.state_dir)
    (outer,) = by_experiment(repo, "sweep")
    assert len(by_experiment(repo, "inner")) == 3
    assert (outer.record.status, outer.record.results.metrics) == ("lost", [])
    assert not list(spool_dir(repo / ".git" / "ledger").iterdir())


def test_seconds_of_a_run_that_joined_are_counted_from_the_start_of_the_command(repo: Path, cli: Cli) -> None:
    script = "import time; time.sleep(1.2); import ledger; run = ledger.run(); run.log(loss=1.0); run.finish()"
    cli("run", "--", PYTHON, "-c", script)
    (run,) = runs_of(repo)
    rows = Branch.open(repo).read_blob(run.files["curves.csv"]).decode().splitlines()
    assert float(rows[1].split(",")[2]) > 1.2


def test_a_run_is_handed_to_a_process_that_is_spawned(repo: Path) -> None:
    (repo / "spawned.py").write_text(
        "import ledger, multiprocessing, copy\n"
        "def work(run):\n"
        "    run.log({'worker/loss': 0.5}, 7)\n"
        "    run.metric('accuracy', 0.75, split='test')\n"
        "    run.finish('failed')\n"
        "if __name__ == '__main__':\n"
        "    with ledger.run('x') as run:\n"
        "        process = multiprocessing.get_context('spawn').Process(target=work, args=(run,))\n"
        "        process.start(); process.join()\n"
        "        assert process.exitcode == 0\n"
        "        assert copy.deepcopy({'run': run})['run'] is run\n"
        "        run.log({'train/loss': 0.25}, 8)\n"
    )
    process = run_python(
        "import runpy, sys; sys.argv = ['spawned.py']; runpy.run_path('spawned.py', run_name='__main__')", cwd=repo
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    (run,) = runs_of(repo)
    assert run.record.status == "finished"
    assert set(run.record.statistics.series) == {"worker/loss", "train/loss"}
    assert run.record.results.metrics[0].key == "test/accuracy"


@pytest.mark.parametrize("end", ["run.stop('no better than the median')", "raise TrialPruned('step 3')"])
def test_a_run_that_is_stopped_on_purpose_is_pruned(repo: Path, end: str) -> None:
    script = (
        "import ledger\n"
        "class TrialPruned(Exception): __module__ = 'optuna.exceptions'\n"
        "try:\n"
        "    with ledger.run('x') as run:\n"
        f"        {end}\n"
        "except TrialPruned: pass\n"
    )
    process = run_python(script, cwd=repo)
    assert process.communicate(timeout=60)[1]
    record = runs_of(repo)[0].record
    assert record.status == "pruned"
    assert record.reason in {"no better than the median", "TrialPruned: step 3"}


def test_a_pruned_run_can_be_recorded_afterwards(repo: Path, cli: Cli) -> None:
    assert cli("record", "--status", "pruned", "--reason", "median").code == 0
    assert runs_of(repo)[0].record.status == "pruned"


def test_a_run_that_lives_is_shown_and_is_not_called_unknown(repo: Path, cli: Cli) -> None:
    script = (
        "import ledger, time\n"
        "run = ledger.run('alive', params={'lr': 0.1}); run.log({'loss': 0.5}, 3)\n"
        "print(run.id, flush=True); time.sleep(60)\n"
    )
    process = run_python(script, cwd=repo)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    try:
        shown = cli("show", run_id[16:])
        assert (shown.code, "running" in shown.out, "step 3" in shown.out) == (0, True, True)
        assert '"status": "running"' in cli("show", run_id, "--json").out
        asked = cli("note", run_id, "a word")
        assert asked.code == 1
        assert "has not ended" in asked.err
        assert cli("record", "--parent", run_id).code == 0
    finally:
        process.kill()
        process.communicate()
    assert runs_of(repo)[-1].record.parent == run_id


def test_after_a_command_one_line_says_what_stayed_empty(repo: Path, cli: Cli) -> None:
    err = cli("run", "--param", "lr=1", "--", "true").err
    assert "unknown boxes: datasets, model, results" in err
    assert "--dataset ROLE=PATH" in err
    assert cli("run", "-e", "sweep", "--", PYTHON, "-c", SWEEP).err.count("unknown boxes:") == 0
