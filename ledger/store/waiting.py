"""Entries that are made but not yet on the branch: kept whole in a file each until they are."""

import os
from datetime import datetime
from pathlib import Path

import msgspec

from ledger.errors import InvalidDocument
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
    """Keep an entry until `waiting_files` finds it; whole or not at all, again is the same.

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


def read_waiting(path: Path) -> Entry:
    """Return the entry that waits in a file.

    Raises:
        InvalidDocument: the file is damaged or is no entry.
    """
    try:
        entry = msgspec.msgpack.decode(path.read_bytes(), type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidDocument(str(path), [str(error)], hint="if you can do without it, remove it") from error
    if not is_id(entry.id):
        raise InvalidDocument(str(path), [f"not an id: `{ascii(entry.id)[1:-1]}`"])
    return entry


def waiting_files(state_dir: Path) -> list[Path]:
    """Return the files of all entries that wait, oldest first."""
    return sorted((state_dir / "waiting").glob(f"*{_SUFFIX}"))
