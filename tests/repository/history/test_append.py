"""One commit in one fast-import: whole or not at all, and never over somebody else's."""

import json
import os
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError, LostRace
from ledger.model.record import Author
from ledger.repository.history.append import append_commit, keep_commits
from ledger.repository.repository import Repository
from tests.conftest import git_in, make_repository, state_of

NOW = datetime(2026, 11, 20, 19, 48, 12, tzinfo=UTC)
ADA = Author(name="Ada", email="ada@example.com")
REF = "refs/heads/ledger"


def append(repo: Path, parent: str | None, files: dict[str, bytes], **more: object) -> str:
    options = {"message": "add\n", "author": Author(name="Ada", email="ada@example.com"), "now": NOW} | more
    return append_commit(Repository.discover(repo), REF, parent=parent, files=files, **options)  # type: ignore[arg-type]  # options by name


def test_a_commit_holds_exactly_the_bytes_given(repo: Path) -> None:
    odd = b"no newline\0binary\xff\ndata 3\ndone\n"
    commit = append(repo, None, {"a/b.bin": odd, "c.txt": b""})
    assert git_in(repo, "ls-tree", "-r", "--name-only", commit) == "a/b.bin\nc.txt\n"
    assert next(Repository.discover(repo).read_objects([f"{commit}:a/b.bin"])) == odd
    assert git_in(repo, "rev-parse", REF).strip() == commit


def test_author_and_time_are_as_given_and_cannot_forge_headers(repo: Path) -> None:
    author = Author(name="Eve\ncommitter X <x> 1 +0000", email="e>\n")
    commit = append(repo, None, {"a": b""}, author=author, message="subject\n\nbody\n")
    assert git_in(repo, "log", "-1", "--format=%an|%ae|%at|%s|%b", commit) == (
        f"Evecommitter X x 1 +0000|e|{int(NOW.timestamp())}|subject|body\n\n"
    )


def test_the_next_commit_keeps_what_was_there(repo: Path) -> None:
    first = append(repo, None, {"a": b"1"})
    second = append(repo, first, {"b": b"2"})
    assert git_in(repo, "ls-tree", "--name-only", second) == "a\nb\n"
    assert git_in(repo, "rev-list", "--count", REF) == "2\n"


def test_a_lost_race_is_refused_and_changes_nothing(repo: Path) -> None:
    first = append(repo, None, {"a": b"1"})
    second = append(repo, first, {"b": b"2"})
    with pytest.raises(LostRace):
        append(repo, first, {"c": b"3"})
    assert git_in(repo, "rev-parse", REF).strip() == second


def test_a_second_root_is_refused(repo: Path) -> None:
    first = append(repo, None, {"a": b"1"})
    with pytest.raises(LostRace):
        append(repo, None, {"b": b"2"})
    assert git_in(repo, "rev-parse", REF).strip() == first


def test_code_commits_are_kept_alive(repo: Path) -> None:
    head = git_in(repo, "rev-parse", "HEAD").strip()
    append(repo, None, {"a": b""}, keep=[head])
    assert git_in(repo, "rev-list", "refs/ledger/kept").split()[-1] == head
    assert git_in(repo, "ls-tree", "refs/ledger/kept") == ""


def test_the_user_s_repository_is_not_touched(repo: Path) -> None:
    (repo / "dirty.txt").write_text("dirty")
    before = state_of(repo)
    append(repo, None, {"a": b""})
    assert state_of(repo) == before


def test_the_lock_of_somebody_else_is_explained(repo: Path) -> None:
    first = append(repo, None, {"a": b"1"})
    lock = repo / ".git" / "refs" / "heads" / "ledger.lock"
    lock.write_text("")
    os.utime(lock, (time.time() - 7 * 3600, time.time() - 7 * 3600))
    with pytest.raises(LedgerError, match=r"since .* UTC \(7 hours ago\): `") as caught:
        append(repo, first, {"b": b"2"})
    assert str(lock) in str(caught.value)
    assert f"rm {lock}; then: ledger recover" in str(caught.value.hint)
    assert not list((repo / ".git").glob("fast_import_crash_*"))


def test_a_git_that_is_slow_is_waited_for(repo: Path) -> None:
    first = append(repo, None, {"a": b"1"})
    lock = repo / ".git" / "refs" / "heads" / "ledger.lock"
    lock.write_text("")
    release = threading.Timer(3, lock.unlink)  # git by itself, as we start it, gives up after 2 s
    release.start()
    second = append(repo, first, {"b": b"2"})
    release.join()
    assert git_in(repo, "rev-parse", REF).strip() == second


def test_what_is_written_is_on_the_disk(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    first = append(repo, None, {"a": b"1"})
    append(repo, first, {"b/c": b"2"})
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    flushes = sum(int(event["value"]) for event in events if event.get("key") == "fsync/hardware-flush")
    assert flushes >= 9, "two commits, two blobs, three trees, two refs; git alone leaves all but packs to the kernel"


def test_code_commits_are_held_once(repo: Path) -> None:
    head = git_in(repo, "rev-parse", "HEAD").strip()
    keep_commits(Repository.discover(repo), [head], ADA, NOW)
    first = git_in(repo, "rev-parse", "refs/ledger/kept")
    keep_commits(Repository.discover(repo), [head], ADA, NOW)
    keep_commits(Repository.discover(repo), [], ADA, NOW)
    assert git_in(repo, "rev-parse", "refs/ledger/kept") == first


def test_commits_that_nothing_else_reaches_survive_a_gc_in_one_ref(repo: Path) -> None:
    kept = []
    for number in range(3):
        (repo / "train.py").write_text(f"{number}\n")
        git_in(repo, "commit", "-qam", f"Idea {number}")
        kept.append(git_in(repo, "rev-parse", "HEAD").strip())
        keep_commits(Repository.discover(repo), kept[-1:], ADA, NOW)
        git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    git_in(repo, "reflog", "expire", "--expire=now", "--all")
    git_in(repo, "gc", "-q", "--prune=now")
    assert [git_in(repo, "cat-file", "-t", commit).strip() for commit in kept] == ["commit"] * 3
    assert git_in(repo, "for-each-ref", "--format=%(refname)", "refs/ledger").split() == ["refs/ledger/kept"]


def test_refs_that_older_versions_made_of_each_commit_are_folded(repo: Path) -> None:
    first = git_in(repo, "rev-parse", "HEAD").strip()
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "Two")
    second = git_in(repo, "rev-parse", "HEAD").strip()
    git_in(repo, "update-ref", f"refs/ledger/code/{first}", first)
    keep_commits(Repository.discover(repo), [second], ADA, NOW)
    assert git_in(repo, "for-each-ref", "--format=%(refname)", "refs/ledger").split() == ["refs/ledger/kept"]
    assert {first, second} <= set(git_in(repo, "rev-list", "refs/ledger/kept").split())


def test_a_repository_that_cannot_be_written_says_so_and_stays_as_it_was(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    tmpfs = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(mount)]
    if subprocess.run(tmpfs, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    try:
        repo = make_repository(mount / "repo")
        first = append(repo, None, {"a": b"1"})
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        with pytest.raises(LedgerError, match="cannot be written to") as caught:
            append(repo, first, {"b": b"2"})
        assert caught.value.hint
        assert git_in(repo, "rev-parse", REF).strip() == first
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)
