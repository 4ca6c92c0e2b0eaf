"""Days of hosts, as the index keeps them: a row a document, so that a year of fifty hosts is read without git."""

import sqlite3
from collections.abc import Iterator

import msgspec

from ledger.analysis.hosts.day_sums import DaySums, sums_of
from ledger.model.hosts import HostDay

_DECODER = msgspec.json.Decoder(DaySums)


def write_watched(database: sqlite3.Connection, path: str, day: HostDay) -> None:
    """Write the row of a day of a host."""
    sums = sums_of(day)
    row = (path, sums.host, sums.day, msgspec.json.encode(sums))
    database.execute("INSERT OR REPLACE INTO watched VALUES (?, ?, ?, ?)", row)


def read_watched(database: sqlite3.Connection, first: str | None, last: str | None) -> Iterator[DaySums]:
    """Yield the days of all hosts between two days, both included; from the first or to the last where none is given.

    Args:
        database: the index.
        first: day, as `2026-11-20`.
        last: day.
    """
    asked = "SELECT said FROM watched WHERE day >= ? AND day <= ? ORDER BY day, host, path"
    for (said,) in database.execute(asked, (first or "", last or "~")):
        yield _DECODER.decode(said)
