"""Checkpoints: what history must still contain, and where verification may begin."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.hashing import merkle_root
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.integrity.checkpoint import Checkpoint, make_checkpoint, read_checkpoints
from ledger.store.integrity.verify import Verification, verify
from ledger.store.sync.sync import sync
from tests.conftest import Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.integrity.test_signatures import key, policy, set_policy
from tests.store.sync.remotes import share

__all__ = ["key"]
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def check(ledger: Branch, *, whole: bool = False) -> Verification:
    fresh = Branch(ledger.repository)
    with blob_reader(fresh.repository) as read_blob:
        return verify(fresh, read_blob, whole=whole)


def checkpoint(ledger: Branch, now: datetime = NOW) -> Checkpoint:
    with blob_reader(ledger.repository) as read_blob:
        return make_checkpoint(ledger, read_blob, now)


def test_the_root_is_that_of_rfc_6962() -> None:
    # The shape of the tree, written out by hand: ((a b) (c d)) e.
    one = [merkle_root([leaf]) for leaf in (b"a", b"b")]
    assert len(set(one)) == 2
    assert merkle_root([b"a", b"b"]) != merkle_root([b"b", b"a"])
    from blake3 import blake3

    def leaf(data: bytes) -> bytes:
        return blake3(b"\0" + data).digest()

    def node(left: bytes, right: bytes) -> bytes:
        return blake3(b"\1" + left + right).digest()

    four = node(node(leaf(b"a"), leaf(b"b")), node(leaf(b"c"), leaf(b"d")))
    assert merkle_root([b"a", b"b", b"c", b"d", b"e"]) == f"blake3:{node(four, leaf(b'e')).hex()}"
    three = node(node(leaf(b"a"), leaf(b"b")), leaf(b"c"))
    assert merkle_root([b"a", b"b", b"c"]) == f"blake3:{three.hex()}"


def test_a_signed_checkpoint_is_where_verification_begins(ledger: Branch, repo: Path, key: Path) -> None:
    add(ledger, draft(1))
    add(ledger, draft(2))
    set_policy(repo, policy(key, required=False))
    made = checkpoint(ledger)
    assert (made.signed, made.entries) == (True, 2)
    assert (check(ledger).commits, check(ledger).entries, check(ledger).findings) == (0, 0, ())
    add(ledger, draft(3))
    verdict = check(ledger)
    assert (verdict.since, verdict.commits, verdict.entries, verdict.checkpoints) == (made.commit, 1, 1, 1)
    assert (check(ledger, whole=True).commits, check(ledger, whole=True).entries) == (4, 3)
    assert check(ledger).findings == check(ledger, whole=True).findings == ()


@pytest.mark.parametrize("signed", [True, False])
def test_what_nobody_trusted_signed_is_no_beginning(ledger: Branch, repo: Path, key: Path, *, signed: bool) -> None:
    add(ledger, draft(1))
    if signed:  # by somebody whom the policy does not name
        set_policy(repo, policy(key, required=False).replace("AAAAC3", "AAAAD3"))
    else:
        git_in(repo, "config", "--global", "--unset", "user.signingKey")
    made = checkpoint(ledger)
    assert made.signed is signed
    add(ledger, draft(2))
    assert (check(ledger).since, check(ledger).entries) == (None, 2)


def test_a_note_after_the_checkpoint_about_a_run_before_it_is_no_finding(
    ledger: Branch, repo: Path, key: Path, cli: Cli
) -> None:
    made = add(ledger, draft(1))
    set_policy(repo, policy(key, required=False))
    checkpoint(ledger)
    cli("note", made.record.id, "looked at it")
    verdict = check(ledger)
    assert (verdict.entries, verdict.findings) == (1, ())


def test_history_that_lost_a_checkpoint_is_found(ledger: Branch, repo: Path) -> None:
    add(ledger, draft(1))
    add(ledger, draft(2))
    made = checkpoint(ledger)
    git_in(repo, "update-ref", "refs/heads/ledger", "ledger~1")
    assert (f"refs/tags/{made.name}", made.commit) in {(one.path, one.commit) for one in check(ledger).findings}


def test_a_checkpoint_that_states_another_root_or_count_is_found(ledger: Branch, repo: Path) -> None:
    add(ledger, draft(1))
    made = checkpoint(ledger)
    said = git_in(repo, "for-each-ref", "--format=%(contents)", f"refs/tags/{made.name}")
    git_in(repo, "tag", "-a", "-f", "-m", said.replace("Entries: 1", "Entries: 2"), made.name, made.commit)
    assert any("the number of entries" in finding.message for finding in check(ledger).findings)
    git_in(repo, "tag", "-a", "-f", "-m", said.replace(made.root, "blake3:" + "0" * 64), made.name, made.commit)
    assert any("its root is not" in finding.message for finding in check(ledger).findings)


def test_checkpoints_travel_and_stay_in_history_when_clones_are_joined(
    ledger: Branch, repo: Path, tmp_path: Path
) -> None:
    add(ledger, draft(1))
    _, other = share(ledger, tmp_path)
    add(other, draft(2))
    assert sync(other, timeout_seconds=60).safe
    add(ledger, draft(3))
    checkpoint(ledger)  # on a commit that grafting would make again
    for clone in (ledger, other):
        assert sync(clone, timeout_seconds=60).safe
    assert [one.name for one in read_checkpoints(other)] == ["ledger/checkpoint-20261121-000000"]
    for clone in (ledger, other):
        assert check(clone, whole=True).findings == ()


def test_the_command_line_makes_lists_and_refuses(repo: Path, cli: Cli) -> None:
    assert cli("checkpoint").code == 1
    cli("record", "--metric", "test/loss=1")
    assert "no checkpoint yet" in cli("checkpoint", "--list").err
    assert "not signed: git has no SSH signing key" in cli("checkpoint").err
    assert cli("checkpoint", "--list").out.count("ledger/checkpoint-") == 1
    assert "git config gpg.format ssh" in cli("checkpoint", "--sign").err
    assert "1 entry in 1 commit, 1 checkpoint: nothing is wrong" in cli("verify").err
