"""What must not be joined is refused, with what to type; nothing changes then, here or there."""

import json
from pathlib import Path

import msgspec
import pytest

from ledger.errors import Conflict
from ledger.hashing import hash_bytes
from ledger.model.document import dump
from ledger.model.paths import dataset_path
from ledger.model.record import Author
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.sync.exchange import INBOX
from ledger.store.sync.join import check_only_grew, join
from tests.conftest import git_in
from tests.samples import sample_ledger
from tests.store.branch.test_branch import ADA, NOW, entry
from tests.store.sync.remotes import clone, folder_of, held, made, make_hub, synced


def test_a_commit_that_changes_an_entry_is_never_sent(ada: Branch, bob: Branch) -> None:
    ada.append(made(1))
    synced(ada)
    synced(bob)
    bob.append(made(2, "Bob"))
    synced(bob)
    path = next(iter(made(1).files))
    append_commit(ada.repository, ada.ref, parent=ada.tip(), files={path: b"{}"}, message="x", author=ADA, now=NOW)
    tip = ada.tip()
    done = synced(ada)
    assert (done.state, done.hint) == (
        "failed",
        "ledger recover --branch puts it back; ledger verify says what is wrong",
    )
    assert path in done.message
    assert ada.tip() == tip


def test_another_ledger_is_refused_and_nothing_changes(ada: Branch, tmp_path: Path) -> None:
    ada.append(made(1))
    synced(ada)
    (tmp_path / "other").mkdir()
    other = clone(make_hub(tmp_path / "other"), tmp_path / "eve", author="Eve")
    other.append(made(1, "Eve"))
    synced(other)
    git_in(folder_of(ada), "remote", "add", "wrong", str(tmp_path / "other" / "hub.git"))
    before = git_in(folder_of(ada), "for-each-ref", "refs/heads", "refs/remotes", "refs/ledger/seen")
    done = synced(ada, "wrong")
    assert done.state == "failed"
    assert "another ledger" in done.message
    assert "git remote get-url wrong" in (done.hint or "")
    assert git_in(folder_of(ada), "for-each-ref", "refs/heads", "refs/remotes", "refs/ledger/seen") == before
    assert held(tmp_path / "other" / "hub.git") == [made(1, "Eve").id]


