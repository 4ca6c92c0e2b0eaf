"""Databases are asked for plain tables in batches that fit in memory, and left as they were found."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.stores.store_database import id_batches, open_store_database, tables_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a.db"
    with closing(sqlite3.connect(found)) as base, base:
        base.execute("CREATE TABLE t (a, b, c AS (a + 1))")
        base.execute("CREATE VIEW v AS SELECT * FROM t")
        base.executemany("INSERT INTO t VALUES (?, ?)", [(2, "x"), (1, b"\xff"), (1, "ö")])
    return found


def test_only_tables_and_stored_columns_are_known(path: Path) -> None:
    with open_store_database(path) as database:
        assert (database.columns("t"), database.columns("v"), database.columns("none")) == ({"a", "b"}, set(), set())
        assert list(database.rows("t", ("a", "none", "b"), order="a none")) == [
            (1, None, b"\xff"), (1, None, "ö"), (2, None, "x"),
        ]  # fmt: skip
        assert list(database.rows("v", ("a",))) == []
        assert list(database.rows_of("t", ("a", "b"), [2, 5])) == [(2, "x")]
        assert database.counts("t", "a") == {1: 2, 2: 1}
    assert tables_of(path) == {"t"}


def test_nothing_can_be_written(path: Path) -> None:
    with pytest.raises(LedgerError, match="readonly"), open_store_database(path) as database:
        database._connection.execute("DELETE FROM t")


def test_a_statement_without_end_is_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.formats.stores.store_database._LEAST_STEPS", 2_000_000)
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t"
    with pytest.raises(LedgerError, match="interrupted"), open_store_database(path) as database:
        database._connection.execute(endless).fetchone()


def test_pages_that_stand_for_rows_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.db"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("PRAGMA page_size = 512")
        base.execute("CREATE TABLE t (a)")
        base.executemany("INSERT INTO t VALUES (?)", [("x" * 100,)] * 4000)
        (root,) = base.execute("SELECT rootpage FROM sqlite_master").fetchone()
    data = bytearray(path.read_bytes())

    def children(page: int) -> list[int]:
        """Return the places of the pointers to the children of an interior page."""
        start = (page - 1) * 512
        if data[start] != 5:
            return []
        cells = int.from_bytes(data[start + 3 : start + 5], "big")
        pointers = [int.from_bytes(data[start + 12 + 2 * n : start + 14 + 2 * n], "big") for n in range(cells)]
        return [start + 8, *(start + pointer for pointer in pointers)]

    interior = [page for page in range(1, len(data) // 512 + 1) if data[(page - 1) * 512] == 5 and page != root]
    for page, child in zip([root, *interior], interior, strict=False):
        for place in children(page):
            data[place : place + 4] = child.to_bytes(4, "big")
    path.write_bytes(data)
    with (
        pytest.raises(LedgerError, match="more rows than its file has room for"),
        open_store_database(path) as database,
    ):
        assert len(list(database.rows("t", ("a",)))) < 0


def test_a_read_only_folder_is_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode = WAL")
    path.parent.chmod(0o500)
    try:
        assert tables_of(path) == {"t"}
    finally:
        path.parent.chmod(0o700)


def test_batches_hold_few_runs_and_few_points() -> None:
    assert [len(batch) for batch in id_batches(range(4001), {})] == [2000, 2000, 1]
    assert list(id_batches("abcd", {"a": 150_000, "b": 100_000, "c": 1_000_000})) == [["a"], ["b"], ["c"], ["d"]]
    assert list(id_batches([], {})) == []
