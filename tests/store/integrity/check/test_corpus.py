"""Every hostile proposal is refused, or let pass harmless, with one clear line that names commit and path."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.commands.review.check_reports import render_github, render_text
from ledger.errors import NotFound
from ledger.model.values import is_plain_text
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import WHOLE_UP_TO
from ledger.store.integrity.check import Checked, check_range
from ledger.store.integrity.redaction import redact
from ledger.store.integrity.redaction_plan import Needles, plan_redaction
from tests.conftest import Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.branch.test_branch import append_samples, entry
from tests.store.branch.test_manifests import add as add_version
from tests.store.branch.test_manifests import manifest
from tests.store.integrity.check.corpus import CORPUS, Hostile
from tests.store.integrity.check.forge import Forge, Proposed, good_ledger

pytestmark = pytest.mark.timeout(60)


def checked(forge: Forge, made: Proposed | str) -> Checked:
    proposed = made if isinstance(made, Proposed) else Proposed(tip=made, since=forge.base)
    return check_range(Repository.discover(forge.folder), proposed.tip, proposed.since, ref=proposed.ref)


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 80
    assert len({one.name for one in CORPUS}) == len(CORPUS)


def test_what_the_corpus_stands_on_is_clean() -> None:
    forge = good_ledger()
    assert checked(forge, Proposed(tip=forge.base, since=None)).findings == ()
    for files in (forge.run(), forge.note(), forge.evaluation()):
        assert checked(forge, forge.put(files)).findings == ()
    sides = [forge.put(forge.run()) for _ in range(3)]
    assert checked(forge, forge.put({**forge.run()}, sides[0], merged=[])).findings == ()
    alone = checked(forge, forge.put({"policy.yaml": b"limits:\n  figure_bytes: 99\n"}))
    assert (alone.findings, alone.policy_changed) == ((), True)
    workflow = checked(forge, forge.put({".github/workflows/ledger-review.yml": b"on: push\n"}))
    assert (workflow.findings, workflow.policy_changed) == ((), True)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("hostile", CORPUS, ids=lambda one: one.name)
def test_a_hostile_proposal_is_refused_or_harmless(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge = good_ledger()
    monkeypatch.chdir(tmp_path)
    found = checked(forge, hostile.make(forge))
    assert list(tmp_path.iterdir()) == []
    assert not (forge.folder / "canary").exists()
    for line in (*render_text(found).splitlines(), *render_github(found).splitlines()):
        assert is_plain_text(line)
    assert all(line.startswith("::") for line in render_github(found).splitlines())
    if hostile.rule is None:
        assert found.ok, found.findings
        return
    caught = [one for one in found.findings if (one.rule, one.severity) == (hostile.rule, hostile.weight)]
    assert caught, found.findings
    telling = [one for one in caught if hostile.said in one.message]
    assert telling, caught
    assert "\n" not in telling[0].message
    assert telling[0].hint
    if not telling[0].path.startswith("refs/"):
        assert telling[0].commit is not None
    assert hostile.anywhere or telling[0].path
    if hostile.weight == "warning":
        assert found.ok, found.findings


def test_the_token_of_a_secret_is_never_told() -> None:
    forge = good_ledger()
    for hostile in CORPUS:
        if hostile.rule == "secret":
            shown = render_text(checked(forge, hostile.make(forge)))
            assert "a1B2" not in shown
            assert "hunter" not in shown


def test_a_check_writes_nothing() -> None:
    forge = good_ledger()
    tip = forge.put(forge.run())

    def state() -> dict[str, int]:
        return {
            str(Path(folder) / name): (Path(folder) / name).stat().st_mtime_ns
            for folder, _, names in os.walk(forge.folder)
            for name in names
        }

    before = state()
    checked(forge, tip)
    assert state() == before


def test_objects_of_sha_256_are_checked_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git_in(tmp_path, "init", "--quiet", "--object-format=sha256", "repo")
    monkeypatch.chdir(tmp_path / "repo")
    ledger = Branch.open()
    append_samples(ledger, 3)
    assert check_range(ledger.repository, "refs/heads/ledger", None).findings == ()
    ledger.append(entry(9))
    assert not check_range(ledger.repository, "ledger", "ledger~1").ok


def test_replaced_objects_hide_nothing(ledger: Branch, repo: Path) -> None:
    append_samples(ledger, 1)
    ledger.append(entry(9))
    bad = git_in(repo, "rev-parse", "ledger").strip()
    git_in(repo, "replace", bad, git_in(repo, "rev-parse", "ledger~1").strip())
    assert not check_range(ledger.repository, bad, "ledger~1").ok


def test_a_proposal_is_judged_by_the_policy_that_stands(ledger: Branch, repo: Path) -> None:
    append_samples(ledger, 1)
    base = git_in(repo, "rev-parse", "ledger").strip()
    append_samples(ledger, 2)
    proposal = git_in(repo, "rev-parse", "ledger").strip()
    tree = repo.parent / "tree"
    git_in(repo, "worktree", "add", "-q", "--detach", str(tree), base)
    (tree / "policy.yaml").write_text("require: {boxes: [cost], seed: true}\nlimits: {record_bytes: 99}\n")
    git_in(tree, "commit", "-q", "-a", "-m", "policy")
    policy = git_in(tree, "rev-parse", "HEAD").strip()
    assert check_range(ledger.repository, proposal, base).ok
    stricter = check_range(ledger.repository, proposal, policy, proposed=True)
    assert {one.rule for one in stricter.findings} == {"size"}
    forced = check_range(ledger.repository, proposal, policy)
    assert {one.rule for one in forced.findings} == {"size", "history"}


def test_a_redaction_is_told_and_what_it_took_out_is_no_collision(
    ledger: Branch, repo: Path, cli: Cli, tmp_path: Path
) -> None:
    assert cli("record", "--metric", "test/loss=1", "--duration", "3").code == 0
    hub = tmp_path / "hub.git"
    git_in(tmp_path, "clone", "-q", "--bare", str(repo), str(hub))
    before = git_in(hub, "rev-parse", "ledger").strip()
    run = ledger.contents().runs[0]
    assert cli("redact", "--yes", "--because", "a reason", "--file", f"{run.path}/environment.json").code == 0
    assert cli("check").code == 0
    git_in(repo, "push", "-q", "--force", str(hub), "ledger:refs/heads/redacted")
    there = Repository.discover(hub)
    for proposed, weight in ((True, "warning"), (False, "error")):
        (finding,) = check_range(there, "redacted", before, proposed=proposed).findings
        assert "a redaction rewrote the history" in finding.message
        assert finding.severity == weight


def test_what_a_redaction_left_alone_is_not_missed(ledger: Branch, repo: Path) -> None:
    add(ledger, draft(1))
    add_version(ledger, "v1", manifest(10))
    add_version(ledger, "v2", manifest(WHOLE_UP_TO + 1))  # in shards
    before, needles = ledger.tip() or "", Needles(["ada@example.com"])
    git_in(repo, "branch", "as-others-hold-it", before)
    plan = plan_redaction(ledger, needles)
    assert len(plan.files) == 3
    redact(ledger, plan, needles, reason="an address", now=datetime.now(UTC))
    (finding,) = check_range(ledger.repository, "refs/heads/ledger", before, proposed=True).findings
    assert "a redaction rewrote the history" in finding.message


def test_two_proposals_that_add_one_path_are_told_apart(ledger: Branch, repo: Path) -> None:
    append_samples(ledger, 1)
    base = git_in(repo, "rev-parse", "ledger").strip()
    ledger.append(entry(9, b"{}\n"))
    ours = git_in(repo, "rev-parse", "ledger").strip()
    git_in(repo, "update-ref", "refs/heads/ledger", base)
    ledger.append(entry(9, b"[]\n"))
    theirs = ledger.tip()
    checked = check_range(ledger.repository, "ledger", ours, proposed=True)
    found = [(one.rule, one.commit, one.path) for one in checked.findings if "already holds" in one.message]
    assert found == [("history", theirs, next(iter(entry(9).files)))]


def test_no_commit_of_that_name_is_said(ledger: Branch) -> None:
    append_samples(ledger, 1)
    for tip, since in (("nope", None), ("ledger", "nope"), ("--all", None)):
        with pytest.raises(NotFound, match="no such commit"):
            check_range(ledger.repository, tip, since)
