"""A server refuses an entry for a secret: the refusal names the way out, and the way out works."""

import sys
from pathlib import Path

import pytest

from ledger.capture.secrets import redactor
from tests.capture.secrets.texts import made
from tests.conftest import ROOT, Cli, git_in


@pytest.fixture
def clone(repo: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a server that `ledger init --server` made, in step with it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert cli("init", "--server", "../hub.git").code == 0
    git_in(repo, "remote", "add", "origin", str(repo.parent / "hub.git"))
    assert cli("record", "-m", "validation/accuracy=0.5", "--no-push").code == 0
    done = cli("sync", "origin")
    assert done.code == 0, done.err
    return repo


def record_blindly(repo: Path, *options: str) -> None:
    """Record as a version of the tool does that knows of no secrets."""
    import subprocess

    blind = (
        "import sys; from ledger.capture.secrets import redactor; redactor.find_spans = lambda data, own=None: [];"
        " from ledger.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", blind, *options], cwd=repo, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("where", ["note", "figure.svg", "figure.png", "log"])
def test_the_way_out_of_a_refusal_is_named_and_works(clone: Path, cli: Cli, where: str) -> None:
    from tests.recorder.record.test_secret_channels import chunk, everything, png

    assert hasattr(redactor, "find_spans")
    token = made("ghp_{a36}")
    (clone / "figure.svg").write_text(f"<svg xmlns='http://www.w3.org/2000/svg'><text>{token}</text></svg>")
    (clone / "figure.png").write_bytes(png(chunk(b"tEXt", b"Comment\0" + token.encode())))
    (clone / "train.log").write_text(f"WARNING: {token}\n")
    (clone / ".git" / "info" / "exclude").write_text("figure.*\n*.log\n")
    options = {"note": ["-n", f"see {token}"], "log": ["--log", "train.log"]}.get(where, ["--figure", f"x={where}"])
    record_blindly(clone, "record", "-m", "validation/accuracy=0.6", "--no-push", *options)
    assert token.encode() in everything(clone)
    refused = cli("sync")
    assert refused.code != 0
    assert "it holds 1 secret" in refused.err or "secret" in refused.err
    assert "ledger redact --found" in refused.err
    later = cli("record", "-m", "validation/accuracy=0.7", "--push")
    assert "ledger redact --found" in later.err
    mended = cli("redact", "--found", "--yes", "--because", "a token")
    assert mended.code == 0, mended.err
    assert token.encode() not in everything(clone)
    sent = cli("sync")
    assert sent.code == 0, sent.err
    assert git_in(clone.parent / "hub.git", "rev-parse", "ledger") == git_in(clone, "rev-parse", "ledger")
    assert cli("verify").code == 0
    assert "redactions/" not in git_in(clone, "ls-tree", "-r", "--name-only", "ledger")


def test_nothing_is_done_where_nothing_looks_like_a_secret(clone: Path, cli: Cli) -> None:
    before = git_in(clone, "rev-parse", "ledger")
    done = cli("redact", "--found", "--yes", "--because", "to be sure")
    assert done.code == 0
    assert "nothing was changed" in done.err
    assert git_in(clone, "rev-parse", "ledger") == before


def test_a_clone_that_never_synced_finds_what_the_team_calls_a_secret(
    clone: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy that it got with the refusal is none of its entries, and is not looked through."""
    git_in(clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    git_in(clone.parent, "clone", "--quiet", "--single-branch", "--branch", "main", "hub.git", "second")
    assert cli("policy", "set", "secrets.patterns.acme-key", "acme_[a-z0-9]{12}").code == 0
    assert cli("sync").code == 0
    second = clone.parent / "second"
    monkeypatch.chdir(second)
    (second / "params.yaml").write_text("endpoint: acme_0123456789ab\n")
    assert cli("record", "--params", "params.yaml", "-m", "validation/accuracy=0.6", "--no-push").code == 0
    assert "ledger redact --found" in cli("sync").err
    mended = cli("redact", "--found", "--yes", "--because", "a key of ours")
    assert mended.code == 0, mended.err
    assert "nobody else has seen" in mended.out + mended.err
    assert cli("sync").code == 0
    assert git_in(second, "ls-tree", "-r", "--name-only", "ledger").count("redactions/") == 0
    assert "acme_[a-z0-9]{12}" in git_in(second, "show", "ledger:policy.yaml")
    assert "acme_0123456789ab" not in git_in(second, "log", "-p", "ledger")
