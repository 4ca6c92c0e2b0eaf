"""Ledgers of clones and remotes agree, whoever was first, offline or stopped; nothing is lost or there twice."""

import random
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import NotFound
from ledger.model.document import dump
from ledger.model.ids import new_id
from ledger.model.paths import dataset_path
from ledger.model.record import Author
from ledger.repository.append import append_commit
from ledger.repository.blobs import blob_reader
from ledger.store.exchange import INBOX, Exchange
from ledger.store.ledger import Ledger
from ledger.store.sync import sync
from ledger.store.synced import Synced
from ledger.store.verify import verify
from ledger.store.waiting import Entry
from tests.conftest import ROOT, git_in, state_of
from tests.samples import sample_ledger
from tests.store.remotes import added, clone, held, made, make_hub, over_http
from tests.store.test_ledger import ADA, NOW


def synced(ledger: Ledger, remote: str | None = None, *, timeout: float = 60, fold: bool = True) -> Synced:
    return sync(ledger, remote, timeout_seconds=timeout, fold=fold)


def folder_of(ledger: Ledger) -> Path:
    assert ledger.repository.worktree is not None
    return ledger.repository.worktree


def wrong_with(ledger: Ledger) -> list[str]:
    """Return what verification says of the history; the entries of these tests are no whole records."""
    with blob_reader(ledger.repository) as read_blob:
        findings = verify(ledger, read_blob).findings
    return [finding.message for finding in findings if finding.commit or "rewound" in finding.message]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path)


@pytest.fixture
def ada(hub: Path, tmp_path: Path) -> Ledger:
    return clone(hub, tmp_path / "ada")


@pytest.fixture
def bob(hub: Path, tmp_path: Path) -> Ledger:
    return clone(hub, tmp_path / "bob", author="Bob")


def test_the_first_push_brings_the_branch_to_the_remote(ada: Ledger, hub: Path) -> None:
    entry = made(1)
    commit = ada.append(entry)
    before = state_of(folder_of(ada))
    done = synced(ada)
    assert (done.state, done.remote, done.tip) == ("sent", "origin", commit)
    assert done.sent == [next(iter(entry.files)).removesuffix("/record.json")]
    assert held(hub) == [entry.id]
    assert state_of(folder_of(ada)) == before
    assert synced(ada).state == "up to date"


def test_a_clone_without_a_ledger_gets_that_of_the_remote(ada: Ledger, bob: Ledger, hub: Path) -> None:
    ada.append(made(1))
    synced(ada)
    done = synced(bob)
    assert (done.state, len(done.received)) == ("received", 1)
    assert bob.tip() == ada.tip() == git_in(hub, "rev-parse", "ledger").strip()


def test_two_clones_that_recorded_offline_join_with_their_authors_and_times(
    ada: Ledger, bob: Ledger, hub: Path
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


def test_two_clones_that_both_began_the_ledger_join(ada: Ledger, bob: Ledger, hub: Path) -> None:
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
from ledger.store.ledger import Ledger
from ledger.store.sync import sync
from tests.store.remotes import made
ledger = Ledger.open(Path(sys.argv[1]))
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


def busy(hub: Path) -> None:
    """Let somebody else be first whenever the branch is pushed: the hook moves it under the push."""
    hook = hub / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\n[ $1 = refs/heads/ledger ] || exit 0\n"
        "unset GIT_QUARANTINE_PATH\n"
        "tip=$(git rev-parse refs/heads/ledger)\n"
        "new=$(git -c user.name=Eve -c user.email=eve@example.com commit-tree $tip^{tree} -p $tip -m busy)\n"
        "git update-ref refs/heads/ledger $new\n"
    )
    hook.chmod(0o755)


def test_what_is_rejected_twice_waits_in_the_inbox_and_the_next_folds_it(ada: Ledger, bob: Ledger, hub: Path) -> None:
    ada.append(made(0))
    synced(ada)
    busy(hub)
    ada.append(made(1))
    done = synced(ada)
    assert done.state == "inbox", done
    assert done.safe
    assert "1 entry" in done.message
    assert len(git_in(hub, "for-each-ref", INBOX).splitlines()) == 1
    assert made(1).id not in held(hub)
    (hub / "hooks" / "update").unlink()
    assert synced(bob, fold=False).folded == []
    bob.append(made(2, "Bob"))
    done = synced(bob)
    assert len(done.folded) == 1
    assert git_in(hub, "for-each-ref", INBOX) == ""
    assert held(hub) == added(hub) == sorted([made(0).id, made(1).id, made(2, "Bob").id])
    assert synced(ada).state == "received"
    assert ada.tip() == bob.tip()
    assert git_in(folder_of(bob), "for-each-ref", "refs/ledger/incoming") == ""
    assert wrong_with(ada) == []


