"""What comes in is looked at before the branch moves, and a clone that knows nothing notices a rewind."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ledger.errors import Conflict
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.redaction import redact
from ledger.store.integrity.redaction_plan import Needles, plan_redaction
from ledger.store.sync.exchange import INBOX
from ledger.store.sync.fetch_check import _finding_text
from ledger.store.sync.remote_identity import check_continued
from ledger.store.sync.remote_tip import REMEMBERED
from ledger.store.sync.sync import sync
from tests.conftest import Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.branch.test_branch import ADA, NOW
from tests.store.integrity.test_checkpoint import checkpoint
from tests.store.sync.remotes import clone, folder_of, made, share, synced
from tests.store.sync.test_refusals import dataset, write_policy


def record_of(ledger: Branch) -> str:
    tree = ledger.repository.read_tree(ledger.tip() or "", ["runs/"])
    return next(file.path for file in tree if file.path.endswith("record.json"))


def pushed_by_hand(ledger: Branch, files: Mapping[str, bytes], to: str = "refs/heads/ledger") -> None:
    """Push a commit that nobody of ours would make to a remote that has none of our hooks."""
    git_in(folder_of(ledger), "branch", "--force", "evil", "ledger")
    tip = ledger.tip()
    append_commit(ledger.repository, "refs/heads/evil", parent=tip, files=files, message="x\n", author=ADA, now=NOW)
    git_in(folder_of(ledger), "push", "--quiet", "--no-verify", "origin", f"evil:{to}")


@pytest.mark.parametrize("what", ["changed", "removed", "linked", "a script", "no document", "a policy among records"])
def test_what_no_ledger_may_hold_is_refused_and_the_local_one_stays(ledger: Branch, tmp_path: Path, what: str) -> None:
    add(ledger, draft(1))
    _, other = share(ledger, tmp_path)
    path, before = record_of(ledger), other.tip()
    content = ledger.read(path) or b""
    if what in {"removed", "linked"}:
        folder = tmp_path / "tree"
        git_in(folder_of(ledger), "worktree", "add", "--quiet", "-b", "evil", str(folder), "ledger")
        (folder / path).unlink()
        if what == "linked":
            (folder / path).symlink_to("/etc/passwd")
        git_in(folder, "commit", "--quiet", "--all", "--message", "x")
        git_in(folder, "push", "--quiet", "--no-verify", "origin", "evil:ledger")
    else:
        files = {
            "changed": {path: content.replace(b"0.1", b"0.9")},
            "a script": {"runs/x.sh": b"#!/bin/sh\n"},
            "no document": {path.replace("-000001/", "-000002/"): b"{}\n"},
            "a policy among records": made(5).files | {"policy.yaml": b"directions: {accuracy: lower}\n"},
        }[what]
        pushed_by_hand(ledger, dict(files))
    done = sync(other, timeout_seconds=60)
    assert done.state == "failed"
    assert "origin holds something that no ledger may hold: commit" in done.message
    assert "up to date" not in done.message
    assert f"git push --force origin {(before or '')[:10]}:refs/heads/ledger" in (done.hint or "")
    assert other.tip() == before


@pytest.mark.parametrize("to", ["refs/heads/ledger", f"{INBOX}20261120-194812-aaaaaa"])
@pytest.mark.parametrize("what", ["over a limit", "no name for Windows"])
def test_what_breaks_a_limit_or_is_only_doubtful_is_taken(
    ada: Branch, bob: Branch, hub: Path, to: str, what: str
) -> None:
    ada.append(made(1))
    if what == "over a limit":
        write_policy(ada, b"limits: {record_bytes: 99}\n")
        files = made(2).files
    else:
        files = dataset("a text", ADA, "con")
    synced(ada)
    synced(bob)
    pushed_by_hand(ada, files, to)
    assert synced(bob).safe
    assert all(bob.read(path) == content for path, content in files.items())


def test_a_change_of_the_policy_is_taken_and_told(ledger: Branch, tmp_path: Path) -> None:
    add(ledger, draft(1))
    _, other = share(ledger, tmp_path)
    pushed_by_hand(ledger, {"policy.yaml": b"directions: {accuracy: lower}\n"})
    done = sync(other, timeout_seconds=60)
    assert done.safe
    assert "Ada changed the policy or workflows of the team" in done.message
    assert "up to date" not in done.message


def test_a_policy_that_cannot_be_read_does_not_come_in(ledger: Branch, tmp_path: Path) -> None:
    add(ledger, draft(1))
    _, other = share(ledger, tmp_path)
    pushed_by_hand(ledger, {"policy.yaml": b"directions: [\n"})
    assert "policy.yaml" in sync(other, timeout_seconds=60).message
    assert other.read("policy.yaml") != b"directions: [\n"


def test_a_false_checkpoint_is_not_taken(ada: Branch, bob: Branch, hub: Path) -> None:
    ada.append(made(1))
    good = checkpoint(ada)
    synced(ada)
    said = "10 entries\n\nEntries: 10\nRoot: blake3:" + "0" * 64
    git_in(folder_of(ada), "tag", "-a", "-m", said, "ledger/checkpoint-20260101-000000", "refs/heads/ledger")
    git_in(folder_of(ada), "push", "--quiet", "origin", "refs/tags/ledger/checkpoint-20260101-000000")
    done = synced(bob)
    assert "the checkpoint ledger/checkpoint-20260101-000000 was not taken: the number of entries" in done.message
    assert git_in(folder_of(bob), "tag", "--list", "ledger/*").split() == [good.name]


def rewound(ledger: Branch, hub: Path, how: str) -> None:
    tip = git_in(hub, "rev-parse", "ledger").strip()
    if how == "rewound":
        git_in(hub, "update-ref", "refs/heads/ledger", f"{tip}~1")
        return
    path = record_of(ledger)
    folder = hub.parent / "rewriting"
    git_in(hub.parent, "clone", "--quiet", str(hub), str(folder))
    git_in(folder, "checkout", "--quiet", "-b", "evil", f"{tip}~1")
    (folder / path).write_bytes((folder / path).read_bytes().replace(b"0.1", b"0.9"))
    git_in(folder, "commit", "--quiet", "--all", "--amend", "--no-edit")
    git_in(folder, "push", "--quiet", "--force", "--no-verify", "origin", "evil:ledger")


@pytest.mark.parametrize("how", ["rewound", "rewritten"])
def test_a_fresh_clone_notices_what_was_forced(ledger: Branch, tmp_path: Path, cli: Cli, how: str) -> None:
    for number in (1, 2):
        add(ledger, draft(number))
    hub, _ = share(ledger, tmp_path)
    assert git_in(hub, "rev-parse", REMEMBERED) == git_in(hub, "rev-parse", "ledger")
    rewound(ledger, hub, how)
    fresh = clone(hub, tmp_path / "fresh")
    git_in(folder_of(fresh), "branch", "ledger", "origin/ledger")
    found = cli("-C", str(folder_of(fresh)), "verify")
    assert found.code == 1
    assert "origin remembers a commit that the branch no longer contains" in found.out
    done = sync(fresh, timeout_seconds=60)
    assert not done.safe
    assert "somebody rewound or rewrote it" in done.message


def test_a_fresh_clone_says_what_it_cannot_know(ledger: Branch, repo: Path, cli: Cli) -> None:
    add(ledger, draft(1))
    assert "nothing here or at a remote remembers it" in cli("verify").err
    git_in(repo, "remote", "add", "origin", str(repo.parent / "away"))
    (ledger.repository.state_dir / "verified-ledger").unlink()
    assert "origin could not be reached" in cli("verify").err


def test_the_memory_of_a_remote_never_runs_ahead_of_its_branch(ada: Branch, bob: Branch, hub: Path) -> None:
    for number, ledger in enumerate((ada, bob, ada, bob)):
        ledger.append(made(number, ledger.repository.author().name))
        assert synced(ledger).safe
        assert git_in(hub, "merge-base", REMEMBERED, "ledger") == git_in(hub, "rev-parse", REMEMBERED)
    assert git_in(hub, "rev-parse", REMEMBERED) == git_in(hub, "rev-parse", "ledger")


def test_the_first_finding_is_told_and_the_others_are_counted() -> None:
    first = Finding(rule="tree", path="runs/x\x1b", commit="a" * 40, message="no entry has a path like this")
    other = Finding(rule="history", message="there is a second beginning")
    assert _finding_text([first]) == "commit aaaaaaaaaa: runs/x\\x1b: no entry has a path like this"
    assert _finding_text([other, first]) == "there is a second beginning (and 1 more finding)"
    assert _finding_text([other, first, first]) == "there is a second beginning (and 2 more findings)"


def test_a_host_that_takes_branches_only_gets_the_records(ada: Branch, hub: Path) -> None:
    hook = hub / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase $1 in refs/heads/*) ;; *) echo "branches only" >&2; exit 1 ;; esac\n')
    hook.chmod(0o755)
    for number in (1, 2):
        ada.append(made(number))
        assert synced(ada).state == "sent"
    assert git_in(hub, "rev-parse", "ledger").strip() == ada.tip()
    assert git_in(hub, "for-each-ref", REMEMBERED) == ""


def test_nothing_of_the_user_is_pushed_where_only_the_memory_is_outdated(ledger: Branch, tmp_path: Path) -> None:
    for number in (1, 2):
        add(ledger, draft(number, params={"db": "a secret text"}))
    hub, _ = share(ledger, tmp_path)
    folder = folder_of(ledger)
    needles = Needles(["a secret text"])
    done = redact(ledger, plan_redaction(ledger, needles), needles, reason="a password", now=NOW)
    assert done.redaction is not None
    git_in(folder, "push", "--quiet", "--force", "origin", "ledger")
    git_in(folder, "commit", "--quiet", "--allow-empty", "--message", "not to be sent")
    git_in(folder, "config", "push.default", "current")
    before = git_in(hub, "rev-parse", "main")
    assert sync(ledger, timeout_seconds=60).safe
    assert git_in(hub, "rev-parse", "main") == before
    assert git_in(hub, "rev-parse", REMEMBERED) == git_in(hub, "rev-parse", "ledger"), "the old history is let go of"


def test_a_remote_without_a_branch_is_not_told_to_remember_it(ledger: Branch) -> None:
    with pytest.raises(Conflict) as lost:
        check_continued(ledger, "origin", "a" * 40, None)
    put_back = "git fetch origin refs/ledger/remembered; git push --force origin FETCH_HEAD:refs/heads/ledger"
    assert lost.value.hint == f"to put it back: {put_back}"
