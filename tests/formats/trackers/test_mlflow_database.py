"""MLflow's database is read point for point, whatever state it was left in."""

import math
import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.trackers.foreign_run import ForeignDataset, ForeignRun
from ledger.formats.trackers.mlflow_database import is_mlflow_database, read_mlflow_database
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.make_mlflow import LONG, VALUES

Store = Callable[[str], Path]


@pytest.fixture
def database(store: Store) -> Path:
    return store("mlflow_database") / "mlflow.db"


def runs_of(path: Path) -> dict[str | None, ForeignRun]:
    return {run.name: run for run in read_mlflow_database(path)}


def points(run: ForeignRun, tag: str) -> list[tuple[int, float | None, float]]:
    return [(point.step, point.time, point.value) for point in run.scalars if point.tag == tag]


def write_and_die(database: Path, statements: str) -> None:
    """Write to a database in a process that is killed then."""
    script = "import os, sqlite3, sys\nbase = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    script += f"{textwrap.dedent(statements)}\nos.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", script, str(database)], check=False).returncode == -9


def check_runs(runs: dict[str | None, ForeignRun]) -> None:
    """Check what both stores of MLflow hold."""
    assert set(runs) == {"parent", "child", "bad", "gone", "of old", "killed"}
    parent, child = runs["parent"], runs["child"]
    assert parent.params == {
        "lr": 0.1, "opt.name": "adam", "opt.nesterov": True, "none": None, "sha": "61e9540", "long": LONG,
        "ключ": "значение", "layers": "[64, 64]", "empty": "",
    }  # fmt: skip
    loss = points(parent, "train/loss")
    assert [point[:2] for point in loss] == [(step, 1_700_000_000 + step / 1000) for step in range(len(VALUES))]
    assert repr([point[2] for point in loss]) == repr(VALUES)
    assert points(parent, "acc") == [(0, 1_700_000_000.1, 0.9), (0, 1_700_000_000.2, 0.8)]
    assert points(parent, "back") == [(-1, 1_700_000_000.0, 0.2)]
    assert len(parent.scalars) == len(VALUES) + 3
    assert parent.metrics == {"acc": 0.8, "back": 0.2}
    assert (parent.experiment, parent.status, parent.author, parent.note) == (
        "digits",
        "finished",
        "ana",
        "first\nnote",
    )
    assert (parent.commit, parent.command, parent.tags) == ("c" * 40, ["train.py"], ["team=vision"])
    assert parent.started_at is not None
    assert parent.ended_at is not None
    assert datetime(2026, 1, 1, tzinfo=UTC) < parent.started_at < parent.ended_at
    assert (child.parent, child.scalars[-1].tag) == (parent.id, child.scalars[-1].tag)
    assert child.metrics == {"точность": 1.0, "val/acc": 0.91}
    assert child.datasets == [ForeignDataset(name="val", digest="d" * 8, context="validation")]
    assert (runs["bad"].status, runs["bad"].experiment) == ("failed", "Größe")
    assert {name for name, run in runs.items() if run.deleted} == {"gone", "of old"}
    killed = runs["killed"]
    assert (killed.status, killed.ended_at, killed.metrics) == ("lost", None, {"loss": 0.25})
    assert not [run.losses for run in runs.values() if run.losses]


def test_every_point_and_word_of_the_database_is_read(database: Path, later: None) -> None:
    assert is_mlflow_database(database)
    check_runs(runs_of(database))
    starts = [run.started_at for run in read_mlflow_database(database)]
    assert starts == sorted(start for start in starts if start)


def test_a_run_that_was_seen_today_may_still_run(database: Path) -> None:
    with closing(sqlite3.connect(database)) as base, base:
        base.execute("UPDATE metrics SET timestamp = ? WHERE value = 0.25", (time.time() * 1000,))
    assert runs_of(database)["killed"].status == "running"


def test_a_log_of_a_killed_writer_is_read_with_the_database(database: Path) -> None:
    write_and_die(
        database,
        """
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA wal_autocheckpoint = 0")
        base.execute("UPDATE metrics SET value = 0.125 WHERE value = 0.25")
    """,
    )
    assert database.with_name("mlflow.db-wal").stat().st_size
    assert runs_of(database)["killed"].metrics == {"loss": 0.125}
    database.with_name("mlflow.db-shm").unlink()
    assert runs_of(database)["killed"].metrics == {"loss": 0.125}


