"""Entries that are made but not on the branch yet, each stored whole in a file until it is."""

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
    """The content of one commit to the branch."""

    id: str
    """Id of the run or evaluation that it adds."""
    files: dict[str, bytes]
    """Content of each file, by path on the branch."""
    message: str
    """Commit message."""
    author: Author
    """Who made it."""
    made_at: datetime
    """When, UTC."""
    keep: list[str] = []
    """Commits of code to keep alive, because no remote branch contains them."""
    home: str | None = None
    """Git directory of the repository in which it was made; none outside of a repository."""


def homeless_dir() -> Path:
    """Return the folder for files that have no writable repository: `$XDG_STATE_HOME/ledger`.

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
    """Write an entry with `write_waiting`, in the user's own folder where `state_dir` cannot be written.

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
    """Write an entry for `waiting_files` to find: atomic, durable and idempotent.

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
    with suppress(OSError):  # not every file system can sync a folder; the name then reaches the disk a little later
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return path


def read_waiting(path: Path) -> Entry:
    """Return the entry in a waiting file.

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
    """Return the run, among those that live or wait for `ledger recover`, that an id or a part of one names.

    Args:
        state_dir: folder of their spools.
        short: as for `ids.resolve`; the answer is none where no run or several match.
    """
    try:
        known = [entry.name for entry in os.scandir(state_dir / "spool") if is_id(entry.name)]
        return resolve(short, known)
    except (OSError, LedgerError):
        return None


def waiting_files(state_dir: Path) -> list[Path]:
    """Return the files of all waiting entries, oldest first."""
    return sorted((state_dir / "waiting").glob(f"*{_SUFFIX}"))
