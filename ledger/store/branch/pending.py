"""Entries that are made but not yet on the branch: kept whole in a file each until they are."""

import os
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from ledger.errors import InvalidDocument, LedgerError
from ledger.model.ids import is_id, resolve
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
    home: str | None = None
    """Git directory of the repository it was made in; none outside of any."""


def homeless_dir() -> Path:
    """Return the folder for what has no writable repository: `$XDG_STATE_HOME/ledger`.

    Source: the XDG base directory specification, which names `~/.local/state` as the default. A user
    without a home, as containers give every other one, has a folder among the temporary files.
    """
    base = os.environ.get("XDG_STATE_HOME", "")
    if base.startswith("/"):
        return Path(base) / "ledger"
    try:
        return Path.home() / ".local" / "state" / "ledger"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"ledger-{os.getuid()}"


def keep_waiting(state_dir: Path, entry: Entry) -> Path:
    """Keep an entry as `write_waiting` does, in the user's own folder where `state_dir` cannot be written.

    Raises:
        OSError: neither can be written.
    """
    try:
        return write_waiting(state_dir, entry)
    except OSError:
        if state_dir == homeless_dir():
            raise
        return write_waiting(homeless_dir(), entry)


def write_waiting(state_dir: Path, entry: Entry) -> Path:
    """Keep an entry until `waiting_files` finds it; whole or not at all, on the disk, again is the same.

    Raises:
        OSError: it cannot be written.
    """
    folder = state_dir / "waiting"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{entry.id}{_SUFFIX}"
    aside = path.with_suffix(f".{os.getpid()}.new")
    try:
        with aside.open("wb") as file:
            file.write(msgspec.msgpack.encode(entry))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every file system can; the name is on the disk a little later then
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
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


def living_run(state_dir: Path, short: str) -> str | None:
    """Return the run that an id, or enough of one, names among those that live or wait for `ledger recover`.

    Args:
        state_dir: where their spools lie.
        short: as `ids.resolve` takes it; none where no run or several match.
    """
    try:
        known = [entry.name for entry in os.scandir(state_dir / "spool") if is_id(entry.name)]
        return resolve(short, known)
    except (OSError, LedgerError):
        return None


def waiting_files(state_dir: Path) -> list[Path]:
    """Return the files of all entries that wait, oldest first."""
    return sorted((state_dir / "waiting").glob(f"*{_SUFFIX}"))
