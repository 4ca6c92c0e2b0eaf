"""Choice of the changed files that go into a patch; the others are named instead."""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from ledger.model.values import Document
from ledger.repository.repository import EMBEDDED
from ledger.repository.worktree.changes import WorkTreeChange


class Sort(NamedTuple):
    """The classification of a changed file."""

    kept: bool
    """Whether it goes into the patch."""
    code: bool
    """Whether runs that differ in it differ in their code."""
    why: str = ""
    """Why it is not in the patch."""


class Rules(Protocol):
    """Rules for the content of a patch, and for what is code."""

    @property
    def notebook(self) -> bool:
        """Whether the run is in a notebook."""

    def sort(self, path: str, *, untracked: bool) -> Sort:
        """Return the classification of a changed file, by its path in the top repository."""

    def apart(self, names: Callable[[], Sequence[str]]) -> list[str]:
        """Return the files of the index that never count as code; calls `names`, which lists the index."""


class PatchLimits(NamedTuple):
    """Maximum sizes of a patch."""

    file_bytes: int
    """A changed file of more bytes is left out."""
    patch_bytes: int
    """Largest total size of the changed files in the patch; the largest files are left out."""


class FileOmission(Document, frozen=True, kw_only=True):
    """A changed file that is not in the patch, or not exactly."""

    path: str
    """Path in the work tree."""
    why: str
    """The reason."""
    code: bool = True
    """Whether runs that differ in it differ in their code."""
    exact: bool = True
    """Whether it is left out by choice; false where git could not read it exactly."""


class PatchSelection:
    """The changed files that go into the patch."""

    def __init__(
        self, top: Path, changes: Sequence[WorkTreeChange], rules: Rules, limits: PatchLimits, prefix: str
    ) -> None:
        self.taken: list[str] = []
        self.left_out: list[FileOmission] = []
        self.not_code: list[str] = []
        self.put_back: list[str] = []
        """Tracked files that are left out: the patch must not contain their staged content."""
        sizes: dict[str, int] = {}
        for change in changes:
            path = change.path
            if path.split("/", 1)[0] == EMBEDDED:
                continue  # the ledger's own repository
            if change.gitlink:
                if not change.untracked:
                    self.taken.append(path)  # a submodule: its commit is recorded
                continue
            sorted_as = rules.sort(prefix + path, untracked=change.untracked)
            if not sorted_as.kept:
                self.left_out.append(FileOmission(path=path, why=sorted_as.why, code=sorted_as.code))
                continue
            if not sorted_as.code:
                self.not_code.append(path)
            self._choose(f"{top}/{path}", path, sizes)
        self._fit(sizes, limits)
        left = {one.path for one in self.left_out}
        self.not_code = [path for path in self.not_code if path not in left]
        self.put_back = [change.path for change in changes if change.path in left and not change.untracked]

    def _choose(self, full: str, path: str, sizes: dict[str, int]) -> None:
        try:
            status = os.lstat(full)  # with 100,000 files every µs counts
        except OSError:
            self.taken.append(path)  # a missing file is a deletion
            return
        if stat.S_ISLNK(status.st_mode):
            self.taken.append(path)  # a link is its text
        elif stat.S_ISREG(status.st_mode):
            sizes[path] = status.st_size
        else:
            why = "it is a folder now" if stat.S_ISDIR(status.st_mode) else "it is neither file, link nor folder"
            self.left_out.append(FileOmission(path=path, why=why, exact=False))

    def _fit(self, sizes: Mapping[str, int], limits: PatchLimits) -> None:
        total = 0
        for path, size in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
            total += size
            if size <= limits.file_bytes and total <= limits.patch_bytes:
                self.taken.append(path)
                continue
            why = "too large for the patch" if size > limits.file_bytes else "the patch is full"
            self.left_out.append(FileOmission(path=path, why=why, code=path not in self.not_code))
