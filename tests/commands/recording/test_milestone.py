"""`ledger milestone`, and what the site makes of it."""

import json
from pathlib import Path

import pytest

from ledger.analysis.advice.budget import Budget
from ledger.model.document import dump
from ledger.model.paths import note_path
from ledger.publish.pages import addresses
from ledger.publish.site.build import build_site
from ledger.recorder.statements.notes import add_notes
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from tests.conftest import Cli, git_in


def site(ledger: Branch, folder: Path, budget: Budget | None = None) -> tuple[str, tuple[str, ...]]:
    """Build the site and return its page of milestones and what changed."""
    with blob_reader(ledger.repository) as read_blob:
        report = build_site(ledger.contents(), read_blob, [], folder, budget=budget)
    return (folder / addresses.MILESTONES).read_text("utf-8"), report.changed


@pytest.fixture
def two(ledger: Branch, cli: Cli) -> list[str]:
    """A ledger with two measured runs; returns their ids, oldest first."""
    for value in ("0.9", "0.8"):
        data = ("--dataset", "validation:digits@v1=train.py", "-e", "digits <b>")
        assert cli("record", "--metric", f"validation/accuracy={value}", "--duration", "3", *data).code == 0
    return [run.record.id for run in ledger.contents().runs]


def test_a_milestone_is_claimed_listed_and_told_by_show_and_log(two: list[str], repo: Path, cli: Cli) -> None:
    assert cli("milestone").err.startswith("no model has a milestone yet")
    done = cli("milestone", two[0], "works", "--because", "better than the rules")
    assert (done.code, done.err.splitlines()[0]) == (0, f"named as evidence: {two[0]}: better than the rules")
    subject = f"milestone of {two[0]}: stage 3: better than the rules"
    assert git_in(repo, "log", "-1", "--format=%s", "ledger").strip() == subject
    listed = cli("milestone").out
    assert "digits <b>: stage 3, works on some data (2 runs)" in listed
    assert "next  4 measurable and inspectable" in listed
    assert "missing: a second version, or cases" in listed
    (model,) = json.loads(cli("milestone", "--json").out)["models"]
    assert (model["reached"], model["steps"][2]["state"], model["steps"][2]["run"]) == (3, "done", two[0])
    assert "stage 3 of digits <b>: better than the rules" in cli("show", two[0]).out
    assert "milestone (stage 3) by Ada" in cli("show", two[0], "--history").out
    assert json.loads(cli("milestone", two[1], "2", "--because", "x", "--model", "m", "--json").out)[0]["model"] == "m"


def test_what_cannot_be_claimed_is_refused_and_nothing_is_written(two: list[str], ledger: Branch, cli: Cli) -> None:
    tip = ledger.tip()
    wrong = cli("milestone", two[0], "8", "--because", "x")
    assert wrong.code == 2
    assert "1 by-hand, 2 glued, 3 works, 4 measurable, 5 accurate, 6 simple, 7 domains" in wrong.err
    assert cli("milestone", two[0], "works").code == 2
    assert cli("milestone", two[0]).code == 2
    assert cli("milestone", "--because", "x").code == 2
    assert cli("milestone", "zzz", "works", "--because", "x").code == 1
    assert cli("milestone", two[0], "works", "--because", "x", "--model", "a\nb").code == 1
    assert ledger.tip() == tip


def test_a_policy_s_budget_decides_the_sixth_and_an_unknown_field_of_it_is_named(
    two: list[str], repo: Path, tmp_path: Path, cli: Cli
) -> None:
    assert cli("milestone", two[0], "simple", "--because", "small").code == 0
    assert "missing: within the budget: policy.yaml states no budget" in cli("milestone").out
    git_in(repo, "worktree", "add", "--quiet", str(tmp_path / "policy"), "ledger")
    policy = tmp_path / "policy" / "policy.yaml"
    for text, said in (
        ("budget:\n  duration_seconds: 2\n", "missing: within the budget: duration seconds 3 of 2"),
        ("budget:\n  duration: 2\n", "duration"),
        ("budget:\n  cost: much\n", "budget.cost"),
    ):
        policy.write_text(text, "utf-8")
        git_in(policy.parent, "commit", "--quiet", "--all", "--message", "Agree on a budget")
        done = cli("milestone")
        assert said in done.out + done.err
        assert done.code == 0, "a policy that cannot be read stops nobody"


def test_the_site_draws_seven_steps_and_makes_the_page_again_when_its_inputs_change(
    two: list[str], ledger: Branch, tmp_path: Path
) -> None:
    page, _ = site(ledger, tmp_path / "site")
    assert "Nobody has claimed a stage yet" in page
    add_notes(ledger, two[0], "milestone", ["better <script>"], stage=3)
    add_notes(ledger, two[0], "milestone", ["small"], stage=6)
    page, changed = site(ledger, tmp_path / "site")
    assert {addresses.MILESTONES, addresses.run_page(two[0])} <= set(changed)
    assert page.count('class="lg-step lg-step-') == 7
    assert all(state in page for state in ("lg-step-done", "lg-step-claimed", "lg-step-next", "lg-step-not-yet"))
    assert "better &lt;script&gt;" in page
    assert f'href="../runs/{two[0]}.html"' in page
    run_page = (tmp_path / "site" / addresses.run_page(two[0])).read_text("utf-8")
    assert "stage 3 of" in run_page
    assert site(ledger, tmp_path / "site")[1] == ()
    page, changed = site(ledger, tmp_path / "site", Budget(duration_seconds=2))
    pages = {path for path in changed if path.endswith(".html")}
    assert pages == {addresses.MILESTONES, *(addresses.run_page(run) for run in two)}, "runs are over the budget now"
    assert "duration seconds 3 of 2" in page
    add_notes(ledger, two[0], "retraction", ["a leak"])
    page, _ = site(ledger, tmp_path / "site")
    assert page.count("no longer counts") == 2
    assert "no stage that still counts" in page
    assert "lg-step-done" not in page


def test_a_milestone_of_an_impossible_stage_on_the_branch_is_a_problem_in_the_list(
    two: list[str], ledger: Branch, cli: Cli
) -> None:
    (note,) = add_notes(ledger, two[0], "milestone", ["x"], stage=3)
    for number, stage in enumerate((b"0", b"8", b'"x"')):
        other = f"20261121-00000{number}-aaaaaa"
        data = dump(note).replace(b'"stage": 3', b'"stage": ' + stage).replace(note.id.encode(), other.encode())
        path = note_path(other)
        ledger.append(Entry(id=other, files={path: data}, message="x", author=note.author, made_at=note.noted_at))
    contents = ledger.contents()
    assert [problem.message.partition(":")[0] for problem in contents.problems] == ["stage"] * 3
    assert cli("milestone").code == 0
    assert cli("show", two[0]).code == 0
