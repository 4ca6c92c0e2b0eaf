"""Entries that are made but not yet on the branch: kept whole in a file each until they are."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from ledger.errors import InvalidDocument, LedgerError
from ledger.model.ids import is_id
from ledger.model.record import Author
from ledger.model.values import Document

_SUFFIX = ".entry"


class Entry(Document, frozen=True, kw_only=True):
    """What one commit adds to the branch."""

    id: str
    """Id of the run or evaluation it is about."""
    files: dict[str, bytes]
    """Path on the branch to content."""
    message: str
    """Commit message."""
    author: Author
    """Who made it."""
    made_at: datetime
    """When, UTC."""
    keep: list[str] = []
    """Code commits to keep alive, because no remote branch reaches them."""


def write_waiting(state_dir: Path, entry: Entry) -> Path:
    """Keep an entry until `read_waiting` finds it; whole or not at all, again is the same.

    Raises:
        OSError: it cannot be written.
    """
    folder = state_dir / "waiting"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{entry.id}{_SUFFIX}"
    aside = path.with_suffix(f".{os.getpid()}.new")
    with aside.open("wb") as file:
        file.write(msgspec.msgpack.encode(entry))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return path


def read_waiting(state_dir: Path) -> Iterator[tuple[Path, Entry]]:
    """Yield every entry that waits, oldest first.

    Raises:
        InvalidDocument: a file is damaged or is no entry.
    """
    for path in waiting_files(state_dir):
        try:
            entry = msgspec.msgpack.decode(path.read_bytes(), type=Entry)
        except (msgspec.DecodeError, OSError) as error:
            raise InvalidDocument(str(path), [str(error)]) from error
        if not is_id(entry.id):
            raise LedgerError(f"{path}: not an id: `{entry.id!a}`")
        yield path, entry


def waiting_files(state_dir: Path) -> list[Path]:
    """Return the files of all entries that wait, oldest first."""
    return sorted((state_dir / "waiting").glob(f"*{_SUFFIX}"))
