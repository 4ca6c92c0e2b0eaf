"""Curves as trainers write them."""

import math
from pathlib import Path

import pytest

from ledger.analysis.curves import Point
from ledger.capture.curves import read_curves
from ledger.errors import LedgerError, NotFound


def read(folder: Path, text: str, name: str = "metrics.csv") -> list[Point]:
    (folder / name).write_text(text)
    return read_curves(folder / name)


def test_the_sparse_rows_of_lightning_are_read(tmp_path: Path) -> None:
    points = read(tmp_path, "epoch,step,train_loss,val_loss\n0,49,0.5,\n0,49,,0.4\n1,99,nan,\n")
    assert points[0] == Point(step=49, epoch=0.0, values={"train_loss": 0.5})
    assert points[1] == Point(step=49, epoch=0.0, values={"val_loss": 0.4})
    assert math.isnan(points[2].values["train_loss"])


def test_the_json_lines_of_trainers_are_read(tmp_path: Path) -> None:
    first = '{"_step": 1, "_runtime": 2.5, "train": {"loss": 0.5}, "phase": "train", "ok": true}'
    text = first + '\n\n{"_step": 2, "x": null}\n'
    assert read(tmp_path, text, "log.jsonl") == [
        Point(step=1, seconds=2.5, values={"train/loss": 0.5}),
        Point(step=2),
    ]


def test_clock_times_become_seconds_since_the_first(tmp_path: Path) -> None:
    points = read(tmp_path, "step,timestamp,a\n1,1700000000,1\n2,1700000002.5,2\n")
    assert [point.seconds for point in points] == [0.0, 2.5]


def test_index_columns_text_columns_and_other_delimiters_are_understood(tmp_path: Path) -> None:
    assert read(tmp_path, ";global_step;phase;loss\n0;10;fit;0.5\n1;20;fit;0.4\n") == [
        Point(step=10, values={"loss": 0.5}),
        Point(step=20, values={"loss": 0.4}),
    ]


def test_the_half_line_of_a_killed_run_is_left_out(tmp_path: Path) -> None:
    assert len(read(tmp_path, "step,a,b\n1,2,3\n2,3")) == 1
    assert len(read(tmp_path, '{"step": 1, "a": 2}\n{"step": 2, "a', "log.jsonl")) == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m.csv", "step,a\n1,0.5\n2,oops\n", "line 3: a number expected in column `a`: `oops`"),
        ("m.csv", "step,a\n1,0.5\n2,1,2\n", "line 3: 2 columns expected, not 3"),
        ("m.csv", "step,a\n1.5,0.5\n", "line 2: a whole step expected: `1.5`"),
        ("m.csv", "step,a,a\n", "line 1: a column stands twice: `a`"),
        ("m.csv", "", "line 1: a line of column names expected"),
        ("m.csv", "step,a\x1b[31m\n1,2\n", "line 2: column name holds control characters"),
        ("m.jsonl", '{"a": 1}\n{"a": }\n', "line 2: not JSON"),
        ("m.jsonl", "[1]\n", "line 1: one JSON object a line expected"),
        ("m.jsonl", '{"a": 1}\n{"a": "x"}\n', "line 2: a number expected"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(LedgerError) as error:
        read(tmp_path, text, name)
    assert said in str(error.value)
    assert name in str(error.value)


def test_missing_large_and_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no curves file"):
        read_curves(tmp_path / "no.csv")
    with (tmp_path / "l.csv").open("wb") as file:
        file.truncate(200_000_001)
    with pytest.raises(LedgerError, match="larger than 200 MB"):
        read_curves(tmp_path / "l.csv")
    (tmp_path / "b.csv").write_bytes(b"step,a\xff\n")
    with pytest.raises(LedgerError, match="not UTF-8"):
        read_curves(tmp_path / "b.csv")
