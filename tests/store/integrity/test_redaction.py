"""Redaction: what leaked is gone from this clone, the tombstone says what changed, and nothing else did."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.model.entries import Redaction, StoredRun
from ledger.recorder.record.draft import FigureSource
from ledger.recorder.statements.notes import add_notes
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import read_waiting, write_waiting
from ledger.store.integrity.checkpoint import read_checkpoints
from ledger.store.integrity.redaction import Redacted, redact
from ledger.store.integrity.redaction_plan import Needles, plan_redaction
from ledger.store.integrity.verify import Verification, verify
from ledger.store.sync.sync import sync
from tests.conftest import Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.branch.test_branch import entry
from tests.store.integrity.test_checkpoint import checkpoint
from tests.store.integrity.test_signatures import key, policy, set_policy
from tests.store.sync.remotes import share

__all__ = ["key"]
SECRET = 'hunter2-"prod"/db'  # has a form of its own inside JSON, and another inside a URL
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def check(ledger: Branch) -> Verification:
    fresh = Branch(ledger.repository)
    with blob_reader(fresh.repository) as read_blob:
        return verify(fresh, read_blob, whole=True)


def leak(ledger: Branch, number: int = 2) -> None:
    """Record a run whose params hold the secret, as no pattern of ours would find it."""
    add(ledger, draft(number, params={"db": SECRET, "lr": 0.1}))


def with_figure(ledger: Branch, repo: Path) -> StoredRun:
    """Record a run that kept a picture."""
    (repo / "face.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><circle r='9'/></svg>")
    add(ledger, draft(1, figures=[FigureSource(title="a face", path="face.svg")]))
    (run,) = ledger.contents().runs
    return run


def take_out(ledger: Branch, secret: str = SECRET, files: tuple[str, ...] = ()) -> tuple[Redacted, Redaction]:
    needles = Needles([secret])
    done = redact(ledger, plan_redaction(ledger, needles, files), needles, reason="a password in the params", now=NOW)
    assert done.redaction is not None
    return done, done.redaction


def everything_in(folder: Path) -> bytes:
    """Return every object of a repository, reachable or not, loose or packed, as one text."""
    return subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"], cwd=folder, capture_output=True, check=True
    ).stdout


def holds(folder: Path) -> bool:
    return b"hunter2-" in everything_in(folder)


@pytest.fixture
def leaked(ledger: Branch) -> Branch:
    add(ledger, draft(1))
    leak(ledger)
    add_notes(ledger, "000001", "comment", [f"was it {SECRET}?"])
    add(ledger, draft(3))
    return ledger


def test_it_is_gone_and_verify_understands_the_tombstone(leaked: Branch, repo: Path) -> None:
    assert holds(repo)
    before = git_in(repo, "log", "--format=%an %ae %at %ct %s", "ledger").splitlines()
    first = git_in(repo, "rev-list", "ledger").split()[-1]
    assert check(leaked).findings == ()
    done, redaction = take_out(leaked)
    assert (done.remain, done.refs) == ([], [])
    assert not holds(repo)
    assert {file.path.partition("/")[0] for file in redaction.files} == {"runs", "notes"}
    assert len(redaction.files) == 2
    verdict = check(leaked)
    assert (verdict.findings, len(verdict.redactions), verdict.entries) == ((), 1, 5)
    after = git_in(repo, "log", "--format=%an %ae %at %ct %s", "ledger").splitlines()
    assert len(after) == len(before) + 1
    assert [line for line in after[1:] if "hunter2" in line] == []
    assert after[1:] == [line.replace(SECRET, "[redacted]") for line in before]
    assert git_in(repo, "rev-list", "ledger").split()[-1] == first  # nothing before the leak was made again
    assert [run.record.params.values.get("db") for run in leaked.contents().runs] == [None, "[redacted]", None]
    assert redaction.reason in git_in(repo, "log", "-1", "--format=%s", "ledger")


def test_other_objects_that_nothing_reaches_stay(leaked: Branch, repo: Path) -> None:
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "work that a user may want back")
    lost = git_in(repo, "rev-parse", "HEAD").strip()
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    git_in(repo, "reflog", "expire", "--expire=now", "--all")
    take_out(leaked)
    assert git_in(repo, "cat-file", "-t", lost).strip() == "commit"


def test_a_ref_that_still_reaches_the_secret_is_named(leaked: Branch, repo: Path) -> None:
    git_in(repo, "branch", "keepsake", "ledger")
    done, _ = take_out(leaked)
    assert done.refs == ["refs/heads/keepsake"]
    assert done.remain
    assert holds(repo)


def test_a_whole_file_goes_and_the_record_still_fits(ledger: Branch, repo: Path) -> None:
    run = with_figure(ledger, repo)
    figure = f"{run.path}/figures/a-face.svg"
    needles = Needles([])
    done = redact(ledger, plan_redaction(ledger, needles, [figure]), needles, reason="a face", now=NOW)
    assert done.redaction is not None
    assert [file.path for file in done.redaction.files] == [figure]
    assert check(ledger).findings == ()
    with pytest.raises(LedgerError, match="a whole document cannot be removed"):
        plan_redaction(ledger, needles, [f"{run.path}/record.json"])


def test_a_redacted_file_that_is_changed_later_is_found(ledger: Branch, repo: Path, tmp_path: Path) -> None:
    run = with_figure(ledger, repo)
    figure = f"{run.path}/figures/a-face.svg"
    needles = Needles([])
    redact(ledger, plan_redaction(ledger, needles, [figure]), needles, reason="a face", now=NOW)
    git_in(repo, "worktree", "add", "-q", str(tmp_path / "tree"), "ledger")
    (tmp_path / "tree" / figure).write_text("another face")
    git_in(tmp_path / "tree", "commit", "-q", "-a", "-m", "x")
    messages = {finding.message for finding in check(ledger).findings}
    assert "it was redacted, but its content is not what the redaction left" in messages


def test_checkpoints_prove_that_nothing_else_changed(leaked: Branch, repo: Path) -> None:
    made = checkpoint(leaked)
    add(leaked, draft(4))
    _, redaction = take_out(leaked)
    assert read_checkpoints(leaked) == []
    (replaced,) = redaction.checkpoints
    assert (replaced.before, replaced.root, replaced.entries) == (made.commit, made.root, made.entries)
    assert check(leaked).findings == ()
    assert not holds(repo)
    # A redactor who uses the occasion to change something else is caught by the root.
    folder = repo.parent / "tree"
    git_in(repo, "worktree", "add", "-q", "--detach", str(folder), replaced.after)
    record = min(folder.glob("runs/*/*/*/*-000001/record.json"))
    record.write_text(record.read_text().replace("digits", "letters"))
    git_in(folder, "commit", "-q", "-a", "--amend", "--no-edit")
    forged = git_in(folder, "rev-parse", "HEAD").strip()
    git_in(folder, "rebase", "-q", "--onto", forged, replaced.after, "ledger")
    tombstone = min(folder.glob("redactions/*/*/*/*.json"))
    tombstone.write_text(tombstone.read_text().replace(replaced.after, forged).replace(redaction.after, forged))
    git_in(folder, "commit", "-q", "-a", "--amend", "--no-edit")
    assert any("its root is not that of the entries" in finding.message for finding in check(leaked).findings)


def test_signatures_go_with_what_they_signed_and_can_be_made_again(
    leaked: Branch, repo: Path, key: Path, cli: Cli
) -> None:
    set_policy(repo, policy(key, required=False))
    assert "signed 4 entries" in cli("sign").err
    assert check(leaked).signatures == 4
    take_out(leaked)
    assert (check(leaked).findings, check(leaked).signatures) == ((), 3)  # one of them the tombstone's
    assert "signed 2 entries" in cli("sign").err  # those that changed
    assert (check(leaked).findings, check(leaked).signatures) == ((), 5)


def test_what_waits_is_redacted_too(leaked: Branch) -> None:
    state_dir = leaked.repository.state_dir
    file = write_waiting(state_dir, entry(files={"notes/x.json": SECRET.encode()}))
    take_out(leaked)
    assert list(read_waiting(file).files.values()) == [b"[redacted]"]


def test_a_clone_takes_a_redaction_over_and_keeps_what_it_had_not_sent(
    leaked: Branch, repo: Path, tmp_path: Path
) -> None:
    _, other = share(leaked, tmp_path)
    assert check(other).findings == ()
    add(other, draft(7))
    _, redaction = take_out(leaked)

    refused = sync(leaked, timeout_seconds=60)
    assert not refused.safe  # the remote still holds it: joining would bring it back
    assert "a redaction removed this here" in refused.message
    git_in(repo, "push", "-q", f"--force-with-lease=refs/heads/ledger:{redaction.before}", "origin", "ledger")
    assert sync(leaked, timeout_seconds=60).safe

    refused = sync(other, timeout_seconds=60)
    assert not refused.safe
    assert "rewritten by a redaction, and nothing else in it changed (Ada Lovelace: a password" in refused.message
    assert refused.hint == "ledger sync origin --accept-redaction"
    assert sync(other, timeout_seconds=60, accept_redaction=True).safe
    assert sync(leaked, timeout_seconds=60).safe
    assert leaked.tip() == other.tip()
    assert len(other.contents().runs) == 4
    assert check(other).findings == check(leaked).findings == ()
    assert not holds(tmp_path / "other")


def test_a_rewritten_remote_that_changed_more_than_its_tombstone_says_is_refused(
    leaked: Branch, repo: Path, tmp_path: Path
) -> None:
    _, other = share(leaked, tmp_path)
    take_out(leaked)
    folder = tmp_path / "tree"
    git_in(repo, "worktree", "add", "-q", str(folder), "ledger")
    record = min(folder.glob("runs/*/*/*/*-000003/record.json"))
    record.write_text(record.read_text().replace("digits", "letters"))
    git_in(folder, "commit", "-q", "-a", "-m", "better")
    git_in(repo, "push", "-q", "--force", "origin", "ledger")
    refused = sync(other, timeout_seconds=60, accept_redaction=True)
    assert not refused.safe
    assert "it was changed, and no redaction says so" in refused.message
    assert "000003/record.json" in refused.message


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("abc", "at least 6 characters"),
        ("two\nlines", "one line"),
        ('status": "finished', "the document would be invalid"),
    ],
)
def test_what_cannot_be_redacted_is_said_and_changes_nothing(leaked: Branch, secret: str, said: str) -> None:
    tip = leaked.tip()
    with pytest.raises(LedgerError, match=said):
        plan_redaction(leaked, Needles([secret]))
    assert leaked.tip() == tip


def test_the_command_asks_for_a_reason_shows_the_plan_and_the_steps(leaked: Branch, repo: Path, cli: Cli) -> None:
    git_in(repo, "remote", "add", "hub", str(repo.parent / "hub.git"))
    assert cli("redact", stdin=SECRET).code == 2
    assert cli("redact", "--because", "x", stdin=SECRET).code == 2  # nobody can be asked
    tip = leaked.tip()
    planned = cli("redact", "--dry-run", stdin=f"{SECRET}\n")
    assert planned.code == 0
    assert "holds it: runs/2026/11/20/20261120-194812-000002/record.json" in planned.err
    assert leaked.tip() == tip
    done = cli("redact", "--yes", "--because", "a password", stdin=f"{SECRET}\n")
    assert done.code == 0
    assert "1. Revoke the secret now." in done.err
    assert f"git push --force-with-lease=refs/heads/ledger:{tip} hub refs/heads/ledger" in done.err
    assert "hunter2" not in done.err + done.out
    assert "1 redaction: nothing is wrong" in cli("verify").err
    assert "nothing was changed" in cli("redact", "--yes", "--because", "x", stdin=f"{SECRET}\n").err
    assert "[redacted]" in cli("show", "000002").out
