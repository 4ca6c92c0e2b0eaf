"""Signatures: made where policy asks, kept through grafting, refused when anything under them changed."""

import subprocess
from pathlib import Path

import pytest

from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.integrity.verify import Verification, verify
from ledger.store.sync.sync import sync
from tests.conftest import Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.sync.remotes import share


def check(ledger: Branch) -> Verification:
    fresh = Branch(ledger.repository)
    with blob_reader(fresh.repository) as read_blob:
        return verify(fresh, read_blob, whole=True)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An SSH key, which git is told to sign with."""
    file = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(file)], check=True)
    git_in(tmp_path, "config", "--global", "gpg.format", "ssh")
    git_in(tmp_path, "config", "--global", "user.signingKey", f"{file}.pub")
    return file


def policy(key: Path, *, required: bool = True, options: str = "") -> str:
    public = key.with_suffix(".pub").read_text().strip()
    return f"signatures:\n  required: {str(required).lower()}\n  signers: |\n    ada@example.com {options}{public}\n"


def set_policy(repo: Path, text: str) -> None:
    """Change the policy as a reviewed pull request would: by a commit on the branch."""
    folder = repo.parent / "policy-tree"
    git_in(repo, "worktree", "add", "-q", str(folder), "ledger")
    (folder / "policy.yaml").write_text(text)
    git_in(folder, "commit", "-q", "-a", "-m", "policy")
    git_in(repo, "worktree", "remove", "--force", str(folder))


def test_entries_are_signed_where_policy_asks_and_those_before_are_let_be(
    ledger: Branch, repo: Path, key: Path
) -> None:
    add(ledger, draft(1))
    set_policy(repo, policy(key))
    add(Branch(ledger.repository), draft(2))
    verdict = check(ledger)
    assert verdict.findings == ()
    assert verdict.signatures == 1
    assert len([file for file in ledger.repository.read_tree("ledger") if file.path.endswith(".sig")]) == 1


def test_a_record_without_a_key_is_kept_said_and_found(ledger: Branch, repo: Path, key: Path, cli: Cli) -> None:
    add(ledger, draft(1))
    set_policy(repo, policy(key))
    git_in(repo, "config", "--global", "--unset", "user.signingKey")
    done = cli("record", "--metric", "test/loss=1", "--no-push")
    assert done.code == 0
    assert "the policy asks for signatures, but this entry has none: git has no signing key" in done.err
    (finding,) = check(ledger).findings
    assert "not signed, although the policy asks for it" in finding.message
    git_in(repo, "config", "--global", "user.signingKey", f"{key}.pub")
    assert "signed 2 entries" in cli("sign").err
    assert check(ledger).findings == ()
    assert "nothing to sign" in cli("sign").err


def test_a_signature_covers_every_file_of_its_entry(ledger: Branch, repo: Path, key: Path, cli: Cli) -> None:
    made = add(ledger, draft(1))
    run = ledger.contents().run(made.record.id)
    assert run is not None
    set_policy(repo, policy(key, required=False))
    assert cli("sign").code == 0
    assert check(ledger).findings == ()
    folder = repo.parent / "forger"
    git_in(repo, "worktree", "add", "-q", str(folder), "ledger")
    (folder / run.path / "log.txt").write_text("epoch 1: all is well\n")
    git_in(folder, "add", "-A")
    git_in(folder, "commit", "-q", "-m", "an addition that no record forbids")
    found = {finding.rule: finding.message for finding in check(ledger).findings}
    assert found.keys() == {"history", "signature"}
    assert "does not match" in found["signature"]


@pytest.mark.parametrize("options", ['valid-before="20200101" ', 'namespaces="git" '])
def test_a_key_that_does_not_count_any_more_signs_nothing(ledger: Branch, repo: Path, key: Path, options: str) -> None:
    add(ledger, draft(1))
    set_policy(repo, policy(key, options=options))
    add(Branch(ledger.repository), draft(2))
    assert any("no listed signer" in finding.message for finding in check(ledger).findings)


def test_signatures_survive_two_clones_that_are_joined(ledger: Branch, repo: Path, key: Path, tmp_path: Path) -> None:
    add(ledger, draft(1))
    set_policy(repo, policy(key))
    _, other = share(ledger, tmp_path)
    add(Branch(ledger.repository), draft(2))
    add(Branch(other.repository), draft(3))
    before = other.tip()
    for clone in (ledger, other, ledger):
        assert sync(clone, timeout_seconds=60).safe
    assert ledger.tip() == other.tip() != before
    verdict = check(ledger)
    assert verdict.findings == ()
    assert verdict.signatures == 2


def test_a_passphrase_that_nobody_can_type_keeps_nobody_waiting(
    ledger: Branch, repo: Path, key: Path, cli: Cli
) -> None:
    add(ledger, draft(1))
    set_policy(repo, policy(key))
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(key)], check=True, capture_output=True
    )
    done = cli("record", "--metric", "test/loss=1", "--no-push", env={"SSH_AUTH_SOCK": ""})
    assert done.code == 0
    assert "signing with this key failed" in done.err