def test_a_transaction_of_a_killed_writer_is_not_read_and_its_journal_stays(database: Path) -> None:
    write_and_die(
        database,
        """
        base.execute("PRAGMA cache_size = 1")
        base.execute("BEGIN")
        base.execute("UPDATE metrics SET value = 0.125 WHERE value = 0.25")
        base.executemany("INSERT INTO params VALUES (?, ?, 'x')", [(f"k{n}", "v" * 3000) for n in range(200)])
    """,
    )
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}
    assert "mlflow.db-journal" in before
    assert runs_of(database)["killed"].metrics == {"loss": 0.25}
    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before


def test_reading_leaves_no_file_beside_a_database_in_wal_mode(database: Path) -> None:
    with closing(sqlite3.connect(database)) as base:
        base.execute("PRAGMA journal_mode = WAL")
    assert len(runs_of(database)) == 6
    assert [path.name for path in database.parent.iterdir()] == ["mlflow.db"]


def test_any_name_of_a_file_is_read(database: Path) -> None:
    for name in (b"a?mode=rw#b%20.db", b"\xff\xfe.db", "Größe.db".encode()):
        path = database.rename(database.with_name(os.fsdecode(name)))
        assert len(runs_of(path)) == 6
        database = path


def test_a_reader_that_pauses_lets_the_trainer_write(database: Path) -> None:
    runs = read_mlflow_database(database)
    next(runs)
    with closing(sqlite3.connect(database, timeout=0)) as base, base:
        base.execute("DELETE FROM params")
    assert len(list(runs)) == 5


def test_a_locked_database_is_named_with_what_to_do(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.formats.stores.store_database._PATIENCE_SECONDS", 0)
    with closing(sqlite3.connect(database, isolation_level=None)) as base:
        base.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="locked") as caught:
            runs_of(database)
    assert caught.value.hint == "stop the program that writes it"


def test_values_that_are_no_numbers_are_named_and_not_read(database: Path) -> None:
    with closing(sqlite3.connect(database)) as base, base:
        base.execute("UPDATE metrics SET value = x'00' WHERE value = 3.0")
        base.execute("UPDATE metrics SET step = 'x' WHERE value = 4.0")
        base.execute("UPDATE metrics SET timestamp = 'x' WHERE value = 5.0")
    runs = runs_of(database)
    assert runs["bad"].losses == runs["gone"].losses == ["1 point of no number"]
    assert runs["of old"].scalars == [Scalar("loss", 0, None, 5.0)]


def test_an_older_database_lacks_columns_and_tables(database: Path) -> None:
    with closing(sqlite3.connect(database)) as base, base:
        base.execute("PRAGMA foreign_keys = OFF")
        for table in ("inputs", "input_tags", "datasets"):
            base.execute(f"DROP TABLE {table}")
        base.execute("CREATE TABLE older AS SELECT run_uuid, key, value, timestamp FROM metrics")
        base.execute("DROP TABLE metrics")
        base.execute("ALTER TABLE older RENAME TO metrics")
    runs = runs_of(database)
    assert runs["child"].datasets == []
    assert [point[0] for point in points(runs["parent"], "train/loss")] == [0] * len(VALUES)


@pytest.mark.parametrize(
    "code",
    [
        """CREATE VIEW metrics AS WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)
        SELECT 'k' AS key, n AS value, n AS timestamp, 'x' AS run_uuid, n AS step, 0 AS is_nan FROM t""",
        "CREATE TABLE metrics (run_uuid, key, timestamp, step, is_nan, value AS (zeroblob(1000000000)))",
    ],
)
def test_code_in_a_forged_database_is_not_run(database: Path, code: str) -> None:
    with closing(sqlite3.connect(database)) as base, base:
        base.execute("DROP TABLE metrics")
        base.execute(code)
        if "TABLE" in code:
            base.execute("INSERT INTO metrics SELECT run_uuid, 'k', 1, 1, 0 FROM runs")
    found = outcome(read_mlflow_database, database)
    assert isinstance(found, LedgerError) or not any(run.scalars for run in found)


def test_other_files_are_no_database_of_mlflow(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as base, base:
        base.execute("CREATE TABLE runs (a)")
    for path in (other, tmp_path, tmp_path / "none", Path(sys.executable)):
        assert not is_mlflow_database(path)
        assert isinstance(outcome(read_mlflow_database, path), LedgerError)


def test_a_damaged_database_gives_what_is_left_or_one_error(database: Path) -> None:
    assert endure(read_mlflow_database, database, database) == []


def test_infinity_is_the_largest_float_of_the_database(database: Path) -> None:
    with closing(sqlite3.connect(database)) as base:
        stored = {value for (value,) in base.execute("SELECT value FROM metrics")}
    assert sys.float_info.max in stored
    assert math.inf not in stored
