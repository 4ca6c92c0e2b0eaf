"""Box 1, training code: what can be learned stands, what cannot says why."""

from pathlib import Path

from ledger.capture.code.code import capture_code
from ledger.capture.secrets.redactor import Redactor
from ledger.repository.repository import Repository
from ledger.repository.worktree.omissions import PatchLimits
from tests.conftest import git_in

LIMIT = 1 << 20


LIMITS = PatchLimits(LIMIT, LIMIT)


def test_a_file_that_cannot_be_taken_is_named_and_the_rest_is_known(repo: Path) -> None:
    (repo / "train.bin").write_bytes(b"1")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Weights")
    (repo / ".gitattributes").write_text("*.bin filter=gone\n")
    git_in(repo, "add", ".gitattributes")
    git_in(repo, "config", "filter.gone.clean", "not-installed-anywhere")
    git_in(repo, "config", "filter.gone.required", "true")
    (repo / "train.bin").write_bytes(b"2")
    (repo / "train.py").write_text("print(2)\n")
    code, patch = capture_code(Repository.discover(repo), Redactor(), limits=LIMITS)
    assert b"+print(2)" in patch
    assert code.commit == f"git:{git_in(repo, 'rev-parse', 'HEAD').strip()}"
    assert code.dirty
    assert "train.bin (its filter `gone` failed)" in code.unknown["patch"]
    assert code.tree is None
    assert "all" not in code.unknown
