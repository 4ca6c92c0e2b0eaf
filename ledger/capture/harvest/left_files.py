"""The files that a training left: those with a known name that were written while it ran, in its own folders."""

import os
import re
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

_MOST_ENTRIES = 50_000
"""Most files and folders that are looked at: a fifth of a second."""
_MOST_FILES = 5_000
"""Most files that are kept."""
_CLOCK_STEP = 0.02
"""Seconds by which the time of a file may be behind the clock: two ticks of the kernel. A file of the run before, which
ended a moment ago, must not count."""
_SKIPPED = frozenset({
    ".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", "site-packages", ".tox", ".nox", ".cache",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", ".eggs", "build", "dist-packages",
})  # fmt: skip
"""Folders that no training writes its results to."""
_MARKS = ("pyvenv.cfg", "conda-meta")
"""Files that make a folder an environment."""


class LeftFile(NamedTuple):
    """A file that was written while the training ran."""

    path: Path
    """Its path."""
    written: float
    """When it was last written, seconds since 1970."""
    bytes: int
    """Its size."""


class LeftFiles(NamedTuple):
    """What a training left, and what could not be looked at."""

    files: list[LeftFile]
    """The files, sorted by path."""
    notice: str | None = None
    """What was not looked at; none where everything was."""


def find_left_files(
    folders: Sequence[Path],
    names: re.Pattern[str],
    begun: float,
    ended: float,
    without: Iterable[Path] = (),
) -> LeftFiles:
    """Return the files of some names below some folders that were written in a span of time; links are not followed.

    Args:
        folders: where to look; those near the top are looked at first.
        names: names of the files that count.
        begun: start of the span, seconds since 1970.
        ended: its end.
        without: folders that are left out, such as those of data.
    """
    left_out = {path.absolute() for path in without}
    waiting = deque(folder.absolute() for folder in dict.fromkeys(folders))
    found: dict[Path, LeftFile] = {}
    looked = 0
    while waiting:
        folder = waiting.popleft()
        entries = [] if folder in left_out else _entries(folder)
        looked += len(entries)
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    waiting += [Path(entry.path)] if entry.name not in _SKIPPED else []
                elif names.fullmatch(entry.name) and (one := _left_file(entry, begun, ended)) is not None:
                    found[one.path] = one
        if waiting and (looked >= _MOST_ENTRIES or len(found) >= _MOST_FILES):
            return _sorted(found, f"only {looked:,} files and folders: `{folder.name}` is the last of them")
    return _sorted(found, None)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    """Return what lies in a folder; nothing where that is an environment, or cannot be read."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    return [] if any(entry.name in _MARKS for entry in entries) else entries


def _sorted(found: dict[Path, LeftFile], notice: str | None) -> LeftFiles:
    return LeftFiles([found[path] for path in sorted(found)], notice)


def _left_file(entry: "os.DirEntry[str]", begun: float, ended: float) -> LeftFile | None:
    stat = entry.stat(follow_symlinks=False)
    if not S_ISREG(stat.st_mode) or not begun - _CLOCK_STEP <= stat.st_mtime <= ended + _CLOCK_STEP:
        return None
    return LeftFile(Path(entry.path), stat.st_mtime, stat.st_size)
