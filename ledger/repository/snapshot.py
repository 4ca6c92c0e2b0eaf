"""The exact code of a run: what is uncommitted, as one patch, and the tree that commit and patch give.

Staged, unstaged and untracked changes are put together in an index and an object store of our own,
so that the user's index, objects, HEAD and work tree stay as they are, to the byte.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.repository.process import Git
from ledger.repository.repository import EMBEDDED, Repository

_DIFF = ("diff-tree", "-p", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")


class Snapshot(Document, frozen=True, kw_only=True):
    """What is checked out, and how it differs from its commit."""

    commit: str | None
    """Commit that is checked out; none when there is none yet."""
    branch: str | None
    """Branch that is checked out; none when HEAD is detached."""
    changed: list[str]
    """Paths that are uncommitted, untracked files included."""
    omitted: list[str]
    """Those of them that are too large for the patch."""
    skipped: list[str]
    """Those that git cannot put in a patch: repositories inside the repository, sockets and the like."""
    patch: bytes
    """The other changes, as `git apply` reads them; empty when there are none."""
    tree: str | None
    """Tree that commit and patch give; none in a bare repository without commits, or without a patch."""
    problem: str | None = None
    """Why there is no patch, where git cannot make one."""


class _Status(Document, frozen=True, kw_only=True):
    commit: str | None
    branch: str | None
    changed: list[str]


def read_snapshot(repository: Repository, *, file_limit: int, patch_limit: int) -> Snapshot:
    """Return what is checked out, uncommitted changes included.

    Args:
        repository: which repository; a bare one has only a commit.
        file_limit: bytes from which a changed file is left out of the patch.
        patch_limit: bytes that all changed files in the patch may have together; the largest are left out.

    Raises:
        LedgerError: git cannot say what is checked out.
    """
    if repository.worktree is None:
        return _bare(repository)
    top = repository.worktree
    git = repository.git if top == repository.git.folder else Git(top, repository.git.environment_added)
    status = _read_status(git)
    taken, omitted, skipped = _choose(top, status.changed, file_limit, patch_limit)
    problem = None
    try:
        patch, tree = _patch(repository, git, status.commit, taken)
    except LedgerError as error:  # a filter that is not installed, a file that changes: what else is known stands
        patch, tree, problem = b"", None, error.message
    return Snapshot(
        commit=status.commit,
        branch=status.branch,
        changed=status.changed,
        omitted=omitted,
        skipped=skipped,
        patch=patch,
        tree=tree,
        problem=problem,
    )


def _bare(repository: Repository) -> Snapshot:
    commit = repository.resolve("HEAD")
    _, name, _ = repository.git.attempt("symbolic-ref", "--quiet", "--short", "HEAD")
    tree = repository.git.output("rev-parse", f"{commit}^{{tree}}").decode().strip() if commit else None
    branch = name.decode("utf-8", "replace").strip() or None
    return Snapshot(commit=commit, branch=branch, changed=[], omitted=[], skipped=[], patch=b"", tree=tree)


def _read_status(git: Git) -> _Status:
    arguments = ("status", "--porcelain=v2", "--branch", "--untracked-files=all", "--no-renames", "-z")
    out = git.output(*_ALONE, *arguments)
    commit = branch = None
    changed = []
    for line in os.fsdecode(out).split("\0"):
        if line.startswith("# branch.oid ") and not line.endswith("(initial)"):
            commit = line.split(" ")[2]
        elif line.startswith("# branch.head ") and not line.endswith("(detached)"):
            branch = line.split(" ", 2)[2]
        elif line[:2] in _PATH_FIELD:
            changed.append(line.split(" ", _PATH_FIELD[line[:2]])[-1])
    return _Status(commit=commit, branch=branch, changed=changed)


_ALONE = ("-c", "core.fsmonitor=false", "-c", "core.splitIndex=false", "-c", "core.safecrlf=false")
"""No watcher is started, no half of an index is left in the user's git directory, and line ends are no error."""

_PATH_FIELD = {"1 ": 8, "u ": 10, "? ": 1}
"""How many spaces stand before the path in each kind of line (git-status, porcelain format version 2)."""


def _choose(top: Path, changed: Iterable[str], file_limit: int, patch_limit: int) -> tuple[list[str], ...]:
    sizes: dict[str, int] = {}
    taken: list[str] = []
    omitted: list[str] = []
    skipped: list[str] = []
    for path in changed:
        full = top / path
        if path.endswith("/") or path.split("/", 1)[0] == EMBEDDED:
            skipped.append(path)
        elif full.is_symlink() or not full.exists():
            taken.append(path)  # a link is its text; a missing file is a deletion
        elif full.is_file():
            sizes[path] = full.stat().st_size
        elif (full / ".git").exists():
            taken.append(path)  # a submodule: its commit is recorded
        else:
            skipped.append(path)
    total = 0
    for path, size in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
        total += size
        (omitted if size > file_limit or total > patch_limit else taken).append(path)
    return taken, sorted(omitted), skipped


def _patch(repository: Repository, git: Git, commit: str | None, taken: list[str]) -> tuple[bytes, str | None]:
    if not taken:
        tree = git.output("rev-parse", f"{commit}^{{tree}}").decode().strip() if commit else None
        return b"", tree
    with tempfile.TemporaryDirectory(prefix="ledger-") as scratch:
        index = Path(scratch, "index")
        objects = Path(scratch, "objects")
        objects.mkdir()
        if (repository.git_dir / "index").is_file():
            # With the user's cached stat data, only what changed is read.
            shutil.copyfile(repository.git_dir / "index", index)
        own = git.having(
            {
                "GIT_INDEX_FILE": str(index),
                "GIT_OBJECT_DIRECTORY": str(objects),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(repository.common_dir / "objects"),
            }
        )
        paths = b"".join(os.fsencode(path) + b"\0" for path in sorted(taken))
        own.output(*_ALONE, "update-index", "--add", "--remove", "--replace", "-z", "--stdin", stdin=paths)
        tree = own.output(*_ALONE, "write-tree", "--missing-ok").decode().strip()
        base = commit or own.output("mktree").decode().strip()
        return own.output(*_DIFF, "--src-prefix=a/", "--dst-prefix=b/", base, tree), tree


def _quoted(path: Path) -> str:
    """Quote a path for a list separated by colons, as git reads it."""
    text = str(path)
    if '"' not in text and "\\" not in text and os.pathsep not in text and not text.startswith('"'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def check_restores(repository: Repository, commit: str, patch: bytes) -> str:
    """Return the tree that `commit` and `patch` give, without touching index or work tree.

    Raises:
        LedgerError: the commit is missing, or the patch does not apply.
    """
    with tempfile.TemporaryDirectory(prefix="ledger-") as scratch:
        own = repository.git.having(
            {
                "GIT_INDEX_FILE": str(Path(scratch, "index")),
                "GIT_OBJECT_DIRECTORY": str(_made(Path(scratch, "objects"))),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(repository.common_dir / "objects"),
            }
        )
        own.output("read-tree", commit)
        if patch:
            code, _, err = own.attempt("apply", "--cached", "--binary", "--whitespace=nowarn", stdin=patch)
            if code:
                raise LedgerError(f"the patch does not apply: {err.decode('utf-8', 'replace').splitlines()[0]}")
        return own.output("write-tree").decode().strip()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
