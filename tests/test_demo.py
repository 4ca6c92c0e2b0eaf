"""The demo is the whole path, with real models on real data: it must tell its story every time."""

import fcntl
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.analysis.data.cases import case_stories
from ledger.demo.story import play
from ledger.errors import NotFound
from ledger.model.entries import Contents
from ledger.model.paths import run_path
from ledger.publish.pages.dataset_pages import MATRIX_ROWS
from ledger.serve.order.plan import BatchPlan, digest_of
from ledger.store.branch.branch import Branch
from ledger.store.integrity.check import check_range
from tests.conftest import ROOT, git_in, run_python

_LATER = {"seeds", "width", "ranks", "served", "notebook", "overnight"}
"""Experiments of the time after the second version was measured."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # some fifty trainings: 70 s on one machine, 200 on another


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of a demo that was played through the command line: once, whichever worker needs it first."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    folder, told = shared / "demo" / "digits", shared / "demo.txt"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            command = [sys.executable, "-m", "ledger", "demo", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
            told.write_text(f"{done.returncode}\n{done.stdout}{done.stderr}")
    said = told.read_text()
    assert said.startswith("0\n"), said
    assert f"{folder}/build/site/index.html" in said
    return folder


@pytest.fixture(scope="module")
def contents(played: Path) -> Contents:
    return Branch.open(played).contents()


def test_at_least_eight_real_models_were_trained(contents: Contents) -> None:
    finished = [run.record for run in contents.runs if run.record.status == "finished"]
    assert len(finished) >= 8
    assert {record.params.values["model"] for record in finished} == {"mlp", "cnn"}
    assert len({record.seed for record in finished}) >= 3
    assert len({record.params.values["lr"] for record in finished}) >= 3
    for record in finished:
        assert record.headline is not None
        assert 0.8 < record.headline.number <= 1.0
        losses = record.statistics.series["train/loss"]
        assert float(losses.last) < float(losses.first)
        assert record.model.parameters is not None
        assert record.results.figures


def test_every_entry_would_pass_a_check(played: Path) -> None:
    checked = check_range(Branch.open(played).repository, "refs/heads/ledger", None)
    assert checked.findings == ()


def test_the_story_spreads_over_weeks_and_every_time_was_moved_alike(played: Path, contents: Contents) -> None:
    weeks = {run.record.timing.started_at.isocalendar()[:2] for run in contents.runs}
    assert len(weeks) >= 4
    for run in contents.runs:
        record = run.record
        assert record.id.startswith(f"{record.timing.started_at:%Y%m%d-%H%M}")
        assert run.path == run_path(record.id)
        assert (record.timing.ended_at - record.timing.started_at).total_seconds() < 120
        assert all(evaluation.run == record.id for evaluation in run.evaluations)
        if record.model.path:
            assert (played / record.model.path).is_file()
    dates = [int(line) for line in git_in(played, "log", "--format=%ct", "ledger").split()]
    assert dates == sorted(dates, reverse=True)
    assert dates[0] - dates[-1] > 20 * 86_400
    assert "Planted: the demo ran today" in (played / "build/site/index.html").read_text("utf-8")


def test_one_crashed_one_was_killed_and_one_had_uncommitted_code(contents: Contents) -> None:
    by_status = {status: [run for run in contents.runs if run.record.status == status] for status in ("failed", "lost")}
    (failed,) = by_status["failed"]
    assert "FloatingPointError" in str(failed.record.reason)
    assert any("FloatingPointError" in error for error in failed.record.logs.errors)
    (lost,) = by_status["lost"]
    assert lost.record.statistics.series["validation/accuracy"].count >= 2
    (dirty,) = [run for run in contents.runs if run.record.code.patch]
    assert dirty.record.tags == ["dropout"]


def test_a_preempted_run_and_the_one_that_went_on_are_one(contents: Contents, played: Path) -> None:
    (run,) = [run for run in contents.runs if run.record.experiment == "overnight"]
    first, last = run.record.timing.attempts
    assert (first.status, last.status) == ("preempted", "finished")
    assert run.record.statistics.series["validation/accuracy"].count == 16
    html = (played / "build" / "site" / "runs" / f"{run.record.id}.html").read_text("utf-8")
    assert 'id="attempts"' in html
    assert "preempted" in html


def test_two_trainings_on_one_server_end_with_equal_weights_though_one_was_killed(
    contents: Contents, played: Path
) -> None:
    runs = [run.record for run in contents.runs if run.record.experiment == "served"]
    assert len({run.model.hash for run in runs}) == 1
    stopped, never_stopped = sorted(runs, key=lambda run: -len(run.timing.attempts))
    assert [one.status for one in stopped.timing.attempts] == ["lost", "finished"]
    assert len(never_stopped.timing.attempts) <= 1
    for run in runs:
        (feed,) = run.datasets.feeds
        assert feed.server == "tcp"
        assert feed.plan_digest == never_stopped.datasets.feeds[0].plan_digest
        plan = BatchPlan(feed.plan)
        assert [digest_of(plan, one) for one in feed.stretches] == [one.digest for one in feed.stretches]
    assert never_stopped.datasets.feeds[0].batches == 20 * 15
    page = (played / "build" / "site" / "runs" / f"{stopped.id}.html").read_text("utf-8")
    assert never_stopped.datasets.feeds[0].plan_digest.partition(":")[2][:12] in page


def test_a_run_in_a_notebook_has_its_cells(contents: Contents, played: Path) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    (run,) = [run for run in contents.runs if run.record.code.notebook]
    notebook = run.record.code.notebook
    assert notebook is not None
    assert (notebook.path, notebook.warnings()) == ("look.ipynb", [])
    assert [one.status for one in notebook.executions] == ["finished", "finished", None]
    assert run.record.code.patch is None
    page = (played / "build" / "site" / "runs" / f"{run.record.id}.html").read_text("utf-8")
    assert "jupyter execute look.ipynb" in page


def test_version_two_holds_hard_cases_and_every_model_was_measured_on_it(contents: Contents) -> None:
    versions = {version.label: version for version in contents.datasets}
    assert set(versions) == {
        "digits-train@v1", "digits-validation@v1", "digits-validation@v2", "digits-production@v1",
    }  # fmt: skip
    second = versions["digits-validation@v2"]
    assert second.parent == "v1"
    assert (second.samples or 0) > (versions["digits-validation@v1"].samples or 0)
    first_week = [
        run
        for run in contents.runs
        if run.record.status == "finished" and run.record.experiment not in {"robustness", *_LATER}
    ]
    assert len(first_week) >= 8
    for run in first_week:
        before = run.record.metric("validation/accuracy")
        (evaluation,) = run.evaluations
        after = next(metric for metric in evaluation.metrics if metric.key == "validation/accuracy")
        assert before is not None
        assert before.evaluator == after.evaluator
        assert after.number < before.number - 0.1, "hard cases are hard"


def test_the_story_of_the_validation_set_is_told(contents: Contents, played: Path) -> None:
    versions = {version.label: version for version in contents.datasets}
    second = versions["digits-validation@v2"]
    assert second.change is not None
    assert second.change.added > 50
    assert len([one for one in second.change.pictures if one.change == "added"]) >= 8
    (production,) = versions["digits-production@v1"].drift
    assert [figure.subject for figure in production.figures if figure.drifted] == ["images"]  # v1 was not like it
    assert not next(drift for drift in second.drift if drift.reference.startswith("digits-production")).drifted
    stories = case_stories(contents.cases, contents.runs)
    assert len(stories) == 4
    assert any(story.mended_by for story in stories), "the models of the second week mend what the first got wrong"
    html = (played / "build" / "site" / "datasets" / "digits-validation.html").read_text()
    assert html.count("data/samples/digits-validation/") >= 8
    repeats = [run for run in contents.runs if run.record.experiment in _LATER]
    gaps = html.count('class="lg-gap">not measured<')
    assert gaps == min(len(repeats), MATRIX_ROWS)  # only they were not measured again
    assert f"{len(repeats)} of " in html
    assert 'class="lg-break"' in html


def test_every_record_is_readable_and_names_no_secret(contents: Contents, played: Path) -> None:
    assert contents.problems == ()
    assert git_in(played, "fsck", "--strict", "--no-dangling") == ""
    assert git_in(played, "status", "--porcelain") == ""


def test_the_planted_settings_get_the_three_verdicts_and_the_site_says_the_same(
    contents: Contents, played: Path
) -> None:
    tagged = {tag: run.record.id for run in contents.runs if run.record.experiment == "seeds" for tag in run.tags}
    for tag, code, answer in (("better", 0, "keep"), ("equal", 1, "discard: within noise"), ("once", 2, "cannot tell")):
        command = [sys.executable, "-m", "ledger", "-C", str(played), "judge", tagged[tag]]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert (done.returncode, done.stderr) == (code, ""), tag
        assert done.stdout.startswith(answer), done.stdout
        (page,) = (played / "build" / "site" / "runs").rglob(f"{tagged[tag]}.html")
        assert f">{answer.partition(':')[0]}</strong>:" in page.read_text("utf-8")


def test_a_page_shows_who_was_taken_for_whom(contents: Contents, played: Path) -> None:
    run = next(run for run in contents.runs if run.record.status == "finished")
    tables = {table.kind: table for table in run.record.statistics.tables}
    assert set(tables) == {"confusion", "classes", "samples", "calibration", "table", "layers"}
    headline = run.record.headline
    assert headline is not None
    measured = [table for kind, table in tables.items() if kind != "layers"]  # which are of the model alone
    assert {table.dataset_hash for table in measured} == {headline.dataset_hash}
    written = Branch.open(played).read_blob(run.files[tables["samples"].file])
    assert tables["samples"].rows == written.count(b"\n") - 1
    html = (played / "build" / "site" / "runs" / f"{run.record.id}.html").read_text("utf-8")
    assert 'class="lg-table lg-matrix"' in html
    assert "Expected calibration error" in html


def test_the_site_has_a_page_for_every_run(contents: Contents, played: Path) -> None:
    pages = {path.stem for path in (played / "build" / "site" / "runs").rglob("*.html")}
    assert {run.record.id for run in contents.runs} <= pages


def test_without_its_packages_the_demo_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'torch'\" >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(NotFound, match="the demo needs a package: `torch`") as raised:
        play(tmp_path / "demo", lambda _what, _done, _total: None)
    assert raised.value.hint == "pip install 'git-ledger[demo]'"


def test_the_demo_does_not_touch_a_folder_that_holds_something(played: Path) -> None:
    command = [sys.executable, "-m", "ledger", "demo", str(played)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "needs an empty folder" in done.stderr


def test_a_training_of_two_ranks_is_one_record_with_both(contents: Contents, played: Path) -> None:
    (run,) = [run for run in contents.runs if run.record.experiment == "ranks"]
    hardware = run.record.hardware
    assert (hardware.processes, hardware.launcher) == (2, "torch.distributed")
    assert [(life.rank, life.status) for life in hardware.ranks] == [(0, "finished"), (1, "finished")]
    assert all(life.usage is not None and life.usage.cpu_seconds for life in hardware.ranks)
    (node,) = hardware.nodes
    assert (node.ranks, node.cpu) == ([0, 1], hardware.cpu)
    assert run.record.statistics.series["train/loss"].reduced == "mean"
    assert not [name for name in run.record.results.unknown if name.startswith(("ranks", "curves"))]
    (page,) = (played / "build" / "site" / "runs").rglob(f"{run.record.id}.html")
    html = page.read_text("utf-8")
    assert 'aria-label="Ranks"' in html
    assert html.count("<td>finished") == 2


def test_an_exact_code_can_be_brought_back(contents: Contents, played: Path) -> None:
    (run,) = [run for run in contents.runs if run.record.code.patch]
    code = run.record.code
    script = (
        "import sys; from pathlib import Path\n"
        "from ledger.store.branch.branch import Branch\n"
        "from ledger.repository.worktree.snapshot import check_restores\n"
        "book = Branch.open(); print(check_restores(book.repository, sys.argv[1], book.read_blob(sys.argv[2])))"
    )
    process = run_python(script, str(code.commit).removeprefix("git:"), run.files["code.patch"], cwd=played)
    out, err = process.communicate(timeout=60)
    assert f"git:{out.strip()}" == code.tree, err


def test_the_list_of_the_demo_warns_about_versions(played: Path) -> None:
    command = [sys.executable, "-m", "ledger", "-C", str(played), "list", "--sort", "validation/accuracy", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "measured on different data" in done.stderr
    assert len(json.loads(done.stdout)) >= 14


def test_experiments_say_what_they_ask_and_what_they_showed(played: Path) -> None:
    site = played / "build" / "site"
    assert "Which learning rate suits the small model?" in (site / "experiments/learning-rate.html").read_text("utf-8")
    concluded = "48 wide is better than 8 by more than chance explains"
    assert concluded in (site / "experiments/seeds.html").read_text("utf-8")
    assert concluded in (site / "index.html").read_text("utf-8")


def test_growth_and_milestones_are_drawn_from_real_models(contents: Contents, played: Path) -> None:
    page = (played / "build" / "site" / "experiments" / "width.html").read_text("utf-8")
    assert "lg-growth-band" in page
    assert "ten times the largest" in page
    milestones = (played / "build" / "site" / "milestones" / "index.html").read_text("utf-8")
    assert "lg-step-done" in milestones
    assert "lg-step-claimed" in milestones
    assert [note.stage for run in contents.runs for note in run.notes if note.kind == "milestone"] == [4, 5]
