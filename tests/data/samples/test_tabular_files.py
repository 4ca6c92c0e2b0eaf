"""Tables in every form are columns of numbers and of words, or one line that says which file cannot be read."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from ledger.data.samples.drift import measure_drift
from ledger.data.samples.reading import read_dataset
from ledger.data.samples.samples import Samples
from ledger.data.samples.tabular_files import (
    COLUMNS,
    TableColumns,
    columns_of,
    is_number,
    read_table,
    table_of,
    text_column,
    word_of,
)
from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b""),
        ("t.csv", b"a,b\n1\n"),
        ("t.csv", b"\xe9,b\n1,2\n"),
        ("t.csv", b"a,b\n\xe9,\xff\xfe\n" * 3 + b"1"),
        ("t.jsonl", b""),
        ("t.jsonl", b"{"),
        ("t.jsonl", b'{"a": "\xe9"}\n'),
        ("t.jsonl", b'{"a": 1}\n{"a": "x"}\n'),
        ("t.parquet", b""),
        ("t.parquet", b"PAR1" * 9),
        ("t.pq", b"text"),
    ],
)
def test_a_malformed_table_is_one_line_that_names_it(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LedgerError, match=name) as caught:
        read_table(tmp_path / name)
    assert "\n" not in caught.value.message
    found = read_dataset(tmp_path, build_manifest(tmp_path).lines)
    assert (found.kind, len(found.names)) == ("files", 1)
    assert any(name in warning for warning in found.warnings), "it is told, and nothing ends by it"


def test_a_table_that_is_not_there_or_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("gone.csv", "gone.parquet", "folder.csv"):
        with pytest.raises(LedgerError, match=name):
            read_table(tmp_path / name)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_of_any_editor_is_the_same_table(tmp_path: Path, mark: str, end: str) -> None:
    text = mark + end.join(["a;b c;d", '1;"x;y";', '2;"line\nfeed";é', ""])
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert read_table(tmp_path / "t.csv").to_pydict() == {
        "a": [1, 2], "b c": ["x;y", "line\nfeed"], "d": ["", "é"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, None), ("", None), (" ", " "), ("a", "a"), (1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "True"),
        (float("nan"), None), (float("inf"), "inf"), (b"cat", "cat"), (b"", None), (b"\xff", "\\xff"),
        (10**30, str(10**30)), (-0.0, "0"),
    ],
)  # fmt: skip
def test_a_cell_is_a_word_or_none(value: object, word: str | None) -> None:
    assert word_of(value) == word


def test_columns_are_numbers_or_words_by_their_type(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": [1.5, None, 3.0],
            "i": [1, 5, 2],
            "flag": [True, False, True],
            "row": [7, 8, 9],
            "text": ["a", None, "c"],
            "inner": [[1], [], [2]],
            "when": pa.array([1, 2, 3], pa.timestamp("s")),
        }
    )
    found = columns_of([table], ["i"])
    assert found.rows == 3
    assert {name: values.tolist() for name, values in found.numbers.items() if name != "n"} == {"flag": [1.0, 0.0, 1.0]}
    assert np.isnan(found.numbers["n"][1])
    assert found.words == {"i": ["1", "5", "2"], "text": ["a", None, "c"]}
    assert [is_number(table, name) for name in ("n", "i", "flag", "text")] == [True, True, True, False]
    pyarrow.parquet.write_table(table, tmp_path / "t.pq")
    assert read_table(tmp_path / "t.pq").to_pydict() == table.to_pydict()


@pytest.mark.parametrize(
    ("values", "kept"), [([1, 2], True), ([1, 2, 3], False), ([3, 2, 1], True), ([0, 1, 3], True), ([-1, 0, 1], False)]
)
def test_a_column_that_only_numbers_the_rows_is_no_feature(values: list[int], kept: bool) -> None:  # noqa: FBT001  # of pytest
    assert ("x" in columns_of([pa.table({"x": values})], []).numbers) is kept


def test_more_columns_than_a_reader_wants_are_left_out_by_name() -> None:
    table = pa.table({f"x{number}": [1.0, 5.0] for number in range(COLUMNS + 2)})
    found = columns_of([table], [])
    assert (len(found.numbers), found.left_out) == (COLUMNS, [f"x{COLUMNS}", f"x{COLUMNS + 1}"])


def test_tables_of_other_columns_are_joined_and_what_cannot_be_is_told() -> None:
    one, other = pa.table({"a": [1, 5], "b": ["x", "y"]}), pa.table({"a": [2.5], "c": [3]})
    found = columns_of([one, other], ["b"])
    assert found.rows == 3
    assert found.numbers["a"].tolist() == [1.0, 5.0, 2.5]
    assert np.isnan(found.numbers["c"]).tolist() == [True, True, False]
    assert found.words["b"] == ["x", "y", None]
    for tables in ([one, pa.table({"a": ["text"]})], [pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])]):
        with pytest.raises(LedgerError, match="fit together"):
            columns_of(tables, [])


@pytest.mark.parametrize(("shape", "names"), [((3,), ["y"]), ((3, 2), ["x0", "x1"]), ((3, 1), ["x0"]), ((3, 0), [])])
def test_an_array_is_a_table_of_its_columns(shape: tuple[int, ...], names: list[str]) -> None:
    table = table_of(np.asfortranarray(np.arange(np.prod(shape)).reshape(shape)), "y")
    assert table.column_names == names
    if len(names) == 2:
        assert table.to_pydict() == {"x0": [0, 2, 4], "x1": [1, 3, 5]}


@pytest.mark.parametrize(
    ("words", "but", "column"),
    [
        ({"a": ["x" * 20]}, [], "a"),
        ({"a": ["x" * 19]}, [], None),
        ({"a": ["x" * 20], "b": ["y" * 30]}, [], "b"),
        ({"a": ["x" * 20], "b": ["y" * 30]}, ["b"], "a"),
        ({"a": [None, "x" * 20, ""]}, [], "a"),
        ({"a": [None]}, [], None),
        ({}, [], None),
    ],
)
def test_the_column_that_reads_like_text_is_the_longest(
    words: dict[str, list[str | None]], but: list[str], column: str | None
) -> None:
    assert text_column(TableColumns(rows=1, words=words), but) == column


@pytest.mark.filterwarnings("error")
def test_numbers_near_the_largest_float_are_compared_like_others() -> None:
    small = np.tile([-1.0, 1.0, 0.5], 30)
    pairs = ((small, -small), (small * 1.7e308, small * -1.7e308))
    plain, large = (
        measure_drift(Samples(names=[], features={"x": a}), Samples(names=[], features={"x": b}), name="v", content="c")
        for a, b in pairs
    )
    assert plain == large
    assert {figure.test for figure in plain.figures} == {"ks", "psi"}


def test_objects_in_the_lines_of_a_table_are_no_features_and_no_obstacle(tmp_path: Path) -> None:
    rows = [{"a": {"b": 1}, "c": [1], "x": 5}, {"a": {"b": 2}, "c": [], "x": 2}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_dataset(tmp_path, build_manifest(tmp_path).lines)
    assert (found.names, list(found.samples.features)) == (["t.jsonl[0]", "t.jsonl[1]"], ["x"])
