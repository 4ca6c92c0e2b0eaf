"""Where others are faster, entries wait in an inbox of the remote, and the next sync puts them on the branch."""

import random
import time
from datetime import UTC, datetime
from pathlib import Path

from ledger.model.ids import new_id
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.sync.exchange import INBOX, Exchange
from ledger.store.sync.sync import sync
from tests.conftest import git_in
from tests.store.branch.test_branch import ADA, NOW
from tests.store.sync.remotes import added, folder_of, held, made, synced, wrong_with


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


def test_what_is_rejected_twice_waits_in_the_inbox_and_the_next_folds_it(ada: Branch, bob: Branch, hub: Path) -> None:
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


def test_an_inbox_that_changes_entries_is_left_alone_and_told(ada: Branch, bob: Branch, hub: Path) -> None:
    ada.append(made(1))
    synced(ada)
    path = next(iter(made(1).files))
    append_commit(
        ada.repository, "refs/heads/evil", parent=ada.tip(), files={path: b"{}"}, message="x", author=ADA, now=NOW
    )
    git_in(folder_of(ada), "push", "--quiet", "origin", f"evil:{INBOX}evil")
    done = synced(bob)
    assert "changed after it was added" in done.message
    assert done.folded == []
    assert bob.read(path) == made(1).files[path]


def test_a_reader_who_may_not_push_receives_what_others_left_in_the_inbox(ada: Branch, bob: Branch, hub: Path) -> None:
    ada.append(made(0))
    synced(ada)
    busy(hub)
    ada.append(made(1))
    assert synced(ada).state == "inbox"
    (hub / "hooks" / "update").write_text("#!/bin/sh\nexit 1\n")
    done = synced(bob)
    assert (done.state, done.safe, len(done.received), done.folded) == ("received", True, 2, [])
    assert "stays there: hook declined" in done.message


def test_who_is_in_a_hurry_goes_straight_to_a_busy_inbox(ada: Branch, bob: Branch, hub: Path) -> None:
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


def test_folding_ends_in_time_to_push(ada: Branch, bob: Branch, hub: Path) -> None:
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


def test_an_inbox_with_a_beginning_of_its_own_is_folded(ada: Branch, bob: Branch, hub: Path) -> None:
    ada.append(made(1))
    bob.append(made(2, "Bob"))  # neither has heard of the other: each has made a first commit
    git_in(folder_of(bob), "push", "--quiet", "origin", f"ledger:{INBOX}20261121-000000-aaaaaa")
    assert synced(ada).folded == [f"{INBOX}20261121-000000-aaaaaa"]
    assert synced(bob).tip == synced(ada).tip
    assert len(held(hub)) == 2
    assert added(hub) == held(hub)
    assert git_in(hub, "for-each-ref", INBOX.rstrip("/")) == ""
    assert wrong_with(bob) == []
