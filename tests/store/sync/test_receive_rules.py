"""What a server says of a push, ref by ref; real pushes to real hooks are in `commands/safety/test_server_hooks.py`."""

import pytest

from ledger.store.branch.branch import Branch
from ledger.store.sync.exchange import INBOX
from ledger.store.sync.receive_rules import Update, check_received
from tests.conftest import git_in
from tests.store.branch.test_branch import append_samples, entry
from tests.store.sync.remotes import folder_of


def refused(ledger: Branch, ref: str, *, old: str | None = None, new: str | None = None) -> list[str]:
    return [one.message for one in check_received(ledger.repository, [Update(ref=ref, old=old, new=new)])]


def test_the_ledger_grows_and_is_neither_rewound_nor_deleted(ledger: Branch) -> None:
    append_samples(ledger, 1)
    old, ref = ledger.tip() or "", "refs/heads/ledger"
    append_samples(ledger, 2)
    new = ledger.tip() or ""
    assert refused(ledger, ref, new=new) == []
    assert refused(ledger, ref, old=old, new=new) == []
    said = f"the ledger only ever grows, but commit {new[:10]} is missing from what is pushed"
    assert refused(ledger, ref, old=new, new=old) == [said]
    assert refused(ledger, ref, old=new) == ["this push deletes the ledger, which only ever grows"]


def test_a_tag_in_the_way_of_the_branch_is_not_put_there_and_may_be_taken_away(ledger: Branch) -> None:
    tip = ledger.append(entry()).commit
    said = "a tag named `ledger` hides the branch, and makes checkpoints impossible"
    assert refused(ledger, "refs/tags/ledger", new=tip) == [said]
    assert refused(ledger, "refs/tags/ledger", old=tip, new=tip) == [said]
    assert refused(ledger, "refs/tags/ledger", old=tip) == []
    assert refused(ledger, "refs/tags/ledger-2", new=tip) == []


def test_a_checkpoint_neither_moves_nor_goes(ledger: Branch) -> None:
    tip, ref = ledger.append(entry()).commit, "refs/tags/ledger/checkpoint-20260101-000000"
    assert refused(ledger, ref, old=tip, new=tip) == ["a checkpoint never changes, but this one is moved"]
    assert refused(ledger, ref, old=tip) == ["a checkpoint never changes, but this one is deleted"]
    assert refused(ledger, ref) == []


def test_a_replaced_object_is_not_put_there_and_may_be_taken_away(ledger: Branch) -> None:
    tip = ledger.append(entry()).commit
    assert refused(ledger, f"refs/replace/{tip}", new=tip) == ["a replaced object shows others a different history"]
    assert refused(ledger, f"refs/replace/{tip}", old=tip) == []


@pytest.mark.parametrize("ref", ["refs/heads/ledger-review/a", f"{INBOX}20261120-194812-aaaaaa"])
def test_what_is_proposed_or_waits_is_looked_at_as_if_it_stood_on_the_ledger(ledger: Branch, ref: str) -> None:
    append_samples(ledger, 1)
    base = ledger.tip()
    append_samples(ledger, 2)
    good = ledger.tip()
    bad = ledger.append(entry(9)).commit
    git_in(folder_of(ledger), "update-ref", "refs/heads/ledger", base or "")
    assert refused(ledger, ref, new=good) == []
    path = next(iter(entry(9).files))
    said = refused(ledger, ref, new=bad)
    assert said
    assert all(one.startswith(f"commit {bad[:10]}: {path}: ") for one in said)


def test_what_waits_is_not_thrown_away_before_the_ledger_holds_it(ledger: Branch) -> None:
    tip = ledger.append(entry()).commit
    inbox = f"{INBOX}20261120-194812-aaaaaa"
    assert refused(ledger, inbox, old=tip) == []
    git_in(folder_of(ledger), "update-ref", "-d", "refs/heads/ledger")  # as where no ledger is yet
    said = f"commit {tip[:10]} waits here with content that the ledger does not hold: all of it"
    assert refused(ledger, inbox, old=tip) == [said]