def test_an_inbox_that_changes_entries_is_left_alone_and_told(ada: Ledger, bob: Ledger, hub: Path) -> None:
    ada.append(made(1))
    synced(ada)
    path = next(iter(made(1).files))
    append_commit(
        ada.repository, "refs/heads/evil", parent=ada.tip(), files={path: b"{}"}, message="x", author=ADA, now=NOW
    )
    git_in(folder_of(ada), "push", "--quiet", "origin", f"evil:{INBOX}evil")
    done = synced(bob)
    assert "changes what was recorded" in done.message
    assert done.folded == []
    assert bob.read(path) == made(1).files[path]


def test_a_commit_that_changes_an_entry_is_never_sent(ada: Ledger, bob: Ledger) -> None:
    ada.append(made(1))
    synced(ada)
    synced(bob)
    bob.append(made(2, "Bob"))
    synced(bob)
    path = next(iter(made(1).files))
    append_commit(ada.repository, ada.ref, parent=ada.tip(), files={path: b"{}"}, message="x", author=ADA, now=NOW)
    tip = ada.tip()
    done = synced(ada)
    assert (done.state, done.hint) == ("failed", "ledger verify says what is wrong")
    assert path in done.message
    assert ada.tip() == tip


def test_another_ledger_is_refused_and_nothing_changes(ada: Ledger, tmp_path: Path) -> None:
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


def test_a_rewound_remote_is_refused_and_put_back_as_the_hint_says(ada: Ledger, hub: Path) -> None:
    first = ada.append(made(1))
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


def test_theirs_is_taken_as_the_hint_says(ada: Ledger, hub: Path) -> None:
    first = ada.append(made(1))
    ada.append(made(2))
    synced(ada)
    git_in(hub, "update-ref", "refs/heads/ledger", first)
    assert "git branch -m ledger ledger-before" in (synced(ada).hint or "")
    git_in(folder_of(ada), "branch", "-m", "ledger", "ledger-before")
    git_in(folder_of(ada), "update-ref", "-d", "refs/ledger/seen/origin/ledger")
    assert synced(ada).state in {"received", "up to date"}
    assert held(folder_of(ada)) == [made(1).id]


def test_a_remote_whose_ledger_was_deleted_is_refused(ada: Ledger, hub: Path) -> None:
    ada.append(made(1))
    synced(ada)
    git_in(hub, "update-ref", "-d", "refs/heads/ledger")
    assert "no longer has the ledger" in synced(ada).message


def test_a_remote_that_is_gone_fails_in_one_line(ada: Ledger, hub: Path) -> None:
    ada.append(made(1))
    hub.rename(hub.with_name("moved"))
    done = synced(ada)
    assert done.state == "failed"
    assert "no repository at its address" in done.message
    assert "\n" not in done.message
    assert ada.tip() is not None


def test_a_remote_that_never_answers_is_given_up_in_time(ada: Ledger) -> None:
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


def test_a_hook_that_refuses_is_quoted(ada: Ledger, hub: Path) -> None:
    hook = hub / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'records need a ticket' >&2\nexit 1\n")
    hook.chmod(0o755)
    ada.append(made(1))
    done = synced(ada)
    assert done.state == "failed"
    assert "pre-receive hook declined: records need a ticket" in done.message
    assert git_in(hub, "for-each-ref", INBOX) == ""


def test_a_reader_who_may_not_push_receives_what_others_left_in_the_inbox(ada: Ledger, bob: Ledger, hub: Path) -> None:
    ada.append(made(0))
    synced(ada)
    busy(hub)
    ada.append(made(1))
    assert synced(ada).state == "inbox"
    (hub / "hooks" / "update").write_text("#!/bin/sh\nexit 1\n")
    done = synced(bob)
    assert (done.state, done.safe, len(done.received), done.folded) == ("received", True, 2, [])
    assert "stays there: hook declined" in done.message


def test_writers_of_one_clone_queue_their_pushes(ada: Ledger, hub: Path) -> None:
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


@pytest.mark.parametrize("path", ["notes/a b.json", 'runs/"x".json', "runs/é.json"])
def test_a_path_that_no_entry_has_is_never_sent(ada: Ledger, bob: Ledger, path: str) -> None:
    ada.append(made(0))
    synced(ada)
    synced(bob)
    bob.append(made(1, "Bob"))
    synced(bob)
    files = {path: b"{}"}
    append_commit(ada.repository, ada.ref, parent=ada.tip(), files=files, message="x", author=ADA, now=NOW)
    assert "adds what is no entry" in synced(ada).message


