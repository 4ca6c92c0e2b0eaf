"""SQLite databases of trackers: opened to read, asked only for plain tables, left as they were found.

A database is foreign and may be forged. Views and generated columns hold code, so they do not count as tables and
columns here; statements that compute for longer than the size of the file explains are stopped.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from ledger.errors import LedgerError
from ledger.model.values import plain

_MAGIC = b"SQLite format 3\0"
_WAL_VERSION = 2
_BESIDE = ("-wal", "-journal")
_READ_ONLY_FAILS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_PATIENCE_SECONDS = 10
_PRAGMAS = ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "cache_size = -65536")
_LONGEST_VALUE = 64 << 20
"""Bytes of a value at most."""
_FEWEST_BYTES = 4
"""Bytes of a row at least: its place in the page, its sizes, and its key."""
_STEPS_AT_ONCE = 1_000_000
_STEPS_OF_BYTE = 40
"""Steps of SQLite's machine for a byte of the file: a row of fifty bytes takes some ten in each of many questions."""
_LEAST_STEPS = 20_000_000

_MOST_RUNS, _MOST_POINTS = 2_000, 200_000
"""Runs and points that one question asks for: no lock is held between two of them."""

Row = tuple[object, ...]


class StoreDatabase:
    """An open database.

    Args:
        connection: its connection.
        most_rows: rows that any of its tables can have.
    """

    def __init__(self, connection: sqlite3.Connection, most_rows: int) -> None:
        self._connection, self._most_rows = connection, most_rows
        self._columns: dict[str, set[str]] = {}

    def tables(self) -> set[str]:
        """Return the names of its tables."""
        rows = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {str(name) for (name,) in rows}

    def columns(self, table: str) -> set[str]:
        """Return the stored columns of a table; none where there is no such table."""
        if table not in self._columns:
            plain = self._connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
            found = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
            self._columns[table] = {str(name) for (name,) in found} if plain.fetchone() else set()
        return self._columns[table]

    def rows(
        self, table: str, columns: Sequence[str], *, where: str = "", values: Sequence[object] = (), order: str = ""
    ) -> Iterator[Row]:
        """Yield rows of a table; a column that an older store lacks is null.

        Args:
            table: its name.
            columns: names of columns.
            where: condition on rows.
            values: values for the marks in it.
            order: names of columns to order by; rows that are equal in them come in the order of the table.
        """
        known = self.columns(table)
        if known:
            wanted = ", ".join(f'"{name}"' if name in known else "NULL" for name in columns)
            by = ", ".join(f'"{name}"' for name in (*order.split(), "rowid") if name in known or name == "rowid")
            statement = f'SELECT {wanted} FROM "{table}" WHERE {where or 1} ORDER BY {by}'  # noqa: S608  # names are ours
            found = self._connection.execute(statement, tuple(values))
            yield from islice(found, self._most_rows)
            if found.fetchone() is not None:  # pages that refer to one another stand for rows without end
                raise sqlite3.DatabaseError("a table has more rows than its file has room for")

    def rows_of(self, table: str, columns: Sequence[str], ids: Iterable[object], order: str = "") -> Iterator[Row]:
        """Yield the rows of a table with one of these ids in the first of the columns, as `rows` does."""
        known = set(ids)
        marks = ", ".join("?" * len(known))
        rows = self.rows(table, columns, where=f'"{columns[0]}" IN ({marks})', values=list(known), order=order)
        yield from (row for row in rows if row[0] in known)  # an index that is damaged gives others, too

    def counts(self, table: str, column: str) -> dict[object, int]:
        """Return the number of rows for each value of a column that the table has."""
        statement = f'SELECT "{column}", COUNT(*) FROM "{table}" GROUP BY 1'  # noqa: S608  # the same
        return {value: int(count) for value, count in self._connection.execute(statement)}


def id_batches(ids: Iterable[object], counts: Mapping[object, int]) -> Iterator[list[object]]:
    """Yield ids of runs in batches of which the points fit in memory.

    Args:
        ids: ids in their order.
        counts: number of points by id.
    """
    batch: list[object] = []
    points = 0
    for one in ids:
        points += counts.get(one, 0)
        if batch and (len(batch) == _MOST_RUNS or points > _MOST_POINTS):
            yield batch
            batch, points = [], counts.get(one, 0)
        batch.append(one)
    if batch:
        yield batch


@contextmanager
def open_store_database(path: Path) -> Iterator[StoreDatabase]:
    """Open a database to read it; what is damaged in it raises on the way.

    Raises:
        LedgerError: it is no database, is damaged, or is locked by a writer.
    """
    try:
        if not _is_database(path):
            raise LedgerError(f"it is no SQLite database: `{path}`")
        with (
            tempfile.TemporaryDirectory(prefix="ledger-") as aside,
            closing(_connection(path, Path(aside))) as connection,
        ):
            yield StoreDatabase(connection, _size(path) // _FEWEST_BYTES)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where an error of a damaged file is no text
        hint = "stop the program that writes it" if "locked" in str(error) else "copy it anew: sqlite3 FILE .recover"
        said = plain(" ".join(str(error)[:120].split()))
        raise LedgerError(f"the database cannot be read ({said}): `{path}`", hint=hint) from None
    except OSError as error:
        raise LedgerError(f"the database cannot be read ({(error.strerror or '').lower()}): `{path}`") from None


def tables_of(path: Path) -> set[str]:
    """Return the names of the tables of a database; none where it is none, or cannot be read."""
    try:
        with open_store_database(path) as database:
            return database.tables()
    except LedgerError:
        return set()


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _connection(path: Path, aside: Path) -> sqlite3.Connection:
    """Return a connection to the file, or to a copy where reading it in place would write beside it."""
    if not _leaves_files(path):
        try:
            return _connect(path, "ro")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _READ_ONLY_FAILS:
                raise
    # A journal of a killed writer is rolled back in the copy; a read-only folder has no place for shared memory.
    for suffix in ("", *_BESIDE):
        part = path.with_name(f"{path.name}{suffix}")
        if part.is_file():
            shutil.copyfile(part, aside / f"store{suffix}")
    return _connect(aside / "store", "rw")


def _size(path: Path) -> int:
    """Return the bytes of a database with its log."""
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.is_file() else 0)


def _leaves_files(path: Path) -> bool:
    """Return whether SQLite would make a log beside the file only to read it: one in WAL mode that has none now."""
    with path.open("rb") as file:
        versions = file.read(20)[18:]
    return _WAL_VERSION in versions and not path.with_name(f"{path.name}-wal").exists()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path.resolve()))}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    left = max(_LEAST_STEPS, _size(path) * _STEPS_OF_BYTE) // _STEPS_AT_ONCE

    def is_over() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(is_over, _STEPS_AT_ONCE)
    return connection
