"""The state of the working copy behind an editable install: its commit, and whether it has changes."""

from pathlib import Path

from ledger.capture.secrets.redactor import Redactor
from ledger.errors import LedgerError
from ledger.model.boxes.machine import WorkingCopy
from ledger.repository.process import Git

_TIMEOUT_SECONDS = 5.0


def look_at_copy(folder: Path) -> WorkingCopy:
    """Return the state of a working copy; unknown where git takes longer than five seconds."""
    if not folder.is_dir():
        return WorkingCopy()
    git = Git(folder)
    try:
        code, out, _ = git.attempt("status", "--porcelain=v2", "--branch", "--", ".", timeout_seconds=_TIMEOUT_SECONDS)
        if code:
            return WorkingCopy()
        lines = out.decode("utf-8", "replace").splitlines()
        head = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "")
        code, url, _ = git.attempt("config", "--get", "remote.origin.url", timeout_seconds=_TIMEOUT_SECONDS)
    except (LedgerError, OSError):
        return WorkingCopy()
    remote = url.decode("utf-8", "replace").strip() if code == 0 else ""
    return WorkingCopy(
        remote=Redactor().url(remote) if "://" in remote or "@" in remote else None,
        commit=f"git:{head}" if len(head) >= 40 else None,  # noqa: PLR2004  # a whole id, unlike `(initial)`
        dirty=any(not line.startswith("#") for line in lines),
    )
