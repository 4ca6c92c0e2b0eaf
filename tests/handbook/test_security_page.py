"""Sentences of SECURITY.md that are easily wrong are tried: what is sent where, how far redact goes, what is signed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.integrity.test_redaction import SECRET, everything_in, leak, take_out
from tests.store.integrity.test_signatures import key, policy, set_policy
from tests.store.sync.remotes import clone, make_hub

__all__ = ["key"]
PAGE = (ROOT / ".github" / "SECURITY.md").read_text("utf-8")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path)


@pytest.fixture
def work(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    clone(hub, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_what_a_clone_sends_is_what_the_page_names(work: Path, hub: Path, cli: Cli) -> None:
    (sent,) = re.findall(r"^What a clone sends goes to .*$", PAGE, re.MULTILINE)
    before = set(git_in(hub, "for-each-ref", "--format=%(refname)").split())
    (work / "train.py").write_text("print('an idea that no branch of the remote reaches')\n")
    git_in(work, "add", ".")
    git_in(work, "commit", "--quiet", "--message", "An idea")
    code = git_in(work, "rev-parse", "HEAD").strip()
    assert cli("record", "-m", "validation/accuracy=0.5").code == 0
    assert set(git_in(hub, "for-each-ref", "--format=%(refname)").split()) == before, "nobody has agreed yet"
    for command in (("init",), ("sync",), ("checkpoint", "--push"), ("record", "--review", "-p", "lr=1", "--push")):
        assert cli(*command).code == 0
    refs = set(git_in(hub, "for-each-ref", "--format=%(refname)").split()) - before
    kinds = {
        "the branch `ledger`": {ref for ref in refs if ref == "refs/heads/ledger"},
        "its checkpoints": {ref for ref in refs if ref.startswith("refs/tags/ledger/checkpoint-")},
        "proposals (`ledger-review/…`)": {ref for ref in refs if ref.startswith("refs/heads/ledger-review/")},
        "`refs/ledger/`": {ref for ref in refs if ref.startswith("refs/ledger/")},
    }
    assert refs == set().union(*kinds.values())
    for words, found in kinds.items():
        assert words in sent
        assert found, words
    assert "code commits" in sent
    assert git_in(hub, "cat-file", "-t", code).strip() == "commit"


@pytest.mark.parametrize("setting", [("LEDGER_PUSH", "1"), ("LEDGER_PUSH", "")])
def test_a_variable_agrees_for_a_run_from_python_where_the_page_says_so(
    work: Path, hub: Path, cli: Cli, setting: tuple[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text("import ledger\nwith ledger.run() as run:\n    run.metric('loss', 0.5, split='train')\n")
    assert cli("init").code == 0
    git_in(work, "config", "--unset", "ledger.push")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **dict([setting])}
    subprocess.run([sys.executable, str(script)], check=True, env=environment, capture_output=True)
    sent = bool(git_in(hub, "for-each-ref", "refs/heads/ledger"))
    assert sent == (setting[1] == "1")
    assert "`LEDGER_PUSH=1`" in PAGE


def test_redact_changes_this_clone_and_the_page_says_that_the_remote_is_replaced_by_hand(
    work: Path, hub: Path, cli: Cli
) -> None:
    ledger = Branch.open(work)
    leak(ledger)
    assert cli("sync").code == 0
    take_out(Branch.open(work))
    assert SECRET.encode().split(b'"')[0] not in everything_in(work)
    assert SECRET.encode().split(b'"')[0] in everything_in(hub)
    assert "history of *this clone*" in PAGE
    assert "replaced by hand" in PAGE
    assert "--accept-redaction" in PAGE


def test_commits_of_the_branch_are_never_signed_and_entries_are_where_the_policy_asks(
    ledger: Branch, repo: Path, key: Path, cli: Cli
) -> None:
    git_in(repo, "config", "commit.gpgSign", "true")
    add(ledger, draft(1))
    set_policy(repo, policy(key))
    before = git_in(repo, "rev-parse", "ledger").strip()
    add(Branch(ledger.repository), draft(2))
    assert cli("checkpoint", "--sign").code == 0
    for commit in git_in(repo, "rev-list", f"{before}..ledger").split():
        assert "gpgsig" not in git_in(repo, "cat-file", "commit", commit)
    signed = [file.path for file in ledger.repository.read_tree("ledger") if file.path.endswith(".sig")]
    assert len(signed) == 1
    (tag,) = git_in(repo, "tag", "--list", "ledger/checkpoint-*").split()
    assert "BEGIN SSH SIGNATURE" in git_in(repo, "cat-file", "tag", tag)
    assert "Commits of the branch are never signed" in PAGE
