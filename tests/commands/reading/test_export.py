"""ledger export: the same table in every format, and in pandas."""

import csv
import io
import json
import math
from pathlib import Path

import pyarrow.parquet
import pytest

from ledger.analysis.query.export_columns import flat_columns
from ledger.api.ledger import Ledger
from ledger.store.branch.branch import Branch
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
