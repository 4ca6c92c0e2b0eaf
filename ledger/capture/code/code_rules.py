"""The rules that decide which files of a work tree are code and which go into a patch, by policy and command line.

Code is every tracked file, and every untracked file that is source or configuration by its kind. Files that a run
writes are results: files that options name, files in folders of frameworks, and files that are not source and were
written while a run lived. Files that may be either count as code, since a false grouping is worse than none.
"""

import bisect
import fnmatch
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from ledger.capture.code.source_kinds import in_framework_folder, in_result_folder, is_program, is_source
from ledger.model.values import Document
from ledger.repository.worktree.omissions import Sort

Untracked = Literal["source", "all", "none"]
"""Which untracked files go into the patch."""


class Named(Document, frozen=True, kw_only=True):
    """Files that the options of a run name, as absolute paths."""

    inputs: list[str] = []
    """Files of params: the record has their values, and the patch has the files, too."""
    results: list[str] = []
    """Files that the run writes: metrics, curves, tables, figures, log, model."""
    folders: list[str] = []
    """Folders of data and models."""


class CodeRules(Document, frozen=True, kw_only=True):
    """Which files of a work tree are code, and which of them are recorded."""

    top: Path
    """Top of the work tree, resolved."""
    untracked: Untracked = "source"
    """Which untracked files go into the patch."""
    ignore: list[str] = []
    """Patterns of files that are not code, as in `.gitignore`: `metrics.json`, `results/`, `*.log`."""
    named: Named = Named()
    """Files that options name."""
    lives: list[tuple[float, float]] = []
    """When runs of this clone lived, as disjoint spans in seconds since 1970, in order of time."""
    notebook: bool = False
    """Whether the run is in a notebook, so that an identity without notebooks is needed."""

    def sort(self, path: str, *, untracked: bool) -> Sort:
        """Return whether a changed file goes into the patch, and whether it is code."""
        reason = self._no_code(path, untracked=untracked)
        if not untracked:
            return Sort(kept=True, code=reason is None)
        if self._is_among(path, self.named.inputs):
            return Sort(kept=self.untracked != "none", code=False, why="the policy keeps no untracked files")
        if self.untracked == "all":
            return Sort(kept=True, code=reason is None)
        if reason is not None:
            return Sort(kept=False, code=False, why=reason)
        return Sort(kept=self.untracked == "source", code=True, why="the policy keeps no untracked files")

    def apart(self, names: Callable[[], Sequence[str]]) -> list[str]:
        """Return the tracked files that never count as code, changed or not."""
        named = {
            relative
            for path in (*self.named.inputs, *self.named.results)
            if (relative := self._relative(path)) is not None
        }
        if not self.ignore:
            return sorted(named)
        return sorted({*named, *(name for name in names() if self._is_ignored(name))})

    def _no_code(self, path: str, *, untracked: bool) -> str | None:
        """Return why a changed file is not code; none when it is."""
        if self._is_among(path, (*self.named.inputs, *self.named.results)):
            return "an option names it"
        if self._is_ignored(path):
            return "`code.ignore` of the policy names it"
        if untracked and (folder := in_framework_folder(path)):
            return f"it is in `{folder}`"
        full = f"{self.top}/{path}"
        written = self._was_written_meanwhile(full)
        folder = in_result_folder(path) or self._folder_of_option(full)
        if untracked and folder and (written or not is_program(path)):
            return f"it is in `{folder}`"
        if not (untracked or written) or is_source(path, full):
            return None
        return "a run wrote it" if written else "no source by its kind"

    def _is_among(self, path: str, named: Sequence[str]) -> bool:
        return f"{self.top}/{path}" in named

    def _folder_of_option(self, full: str) -> str | None:
        found = next((folder for folder in self.named.folders if full.startswith(f"{folder}/")), None)
        return None if found is None else f"{self._relative(found) or found}/"

    def _relative(self, path: str) -> str | None:
        inside = f"{self.top}/"
        return path.removeprefix(inside) if path.startswith(inside) else None

    def _is_ignored(self, path: str) -> bool:
        return any(matches(path, pattern) for pattern in self.ignore)

    def _was_written_meanwhile(self, full: str) -> bool:
        if not self.lives:
            return False
        try:
            at = os.lstat(full).st_mtime  # with 100,000 files every µs counts
        except OSError:
            return False
        place = bisect.bisect_right(self.lives, (at, math.inf))
        return place > 0 and at <= self.lives[place - 1][1]


def matches(path: str, pattern: str) -> bool:
    """Return whether a `.gitignore` pattern matches a path, or a folder above it.

    A slash inside the pattern anchors it at the top; without one, it matches files and folders everywhere. `*` matches
    everything, slashes included.
    """
    wanted = pattern.strip("/")
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    if pattern.endswith("/"):
        above = above[:-1]
    if "/" in pattern.rstrip("/"):
        return any(fnmatch.fnmatchcase(part, wanted) for part in above)
    return any(fnmatch.fnmatchcase(part.rpartition("/")[2], wanted) for part in above)
