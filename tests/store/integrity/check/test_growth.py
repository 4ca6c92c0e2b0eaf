"""What is proposed only adds to a ledger that this version reads, and not in the future."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from ledger.store.integrity.check import check_range
from tests.conftest import git_in
from tests.store.branch.test_branch import append_samples


@pytest.fixture
def tree(ledger: Branch, repo: Path, tmp_path: Path) -> Path:
    """A worktree on the ledger branch."""
    append_samples(ledger, 2)
    folder = tmp_path / "tree"
    git_in(repo, "worktree", "add", "-q", str(folder), "ledger")
    return folder


def found_after(ledger: Branch, tree: Path, now: datetime | None = None) -> list[tuple[str, str | None, str]]:
    """Commit what was done by hand, and return what is found: rule, path and message."""
    since = git_in(tree, "rev-parse", "HEAD").strip()
    git_in(tree, "add", "-A")
    git_in(tree, "commit", "-q", "--allow-empty", "-m", "by hand")
    tip = git_in(tree, "rev-parse", "HEAD").strip()
    checked = check_range(ledger.repository, tip, since, now=now)
    return [(finding.rule, finding.path, finding.message) for finding in checked.findings]


def test_a_format_of_another_version_is_named(ledger: Branch, tree: Path) -> None:
    (tree / "format").write_text("2\n")
    said = "the ledger has a format that this version does not read: `2 `"
    assert ("history", "format", said) in found_after(ledger, tree)


def test_a_branch_without_a_format_is_no_ledger(ledger: Branch, tree: Path) -> None:
    (tree / "format").unlink()
    said = "this branch is not a ledger: it has no file `format`"
    assert ("history", "format", said) in found_after(ledger, tree)


def test_a_commit_of_tomorrow_is_found_and_one_of_a_clock_that_is_a_little_fast_is_not(
    ledger: Branch, tree: Path
) -> None:
    now = datetime.now(UTC)
    assert found_after(ledger, tree, now=now) == []
    assert found_after(ledger, tree, now=now - timedelta(minutes=1)) == []
    late = found_after(ledger, tree, now=now - timedelta(days=2))
    assert [rule for rule, _, message in late if message.startswith("committed in the future")] == ["history"]


def test_a_file_of_no_entry_and_one_of_an_entry_that_stands_are_told_apart(ledger: Branch, tree: Path) -> None:
    (run, *_) = ledger.contents().runs
    (tree / run.path / "figures").mkdir(exist_ok=True)
    (tree / run.path / "figures" / "later.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    nobody = "runs/2026/11/20/20261120-194812-ffffff/log.txt"
    (tree / nobody).parent.mkdir(parents=True)
    (tree / nobody).write_text("nobody ran this\n")
    found = found_after(ledger, tree)
    said = {path: message for rule, path, message in found if rule == "history"}
    assert said[f"{run.path}/figures/later.png"] == "added to an existing entry; entries never change"
    assert said[nobody] == f"it belongs to no entry, as there is no `{nobody.removesuffix('log.txt')}record.json`"
