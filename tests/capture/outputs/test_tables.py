"""Tables come as people have them: files, lists, arrays, frames; what is wrong is named with its place."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ledger.capture.outputs.table_input import cell_text, make_cells, read_cells
from ledger.errors import InvalidDocument, LedgerError, NotFound
from ledger.model.tables import Cells, check_cells, dump_cells, kind_of, load_cells
from ledger.model.values import TableKind

MIB = 1 << 20


def test_rows_mappings_columns_arrays_and_frames_say_the_same_table() -> None:
    wanted = Cells(columns=["class", "f1"], rows=[["cat", "0.5"], ["dog", "1.0"]])
    frame = pd.DataFrame({"class": ["cat", "dog"], "f1": [0.5, 1.0]})
    ways: list[object] = [
        [{"class": "cat", "f1": 0.5}, {"class": "dog", "f1": 1.0}],
        {"class": ["cat", "dog"], "f1": np.array([0.5, 1.0])},
        {"class": ("cat", "dog"), "f1": torch.tensor([0.5, 1.0], requires_grad=True)},
        frame,
        frame.set_index("class"),
    ]
    assert [make_cells(way) for way in ways] == [wanted] * len(ways)
    assert make_cells([["cat", 0.5], ["dog", 1.0]], ["class", "f1"]) == wanted
    assert make_cells(iter([("cat", 0.5), ("dog", 1.0)]), ["class", "f1"]) == wanted


def test_columns_choose_and_order_what_a_value_names_itself() -> None:
    assert make_cells([{"a": 1, "b": 2, "c": 3}, {"c": 6}], ["c", "a"]).rows == [["3", "1"], ["6", ""]]
    with pytest.raises(LedgerError, match="no such column: `d`"):
        make_cells([{"a": 1}], ["d"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (np.bool_(False), "false"), (3, "3"), (0.1, "0.1"), (np.float32(0.1), "0.1"),
        (np.float64(0.1), "0.1"), (np.int64(7), "7"), (torch.tensor(2), "2"), (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"), (pd.NA, ""), (pd.NaT, ""), (Decimal("1.10"), "1.10"),
        (date(2026, 11, 20), "2026-11-20"), (Path("a/b"), "a/b"), (10**40, "1" + "0" * 40),
    ],
)  # fmt: skip
def test_a_value_stands_in_its_cell_in_its_shortest_form(value: object, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([[1, 2]], None, "need the names of their columns"),
        ([[1, 2], [3]], ["a", "b"], "row 2 has 1 cells"),
        ([[object()]], ["a"], "row 1: a cell is a text or a number, not object"),
        ([[[1]]], ["a"], "row 1: a cell is a text or a number, not a list"),
        ([[10**5000]], ["a"], "row 1: a whole number is too large"),
        ({"a": [1, 2], "b": [1]}, None, "different lengths: `a 2, b 1`"),
        ("text", None, "a list or an array is expected, not a text"),
        (7, ["a"], "a list or an array is expected, not a number"),
        ([{"a": 1}, [2]], None, "row 2 is no mapping"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), None, "a column stands twice: `a`"),
        (np.zeros((3, 2_000_000)), ["a"], "more than 4000000 cells"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(rows: object, columns: list[str] | None, message: str) -> None:
    with pytest.raises(LedgerError) as caught:
        make_cells(rows, columns)
    assert message in caught.value.message


def test_a_square_confusion_matrix_gets_its_true_classes() -> None:
    matrix = np.array([[3, 1], [0, 4]])
    wanted = Cells(columns=["truth", "cat", "dog"], rows=[["cat", "3", "1"], ["dog", "0", "4"]])
    assert make_cells(matrix, ["cat", "dog"], "confusion") == wanted
    assert make_cells(matrix, None, "confusion").columns == ["truth", "0", "1"]
    truth, predicted = ["cat"] * 4 + ["dog"] * 4, ["cat"] * 3 + ["dog"] * 5
    assert make_cells(pd.crosstab(np.array(truth), np.array(predicted)), None, "confusion") == wanted


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("confusion", "class,cat\ncat,1\n", "begins with the columns truth"),
        ("confusion", "truth,cat\ncat,1.5\n", "line 2, column `cat`: a whole count expected: `1.5`"),
        ("confusion", "truth,cat\ncat,-1\n", "line 2, column `cat`: a whole count expected: `-1`"),
        ("confusion", "truth,cat\ncat,1\ncat,2\n", "line 3, column `truth`: stands twice: `cat`"),
        ("classes", "class,precision\ncat,1\n", "begins with the columns class, precision, recall, f1, support"),
        ("classes", "class,precision,recall,f1,support\ncat,1.2,,,3\n", "line 2, column `precision`: a number from 0"),
        ("slices", "slice,accuracy\nnight,0.2\n", "has the columns slice, a metric's name, samples"),
        ("slices", "slice,accuracy,samples\n,0.2,3\n", "line 2, column `slice`: a name expected"),
        ("calibration", "confidence,accuracy,samples\n0.5,x,3\n", "column `accuracy`: a number from 0 to 1 expected"),
        ("samples", "sample,value\na,\n", "line 2, column `value`: a number expected: ``"),
        ("samples", "sample,value\na,1\na,2\n", "line 3, column `sample`: stands twice: `a`"),
        ("table", "a,a\n1,2\n", "a column stands twice: `a`"),
        ("table", "a,\n1,2\n", "the name of column 2 must not be empty"),
        ("table", "a\n" + "x" * 3000 + "\n", "line 2, column `a`: a cell of at most 2000 characters"),
    ],
)
def test_a_table_that_is_not_of_its_kind_names_line_and_column(kind: TableKind, text: str, problem: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        check_cells(kind, load_cells(text.encode(), "x.csv"), "x.csv")
    assert problem in caught.value.message
    assert caught.value.message.startswith("x.csv: ")
    assert caught.value.hint


def test_all_problems_come_at_once_and_at_most_twenty() -> None:
    text = "sample,value\n" + "".join(f"s{index},bad\n" for index in range(100))
    with pytest.raises(InvalidDocument) as caught:
        check_cells("samples", load_cells(text.encode(), "x.csv"), "x.csv")
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "and more"


def test_numbers_of_a_kind_are_kept_in_their_shortest_form_and_other_cells_as_they_are() -> None:
    checked = check_cells("samples", load_cells(b"sample,value\n 007 ,0.50\nb,nan\n", "x"), "x")
    assert checked.rows == [["007", "0.5"], ["b", "NaN"]]
    assert check_cells("table", load_cells(b"a\n007\n", "x"), "x").rows == [["007"]]
    assert check_cells("confusion", load_cells(b"truth,a\na,3.0\n", "x"), "x").rows == [["a", "3"]]


def test_a_row_is_one_line_whatever_stands_in_it() -> None:
    cells = check_cells("table", Cells(columns=["a"], rows=[["two\nlines\r\x1b[31m"]]), "x")
    assert dump_cells(cells) == b"a\ntwo\\nlines\\r\\x1b[31m\n"


@given(st.lists(st.lists(st.text(max_size=20), min_size=3, max_size=3), max_size=8))
def test_what_is_written_is_read_again(rows: list[list[str]]) -> None:
    cells = check_cells("table", Cells(columns=["a", "b", "c"], rows=rows), "x")
    data = dump_cells(cells)
    assert load_cells(data, "x") == cells
    assert dump_cells(check_cells("table", load_cells(data, "x"), "x")) == data
    assert data.count(b"\n") == len(rows) + 1


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("truth,cat,dog", "confusion"), ("class,precision,recall,f1,support,auc", "classes"),
        ("slice,accuracy,samples", "slices"), ("confidence,accuracy,samples", "calibration"),
        ("sample,value", "samples"), ("truth,predicted,count", "table"), ("sample,value,more", "table"),
        ("anything", "table"),
    ],
)  # fmt: skip
def test_the_columns_tell_the_kind(columns: str, kind: TableKind) -> None:
    assert kind_of(columns.split(",")) == kind


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_cells(tmp_path / "none.csv", limit=MIB)
    cases = {
        b"": "begins with a line of column names",
        b"\xff\xfea": "not UTF-8",
        b"a,b\n1\n": "line 2: 2 cells expected",
    }
    for data, message in cases.items():
        (tmp_path / "t.csv").write_bytes(data)
        with pytest.raises(LedgerError, match=message):
            read_cells(tmp_path / "t.csv", limit=MIB)
    (tmp_path / "t.csv").write_bytes(b"a\n" + b"1\n" * 100)
    with pytest.raises(LedgerError, match="larger than 100 bytes"):
        read_cells(tmp_path / "t.csv", limit=100)


def test_files_of_spreadsheets_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("\ufeffa;b\r\n1;2\r\n\r\n".encode())
    assert read_cells(tmp_path / "t.csv", limit=MIB) == Cells(columns=["a", "b"], rows=[["1", "2"]])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_table_in_another_encoding_is_read_and_its_ids_keep_their_zeros(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes("id,größe,commit\n0012,1,61e9540\n".encode(encoding))
    cells = read_cells(tmp_path / "t.csv", limit=1_000)
    assert (cells.columns, cells.rows) == (["id", "größe", "commit"], [["0012", "1", "61e9540"]])
    assert load_cells(dump_cells(check_cells("table", cells, "t")), "t") == cells