def test_code_that_only_this_clone_holds_goes_along(ada: Ledger, hub: Path) -> None:
    (folder_of(ada) / "new.py").write_text("x")
    git_in(folder_of(ada), "add", ".")
    git_in(folder_of(ada), "commit", "--quiet", "--message", "Local")
    commit = git_in(folder_of(ada), "rev-parse", "HEAD").strip()
    entry = made(1)
    ada.append(Entry(id=entry.id, files=entry.files, message="run\n", author=ADA, made_at=NOW, keep=[commit]))
    synced(ada)
    assert git_in(hub, "rev-parse", f"refs/ledger/code/{commit}").strip() == commit


def test_without_a_remote_it_says_so(ledger: Ledger) -> None:
    done = synced(ledger)
    assert (done.state, done.safe) == ("no remote", False)
    with pytest.raises(NotFound, match="no such remote"):
        synced(ledger, "--upload-pack=evil")


def test_of_several_remotes_the_configured_one_is_used(ada: Ledger, hub: Path, tmp_path: Path) -> None:
    ada.append(made(1))
    git_in(folder_of(ada), "remote", "rename", "origin", "one")
    git_in(folder_of(ada), "remote", "add", "two", str(tmp_path / "none.git"))
    done = synced(ada)
    assert "several remotes" in done.message
    assert "branch.ledger.remote" in (done.hint or "")
    git_in(folder_of(ada), "config", "branch.ledger.remote", "one")
    assert synced(ada).state == "sent"
    assert held(hub) == [made(1).id]


def test_two_remotes_that_grew_apart_agree_in_the_end(ada: Ledger, bob: Ledger, hub: Path, tmp_path: Path) -> None:
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


def dataset(content: str, author: Author) -> dict[str, bytes]:
    version = sample_ledger()[0].datasets[0]
    import msgspec

    version = msgspec.structs.replace(version, hash=content, author=author)
    return {f"{dataset_path(version.name, version.version)}/dataset.json": dump(version)}


def test_one_dataset_version_added_twice_is_joined_and_two_contents_are_refused(ada: Ledger, bob: Ledger) -> None:
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
        files = {name.replace("/v1/", "/v9/"): data for name, data in dataset(f"blake3:{number}", ADA).items()}
        entry = made(number)
        ledger.append(Entry(id=entry.id, files=entry.files | files, message="run\n", author=ADA, made_at=NOW))
    synced(ada)
    tip = bob.tip()
    done = synced(bob)
    assert done.state == "failed"
    assert "digits-train@v9" in done.message
    assert bob.tip() == tip


def write_policy(ledger: Ledger, text: bytes) -> None:
    files = {"policy.yaml": text}
    append_commit(ledger.repository, ledger.ref, parent=ledger.tip(), files=files, message="p", author=ADA, now=NOW)


def test_a_policy_changed_by_one_is_kept_and_by_both_is_refused(ada: Ledger, bob: Ledger, hub: Path) -> None:
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
    assert synced(Ledger.open(folder_of(one))).state == "up to date"
    assert "BatchMode=yes" in (tmp_path / "asked").read_text()


def test_who_is_in_a_hurry_goes_straight_to_a_busy_inbox(ada: Ledger, bob: Ledger, hub: Path) -> None:
    ada.append(made(0))
    synced(ada)
    synced(bob)
    for number in range(3):
        name = new_id(datetime.now(UTC), bytes(3) + bytes([number]) * 4)
        bob.append(made(number, "Bob"))
        git_in(folder_of(bob), "push", "--quiet", "origin", f"ledger:{INBOX}{name[:-1]}{number}")
    ada.append(made(1))
    random.seed(1)  # its first draw is no folder
    done = sync(ada, timeout_seconds=60, hurry=True)
    assert (done.state, done.safe, len(done.sent)) == ("inbox", True, 1)
    assert len(git_in(hub, "for-each-ref", INBOX).splitlines()) == 4
    assert len(synced(ada).folded) == 4
    assert len(held(hub)) == 5
    assert held(hub) == added(hub)


def test_folding_ends_in_time_to_push(ada: Ledger, bob: Ledger, hub: Path) -> None:
    ada.append(made(0))
    synced(ada)
    synced(bob)
    bob.append(made(1, "Bob"))
    git_in(folder_of(bob), "push", "--quiet", "origin", f"ledger:{INBOX}20261120-194812-000000")
    ada.append(made(1))
    exchange = Exchange(ada, "origin", time.monotonic() + 60)
    exchange.fold_until = time.monotonic()  # as if the others before this one had taken all of it
    done = exchange.run(fold=True, hurry=False)
    assert (done.state, done.folded) == ("sent", [])
    assert held(hub) == sorted([made(0).id, made(1).id])
    assert len(synced(ada).folded) == 1
