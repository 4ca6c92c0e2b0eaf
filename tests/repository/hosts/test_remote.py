"""Talking with remotes: exact refs in, what became of each out, and always an end."""

import time
from pathlib import Path

import pytest

from ledger.errors import LedgerError, NotFound, Unanswered
from ledger.repository.hosts.remote import Pushed, check_remote, choose_remote, fetch, push, remote_refs
from ledger.repository.repository import Repository
from tests.conftest import git_in


@pytest.fixture
def hub(repo: Path, tmp_path: Path) -> Path:
    git_in(tmp_path, "init", "--quiet", "--bare", "hub.git")
    git_in(repo, "remote", "add", "origin", str(tmp_path / "hub.git"))
    return tmp_path / "hub.git"


@pytest.fixture
def repository(repo: Path) -> Repository:
    return Repository.discover(repo)


def test_a_push_says_what_became_of_each_ref(repo: Path, repository: Repository, hub: Path) -> None:
    git_in(repo, "branch", "other")
    done = push(repository, "origin", ["main:refs/heads/main", "other:refs/heads/other"], timeout_seconds=30)
    assert {name: pushed.state for name, pushed in done.items()} == {"refs/heads/main": "ok", "refs/heads/other": "ok"}
    again = push(repository, "origin", ["main:refs/heads/main"], timeout_seconds=30)
    assert again == {"refs/heads/main": Pushed(state="up to date")}
    git_in(repo, "commit", "--quiet", "--amend", "--message", "Another")
    rejected = push(repository, "origin", ["main:refs/heads/main"], timeout_seconds=30)
    assert rejected["refs/heads/main"].state == "rejected"


def test_a_ref_is_deleted_only_where_it_is_expected(repo: Path, repository: Repository, hub: Path) -> None:
    push(repository, "origin", ["main:refs/ledger/inbox/x"], timeout_seconds=30)
    name, tip = "refs/ledger/inbox/x", git_in(repo, "rev-parse", "main").strip()
    done = push(repository, "origin", [f":{name}"], expected={name: "1" * 40}, timeout_seconds=30)
    assert done[name].state == "rejected"
    done = push(repository, "origin", [f":{name}"], expected={name: tip}, timeout_seconds=30)
    assert done[name].state == "ok"
    assert git_in(hub, "for-each-ref") == ""


def test_only_refs_of_exactly_these_names_are_listed(repo: Path, repository: Repository, hub: Path) -> None:
    for ref in ("refs/heads/ledger", "refs/heads/x/refs/heads/ledger", "refs/ledger/inbox/a/b", "refs/heads/ledger2"):
        git_in(repo, "push", "--quiet", "origin", f"main:{ref}")
    found = remote_refs(repository, "origin", ["refs/heads/ledger", "refs/ledger/inbox/*"], timeout_seconds=30)
    assert sorted(found) == ["refs/heads/ledger", "refs/ledger/inbox/a/b"]


def test_a_fetch_brings_no_tags_and_leaves_fetch_head(repo: Path, repository: Repository, hub: Path) -> None:
    git_in(repo, "push", "--quiet", "origin", "main")
    git_in(hub, "tag", "v1", "main")
    fetch(repository, "origin", ["+refs/heads/main:refs/ledger/incoming/main"], timeout_seconds=30)
    assert git_in(repo, "rev-parse", "refs/ledger/incoming/main") == git_in(repo, "rev-parse", "main")
    assert git_in(repo, "tag") == ""
    assert not (repo / ".git" / "FETCH_HEAD").exists()


def test_a_remote_that_hangs_is_ended_with_all_that_git_started(
    repo: Path, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "ssh"
    script.write_text(f"#!/bin/sh\ntrap '' TERM\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    git_in(repo, "remote", "add", "slow", "ssh://git@example.com/hub.git")
    started = time.monotonic()
    with pytest.raises(Unanswered, match="no answer within 1 s"):
        remote_refs(Repository.discover(repo), "slow", ["refs/heads/ledger"], timeout_seconds=1)
    assert time.monotonic() - started < 3
    process = Path("/proc") / (tmp_path / "pid").read_text().strip()
    while process.exists() and "State:\tZ" not in (process / "status").read_text():
        assert time.monotonic() - started < 20, "sleep would live for 60 s: it was not killed"
        time.sleep(0.01)  # SIGKILL is delivered when the kernel next lets the process run


def test_the_remote_is_the_configured_one_else_origin_else_the_only_one(repo: Path, repository: Repository) -> None:
    assert choose_remote(repository, "ledger") is None
    git_in(repo, "remote", "add", "one", "/one")
    assert choose_remote(repository, "ledger") == "one"
    git_in(repo, "remote", "add", "two", "/two")
    with pytest.raises(LedgerError, match="several remotes"):
        choose_remote(repository, "ledger")
    git_in(repo, "remote", "add", "origin", "/origin")
    assert choose_remote(repository, "ledger") == "origin"
    git_in(repo, "config", "branch.ledger.remote", "two")
    assert choose_remote(repository, "ledger") == "two"
    with pytest.raises(NotFound, match="no such remote"):
        check_remote(repository, "three")


def test_an_unreachable_remote_says_what_it_means(repo: Path, repository: Repository) -> None:
    git_in(repo, "remote", "add", "gone", "/nowhere/hub.git")
    with pytest.raises(LedgerError, match="no repository at its address") as error:
        fetch(repository, "gone", ["refs/heads/ledger"], timeout_seconds=30)
    assert error.value.hint == "git remote get-url gone"
