"""A table is of its kind, every cell stands as its column asks, and what is wrong is named with its place."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidDocument, LedgerError
from ledger.model.tables import (
    COLUMNS,
    KINDS,
    MOST_COLUMNS,
    Cells,
    check_cells,
    dump_cells,
    kind_of,
    load_cells,
    number_in,
    number_text,
)
from ledger.model.values import TableKind


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("confusion", "class,cat\ncat,1\n", "begins with the columns truth"),
        ("confusion", "truth,cat\ncat,1.5\n", "line 2, column `cat`: a whole count expected: `1.5`"),
        ("confusion", "truth,cat\ncat,-1\n", "line 2, column `cat`: a whole count expected: `-1`"),
        ("confusion", "truth,cat\ncat,1\ncat,2\n", "line 3, column `truth`: appears twice: `cat`"),
        ("classes", "class,precision\ncat,1\n", "begins with the columns class, precision, recall, f1, support"),
        ("classes", "class,precision,recall,f1,support\ncat,1.2,,,3\n", "line 2, column `precision`: a number from 0"),
        ("slices", "slice,accuracy\nnight,0.2\n", "has the columns slice, a metric's name, samples"),
        ("slices", "slice,accuracy,samples\n,0.2,3\n", "line 2, column `slice`: a name expected"),
        ("calibration", "confidence,accuracy,samples\n0.5,x,3\n", "column `accuracy`: a number from 0 to 1 expected"),
        ("samples", "sample,value\na,\n", "line 2, column `value`: a number expected: ``"),
        ("samples", "sample,value\na,1\na,2\n", "line 3, column `sample`: appears twice: `a`"),
        ("table", "a,a\n1,2\n", "a column appears twice: `a`"),
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


def problems(kind: TableKind, columns: list[str], *rows: list[str]) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        check_cells(kind, Cells(columns=columns, rows=list(rows)), "x", row_word="row", first_row=1)
    return list(caught.value.problems)


def test_every_kind_with_columns_of_its_own_is_told_by_them_and_accepts_them() -> None:
    assert set(COLUMNS) < set(KINDS)
    for kind, columns in COLUMNS.items():
        assert kind_of(columns) == kind
        assert check_cells(kind, Cells(columns=list(columns), rows=[]), "x").rows == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.50", 0.5), (" 7 ", 7.0), ("-1e-3", -0.001), (".5", 0.5), ("5.", 5.0), ("+2", 2.0), ("inf", math.inf),
        ("-Infinity", -math.inf), ("", None), ("1_000", None), ("0x1F", None), ("1,5", None), ("٣", None), ("e5", None),
        ("1e99999", None), ("1e999", None), ("-1e999", None), ("1" + "0" * 400, None),
    ],
)  # fmt: skip
def test_a_cell_says_a_number_or_none(text: str, value: float | None) -> None:
    assert number_in(text) == value


@given(st.floats())
def test_the_text_of_a_number_gives_it_back(value: float) -> None:
    back = number_in(number_text(value))
    assert back == value or (back is not None and math.isnan(back) and math.isnan(value))


CALIBRATION, CLASSES = list(COLUMNS["calibration"]), list(COLUMNS["classes"])
SAMPLES, SLICES = ["sample", "value"], ["slice", "loss", "samples"]


@pytest.mark.parametrize(
    ("kind", "columns", "row", "kept"),
    [
        ("samples", SAMPLES, ["a", " 5 "], ["a", "5"]),
        ("samples", SAMPLES, ["a", "+007"], ["a", "7"]),
        ("samples", SAMPLES, [" a b ", "1e-3"], ["a b", "0.001"]),
        ("calibration", CALIBRATION, ["1", "0.10", "3"], ["1.0", "0.1", "3"]),
        ("slices", SLICES, ["night", "  ", "0"], ["night", "", "0"]),
        ("classes", [*CLASSES, "auc"], ["cat", "", "1", ".5", "2", "3.5"], ["cat", "", "1.0", "0.5", "2", "3.5"]),
        ("confusion", ["truth", "cat"], ["cat", "9007199254740991"], ["cat", "9007199254740991"]),
    ],
)
def test_a_cell_is_kept_in_the_form_that_its_column_asks_for(
    kind: TableKind, columns: list[str], row: list[str], kept: list[str]
) -> None:
    assert check_cells(kind, Cells(columns=columns, rows=[row]), "x").rows == [kept]


@pytest.mark.parametrize(
    ("kind", "columns", "row", "problem"),
    [
        ("confusion", ["truth", "cat"], ["a", "9007199254740993"], "`cat`: a whole count expected: `9007199254740993`"),
        ("confusion", ["truth", "cat"], ["a", "nan"], "`cat`: a whole count expected: `nan`"),
        ("calibration", CALIBRATION, ["", "0.1", "3"], "`confidence`: a number from 0 to 1 expected: ``"),
        ("calibration", CALIBRATION, ["0", "nan", "3"], "`accuracy`: a number from 0 to 1 expected: `nan`"),
        ("classes", CLASSES, ["a", "2", "", "", "1"], "`precision`: a number from 0 to 1, or nothing, expected: `2`"),
        ("slices", SLICES, ["night", "low", "1"], "`loss`: a number, or nothing, expected: `low`"),
        ("samples", SAMPLES, ["a", "1e999"], "`value`: a number expected: `1e999`"),
        ("table", ["a"], ["x" * 2001], f"`a`: a cell of at most 2000 characters expected: `{'x' * 40}`"),
        ("samples", SAMPLES, ["\x1b" + "x" * 2001, "1"],
         f"`sample`: a cell of at most 2000 characters expected: `\\x1b{'x' * 39}`"),
    ],
)  # fmt: skip
def test_a_cell_that_is_not_what_its_column_asks_for_is_shown(
    kind: TableKind, columns: list[str], row: list[str], problem: str
) -> None:
    assert problems(kind, columns, row) == [f"row 1, column {problem}"]


def test_rows_may_repeat_in_a_plain_table_and_bins_in_a_calibration_and_nowhere_else() -> None:
    check_cells("table", Cells(columns=["a"], rows=[["x"], ["x"]]), "x")
    check_cells("calibration", Cells(columns=CALIBRATION, rows=[["0.5", "0.5", "1"]] * 2), "x")
    slices = ["slice", "loss", "samples"]
    assert problems("slices", slices, ["a", "1", "1"], [" a ", "2", "1"]) == [
        "row 2, column `slice`: appears twice: `a`"
    ]


def test_a_table_of_very_many_columns_is_refused_before_they_are_looked_at() -> None:
    many = [f"c{number}" for number in range(MOST_COLUMNS)]
    check_cells("table", Cells(columns=many, rows=[]), "x")
    assert problems("table", [*many, ""]) == [f"more than {MOST_COLUMNS} columns: `{MOST_COLUMNS + 1}`"]


def test_columns_that_are_wrong_are_shown_on_one_line_whatever_they_are_called() -> None:
    (blank, wrong) = problems("confusion", ["\u202e", "b" * 100])
    assert blank == "the name of column 1 must not be empty, but all its characters are invisible: `\\u202e`"
    assert wrong.startswith("a table of kind confusion begins with the columns truth; not `\\u202e, bbb")
    assert wrong.endswith("b…`")


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a\tb\n1\t2\n", [["1", "2"]]),
        (b"a;b\n1,5;2\n", [["1,5", "2"]]),
        (b'a,b\n"1,5","two\nlines"\n', [["1,5", "two\nlines"]]),
        (b"a,b\n\n1,\n\n", [["1", ""]]),
        (b" a , b \n 1 , 2 \n", [[" 1 ", " 2 "]]),
        (b"a,b", []),
    ],
)
def test_the_line_of_names_says_what_stands_between_cells(data: bytes, rows: list[list[str]]) -> None:
    assert load_cells(data, "t.csv") == Cells(columns=["a", "b"], rows=rows)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a table begins with a line of column names: `t.csv`"),
        (b" , \n1,2\n", "a table begins with a line of column names: `t.csv`"),
        (b"\xff", "not UTF-8: `t.csv`"),
        (b'a\n"' + b"x" * 200_000 + b'"\n', "t.csv, line 2: field larger than field limit (131072)"),
        (b"a,b\n1,2\n1\n1,2,3\n", "t.csv: line 3: 2 cells expected, not 1; line 4: 2 cells expected, not 3"),
    ],
)
def test_bytes_that_are_no_table_are_one_clear_error(data: bytes, message: str) -> None:
    with pytest.raises(LedgerError) as caught:
        load_cells(data, "t.csv")
    assert caught.value.message == message
