"""Curves as trainers write them."""

import math
from pathlib import Path

import pytest

from ledger.analysis.data.curves import Point
from ledger.capture.outputs.curves import read_curves
from ledger.errors import LedgerError, NotFound


def read(folder: Path, text: str, name: str = "metrics.csv") -> list[Point]:
    (folder / name).write_text(text)
    return read_curves(folder / name).points


def notice(folder: Path, text: str, name: str = "metrics.csv") -> str | None:
    (folder / name).write_text(text)
    return read_curves(folder / name).notice


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


def test_a_header_that_stands_again_with_other_columns_names_what_follows(tmp_path: Path) -> None:
    text = "step,train,val\n1,0.5,0.9\nstep,val,train\n2,0.8,0.4\nstep,val,train,lr\n3,0.7,0.3,0.1\n"
    assert read(tmp_path, text) == [
        Point(step=1, values={"train": 0.5, "val": 0.9}),
        Point(step=2, values={"train": 0.4, "val": 0.8}),
        Point(step=3, values={"train": 0.3, "val": 0.7, "lr": 0.1}),
    ]


def test_the_half_line_of_a_killed_run_is_left_out(tmp_path: Path) -> None:
    assert len(read(tmp_path, "step,a,b\n1,2,3\n2,3")) == 1
    assert len(read(tmp_path, '{"step": 1, "a": 2}\n{"step": 2, "a', "log.jsonl")) == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m.csv", "step,a\n1,0.5\n2,oops\n", "left out: `a` (text, as on line 3: `oops`)"),
        ("m.csv", "step,a\n1,0.5\n2,1,2\n", "line 3: 2 columns expected, not 3"),
        ("m.csv", "step,a\n1.5,0.5\n", "line 2: a whole step expected: `1.5`"),
        ("m.csv", "step,a,a\n", "line 1: a column appears twice: `a`"),
        ("m.csv", "", "line 1: a line of column names expected"),
        ("m.csv", "step,a\x1b[31m\n1,2\n", "line 2: column name holds control or invisible characters"),
        ("m.jsonl", '{"a": 1}\n{"a": }\n', "line 2: not JSON"),
        ("m.jsonl", "[1]\n", "line 1: one JSON object a line expected"),
        ("m.jsonl", '{"a": 1}\n{"a": "x"}\n', "left out: `a` (text, as on line 2: `x`)"),
        ("m.json", "[1, 2]", "line 1: one JSON object a line expected"),
        ("m.csv", "step,name\n1,x\n2,y\n", "no column of numbers: left out: `name` (text)"),
        ("events.out.tfevents.17", "x", "it ends in the middle of a record"),
        ("train.py", "x", "a program"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(LedgerError) as error:
        read(tmp_path, text, name)
    assert said in str(error.value)
    assert name in str(error.value)


def test_a_cell_that_is_no_number_takes_no_other_with_it(tmp_path: Path) -> None:
    text = "epoch,loss,val_loss\n0,0.5,N/A\n1,oops,None\n2,0.4,0.45\n3,0.3,-\n"
    assert [point.values for point in read(tmp_path, text)] == [
        {"loss": 0.5},
        {},
        {"loss": 0.4, "val_loss": 0.45},
        {"loss": 0.3},
    ]
    assert notice(tmp_path, text) == "1 cell of `loss` left out (line 3: `oops`)"


@pytest.mark.parametrize(
    "ids", [["3087aeb", "9182733", "1e59310"], ["9182733", "1234567", "3087aeb"], ["1", "2", "007"]]
)
def test_a_column_of_ids_is_text_as_a_whole(tmp_path: Path, ids: list[str]) -> None:
    text = "step,commit,loss\n" + "".join(f"{step},{name},0.5\n" for step, name in enumerate(ids))
    assert [point.values for point in read(tmp_path, text)] == [{"loss": 0.5}] * 3
    assert "`commit` (ids" in str(notice(tmp_path, text))


def test_columns_that_are_no_series_are_named(tmp_path: Path) -> None:
    text = "step,phase,ok,loss\n1,fit,True,0.5\n2,fit,False,0.4\n"
    assert notice(tmp_path, text) == "left out: `phase` (text), `ok` (text)"
    assert notice(tmp_path, '{"a": 1, "b": true, "c": [1]}\n{"a": 2}\n', "m.jsonl") == (
        "left out: `b` (true or false), `c` (no single value)"
    )


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("epoch;loss\n0;0,512\n1;1,234\n", [0.512, 1.234], None),
        ("epoch;loss\n0;1,234\n1;2,345\n", None, "a comma may stand"),
        ("epoch;loss;x\n0;1,234;0,5\n1;999;0,5\n", None, "a comma may stand"),
        ("epoch;loss;x\n0;1,234;0,5\n1;1,235;0,5\n", [1.234, 1.235], None),
        ("epoch,loss\n0,93.1%\n1,7%\n", [0.931, 0.07], "written in per cent"),
        ("epoch,loss\n0,tensor(0.5)\n1,\"tensor(0.25, device='cuda:0')\"\n", [0.5, 0.25], None),
        ("epoch,loss\n0,12.5 ms\n1,13 ms\n", [12.5, 13.0], "`loss` is in ms"),
        ("epoch,loss\n0,12.5 ms\n1,1.3 s\n", None, "different units: ms, s"),
        ("epoch,loss\n001,0.5\n002,nan\n", [0.5, math.nan], None),
    ],
)
def test_numbers_are_read_where_that_is_certain_and_named_where_not(
    tmp_path: Path, text: str, values: list[float] | None, said: str | None
) -> None:
    between = ";" if ";" in text else ","
    head, *lines = text.splitlines()
    whole = "\n".join([f"{head}{between}good", *(f"{line}{between}9" for line in lines), ""])
    found = [point.values.get("loss") for point in read(tmp_path, whole)]
    assert found == ([None, None] if values is None else pytest.approx(values, nan_ok=True))
    assert said is None or said in str(notice(tmp_path, whole))


