"""`ledger advise`: runs and experiments, and what it says when it cannot say anything."""

import json
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.conftest import Cli, git_in


@pytest.fixture
def runs(ledger: Branch, cli: Cli) -> list[str]:
    """Two settings of one experiment, the second better; returns the ids, oldest first."""
    for rate, error in ((1, 0.4), (2, 0.1)):
        data = ("--dataset", "validation:digits@v1=train.py", "-e", "widths")
        facts = ("--metric", f"validation/error_rate={error}", "--metric", f"validation/loss={error}")
        extra = ("--param", f"lr={rate}", "--duration", "100", "--headline", "validation/error_rate")
        assert cli("record", *facts, *data, *extra).code == 0
    return [run.record.id for run in ledger.contents().runs]


def test_an_experiment_is_advised_on_by_its_best_run(runs: list[str], cli: Cli) -> None:
    done = cli("advise", "widths", "--json")
    assert done.code == 0, done.err
    (given,) = json.loads(done.out)
    assert (given["about"], given["run"], given["metric"]) == ("widths", runs[1], "error_rate")
    assert cli("advise", "widths").out.splitlines()[0] == f"widths, by its best run {runs[1]}"


def test_several_are_told_one_after_the_other(runs: list[str], cli: Cli) -> None:
    given = json.loads(cli("advise", *runs, runs[0], "--json").out)
    assert [one["run"] for one in given] == runs


def test_a_metric_that_is_no_share_is_said_and_one_that_is_missing(runs: list[str], cli: Cli) -> None:
    done = cli("advise", runs[0], "-m", "loss")
    assert done.code == 0
    assert "no advice about its errors: `validation/loss`: lower is better" in done.err
    assert "the run has no such metric: `f1`" in cli("advise", runs[0], "-m", "f1").err


def test_what_is_neither_run_nor_experiment_is_refused(runs: list[str], cli: Cli) -> None:
    done = cli("advise", "zzz")
    assert (done.code, done.out) == (1, "")
    assert "no run or experiment has this name: `zzz`" in done.err
    assert cli("advise").code == 2
    assert cli("record", "--metric", "validation/score=1", "-e", "unsaid").code == 0
    unsaid = cli("advise", "unsaid")
    assert unsaid.code == 2
    assert "no run of this experiment can be called its best: `unsaid`" in unsaid.err
    assert runs


def test_a_budget_of_the_policy_is_held_against_a_run(runs: list[str], repo: Path, tmp_path: Path, cli: Cli) -> None:
    git_in(repo, "worktree", "add", "--quiet", str(tmp_path / "policy"), "ledger")
    (tmp_path / "policy" / "policy.yaml").write_text("budget:\n  duration_seconds: 60\n", "utf-8")
    git_in(tmp_path / "policy", "commit", "--quiet", "--all", "--message", "Agree on a budget")
    said = cli("advise", runs[0]).out
    assert "complexity: duration seconds 100 of 60 agreed on" in said
    assert "budget: duration seconds 100 of 60\n" in said
    (given,) = json.loads(cli("advise", runs[0], "--json").out)
    assert given["budget"] == [{"name": "duration_seconds", "limit": 60.0, "amount": 100.0}]
    assert cli("site", "build", "-o", str(tmp_path / "site")).code == 0
    page = (tmp_path / "site" / "runs" / f"{runs[0]}.html").read_text("utf-8")
    assert "What to try next" in page
    assert "duration seconds 100 of 60 agreed on" in page
    assert '<span class="lg-bad">duration seconds 100 of 60 (over)</span>' in page
