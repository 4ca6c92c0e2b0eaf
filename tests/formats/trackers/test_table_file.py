"""Any table is read by the columns that the user names, and nothing else of it."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.table_file import ForeignColumns, read_table_file
from tests.formats.trackers.damage import endure

COLUMNS = ForeignColumns(metrics=["acc", "loss"], params=["lr", "opt"], id="name", time="when")


@pytest.mark.parametrize(
    "text",
    [
        """
name,when,acc,loss,lr,opt,more
a,2026-01-02,0.9,nan,0.1,"x, y",z
b,1767312000,inf,,1e-3,True,
""",
        """
name\twhen\tacc\tloss\tlr\topt
a\t2026-01-02\t0.9\tNaN\t0.1\tx, y
b\t1767312000\tinf\t\t1e-3\tTrue
""",
        "name;when;acc;loss;lr;opt\r\na;2026-01-02;0.9;nan;0.1;x, y\r\nb;1767312000;inf;;0.001;True\r\n",
        """
{"name": "a", "when": "2026-01-02", "acc": 0.9, "loss": NaN, "lr": 0.1, "opt": "x, y"}
{"name": "b", "when": 1767312000000, "acc": Infinity, "lr": 0.001, "opt": true}
""",
    ],
)
def test_a_row_is_a_run(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table"
    path.write_text(text)
    table = read_table_file(path, COLUMNS)
    first, second = table.runs
    assert table.losses == []
    assert (first.id, first.started_at) == ("a", datetime(2026, 1, 2, tzinfo=UTC))
    assert first.metrics["acc"] == 0.9
    assert math.isnan(first.metrics["loss"])
    assert first.params == {"lr": 0.1, "opt": "x, y"}
    assert second.params == {"lr": 0.001, "opt": True}
    assert (second.started_at, second.metrics) == (first.started_at, {"acc": math.inf})
    assert not [run.losses for run in table.runs if run.losses]


def test_nested_values_are_named_with_dots(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"m": {"acc": 1}, "p": {"a": [1, 2]}, "x.y": 3}\n')
    (run,) = read_table_file(path, ForeignColumns(metrics=["m.acc", "x.y"], params=["p"])).runs
    assert (run.id, run.metrics, run.params) == ("line 1", {"m.acc": 1.0, "x.y": 3.0}, {"p": {"a": [1, 2]}})


def test_what_is_no_row_number_or_time_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,when,acc,loss,lr,opt\na,soon,high,0.1,1,2\na,2026-01-02,1,2,3,4\nb,1,2\n")
    table = read_table_file(path, COLUMNS)
    assert [run.id for run in table.runs] == ["a", "a#2"]
    assert table.runs[0].losses == ["`acc` is no number on line 2: `high`", "`when` is no time on line 2: `soon`"]
    assert table.losses == ["1 row without the 6 cells of the header: line 4"]
    path.write_text('{"acc": 1}\n[1]\n{"acc": \n')
    assert read_table_file(path, ForeignColumns(metrics=["acc"])).losses == ["2 lines without a row of JSON: 2, 3"]


def test_a_column_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(LedgerError, match="no column `c`") as caught:
        read_table_file(path, ForeignColumns(metrics=["c"]))
    assert caught.value.hint == "it has: a, b"


@pytest.mark.parametrize("text", ["name,acc\na,1\nb,2\n", '{"name": "a", "acc": 1}\n{"name": "b", "acc": 2}\n'])
def test_a_damaged_table_gives_what_is_left_or_one_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t"
    path.write_text(text)

    def read(store: Path) -> Iterator[ForeignRun]:
        yield from read_table_file(store, ForeignColumns(metrics=["acc"], id="name")).runs

    assert endure(read, path, path) == []
