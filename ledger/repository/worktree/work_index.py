"""A separate index and object store, in which a work tree is assembled without a trace in the user's.

The copy keeps the time of the user's index: git reads a file anew only if it is not older than the index that
vouches for it, and a copy that is younger would vouch for an edit of the same size made a moment ago (git's "racy"
rule, Documentation/technical/racy-git.txt).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import LedgerError
from ledger.repository.process import Git
from ledger.repository.repository import Repository
from ledger.repository.worktree.changes import ALONE, filters_off

_DIFF = ("diff-tree", "-p", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
_ONE_BY_ONE = 50
"""Files that are tried one by one when a filter fails on one of them."""
_AT_ONCE = 500
"""Most paths in one command line."""


class WorkIndex:
    """A copy of a work tree's index that may be changed.

    Args:
        git: git, bound to the index.
    """

    def __init__(self, git: Git) -> None:
        self.git = git
        self._off: tuple[str, ...] = ()
        """Settings that switch off filters, once one of them has failed."""

    def uncover(self, paths: Sequence[str]) -> None:
        """Compare files again that the user's index ignores changes of.

        Raises:
            LedgerError: git cannot write the index.
        """
        for flag in ("--no-skip-worktree", "--no-assume-unchanged"):
            self._update(flag, paths)

    def take(self, paths: Sequence[str]) -> dict[str, str]:
        """Add files in their present state; return those that git cannot read, with the reason.

        Raises:
            LedgerError: git cannot write the index.
        """
        if not paths:
            return {}
        try:
            self._add(paths)
        except LedgerError:  # one of them stops all: a failing filter, or a file that is gone or unreadable
            return self._take_apart(paths)
        return {}

    def _take_apart(self, paths: Sequence[str]) -> dict[str, str]:
        """Add files, those of each filter separately: git runs it again on any file that it is not sure of."""
        filtered = self.filters_of(paths)
        self._off = filters_off(self.git)
        refused = self._halved([path for path in paths if path not in filtered])
        for name in sorted(set(filtered.values())):
            self._off = filters_off(self.git, but=name)
            through = [path for path in paths if filtered.get(path) == name]
            refused |= dict.fromkeys(self._filtered(through), f"its filter `{name}` failed")
        self._off = filters_off(self.git)
        return refused

    def leave(self, paths: Sequence[str]) -> None:
        """Remove files from the index, as if they did not exist.

        Raises:
            LedgerError: git cannot write the index.
        """
        self._update("--force-remove", paths)

    def names(self) -> list[str]:
        """Return every path of the index."""
        return os.fsdecode(self.git.output(*ALONE, "ls-files", "-z")).split("\0")[:-1]

    def filters_of(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the paths that go through a filter, with its name."""
        return {path: name for path, name in self._attribute("filter", paths).items() if name != "unspecified"}

    def _attribute(self, name: str, paths: Sequence[str]) -> dict[str, str]:
        asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
        out = os.fsdecode(self.git.output("check-attr", "-z", "--stdin", name, stdin=asked)).split("\0")[:-1]
        return dict(zip(out[::3], out[2::3], strict=True))

    def put_back(self, commit: str | None, paths: Sequence[str]) -> None:
        """Restore files to the state of a commit.

        Raises:
            LedgerError: git cannot write the index, or lacks an object.
        """
        self.leave(paths)
        for start in range(0, len(paths) if commit else 0, _AT_ONCE):
            some = paths[start : start + _AT_ONCE]
            listed = self.git.output("ls-tree", "-z", "--full-tree", "--end-of-options", str(commit), *some)
            self.git.output(*ALONE, *self._off, "update-index", "-z", "--index-info", stdin=listed)

    def check_out(self, paths: Sequence[str], folder: Path) -> None:
        """Write files as a checkout would, into another folder; those whose filter fails are missing there."""
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        apart = self.git.having({"GIT_LFS_SKIP_SMUDGE": "1"})  # content of git-lfs is not fetched for this
        apart.attempt(
            *ALONE, "checkout-index", "--quiet", "--force", f"--prefix={folder}/", "-z", "--stdin", stdin=given
        )

    def write_tree(self) -> str:
        """Return the tree of the index.

        Raises:
            LedgerError: git cannot write it.
        """
        return self.git.output(*ALONE, *self._off, "write-tree", "--missing-ok").decode().strip()

    def difference(self, base: str | None, tree: str, prefix: str) -> bytes:
        """Return the patch from a commit, or from nothing, to a tree, with every path below `prefix`.

        Raises:
            LedgerError: git lacks an object.
        """
        base = base or self.git.output("mktree").decode().strip()
        return self.git.output(*_DIFF, f"--src-prefix=a/{prefix}", f"--dst-prefix=b/{prefix}", base, tree)

    def _add(self, paths: Sequence[str]) -> None:
        self._update("--add", paths, "--remove", "--replace")

    def _update(self, flag: str, paths: Sequence[str], *more: str) -> None:
        if paths:
            given = b"".join(os.fsencode(path) + b"\0" for path in sorted(paths))
            self.git.output(*ALONE, *self._off, "update-index", flag, *more, "-z", "--stdin", stdin=given)

    def _filtered(self, paths: Sequence[str]) -> list[str]:
        """Add files that go through one filter, and return those that it fails on; of many, all or none are added."""
        if len(paths) > _ONE_BY_ONE:
            return list(self._refused(paths))
        return [path for path in paths if self._refused([path])]

    def _refused(self, paths: Sequence[str]) -> dict[str, str]:
        try:
            self._add(paths)
        except LedgerError as error:
            return dict.fromkeys(paths, error.message)
        return {}

    def _halved(self, paths: Sequence[str]) -> dict[str, str]:
        """Add all readable files, in a logarithmic number of calls per unreadable one."""
        refused = self._refused(paths) if paths else {}
        if len(refused) <= 1:
            return refused
        middle = len(paths) // 2
        return self._halved(paths[:middle]) | self._halved(paths[middle:])


@contextmanager
def copied_index(repository: Repository, git: Git) -> Iterator[WorkIndex]:
    """Yield a copy of the user's index with an object store beside it; both are deleted afterwards.

    Args:
        repository: whose index.
        git: git, bound to the top of its work tree.
    """
    with tempfile.TemporaryDirectory(prefix="ledger-") as scratch:
        index, objects = Path(scratch, "index"), Path(scratch, "objects")
        objects.mkdir()
        theirs = repository.git_dir / "index"
        if theirs.is_file():  # with its cached stat data, only what changed is read
            with theirs.open("rb") as source, index.open("wb") as target:
                times = os.fstat(source.fileno())  # of this very file: another may take its place meanwhile
                shutil.copyfileobj(source, target)
            os.utime(index, ns=(times.st_atime_ns, times.st_mtime_ns))
        yield WorkIndex(git.having(scratch_environment(repository, index, objects)))


def scratch_environment(repository: Repository, index: Path, objects: Path) -> dict[str, str]:
    """Return the variables that let git write to a separate index and object store, and read the user's."""
    return {
        "GIT_INDEX_FILE": str(index),
        "GIT_OBJECT_DIRECTORY": str(objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(repository.common_dir / "objects"),
    }


def _quoted(path: Path) -> str:
    """Quote a path for a list separated by colons, as git reads it."""
    text = str(path)
    if '"' not in text and "\\" not in text and os.pathsep not in text and not text.startswith('"'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
