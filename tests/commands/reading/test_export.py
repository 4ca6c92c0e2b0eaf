"""ledger export: the same table in every format, and in pandas."""

import csv
import io
import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet
import pytest

from ledger.analysis.query.export_columns import Cell, flat_columns, one_kind
from ledger.api.ledger import Ledger
from ledger.store.branch.branch import Branch
from ledger.store.index.export import ParquetPart, render_parquet
from tests.conftest import Cli


@pytest.fixture
def recorded(repo: Path, cli: Cli) -> Branch:
    (repo / "val").mkdir()
    (repo / "val" / "a.txt").write_text("a")
    measured = ("-m", "validation/accuracy=0.9", "-d", "validation:digits@v1=val")
    assert cli("record", "-e", "one", "-p", "lr=0.1", "-p", "mixed=1", *measured).code == 0
    assert cli("record", "-e", "two", "-p", "lr=1", "-p", "mixed=yes", "-m", "validation/accuracy=nan").code == 0
    assert cli("record", "-e", "=1+1", "--tag", "a", "--tag", "b").code == 0
    return Branch.open(repo)


def test_every_format_holds_the_same_table(recorded: Branch, repo: Path, cli: Cli) -> None:
    columns = flat_columns(recorded.contents().runs)
    assert columns["params.lr"] == [0.1, 1.0, None]
    assert columns["params.mixed"] == ["1", "yes", None]
    assert columns["tags"] == ["", "", "a, b"]
    assert columns["dataset.validation/accuracy"][0] == "digits@v1"
    assert str(columns["dataset_hash.validation/accuracy"][0]).startswith("blake3:")
    lines = [json.loads(line) for line in cli("export", "--format", "jsonl").out.splitlines()]
    assert [line["id"] for line in lines] == columns["id"]
    assert [line["metrics.validation/accuracy"] for line in lines] == [0.9, "NaN", None]
    rows = list(csv.DictReader(io.StringIO(cli("export").out)))
    assert [row["experiment"] for row in rows] == ["one", "two", "'=1+1"], "no cell becomes a formula"
    assert list(rows[0]) == list(columns)
    done = cli("export", "-o", "runs.parquet")
    assert "wrote 3 runs" in done.err
    table = pyarrow.parquet.read_table(repo / "runs.parquet").to_pydict()
    assert list(table) == list(columns)
    assert table["started"] == columns["started"]
    assert math.isnan(table["metrics.validation/accuracy"][1])


def test_a_query_chooses_what_is_exported(recorded: Branch, cli: Cli) -> None:
    done = cli("export", "params.lr >= 0.1", "experiment != two", "--format", "jsonl")
    assert [json.loads(line)["experiment"] for line in done.out.splitlines()] == ["one"]
    table = Ledger(recorded).to_pandas("tags = b or experiment = one")
    assert list(table["experiment"]) == ["one", "=1+1"]
    assert len(Ledger(recorded).to_pandas()) == 3


def test_a_package_that_is_missing_is_named_with_what_to_type(recorded: Branch, repo: Path, cli: Cli) -> None:
    (repo / "absent").mkdir()
    (repo / "absent" / "pyarrow.py").write_text("raise ImportError('no')\n")
    from tests.conftest import ROOT

    done = cli("export", "-o", "x.parquet", env={"PYTHONPATH": f"{repo / 'absent'}:{ROOT}"})
    assert done.code == 2
    assert "error: this needs a package: `pyarrow`\nhint: pip install 'git-ledger[export]'" in done.err
    assert not (repo / "x.parquet").exists()
    assert cli("export", "-o", "x.xls").code == 2


def test_an_empty_ledger_is_an_empty_table(repo: Path, cli: Cli) -> None:
    assert cli("export").out.startswith("id,status,")
    assert cli("export", "--format", "jsonl").out == ""
    assert cli("export", "-o", "x.parquet").code == 0


def test_parquet_has_the_types_of_the_fields_whatever_the_runs_hold(recorded: Branch, repo: Path, cli: Cli) -> None:
    assert cli("export", "-o", "all.parquet").code == 0
    assert cli("export", "experiment = two", "-o", "two.parquet").code == 0
    assert cli("export", "experiment = nobody", "-o", "none.parquet").code == 0
    every, two, none = (pyarrow.parquet.read_schema(repo / f"{name}.parquet") for name in ("all", "two", "none"))
    kinds = {name: str(every.field(name).type) for name in ("started", "seed", "note", "cost", "dirty", "params.lr")}
    assert kinds == {
        "started": "timestamp[us, tz=UTC]", "seed": "int64", "note": "string", "cost": "double", "dirty": "bool",
        "params.lr": "double",
    }  # fmt: skip
    assert str(two.field("evaluator.validation/accuracy").type) == "string"
    for name in none.names:
        assert every.field(name).type == none.field(name).type, name


MIXED: dict[str, list[Cell]] = {
    "int and float": [1, 2.5, None],
    "float and int": [2.5, None, 1],
    "int and text": [1, "yes", None],
    "float and text": [0.1, 1e300, "x"],
    "yes and int": [True, 1, 2],
    "large": [2**63, 1, None],
    "large and text": [-(2**70), "x", 1.5],
    "nothing": [None, None, None],
    "times": [datetime(2026, 1, 2, tzinfo=UTC), None, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)],
    "lone": [None, "x", None],
}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_of_a_table_make_the_table_of_all_its_runs(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    def columns(rows: range) -> dict[str, list[Cell]]:
        return {name: [cells[row] for row in rows] for name, cells in MIXED.items()}

    monkeypatch.setattr("ledger.store.index.export.plain_columns", columns)
    monkeypatch.setattr("ledger.store.index.export.in_order", sorted)
    parts = [ParquetPart(range(3)[start : start + size]) for start in range(0, 3, size)]  # type: ignore[arg-type]  # rows
    table = pyarrow.parquet.read_table(io.BytesIO(render_parquet(parts))).to_pydict()
    assert table == {name: one_kind(list(cells)) for name, cells in MIXED.items()}
    for name, cells in table.items():
        assert [type(cell) for cell in cells] == [type(cell) for cell in one_kind(list(MIXED[name]))], name
