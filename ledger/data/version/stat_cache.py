"""A cache of the hashes of unchanged files, so that a second pass reads none of them.

Derived and disposable: one SQLite file; damaged, foreign or locked it is as if there were none. A file is taken to
be unchanged when device, inode, size and both times are. That holds only for a file that was at rest when it was
hashed: one changed again within the same tick of the file system's clock would look the same, so files younger than
that are not remembered at all (git's "racy" rule, Documentation/technical/racy-git.txt).
"""

import os
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.hashing import hash_bytes

if TYPE_CHECKING:
    import sqlite3

FILE = "hashes.sqlite3"
"""Its usual name, in the folder for files of the ledger that are not on the branch."""
RESOLUTION_NS = 2_000_000_000
"""Coarsest resolution of file times in use: FAT has two seconds, ext3 and HFS+ one."""
_FORMAT = 1
_APPLICATION = 0x4C654861
"""`LeHa` in the header of the file: https://www.sqlite.org/pragma.html#pragma_application_id."""
_PATIENCE_SECONDS = 5.0
_KEPT_DAYS = 90
_HELD = 10_000
"""Files held in memory before they are written: 3 MB."""
_DIGEST, _CHECK = 32, 8
_MASK = (1 << 64) - 1
_FACTS = struct.Struct("<5Q")


def facts_of(status: os.stat_result) -> bytes:
    """Return facts that stay the same while a file does: device, inode, size, times of content and inode changes."""
    times = (status.st_mtime_ns & _MASK, status.st_ctime_ns & _MASK)  # times before 1970 are negative
    return _FACTS.pack(status.st_dev & _MASK, status.st_ino & _MASK, status.st_size, *times)


def is_at_rest(status: os.stat_result, now_ns: int) -> bool:
    """Return whether any change from now on would show in the times of a file."""
    return max(status.st_mtime_ns, status.st_ctime_ns) < now_ns - RESOLUTION_NS


