"""Who may change what a team agreed on, and what else a push may do to a server: held against real pushes and syncs."""

from pathlib import Path

import pytest

from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy_edit import change_policy, with_value
from ledger.store.sync.sync import sync
from tests.commands.safety.test_server_hooks import make_server, push, refs
from tests.conftest import ROOT, Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.branch.test_branch import ADA
from tests.store.integrity.test_checkpoint import NOW, check, checkpoint
from tests.store.integrity.test_signatures import key, policy, set_policy
from tests.store.sync.remotes import share

__all__ = ["key"]
WORKFLOW = ".github/workflows/ledger-site.yml"


@pytest.fixture(autouse=True)
def _our_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def guarded(ledger: Branch, repo: Path, key: Path) -> Branch:
    """A ledger whose policy only signers may change."""
    add(ledger, draft(1))
    set_policy(repo, policy(key, required=False) + "changes:\n  by: signers\n")
    return Branch(ledger.repository)


def by_hand(ledger: Branch, path: str = "policy.yaml", text: bytes = b"directions: {accuracy: lower}\n") -> str:
    tip = ledger.tip()
    return append_commit(
        ledger.repository, ledger.ref, parent=tip, files={path: text}, message="x\n", author=ADA, now=NOW
    )


def test_a_signer_changes_the_policy_and_workflows(guarded: Branch, repo: Path, cli: Cli) -> None:
    assert change_policy(guarded, lambda text: with_value(text, "directions.a/b", ["lower"]), "policy: set") is not None
    assert cli("ci", "install", "github").code == 0
    assert check(guarded).findings == ()
    assert "lower" in git_in(repo, "show", "ledger:policy.yaml")


@pytest.mark.parametrize("path", ["policy.yaml", WORKFLOW])
def test_a_change_that_no_signer_signed_is_found_and_never_taken(guarded: Branch, tmp_path: Path, path: str) -> None:
    _, other = share(guarded, tmp_path)
    by_hand(guarded, path)
    assert any("none of them signed it" in finding.message for finding in check(guarded).findings)
    git_in(tmp_path / "repo", "push", "--quiet", "--no-verify", "origin", "ledger")
    before = other.tip()
    done = sync(other, timeout_seconds=60)
    assert not done.safe
    assert f"{path}: only signers may change this" in done.message
    assert other.tip() == before


def test_a_signature_holds_for_one_change_only(guarded: Branch, repo: Path) -> None:
    stood = guarded.read("policy.yaml") or b""
    change_policy(guarded, lambda text: with_value(text, "directions.a/b", ["lower"]), "policy: set")
    assert check(guarded).findings == ()
    by_hand(guarded, text=stood)
    assert any("none of them signed it" in finding.message for finding in check(guarded).findings)


def test_a_signature_brings_nothing_back_that_was_changed_since(guarded: Branch) -> None:
    change_policy(guarded, lambda text: with_value(text, "directions.a/b", ["lower"]), "policy: set")
    change_policy(guarded, lambda text: with_value(text, "directions.a/b", ["higher"]), "policy: set")
    first = guarded.repository.read_object(f"{guarded.tip()}~1:policy.yaml")
    assert check(guarded).findings == ()
    by_hand(guarded, text=first)
    assert any("none of them signed it" in finding.message for finding in check(guarded).findings)


def test_a_side_branch_from_before_the_law_is_no_way_around_it(ledger: Branch, repo: Path, key: Path) -> None:
    add(ledger, draft(1))
    early = ledger.tip() or ""
    set_policy(repo, policy(key, required=False) + "changes:\n  by: signers\n")
    late = ledger.tip() or ""
    append_commit(
        ledger.repository,
        "refs/heads/side",
        parent=_at(repo, "side", early),
        files={"policy.yaml": b"directions: {accuracy: lower}\n"},
        message="x\n",
        author=ADA,
        now=NOW,
    )
    tree = git_in(repo, "rev-parse", "side^{tree}").strip()
    merged = git_in(repo, "commit-tree", tree, "-p", "side", "-p", late, "-m", "merge").strip()
    from ledger.store.integrity.check import check_range

    found = check_range(ledger.repository, merged, late).findings
    assert any("only signers may change this" in finding.message for finding in found)


def _at(repo: Path, name: str, commit: str) -> str:
    git_in(repo, "branch", "--force", name, commit)
    return commit


