"""Box 1, training code: commit, remote, and every uncommitted change as one patch."""

from pathlib import Path

from ledger.capture.secrets import Redactor
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes, hash_file
from ledger.model.boxes import Code, OmittedFile, Patch
from ledger.repository.repository import Repository, remotes
from ledger.repository.snapshot import Snapshot, read_snapshot


def capture_code(
    repository: Repository | None, redactor: Redactor, *, file_limit: int, patch_limit: int
) -> tuple[Code, bytes]:
    """Return the code box and the patch that belongs to it (empty when nothing is uncommitted).

    Args:
        repository: where the training code lives; none outside of any repository.
        redactor: takes secrets out of the remote's URL and the patch.
        file_limit: bytes from which a changed file is named and hashed instead of stored.
        patch_limit: bytes that all changed files in the patch may have together.
    """
    if repository is None:
        return Code(unknown={"all": "the run was not in a git repository"}), b""
    try:
        return _capture(repository, redactor, file_limit, patch_limit)
    except (LedgerError, OSError) as error:
        return Code(unknown={"all": str(error)}), b""


def _capture(repository: Repository, redactor: Redactor, file_limit: int, patch_limit: int) -> tuple[Code, bytes]:
    snapshot = read_snapshot(repository, file_limit=file_limit, patch_limit=patch_limit)
    patch = redactor.patch(snapshot.patch)
    urls = remotes(repository.config(r"^remote\..*\.url$"))
    url = urls.get("origin") or next(iter(urls.values()), None)
    unknown = {}
    if snapshot.commit is None:
        unknown["commit"] = "the repository has no commit yet"
    if url is None:
        unknown["remote"] = "the repository has no remote"
    if snapshot.skipped:
        shown = ", ".join(snapshot.skipped[:10])
        unknown["patch"] = f"{len(snapshot.skipped)} paths cannot stand in a patch (nested repositories…): {shown}"
    if snapshot.problem:
        unknown |= {"patch": snapshot.problem, "tree": snapshot.problem}
    code = Code(
        commit=f"git:{snapshot.commit}" if snapshot.commit else None,
        branch=snapshot.branch,
        remote=redactor.url(url) if url else None,
        pushed=bool(urls) and repository.is_pushed(snapshot.commit) if snapshot.commit else None,
        dirty=bool(snapshot.changed),
        patch=_describe(patch, exact=patch == snapshot.patch) if patch else None,
        tree=f"git:{snapshot.tree}" if snapshot.tree else None,
        omitted=_omitted(repository.worktree, snapshot),
        unknown=unknown,
    )
    return code, patch


def _describe(patch: bytes, *, exact: bool) -> Patch:
    """Count what a patch changes; lines of a hunk start with `+` or `-`, headers come before the first `@@`."""
    files = added = removed = 0
    in_hunk = False
    for line in patch.split(b"\n"):
        if line.startswith(b"diff --git "):
            files += 1
            in_hunk = False
        elif line.startswith((b"@@ ", b"GIT binary patch")):
            in_hunk = line.startswith(b"@@ ")
        elif in_hunk:
            added += line.startswith(b"+")
            removed += line.startswith(b"-")
    return Patch(hash=hash_bytes(patch), bytes=len(patch), files=files, added=added, removed=removed, exact=exact)


def _omitted(worktree: Path | None, snapshot: Snapshot) -> list[OmittedFile]:
    if worktree is None:
        return []
    return [
        OmittedFile(path=path, bytes=(worktree / path).stat().st_size, hash=hash_file(worktree / path))
        for path in snapshot.omitted
    ]