class StatCache:
    """A store of hashes.

    Args:
        file: SQLite file; created, with its folder, when there is something to store.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextmanager
    def opened(self, dataset: str) -> Iterator["Remembered"]:
        """Open the hashes of one dataset; no failure of the file reaches the block.

        Args:
            dataset: path of the dataset: the same text finds the same hashes.
        """
        remembered = Remembered(self.file, dataset)
        try:
            yield remembered
            remembered.keep()
        finally:
            remembered.close()


class Remembered:
    """The hashes of one dataset; for one thread.

    Args:
        file: the SQLite file.
        dataset: path of the dataset.
    """

    def __init__(self, file: Path, dataset: str) -> None:
        self._file = file
        self._dataset = dataset
        self._known: int | None = None
        """Number of the dataset when it was opened: later writes are not read."""
        self._database: sqlite3.Connection | None = None
        self._open()
        self._last = ""
        self._new: dict[str, bytes] = {}
        self._gone: list[str] = []

    def among(self, names: list[str]) -> Mapping[str, bytes]:
        """Return the known hashes of some names; each call continues in their order where the last one ended."""
        if self._database is None or self._known is None or not names:
            return {}
        asked = "SELECT name, value FROM files WHERE dataset = ? AND name > ? AND name <= ?"
        try:
            found = dict(self._database.execute(asked, (self._known, self._last, names[-1])))
        except Exception as error:  # noqa: BLE001  # a damaged file may raise anything
            self._give_up(error)
            return {}
        self._last = names[-1]
        if len(found) > len(names) or not found.keys() <= set(names):
            self._gone += found.keys() - set(names)
        return {name: value for name, value in found.items() if isinstance(name, str) and isinstance(value, bytes)}

    def remember(self, name: str, facts: bytes, content: str) -> None:
        """Store the `blake3:…` hash of a file, valid while its facts stay the same."""
        known = facts + bytes.fromhex(content.removeprefix("blake3:"))
        self._new[name] = known + _check(name, known)
        if len(self._new) >= _HELD:
            self._flush()

    def keep(self) -> None:
        """Write the stored hashes, and forget files that were not asked for."""
        if self._database is None:
            return
        if self._known is not None:
            asked = "SELECT name FROM files WHERE dataset = ? AND name > ?"
            try:
                self._gone += (name for (name,) in self._database.execute(asked, (self._known, self._last)))
            except Exception as error:  # noqa: BLE001  # a damaged file may raise anything
                self._give_up(error)
        self._flush()

    def _flush(self) -> None:
        """Write the held hashes: each is valid by itself, even if the pass is interrupted."""
        if self._database is not None and (self._new or self._gone):
            try:
                with self._database:
                    self._write(self._database)
            except Exception as error:  # noqa: BLE001  # it is only a cache: full disks and other writers are normal
                self._give_up(error)
        self._new.clear()
        self._gone.clear()

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            with suppress(Exception):
                self._database.close()
            self._database = None

    def _open(self) -> None:
        import sqlite3

        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._file, timeout=_PATIENCE_SECONDS)
            (application,) = self._database.execute("PRAGMA application_id").fetchone()
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if (application, version) != (_APPLICATION, _FORMAT):
                (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
                if tables:
                    raise sqlite3.DatabaseError("made by something else")  # noqa: TRY301  # files are removed in one place
                return
            asked = "SELECT number FROM datasets WHERE place = ?"
            row = self._database.execute(asked, (self._dataset,)).fetchone()
            self._known = row[0] if row else None
        except Exception as error:  # noqa: BLE001  # whatever it is, hashing continues without
            self._give_up(error)

    def _write(self, database: "sqlite3.Connection") -> None:
        today = int(time.time()) // 86400
        database.execute(f"PRAGMA application_id = {_APPLICATION}")
        database.execute(f"PRAGMA user_version = {_FORMAT}")
        database.execute("CREATE TABLE IF NOT EXISTS datasets (number INTEGER PRIMARY KEY, place TEXT UNIQUE, day INT)")
        database.execute(
            "CREATE TABLE IF NOT EXISTS files (dataset INT, name TEXT, value BLOB, PRIMARY KEY (dataset, name))"
            " WITHOUT ROWID"
        )
        old = "SELECT number FROM datasets WHERE day < ?"
        database.execute(f"DELETE FROM files WHERE dataset IN ({old})", (today - _KEPT_DAYS,))  # noqa: S608  # the text is our own
        database.execute("DELETE FROM datasets WHERE day < ?", (today - _KEPT_DAYS,))
        said = "INSERT INTO datasets (place, day) VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET day = excluded.day"
        database.execute(said, (self._dataset, today))
        asked = "SELECT number FROM datasets WHERE place = ?"
        (number,) = database.execute(asked, (self._dataset,)).fetchone()
        rows = ((number, name, value) for name, value in self._new.items())
        database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
        gone = ((number, name) for name in self._gone)
        database.executemany("DELETE FROM files WHERE dataset = ? AND name = ?", gone)

    def _give_up(self, error: Exception) -> None:
        """Continue without the cache; a damaged or foreign file is deleted, one that others are writing remains."""
        import sqlite3

        self.close()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            for suffix in ("", "-journal", "-wal", "-shm"):
                with suppress(OSError):
                    self._file.with_name(self._file.name + suffix).unlink()


def unchanged(name: str, value: bytes | None, facts: bytes) -> str | None:
    """Return the hash of a file that is certainly unchanged; none otherwise."""
    if value is None or value[: -_DIGEST - _CHECK] != facts or value[-_CHECK:] != _check(name, value[:-_CHECK]):
        return None
    return f"blake3:{value[-_DIGEST - _CHECK : -_CHECK].hex()}"


def _check(name: str, known: bytes) -> bytes:
    """Return a checksum of a row: a damaged hash would identify data that never existed."""
    return bytes.fromhex(hash_bytes(name.encode("utf-8", "surrogatepass") + b"\0" + known)[7 : 7 + 2 * _CHECK])
