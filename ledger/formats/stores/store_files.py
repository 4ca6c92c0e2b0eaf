"""Files of a store that is a folder: read whole up to a limit, never through a link, never outside of the store."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ledger.errors import LedgerError

MOST_BYTES = 256 << 20
"""Largest file that is read at once: a curve of ten million points."""


def read_store_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a file of a store.

    Args:
        path: the file.
        most: bytes at most.

    Raises:
        LedgerError: it is missing, a link or no plain file, or is too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123  # a path would follow links
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise LedgerError(f"it is no plain file: `{path}`")
            data = file.read(most + 1)
    except OSError as error:
        raise LedgerError(f"the file cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    if len(data) > most:
        raise LedgerError(f"the file is larger than {most:,} bytes: `{path}`", hint="export fewer runs at once")
    return data


def read_store_text(path: Path, most: int = MOST_BYTES) -> str:
    """Return the text of a file of a store; what is no UTF-8 in it becomes U+FFFD.

    Raises:
        LedgerError: as for `read_store_bytes`.
    """
    return read_store_bytes(path, most).decode("utf-8", "replace")


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder by name, without links; none where it cannot be read."""
    return [folder / entry.name for entry in _entries(folder) if entry.is_dir(follow_symlinks=False)]


def files_in(folder: Path) -> list[Path]:
    """Return the plain files in a folder by name, without links; none where it cannot be read."""
    return [folder / entry.name for entry in _entries(folder) if entry.is_file(follow_symlinks=False)]


def files_below(folder: Path, depth: int = 20) -> Iterator[Path]:
    """Yield the plain files in a folder and its folders, by name, without links."""
    yield from files_in(folder)
    if depth:
        for inner in folders_in(folder):
            yield from files_below(inner, depth - 1)


def is_inside(name: str) -> bool:
    """Return whether a name that a store gives to a file of its own stays in the store."""
    return bool(name) and not name.startswith(("/", "\\")) and ".." not in name.replace("\\", "/").split("/")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
