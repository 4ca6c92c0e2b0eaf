"""Databases of Trackio are read point for point, also those of older versions."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.trackio_database import is_trackio_database, read_trackio_database
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.make_trackio import LONG, VALUES

Store = Callable[[str], Path]


@pytest.fixture
def database(store: Store) -> Path:
    return store("trackio_database") / "trackio" / "digits.db"


def runs_of(path: Path) -> dict[str | None, ForeignRun]:
    return {run.name: run for run in read_trackio_database(path)}


def test_every_point_and_word_of_a_database_is_read(database: Path) -> None:
    runs = runs_of(database)
    assert list(runs) == ["full run", "второй", "killed"]
    run = runs["full run"]
    loss = [(point.step, point.value) for point in run.scalars if point.tag == "train/loss"]
    assert repr(loss) == repr([(step, float(value)) for step, value in enumerate(VALUES)])
    others = [(point.tag, point.step, point.value) for point in run.scalars if point.tag != "train/loss"]
    assert others == [
        *(("nested.a", step, float(step)) for step in range(len(VALUES))), ("acc", 10, 0.9), ("acc", 10, 0.8),
    ]  # fmt: skip
    assert run.params == {
        "lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "long": LONG, "имя": "Größe", "none": None,
    }  # fmt: skip
    assert (run.experiment, run.tags, run.status, run.metrics) == ("digits", ["group=sweep"], "finished", {})
    assert run.started_at is not None
    assert run.started_at > datetime(2026, 1, 1, tzinfo=UTC)
    assert run.losses == [
        "`text`: 8 values without a number", "`flag`: 8 values without a number", "`table`: 1 trackio.table",
        "how it ended, which Trackio does not keep",
    ]  # fmt: skip
    assert [point.value for point in runs["killed"].scalars] == [0.25]


def test_a_file_and_its_folder_can_be_named(database: Path) -> None:
    (database.parent / "other.db").write_bytes(b"x")
    for path in (database, database.parent):
        assert is_trackio_database(path)
        assert len(runs_of(path)) == 3
    for path in (database.parent / "other.db", database.parent.parent, database.parent / "none"):
        assert not is_trackio_database(path)
        assert isinstance(outcome(read_trackio_database, path), LedgerError)


def test_older_databases_know_runs_by_their_names_and_keep_text(database: Path) -> None:
    with closing(sqlite3.connect(database)) as base, base:
        base.execute(
            "CREATE TABLE m AS SELECT id, timestamp, run_name, step, CAST(metrics AS TEXT) metrics FROM metrics"
        )
        base.execute("CREATE TABLE c AS SELECT id, run_name, CAST(config AS TEXT) config, created_at FROM configs")
        for table in ("metrics", "configs"):
            base.execute(f"DROP TABLE {table}")
            base.execute(f"ALTER TABLE {table[0]} RENAME TO {table}")
    runs = runs_of(database)
    assert [run.id for run in runs.values()] == ["full run", "второй", "killed"]
    assert len(runs["full run"].scalars) == 18


def test_rows_and_configs_that_are_no_json_are_named(database: Path) -> None:
    with closing(sqlite3.connect(database)) as base, base:
        base.execute("UPDATE metrics SET metrics = '[1]' WHERE step = 10")
        base.execute("UPDATE metrics SET step = 'x' WHERE step = 11")
        base.execute("UPDATE configs SET config = '{'")
    run = runs_of(database)["full run"]
    assert len(run.scalars) == 16
    assert run.losses[2:4] == ["3 rows of no values", "params, as they are no JSON"]


def test_a_damaged_database_gives_what_is_left_or_one_error(database: Path) -> None:
    assert endure(read_trackio_database, database, database) == []