def test_whoever_is_no_signer_is_told_so_before_anything_is_written(
    guarded: Branch, repo: Path, cli: Cli, tmp_path: Path
) -> None:
    git_in(repo, "config", "--global", "--unset", "user.signingKey")
    tip = guarded.tip()
    done = cli("policy", "set", "directions.a/b", "lower", "--no-push")
    assert done.code == 1
    assert "only signers may change `policy.yaml`" in done.err
    assert guarded.tip() == tip


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_server(tmp_path / "hub.git")


@pytest.fixture
def clone(hub: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    git_in(tmp_path, "clone", "--quiet", str(hub), str(folder))
    git_in(folder, "branch", "ledger", "origin/ledger")
    return folder


def test_a_server_takes_no_replaced_object_no_tag_in_the_way_and_no_false_checkpoint(hub: Path, clone: Path) -> None:
    before = refs(hub)
    blob = git_in(clone, "rev-parse", "ledger:format").strip()
    git_in(clone, "update-ref", f"refs/replace/{blob}", git_in(clone, "rev-parse", "ledger:policy.yaml").strip())
    git_in(clone, "tag", "ledger", "ledger")
    git_in(clone, "tag", "ledger-2", "ledger")
    said = "10 entries\n\nEntries: 10\nRoot: blake3:" + "0" * 64
    git_in(clone, "tag", "-a", "-m", said, "ledger-false", "refs/heads/ledger")
    for source, target in (
        (f"refs/replace/{blob}", f"refs/replace/{blob}"),
        ("refs/tags/ledger", "refs/tags/ledger"),
        ("refs/tags/ledger-2", "refs/tags/ledger/2"),
        ("refs/tags/ledger-false", "refs/tags/ledger/checkpoint-20260101-000000"),
    ):
        done = push(clone, f"{source}:{target}")
        assert done.returncode == 1, target
        assert f"error: {target}: " in done.stderr
    assert refs(hub) == before
    git_in(clone, "tag", "-d", "ledger")
    name = checkpoint(Branch.open(clone)).name
    assert push(clone, f"refs/tags/{name}").returncode == 0


def test_the_inbox_of_a_server_carries_entries_only(hub: Path, clone: Path) -> None:
    before = refs(hub)
    for number, path in enumerate(("policy.yaml", WORKFLOW)):
        ref = f"refs/ledger/inbox/2026010{number}-000000-aaaaaa"
        git_in(clone, "update-ref", ref, "refs/heads/ledger")
        append_commit(
            Branch.open(clone).repository,
            ref,
            parent=git_in(clone, "rev-parse", ref).strip(),
            files={path: b"directions: {accuracy: lower}\n"},
            message="x\n",
            author=ADA,
            now=NOW,
        )
        done = push(clone, ref)
        assert done.returncode == 1
        assert "the inbox is for entries only" in done.stderr
    assert refs(hub) == before


def test_where_a_review_is_asked_for_a_policy_goes_by_a_proposal(hub: Path, clone: Path) -> None:
    ledger = Branch.open(clone)
    by_hand(ledger, text=b"changes:\n  by: review\n")
    assert push(clone, "ledger").returncode == 0
    tip = ledger.tip() or ""
    by_hand(ledger, text=b"changes:\n  by: review\ndirections: {accuracy: lower}\n")
    done = push(clone, "ledger")
    assert done.returncode == 1
    assert "policy.yaml may change only by review" in done.stderr
    assert push(clone, "ledger:ledger-review/lower").returncode == 0
    assert push(clone, "ledger").returncode == 0
    assert tip


def test_what_is_remembered_of_a_ledger_only_follows_it(hub: Path, clone: Path) -> None:
    assert push(clone, "ledger:refs/ledger/remembered").returncode == 0
    git_in(clone, "checkout", "--quiet", "--orphan", "main")
    git_in(clone, "commit", "--quiet", "--allow-empty", "--message", "code")
    for arguments in (["--force", "main:refs/ledger/remembered"], [":refs/ledger/remembered"]):
        done = push(clone, *arguments)
        assert done.returncode == 1
        assert "the remembered tip must be" in done.stderr


def test_a_checkpoint_that_nobody_trusted_signed_spoils_nothing(guarded: Branch, repo: Path) -> None:
    said = "10 entries\n\nEntries: 10\nRoot: blake3:" + "0" * 64
    git_in(repo, "tag", "-a", "-m", said, "ledger/checkpoint-20260101-000000", "ledger")
    verdict = check(guarded, whole=True)
    assert verdict.findings == ()
    assert any("is wrong, and was ignored" in line for line in verdict.open)