def test_a_header_that_a_resumed_logger_wrote_again_is_skipped(tmp_path: Path) -> None:
    text = "epoch,loss\n0,2.3\n1,2.1\nepoch,loss\n2,1.9\n"
    assert [point.epoch for point in read(tmp_path, text)] == [0, 1, 2]
    assert notice(tmp_path, text) == "the line of column names appears 2 times"


def test_of_epochs_that_come_again_the_later_stands(tmp_path: Path) -> None:
    text = "epoch,loss\n1,1.2\n2,1.1\n3,1.0\n1,1.3\n2,1.15\n"
    points = read(tmp_path, text)
    assert [(point.epoch, point.values["loss"]) for point in points] == [(1, 1.3), (2, 1.15), (3, 1.0)]
    assert "it goes back 1 time" in str(notice(tmp_path, text))
    assert "2 points came again, and the later ones stand" in str(notice(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "epoch,iter,loss\n0,1,0.5\n0,2,0.4\n1,1,0.3\n1,2,0.2\n",
        "fold,epoch,loss\n0,0,0.5\n0,1,0.4\n1,0,0.3\n1,1,0.2\n",
        "epoch,step,train_loss,val_loss\n0,49,0.5,\n0,49,,0.4\n1,99,0.3,\n1,99,,0.2\n",
    ],
)
def test_steps_that_only_seem_to_come_again_are_all_kept(tmp_path: Path, text: str) -> None:
    assert len(read(tmp_path, text)) == 4
    assert notice(tmp_path, text) is None


HISTORY = [
    Point(epoch=0.0, values={"loss": 0.9, "val_loss": 0.8}),
    Point(epoch=1.0, values={"loss": 0.5, "val_loss": 0.6}),
]


@pytest.mark.parametrize(
    "text",
    [
        '[{"epoch": 0, "loss": 0.9, "val_loss": 0.8},\n {"epoch": 1, "loss": 0.5, "val_loss": 0.6}]',
        '{"loss": [0.9, 0.5], "val_loss": [0.8, 0.6]}',
        '{"history": {"loss": [0.9, 0.5], "val_loss": [0.8, 0.6]}, "epoch": [0, 1], "params": {"epochs": 2}}',
        """{"global_step": 4,
            "log_history": [{"epoch": 0, "loss": 0.9, "val_loss": 0.8}, {"epoch": 1, "loss": 0.5, "val_loss": 0.6}]}""",
    ],
)
def test_arrays_and_the_histories_of_keras_and_transformers_are_curves(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text, "history.json") == HISTORY


def test_a_broken_line_among_good_ones_is_left_out_and_named(tmp_path: Path) -> None:
    text = '{"step": 1, "a": 1}\n{"step": 2, "a{"step": 2}\n{"step": 3, "a": 2}\n'
    assert [point.step for point in read(tmp_path, text, "m.jsonl")] == [1, 3]
    assert "1 line left out (line 2: not JSON" in str(notice(tmp_path, text, "m.jsonl"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_curves_in_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "m.csv").write_bytes("step,größe\n1,0.5\n2,0.4\n".encode(encoding))
    assert [point.values for point in read_curves(tmp_path / "m.csv").points] == [{"größe": 0.5}, {"größe": 0.4}]


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
