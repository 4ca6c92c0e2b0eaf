"""Box 1, training code: what can be learned stands, what cannot says why."""

from pathlib import Path

from ledger.capture.code import capture_code
from ledger.capture.secrets import Redactor
from ledger.repository.repository import Repository
from tests.conftest import git_in

LIMIT = 1 << 20


def test_a_patch_that_cannot_be_made_is_unknown_and_the_commit_is_not(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.bin filter=gone\n")
    git_in(repo, "config", "filter.gone.clean", "not-installed-anywhere")
    git_in(repo, "config", "filter.gone.required", "true")
    (repo / "weights.bin").write_bytes(b"1")
    code, patch = capture_code(Repository.discover(repo), Redactor(), file_limit=LIMIT, patch_limit=LIMIT)
    assert patch == b""
    assert code.commit == f"git:{git_in(repo, 'rev-parse', 'HEAD').strip()}"
    assert code.dirty
    assert "clean filter 'gone' failed" in code.unknown["patch"]
    assert "all" not in code.unknown