def test_the_ledger_of_another_project_is_refused_by_a_clone_that_never_synced(hub: Path, tmp_path: Path) -> None:
    alone = clone(hub, tmp_path / "alone")
    alone.append(made(1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "train.py").touch()
    other_hub = make_hub(tmp_path / "other")
    git_in(tmp_path / "other" / "seed", "commit", "--quiet", "--amend", "--message", "Another project")
    git_in(tmp_path / "other" / "seed", "push", "--quiet", "--force", str(other_hub), "HEAD:main")
    other = clone(other_hub, tmp_path / "eve", author="Eve")
    other.append(made(1, "Eve"))
    synced(other)
    git_in(folder_of(alone), "remote", "remove", "origin")
    git_in(folder_of(alone), "remote", "add", "origin", str(other_hub))
    assert "another ledger" in synced(alone).message


def test_a_rewound_remote_is_refused_and_put_back_as_the_hint_says(ada: Branch, hub: Path) -> None:
    first = ada.append(made(1)).commit
    ada.append(made(2))
    synced(ada)
    tip = ada.tip()
    git_in(hub, "update-ref", "refs/heads/ledger", first)
    ada.append(made(3))
    done = synced(ada)
    assert done.state == "failed"
    assert "rewound" in done.message
    assert tip in git_in(folder_of(ada), "rev-list", "ledger").split()
    assert held(hub) == [made(1).id]
    assert (done.hint or "").startswith("to put it back: git update-ref -d refs/ledger/seen/origin/ledger, then")
    git_in(folder_of(ada), "update-ref", "-d", "refs/ledger/seen/origin/ledger")
    assert synced(ada).state == "sent"
    assert len(held(hub)) == 3


def test_theirs_is_taken_as_the_hint_says(ada: Branch, hub: Path) -> None:
    first = ada.append(made(1)).commit
    ada.append(made(2))
    synced(ada)
    git_in(hub, "update-ref", "refs/heads/ledger", first)
    hint = synced(ada).hint or ""
    assert "git branch -m ledger ledger-before" in hint
    assert hint.endswith(f"git push --force origin {first}:refs/ledger/remembered")
    git_in(folder_of(ada), "push", "--quiet", "--force", "origin", f"{first}:refs/ledger/remembered")
    git_in(folder_of(ada), "branch", "-m", "ledger", "ledger-before")
    git_in(folder_of(ada), "update-ref", "-d", "refs/ledger/seen/origin/ledger")
    assert synced(ada).state in {"received", "up to date"}
    assert held(folder_of(ada)) == [made(1).id]


def test_a_remote_whose_ledger_was_deleted_is_refused(ada: Branch, hub: Path) -> None:
    ada.append(made(1))
    synced(ada)
    git_in(hub, "update-ref", "-d", "refs/heads/ledger")
    assert "no longer has the ledger" in synced(ada).message


def test_a_hook_that_refuses_is_quoted(ada: Branch, hub: Path) -> None:
    hook = hub / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'records need a ticket' >&2\nexit 1\n")
    hook.chmod(0o755)
    ada.append(made(1))
    done = synced(ada)
    assert done.state == "failed"
    assert "pre-receive hook declined: records need a ticket" in done.message
    assert git_in(hub, "for-each-ref", INBOX) == ""


@pytest.mark.parametrize("path", ["notes/a b.json", 'runs/"x".json', "runs/é.json"])
def test_a_path_that_no_entry_has_is_never_sent(ada: Branch, bob: Branch, path: str) -> None:
    ada.append(made(0))
    synced(ada)
    synced(bob)
    bob.append(made(1, "Bob"))
    synced(bob)
    files = {path: b"{}"}
    append_commit(ada.repository, ada.ref, parent=ada.tip(), files=files, message="x", author=ADA, now=NOW)
    assert "adds something that is not an entry" in synced(ada).message


def dataset(content: str, author: Author, label: str = "v1") -> dict[str, bytes]:
    version = sample_ledger()[0].datasets[0]
    line = {"path": "a.txt", "bytes": 1, "hash": hash_bytes(content.encode())}
    manifest = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    version = msgspec.structs.replace(version, version=label, hash=hash_bytes(manifest), author=author)
    folder = dataset_path(version.name, version.version)
    return {f"{folder}/dataset.json": dump(version), f"{folder}/manifest.jsonl": manifest}


def test_one_dataset_version_added_twice_is_joined_and_two_contents_are_refused(ada: Branch, bob: Branch) -> None:
    ada.append(made(0))
    synced(ada)
    synced(bob)
    eve = Author(name="Eve", email="eve@example.com")
    for ledger, who, number in ((ada, ADA, 1), (bob, eve, 2)):
        entry = made(number)
        files = entry.files | dataset("blake3:same", who)
        ledger.append(Entry(id=entry.id, files=files, message="run\n", author=who, made_at=NOW))
    synced(ada)
    assert synced(bob).state == "both"
    synced(ada)
    for ledger, number in ((ada, 3), (bob, 4)):
        files = dataset(f"content {number}", ADA, "v9")
        entry = made(number)
        ledger.append(Entry(id=entry.id, files=entry.files | files, message="run\n", author=ADA, made_at=NOW))
    synced(ada)
    tip = bob.tip()
    done = synced(bob)
    assert done.state == "failed"
    assert "digits-train@v9" in done.message
    assert bob.tip() == tip


def test_what_the_other_history_removed_is_not_brought_back_unseen(ada: Branch) -> None:
    ada.append(made(1))
    ada.append(made(2))
    tree = folder_of(ada).parent / "tree"
    git_in(folder_of(ada), "worktree", "add", "--quiet", "--detach", str(tree), "ledger")
    git_in(tree, "rm", "-r", "--quiet", "runs")
    git_in(tree, "commit", "--quiet", "--message", "x")
    onto = git_in(tree, "rev-parse", "HEAD").strip()
    ada.append(made(3))
    with pytest.raises(Conflict, match="the history is incomplete, so no commit adds this file"):
        join(ada.repository, onto, ada.tip() or "")


def write_policy(ledger: Branch, text: bytes, path: str = "policy.yaml") -> None:
    files = {path: text}
    append_commit(ledger.repository, ledger.ref, parent=ledger.tip(), files=files, message="p", author=ADA, now=NOW)


def test_a_changed_policy_is_growth_and_a_changed_entry_is_none(ledger: Branch) -> None:
    path = next(iter(entry().files))
    ledger.append(entry())
    write_policy(ledger, b"directions: {loss: lower}\n")
    check_only_grew(ledger.repository, ledger.tip() or "")
    write_policy(ledger, b"[]", path)
    with pytest.raises(Conflict, match=f"changes what was recorded: `{path}`"):
        check_only_grew(ledger.repository, ledger.tip() or "")


def test_a_policy_changed_by_one_is_kept_and_by_both_is_refused(ada: Branch, bob: Branch, hub: Path) -> None:
    ada.append(made(0))
    synced(ada)
    synced(bob)
    write_policy(bob, b"directions: {loss: lower}\n")
    ada.append(made(1))
    synced(ada)
    assert synced(bob).safe
    assert git_in(hub, "show", "ledger:policy.yaml") == "directions: {loss: lower}\n"
    synced(ada)
    write_policy(ada, b"directions: {a: lower}\n")
    write_policy(bob, b"directions: {b: lower}\n")
    synced(ada)
    done = synced(bob)
    assert "both ledgers changed this file by hand" in done.message
    assert bob.read("policy.yaml") == b"directions: {b: lower}\n"


def test_of_two_beginnings_with_one_workflow_the_edited_one_is_kept(ada: Branch, bob: Branch, hub: Path) -> None:
    path, installed, edited = ".github/workflows/ledger-site.yml", b"on: push\n", b"on: [push, schedule]\n"
    for ledger, number in ((ada, 1), (bob, 2)):
        ledger.append(made(number, ledger.repository.author().name))
        write_policy(ledger, installed, path)
    write_policy(bob, edited, path)
    assert synced(ada).safe
    assert synced(bob).safe
    assert git_in(hub, "show", f"ledger:{path}") == edited.decode()
