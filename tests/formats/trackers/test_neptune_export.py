"""Exports of Neptune are read as their exporter describes them; there is no Neptune any more that could write one."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.neptune_export import is_neptune_export, read_neptune_export
from tests.formats.trackers.damage import endure, outcome

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

Write = Callable[..., Path]
LONG = "x" * 5000
START = datetime(2025, 3, 1, 12, tzinfo=UTC)
TEXT, REAL, TIME = pyarrow.string(), pyarrow.float64(), pyarrow.timestamp("ms", tz="UTC")
REALS = pyarrow.list_(REAL)
SCHEMA = pyarrow.schema([
    ("project_id", TEXT), ("run_id", TEXT), ("attribute_path", TEXT), ("attribute_type", TEXT),
    ("step", pyarrow.decimal128(18, 6)), ("timestamp", TIME), ("int_value", pyarrow.int64()), ("float_value", REAL),
    ("string_value", TEXT), ("bool_value", pyarrow.bool_()), ("datetime_value", TIME),
    ("string_set_value", pyarrow.list_(TEXT)), ("file_value", pyarrow.struct([("path", TEXT)])),
    ("histogram_value", pyarrow.struct([("type", TEXT), ("edges", REALS), ("values", REALS)])),
])  # fmt: skip


def value(path: str, kind: str, content: object) -> dict[str, object]:
    return {"attribute_path": path, "attribute_type": kind, f"{kind}_value": content}


def point(path: str, step: str, number: float | None, second: int = 0) -> dict[str, object]:
    return {
        "attribute_path": path, "attribute_type": "float_series", "step": Decimal(step), "float_value": number,
        "timestamp": START.replace(second=second),
    }  # fmt: skip


SYSTEM = [
    value("sys/name", "string", "größe"), value("sys/creation_time", "datetime", START),
    value("sys/owner", "string", "ana"), value("sys/tags", "string_set", ["a", "ß"]),
    value("sys/description", "string", "first\nnote"), value("sys/state", "string", "idle"),
    value("sys/failed", "bool", False), value("sys/trashed", "bool", False),
]  # fmt: skip
ROWS = [
    *SYSTEM,
    value("parameters/lr", "float", 0.1), value("parameters/opt/name", "string", "adam"),
    value("config/long", "string", LONG), value("batch", "int", 32), value("test/acc", "float", 0.93),
    value("test/nan", "float", math.nan),
    point("train/loss", "0", 1.0, 0), point("train/loss", "1", math.nan, 1), point("train/loss", "2", math.inf, 2),
    point("train/loss", "2", -math.inf, 3), point("train/loss", "2.5", 0.5, 4), point("acc", "7", 0.9, 5),
    point("monitoring/cpu", "0", 5.0),
    {"attribute_path": "log", "attribute_type": "string_series", "step": Decimal(1), "string_value": "x"},
    {"attribute_path": "model", "attribute_type": "file", "file_value": {"path": "../../x"}},
]  # fmt: skip


@pytest.fixture
def export(tmp_path: Path) -> Write:
    def write(run: str, rows: list[dict[str, object]], part: int = 0) -> Path:
        folder = tmp_path / "data" / "team-digits"
        folder.mkdir(parents=True, exist_ok=True)
        filled = [{"project_id": "team/digits", "run_id": run} | row for row in rows]
        path = folder / f"{run}_part_{part}.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(filled, schema=SCHEMA), path, compression="snappy")
        return path

    return write


def runs_of(path: Path) -> dict[str, ForeignRun]:
    return {run.id: run for run in read_neptune_export(path)}


def test_every_point_and_word_of_an_export_is_read(export: Write, tmp_path: Path) -> None:
    folder = export("DIG-1", ROWS).parent
    for path in (folder, folder.parent, tmp_path):
        assert is_neptune_export(path)
    run = runs_of(folder.parent)["DIG-1"]
    seconds = START.timestamp()
    assert repr(run.scalars) == repr([
        Scalar("acc", 7, seconds + 5, 0.9), Scalar("train/loss", 0, seconds, 1.0),
        Scalar("train/loss", 1, seconds + 1, math.nan), Scalar("train/loss", 2, seconds + 2, math.inf),
        Scalar("train/loss", 2, seconds + 3, -math.inf),
    ])  # fmt: skip
    assert run.params == {"lr": 0.1, "opt.name": "adam", "long": LONG, "batch": 32}
    assert repr(run.metrics) == repr({"test/acc": 0.93, "test/nan": math.nan})
    assert (run.experiment, run.name, run.author, run.note) == ("team/digits", "größe", "ana", "first\nnote")
    assert (run.tags, run.status, run.started_at, run.deleted) == (["a", "ß"], "finished", START, False)
    assert run.losses == [
        "`train/loss`: 1 point between two steps", "`monitoring`: 1 value", "`log`: 1 string series", "`model`: 1 file",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind", "content", "status"),
    [("sys/failed", "bool", True, "failed"), ("sys/state", "string", "running", "lost")],
)
def test_the_end_of_a_run_is_what_neptune_knew(
    export: Write, path: str, kind: str, content: object, status: str
) -> None:
    folder = export("DIG-2", [*SYSTEM, value(path, kind, content), value("sys/trashed", "bool", True)]).parent
    run = runs_of(folder)["DIG-2"]
    assert (run.status, run.deleted) == (status, True)


def test_parts_of_a_run_are_one_and_a_missing_first_part_is_named(export: Write) -> None:
    export("DIG-3", [point("a", "1", 1.0)])
    folder = export("DIG-3", [point("a", "2", 2.0)], part=1).parent
    export("DIG-4", [point("a", "1", 1.0)], part=1)
    runs = runs_of(folder)
    assert [scalar.step for scalar in runs["DIG-3"].scalars] == [1, 2]
    assert (runs["DIG-3"].losses, runs["DIG-4"].losses) == ([], ["parts that were not exported"])


def test_other_tables_and_folders_are_no_export(tmp_path: Path) -> None:
    other = tmp_path / "x_part_0.parquet"
    parquet.write_table(pyarrow.table({"a": [1]}), other)
    with pytest.raises(LedgerError, match="no export of Neptune"):
        runs_of(tmp_path)
    other.write_bytes(b"PAR")
    for path in (tmp_path, tmp_path / "none", other):
        assert not is_neptune_export(path)
        assert isinstance(outcome(read_neptune_export, path), LedgerError)


def test_a_damaged_export_gives_what_is_left_or_one_error(export: Write) -> None:
    path = export("DIG-1", ROWS)
    assert endure(read_neptune_export, path.parent, path) == []
