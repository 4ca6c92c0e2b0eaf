"""Ledgers of clones and remotes agree, whoever was first or offline; nothing is lost or there twice."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.errors import NotFound
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.sync.exchange import INBOX
from tests.conftest import ROOT, git_in, state_of
from tests.store.branch.test_branch import ADA, NOW
from tests.store.sync.remotes import added, clone, folder_of, held, made, over_http, synced, wrong_with


def test_the_first_push_brings_the_branch_to_the_remote(ada: Branch, hub: Path) -> None:
    entry = made(1)
    commit = ada.append(entry).commit
    before = state_of(folder_of(ada))
    done = synced(ada)
    assert (done.state, done.remote, done.tip) == ("sent", "origin", commit)
    assert done.sent == [next(iter(entry.files)).removesuffix("/record.json")]
    assert held(hub) == [entry.id]
    assert state_of(folder_of(ada)) == before
    assert synced(ada).state == "up to date"


def test_a_clone_without_a_ledger_gets_that_of_the_remote(ada: Branch, bob: Branch, hub: Path) -> None:
    ada.append(made(1))
    synced(ada)
    done = synced(bob)
    assert (done.state, len(done.received)) == ("received", 1)
    assert bob.tip() == ada.tip() == git_in(hub, "rev-parse", "ledger").strip()


def test_two_clones_that_recorded_offline_join_with_their_authors_and_times(
    ada: Branch, bob: Branch, hub: Path
) -> None:
    ada.append(made(0))
    synced(ada)
    synced(bob)
    for number in (1, 2):
        ada.append(made(number))
        bob.append(made(number, "Bob"))
    before = git_in(folder_of(bob), "log", "--format=%an %ae %ai %ci %B", "-2", "ledger")
    assert synced(ada).state == "sent"
    assert wrong_with(bob) == []
    done = synced(bob)
    assert (done.state, len(done.sent), len(done.received)) == ("both", 2, 2)
    assert git_in(folder_of(bob), "log", "--format=%an %ae %ai %ci %B", "-2", "ledger") == before
    assert synced(ada).state == "received"
    assert ada.tip() == bob.tip()
    assert len(held(hub)) == 5
    assert held(hub) == added(hub)
    assert git_in(hub, "rev-list", "--merges", "ledger") == ""
    assert wrong_with(ada) == wrong_with(bob) == []


def test_two_clones_that_both_began_the_ledger_join(ada: Branch, bob: Branch, hub: Path) -> None:
    ada.append(made(1))
    bob.append(made(1, "Bob"))
    synced(ada)
    assert synced(bob).state == "both"
    synced(ada)
    assert ada.tip() == bob.tip()
    assert len(held(hub)) == 2
    assert wrong_with(bob) == []
    assert git_in(hub, "rev-list", "--count", "--max-parents=0", "ledger").strip() == "1"


WRITER = """
import sys
from pathlib import Path
from ledger.store.branch.branch import Branch
from ledger.store.sync.sync import sync
from tests.store.sync.remotes import made
ledger = Branch.open(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    ledger.append(made(number, Path(sys.argv[1]).name))
    done = sync(ledger, timeout_seconds=120)
    print(done.state, done.message, flush=True)
    assert done.safe, done
"""


def test_six_clones_at_once_lose_nothing(hub: Path, tmp_path: Path) -> None:
    ledgers = [clone(hub, tmp_path / f"clone{number}", author=f"Clone{number}") for number in range(6)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder_of(ledger)), "5"], cwd=ROOT, stderr=subprocess.PIPE)
        for ledger in ledgers
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=120)
        assert writer.returncode == 0, err.decode()
    for ledger in (*ledgers, *ledgers):
        assert synced(ledger).safe
    expected = sorted(made(number, f"clone{clone}").id for clone in range(6) for number in range(5))
    assert held(hub) == added(hub) == expected
    assert {ledger.tip() for ledger in ledgers} == {git_in(hub, "rev-parse", "ledger").strip()}
    assert git_in(hub, "for-each-ref", INBOX) == ""
    assert wrong_with(ledgers[0]) == []


def test_a_remote_that_is_gone_fails_in_one_line(ada: Branch, hub: Path) -> None:
    ada.append(made(1))
    hub.rename(hub.with_name("moved"))
    done = synced(ada)
    assert done.state == "failed"
    assert "no repository at its address" in done.message
    assert "\n" not in done.message
    assert ada.tip() is not None


def test_a_remote_that_never_answers_is_given_up_in_time(ada: Branch) -> None:
    ada.append(made(1))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        git_in(folder_of(ada), "remote", "set-url", "origin", f"http://127.0.0.1:{port}/hub.git")
        started = time.monotonic()
        done = synced(ada, timeout=1)
        assert time.monotonic() - started < 3
    assert done.state == "failed"
    assert "no answer within 1 s" in done.message
    processes = Path("/proc").glob("[0-9]*/cmdline")
    assert not [path for path in processes if path.exists() and str(port).encode() in _content(path)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_writers_of_one_clone_queue_their_pushes(ada: Branch, hub: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER.replace("Path(sys.argv[1]).name", f"'w{number}'"), str(folder_of(ada)), "3"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    said = [writer.communicate(timeout=120)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert "inbox" not in "".join(said)
    assert len(held(hub)) == 12
    assert held(hub) == added(hub)


def test_code_that_only_this_clone_holds_goes_along(ada: Branch, hub: Path) -> None:
    (folder_of(ada) / "new.py").write_text("x")
    git_in(folder_of(ada), "add", ".")
    git_in(folder_of(ada), "commit", "--quiet", "--message", "Local")
    commit = git_in(folder_of(ada), "rev-parse", "HEAD").strip()
    entry = made(1)
    ada.append(Entry(id=entry.id, files=entry.files, message="run\n", author=ADA, made_at=NOW, keep=[commit]))
    synced(ada)
    assert commit in git_in(hub, "rev-list", "refs/ledger/kept").split()


def test_code_of_many_clones_goes_into_one_ref_whoever_is_first(ada: Branch, bob: Branch, hub: Path) -> None:
    commits = []
    git_in(hub, "update-ref", "refs/ledger/code/" + (old := git_in(hub, "rev-parse", "main").strip()), old)
    for round_ in range(2):
        for number, ledger in enumerate((ada, bob)):
            git_in(folder_of(ledger), "commit", "--quiet", "--allow-empty", "--message", f"Local {round_}")
            commits.append(git_in(folder_of(ledger), "rev-parse", "HEAD").strip())
            entry = made(round_ * 2 + number, ledger.repository.author().name)
            keep = commits[-1:]
            ledger.append(Entry(id=entry.id, files=entry.files, message="run\n", author=ADA, made_at=NOW, keep=keep))
        for ledger in (ada, bob):
            assert synced(ledger).safe
    assert set(commits) <= set(git_in(hub, "rev-list", "refs/ledger/kept").split())
    left = git_in(hub, "for-each-ref", "--format=%(refname)", "refs/ledger").split()
    assert left == ["refs/ledger/kept", "refs/ledger/remembered"]


def test_without_a_remote_it_says_so(ledger: Branch) -> None:
    done = synced(ledger)
    assert (done.state, done.safe) == ("no remote", False)
    with pytest.raises(NotFound, match="no such remote"):
        synced(ledger, "--upload-pack=evil")


def test_of_several_remotes_the_configured_one_is_used(ada: Branch, hub: Path, tmp_path: Path) -> None:
    ada.append(made(1))
    git_in(folder_of(ada), "remote", "rename", "origin", "one")
    git_in(folder_of(ada), "remote", "add", "two", str(tmp_path / "none.git"))
    done = synced(ada)
    assert "several remotes" in done.message
    assert "branch.ledger.remote" in (done.hint or "")
    git_in(folder_of(ada), "config", "branch.ledger.remote", "one")
    assert synced(ada).state == "sent"
    assert held(hub) == [made(1).id]


def test_two_remotes_that_grew_apart_agree_in_the_end(ada: Branch, bob: Branch, hub: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.git"
    git_in(tmp_path, "clone", "--quiet", "--bare", str(hub), str(second))
    for ledger in (ada, bob):
        git_in(folder_of(ledger), "remote", "add", "second", str(second))
    ada.append(made(0))
    synced(ada)
    synced(ada, "second")
    synced(bob)
    ada.append(made(1))
    bob.append(made(1, "Bob"))
    synced(ada, "origin")
    synced(bob, "second")
    for remote in ("second", "origin", "second"):
        assert synced(ada, remote).safe
    assert git_in(hub, "rev-parse", "ledger") == git_in(second, "rev-parse", "ledger")
    assert len(held(hub)) == 3
    assert wrong_with(ada) == []


def test_http_remotes_sync(hub: Path, tmp_path: Path) -> None:
    git_in(hub, "config", "http.receivepack", "true")
    with over_http(tmp_path) as address:
        one = clone(f"{address}/hub.git", tmp_path / "one")
        other = clone(f"{address}/hub.git", tmp_path / "other", author="Other")
        one.append(made(1))
        other.append(made(2))
        assert synced(one).state == "sent"
        assert synced(other).state == "both"
        assert synced(one).state == "received"
    assert len(held(hub)) == 2


def test_ssh_remotes_sync_in_batch_mode(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "ssh"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nfor last; do :; done\nexec sh -c "$last"\n')
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    one = clone(f"ssh://git@example.com{hub}", tmp_path / "one")
    one.append(made(1))
    assert synced(one).state == "sent"
    assert held(hub) == [made(1).id]
    monkeypatch.delenv("GIT_SSH_COMMAND")
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    (tmp_path / "asked").unlink()
    assert synced(Branch.open(folder_of(one))).state == "up to date"
    assert "BatchMode=yes" in (tmp_path / "asked").read_text()


def test_a_git_that_is_killed_under_a_sync_leaves_no_lock_and_the_next_sync_goes_on(
    ada: Branch, bob: Branch, hub: Path
) -> None:
    ada.append(made(1))
    synced(ada)
    hook = folder_of(bob) / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n[ $1 != prepared ] || kill -9 $PPID\n")
    hook.chmod(0o755)
    done = synced(bob)
    assert done.state == "failed"
    assert "git fetch was killed (signal 9)" in done.message
    assert list((folder_of(bob) / ".git").rglob("*.lock")) == [folder_of(bob) / ".git" / "ledger" / "push.lock"]
    hook.unlink()
    assert synced(bob).state == "received"
    assert held(hub) == [made(1).id]


@pytest.mark.parametrize("lock", ["packed-refs.lock", "{ref}.lock"])
def test_a_lock_at_the_remote_that_keeps_its_inbox_full_is_named(
    lock: str, ada: Branch, bob: Branch, hub: Path
) -> None:
    ada.append(made(1))
    synced(ada)
    ref = f"{INBOX}20261120-000000-abcdef"
    bob.append(made(2))
    git_in(folder_of(bob), "push", "--quiet", "origin", f"ledger:{ref}")
    path = hub / lock.format(ref=ref)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    for _ in range(2):  # the entry is on the branch already, and the lock is named again
        done = synced(ada)
        assert done.safe
        assert "the inbox was not emptied: a ref is locked there" in done.message
        assert f"remove this file there: `{path}`" in done.message
    path.unlink()
    assert "not emptied" not in synced(ada).message
    assert git_in(hub, "for-each-ref", INBOX) == ""
