"""Labels from files and functions: one word for one value, whatever holds it, and none for a missing one."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from ledger.data.samples.annotations import from_coco, from_yolo
from ledger.data.samples.labels import (
    Labelling,
    file_of,
    from_array,
    from_folders,
    from_function,
    guess_from_folders,
    is_part,
    moved,
    parse_labelling,
    read_labels,
)
from ledger.errors import LedgerError, UsageError


@pytest.mark.parametrize(
    ("text", "labelling"),
    [
        ("folder", Labelling("folder")),
        ("none", Labelling("none")),
        ("coco:a:b.json", Labelling("coco", "a:b.json")),
        ("yolo:labels", Labelling("yolo", "labels")),
        ("a.csv:b:c", Labelling("table", "a.csv", "b:c")),
        ("C:/a.CSV:label", Labelling("table", "C:/a.CSV", "label")),
        ("x.csv/y.parquet:label@path", Labelling("table", "x.csv/y.parquet", "label@path")),
        ("a.jsonl:é", Labelling("table", "a.jsonl", "é")),
        ("y.NPY", Labelling("array", "y.NPY")),
        ("my.labels:of", Labelling("function", "my.labels", "of")),
    ],
)
def test_a_source_of_labels_is_known_by_its_form(text: str, labelling: Labelling) -> None:
    assert parse_labelling(text) == labelling


@pytest.mark.parametrize("text", ["yolo:", "a.csv:", ":label", "a b:c", "1x:y", "x:1y", "Folder", "a.npz", "x:y:z"])
def test_another_form_is_refused_with_all_there_are(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_labelling(text)
    assert "MODULE:FUNCTION" in str(caught.value.hint)


def test_labels_are_looked_for_as_named_then_inside_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    monkeypatch.chdir(tmp_path)
    labelling = Labelling("array", "y.npy")
    (root / "y.npy").touch()
    assert file_of(labelling, root) == root / "y.npy"
    assert is_part(root / "y.npy", root)
    (tmp_path / "y.npy").touch()
    assert file_of(labelling, root) == Path("y.npy")
    assert not is_part(Path("y.npy"), root)
    assert is_part(None, root)
    assert not is_part(tmp_path / "data2" / "y.npy", root)
    assert file_of(Labelling("function", "y.npy"), root) is None


def test_labels_inside_a_dataset_move_with_it_and_others_do_not(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    (one / "sub").mkdir(parents=True)
    (one / "sub" / "y.npy").touch()
    (tmp_path / "z.npy").touch()
    assert moved(Labelling("array", "sub/y.npy"), one, two) == Labelling("array", str(two / "sub/y.npy"))
    assert moved(Labelling("array", str(tmp_path / "z.npy")), one, two) is None
    assert moved(Labelling("yolo", str(one)), one, two) == Labelling("yolo", str(two))
    for unmoved in (None, Labelling("folder"), Labelling("function", "m", "f")):
        assert moved(unmoved, one, two) == unmoved


@pytest.mark.parametrize(
    ("names", "labels", "guessed"),
    [
        (["a/1", "b/2"], [("a",), ("b",)], True),
        (["a/1", "a/2"], [("a",), ("a",)], False),
        (["a/1", "2"], [("a",), ()], False),
        (["0.npy[1]", "x.y.npz:z[0]", "c.npy"], [("0",), (), ("c",)], False),
        (["Train/1", "test/2"], [("Train",), ("test",)], False),
        (["train/1", "cat/2"], [("train",), ("cat",)], True),
        ([], [], False),
    ],
)
def test_first_folders_are_labels_where_they_look_like_some(
    names: list[str],
    labels: list[tuple[str, ...]],
    guessed: bool,  # noqa: FBT001  # of pytest
) -> None:
    assert from_folders(names) == labels
    assert guess_from_folders(names) == (labels if guessed else None)


def test_levels_of_folders_are_slices_and_other_names_are_columns(tmp_path: Path) -> None:
    names = ["a/b/1.png", "c/2.png", "3.png"]
    found = read_labels(None, tmp_path, names, ["folder:1", "folder:2", "folder:0"])
    assert found.slices == {
        "folder:1": ["a", "c", None],
        "folder:2": ["b", None, None],
        "folder:0": [None, None, None],
    }
    for labelling in (None, Labelling("folder")):
        with pytest.raises(UsageError, match="`camera`"):
            read_labels(labelling, tmp_path, names, ["folder:1", "camera"])


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.array([0, 1]), ["0", "1"]),
        (np.array([1.0, np.nan]), ["1.0", None]),
        (np.array([b"cat", "é".encode()]), ["cat", "é"]),
        (np.array(["cat", "é"]), ["cat", "é"]),
        (np.array([True, False]), ["True", "False"]),
    ],
)
def test_labels_of_an_array_are_words(tmp_path: Path, values: "np.ndarray", labels: list[str | None]) -> None:
    np.save(tmp_path / "y.npy", values)
    assert from_array(tmp_path / "y.npy", 2) == [() if label is None else (label,) for label in labels]


@pytest.mark.parametrize("shape", [(3,), (2, 1), (0,), ()])
def test_an_array_of_another_shape_is_refused_with_both(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "y.npy", np.zeros(shape))
    with pytest.raises(LedgerError, match=rf"2 .*\({shape[0] if shape else ''}"):
        from_array(tmp_path / "y.npy", 2)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04N."])
def test_a_file_that_is_no_array_is_refused_and_never_unpickled(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "y.npy").write_bytes(content)
    with pytest.raises(LedgerError, match=r"`.*y\.npy`"):
        from_array(tmp_path / "y.npy", 2)


def test_a_file_of_several_arrays_is_no_array_of_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "y.npz", y=np.zeros(2))
    (tmp_path / "y.npz").rename(tmp_path / "y.npy")
    with pytest.raises(LedgerError, match=r"y\.npy"):
        from_array(tmp_path / "y.npy", 2)


def test_cells_of_a_table_are_words_and_missing_ones_none(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(4)]
    columns: dict[str, pa.Array[Any]] = {
        "file": pa.array(names),
        "bytes": pa.array([b"cat", None, b"", b"\xff"]),
        "number": pa.array([1.0, float("nan"), None, 2.5]),
        "words": pa.array(["a", "", None, "NaN"]),
        "count": pa.array([1, 0, None, 2]),
    }
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "l.parquet")
    expected = {
        "bytes": [("cat",), (), (), ("\\xff",)],
        "number": [("1",), (), (), ("2.5",)],
        "words": [("a",), (), (), ("NaN",)],
        "count": [("1",), ("0",), (), ("2",)],
    }
    for column, labels in expected.items():
        found = read_labels(Labelling("table", "l.parquet", f"{column}@file"), tmp_path, names, [])
        assert found.labels == labels, column


def test_a_label_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("file,kind,kind\n1.png,a,b\n")
    with pytest.raises(LedgerError, match="`kind`"):
        read_labels(Labelling("table", "l.csv", "kind"), tmp_path, ["1.png"], [])


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "naming_here", raising=False)
    return tmp_path / "naming_here.py"


@pytest.mark.parametrize(
    ("result", "label"),
    [
        ("None", ()),
        ("'a'", ("a",)),
        ("3", ("3",)),
        ("['b', None, 'a', 'b']", ("a", "b")),
        ("()", ()),
        ("{1, 2}", ("1", "2")),
    ],
)
def test_what_a_function_returns_is_one_label_or_several(module: Path, result: str, label: tuple[str, ...]) -> None:
    module.write_text(f"def of(path):\n    return {result}\n")
    before = list(sys.path)
    assert from_function(Labelling("function", "naming_here", "of"), [Path("x")]).labels == [label]
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def of(p): raise KeyError('no')", r"every sample.*a\.png: KeyError"),
        ("of = 3", "every sample"),
        ("1/0", "Zero"),
    ],
)
def test_a_function_that_never_answers_is_refused(module: Path, text: str, said: str) -> None:
    module.write_text(text)
    with pytest.raises(LedgerError, match=said):
        from_function(Labelling("function", "naming_here", "of"), [Path("d/a.png"), Path("b.png")])


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_editors_that_put_a_mark_in_front_are_read(tmp_path: Path, mark: str) -> None:
    said = {
        "images": [{"id": 1, "file_name": "1.png"}],
        "categories": [{"id": 1, "name": "ear"}],
        "annotations": [{"image_id": 1, "category_id": 1}],
    }
    (tmp_path / "coco.json").write_text(mark + json.dumps(said), "utf-8")
    assert from_coco(tmp_path / "coco.json", ["1.png"], tmp_path)[0] == [("ear",)]
    (tmp_path / "1.txt").write_text(mark + "0 .5 .5 1 1\n", "utf-8")
    (tmp_path / "classes.txt").write_text(mark + "ear\r\ntail\r\n", "utf-8")
    assert from_yolo(tmp_path, ["1.png"], tmp_path) == ([("ear",)], [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("images", [{"id": 1}]),
        ("images", [{"id": [], "file_name": "1.png"}]),
        ("categories", [3]),
        ("annotations", None),
        ("annotations", [{"image_id": 9, "category_id": 1}]),
        ("annotations", [{"image_id": 1, "category_id": 9}]),
    ],
)
def test_a_coco_file_whose_parts_do_not_fit_is_refused(tmp_path: Path, key: str, value: object) -> None:
    said = {"images": [{"id": 1, "file_name": "1.png"}], "categories": [{"id": 1, "name": "a"}], "annotations": []}
    (tmp_path / "c.json").write_text(json.dumps({**said, key: value}))
    with pytest.raises(LedgerError, match=r"COCO .*c\.json"):
        from_coco(tmp_path / "c.json", ["1.png"], tmp_path)


@pytest.mark.parametrize(
    ("names", "label"),
    [("names: [a, null]", "1"), ("names: {1: b, x: c}", "b"), ("names: {1: null}", "1"), ("names: 3", "1"), ("[", "1")],
)
def test_classes_without_a_name_keep_their_number(tmp_path: Path, names: str, label: str) -> None:
    (tmp_path / "1.txt").write_text("\n 1 .5 .5 1 1 \n1 0 0 1 1")
    (tmp_path / "data.yaml").write_text(names)
    assert from_yolo(tmp_path, ["1.png"], tmp_path)[0] == [(label,)]
