"""Tables come as people have them: files, lists, arrays, frames; what is wrong is named with its place."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ledger.capture.outputs.table_input import cell_text, make_cells, read_cells
from ledger.errors import LedgerError, NotFound
from ledger.model.tables import Cells, check_cells, dump_cells, load_cells

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
        ([[object()]], ["a"], "row 1: a cell must be text or a number, not object"),
        ([[[1]]], ["a"], "row 1: a cell must be text or a number, not a list"),
        ([[10**5000]], ["a"], "row 1: a whole number is too large"),
        ({"a": [1, 2], "b": [1]}, None, "different lengths: `a 2, b 1`"),
        ("text", None, "a list or an array is expected, not a text"),
        (7, ["a"], "a list or an array is expected, not a number"),
        ([{"a": 1}, [2]], None, "row 2 is not a mapping"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), None, "a column appears twice: `a`"),
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
