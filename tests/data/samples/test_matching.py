"""Labels find their samples exactly, or are refused with an example; whatever the source."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ledger.data.samples.labels import parse_labelling
from ledger.data.samples.reading import Reading, read_dataset
from ledger.data.samples.statistics import summarise
from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError


def pictures(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number * 9).save(root / name)
    return root


def read(root: Path, labels: str, slices: tuple[str, ...] = ()) -> Reading:
    return read_dataset(root, build_manifest(root).lines, labelling=parse_labelling(labels), slices=slices)


def labels_of(found: Reading) -> dict[str, str | None]:
    return {name: found.label(index) for index, name in enumerate(found.names)}


def table(root: Path, text: str, name: str = "labels.csv") -> str:
    (root / name).write_text(text)
    return name


def coco(root: Path, files: list[str], marks: dict[int, str]) -> str:
    names = sorted(set(marks.values()))
    said = {
        "images": [{"id": number, "file_name": file} for number, file in enumerate(files)],
        "annotations": [{"image_id": image, "category_id": names.index(name)} for image, name in marks.items()],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names)],
    }
    (root / "coco.json").write_text(json.dumps(said))
    return "coco:coco.json"


def test_a_column_of_small_numbers_is_never_taken_for_file_names(tmp_path: Path) -> None:
    root = pictures(tmp_path / "images", *(f"{number}.png" for number in range(1, 7)))
    rows = "".join(f"images/{n}.png,{'cat' if n % 2 else 'dog'},{n % 5}\n" for n in range(1, 7))
    found = read(root, table(root, f"path,label,fold\n{rows}") + ":label")
    assert summarise(found).labels == {"cat": 3, "dog": 3}
    rows = "".join(f"{'cat' if n % 2 else 'dog'},{n}\n" for n in range(1, 7))
    with pytest.raises(LedgerError, match=r"no column of the table names the samples .*1\.png"):
        read(root, table(root, f"label,age\n{rows}") + ":label")
    assert summarise(read(root, "labels.csv:label@age")).labels == {"cat": 3, "dog": 3}, "unless it is said"


@pytest.mark.parametrize("key", ["{n}", "{n:02}", "{n:05}", "{n:05}.png", "set/{n:05}.png", "C:\\d\\set\\{n:05}.png"])
def test_ids_name_files_whose_numbers_have_zeros_in_front(tmp_path: Path, key: str) -> None:
    root = pictures(tmp_path / "set", *(f"{number:05}.png" for number in range(1, 13)))
    rows = "".join(f"{key.format(n=n)},{'odd' if n % 2 else 'even'}\n" for n in range(1, 13))
    found = read(root, table(root, f"id,label\n{rows}") + ":label")
    assert labels_of(found)["00007.png"] == "odd"
    assert labels_of(found)["00012.png"] == "even"
    assert summarise(found).unlabelled == 0


def test_a_number_that_is_two_files_is_refused(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set", "1.png", "001.png")
    with pytest.raises(LedgerError, match=r"means 2 samples, such as `001\.png` and `1\.png`"):
        read(root, table(root, "id,label\n01,a\n") + ":label")


def test_numbers_that_begin_elsewhere_are_refused(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set", "1.png", "2.png", "3.png")
    with pytest.raises(LedgerError, match=r"`0` of column id names no sample, and no row names `3\.png`"):
        read(root, table(root, "id,label\n0,a\n1,b\n2,a\n") + ":label")


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_cells_are_told_apart_by_comma_semicolon_or_tab(tmp_path: Path, sign: str) -> None:
    root = pictures(tmp_path / "set", "a.png", "b.png")
    text = f'file{sign}"label{sign}or;not"{sign}kind\na.png{sign}x{sign}cat\nb.png{sign}y{sign}dog\n'
    assert labels_of(read(root, table(root, text) + ":kind")) == {"a.png": "cat", "b.png": "dog"}


def test_namesakes_in_two_folders_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    files = [f"{camera}/{number:04}.png" for camera in ("cam1", "cam2") for number in range(4)]
    root = pictures(tmp_path / "frames", *files)
    marks = {0: "person", 1: "person", 2: "person", 3: "bike"}
    made = summarise(read(root, coco(root, files, marks)))
    assert (made.labels, made.unlabelled) == ({"person": 3, "bike": 1}, 4)
    made = summarise(read(root, coco(root, [f"frames/{file}" for file in files], marks)))
    assert (made.labels, made.unlabelled) == ({"person": 3, "bike": 1}, 4)
    one = read(root / "cam2", coco(root / "cam2", files, marks))
    assert summarise(one).labels == {}, "the folder says which camera it is"


@pytest.mark.parametrize("source", ["coco", "table"])
def test_a_name_that_two_files_have_is_refused_with_both(tmp_path: Path, source: str) -> None:
    root = pictures(tmp_path / "frames", "cam1/0.png", "cam2/0.png", "cam2/1.png")
    if source == "coco":
        where = coco(root, ["0.png", "1.png"], {0: "person"})
    else:
        where = table(root, "file,label\n0.png,person\n1.png,bike\n") + ":label"
    with pytest.raises(LedgerError, match=r"`0\.png` means 2 samples, such as `cam1/0\.png` and `cam2/0\.png`"):
        read(root, where)


@pytest.mark.parametrize("source", ["coco", "table"])
def test_one_sample_that_is_said_to_be_two_things_is_refused(tmp_path: Path, source: str) -> None:
    root = pictures(tmp_path / "set", "0.png", "1.png")
    if source == "coco":
        where = coco(root, ["a/0.png", "b/0.png"], {0: "person", 1: "bike"})
    else:
        where = table(root, "file,label\na/0.png,person\nb/0.png,bike\n1.png,bike\n") + ":label"
    with pytest.raises(LedgerError, match=r"`0\.png` is said to be person by `a/0\.png` and bike by `b/0\.png`"):
        read(root, where)


def test_a_row_that_is_there_twice_and_says_the_same_is_one(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set", "0.png")
    assert labels_of(read(root, table(root, "file,label\n0.png,a\n0.png,a\n") + ":label")) == {"0.png": "a"}


def test_two_columns_that_name_samples_differently_are_refused(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set", "a.png", "b.png")
    text = "file,similar,label\na.png,b.png,x\nb.png,a.png,y\n"
    with pytest.raises(LedgerError, match="two columns of the table name the samples and disagree"):
        read(root, table(root, text) + ":label")
    assert labels_of(read(root, "labels.csv:label@file")) == {"a.png": "x", "b.png": "y"}
    with pytest.raises(LedgerError, match="no such column: `path`"):
        read(root, "labels.csv:label@path")


def test_rows_that_name_no_sample_are_counted(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set", "a.png", "b.png")
    found = read(root, table(root, "file,label\na.png,x\nb.png,y\ngone.png,z\n") + ":label")
    assert found.warnings == ["1 of 3 rows of labels name no sample, first gone.png"]


def yolo(root: Path, lines: dict[str, str], names: str | None = None, file: str = "data.yaml") -> None:
    for name, text in lines.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    if names is not None:
        (root / file).write_text(names)


@pytest.mark.parametrize(
    ("names", "file"),
    [
        ("train: ../train/images\nnc: 2\nnames: ['hat', 'no hat']\n", "data.yaml"),
        ("names:\n  0: hat\n  1: no hat\n", "data.yaml"),
        ("hat\nno hat\n", "classes.txt"),
    ],
)
def test_yolo_classes_have_their_names(tmp_path: Path, names: str, file: str) -> None:
    root = pictures(tmp_path / "ds", "train/images/a.png", "train/images/b.png", "train/images/c.png")
    yolo(root, {"train/labels/a.txt": "1 .5 .5 1 1\n0.0 .5 .5 1 1\n", "train/labels/b.txt": ""}, names, file)
    for place, where in ((root / "train", "labels"), (root / "train/images", str(root / "train/labels"))):
        found = read(place, f"yolo:{where}")
        assert [found.label(index) for index in range(3)] == ["hat + no hat", None, None]
        assert found.warnings == [
            "1 of 3 samples have an empty label file: only background, no object",
            "1 of 3 samples have no label file",
        ]


def test_yolo_labels_of_one_split_are_not_those_of_another(tmp_path: Path) -> None:
    root = pictures(tmp_path / "ds", *(f"{split}/images/{n}.png" for split in ("train", "valid") for n in range(2)))
    yolo(
        root, {f"{split}/labels/{n}.txt": f"{number}\n" for number, split in ((0, "train"), (1, "valid")) for n in "01"}
    )
    assert labels_of(read(root, "yolo:train/labels")) == {
        "train/images/0.png": "0",
        "train/images/1.png": "0",
        "valid/images/0.png": None,
        "valid/images/1.png": None,
    }
    assert labels_of(read(root, f"yolo:{root}")) == {
        f"{split}/images/{n}.png": label for split, label in (("train", "0"), ("valid", "1")) for n in range(2)
    }
    yolo(tmp_path, {"flat/0.txt": "3\n"})
    with pytest.raises(LedgerError, match="the label files do not say which sample is which: `0` means 2 samples"):
        read(root, f"yolo:{tmp_path / 'flat'}")


def test_a_class_without_a_name_is_told_and_a_half_one_refused(tmp_path: Path) -> None:
    root = pictures(tmp_path / "ds", "images/a.png")
    yolo(root, {"labels/a.txt": "7 .5 .5 1 1\n"}, "names: [hat]\n")
    found = read(root, "yolo:labels")
    assert (found.label(0), found.warnings) == ("7", ["class 7 has no name in data.yaml"])
    yolo(root, {"labels/a.txt": "0.5 .5 .5 1 1\n"})
    with pytest.raises(LedgerError, match="class number"):
        read(root, "yolo:labels")


def test_a_function_may_give_several_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = pictures(tmp_path / "set", "a.png")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "naming_many.py").write_text("def label(path):\n    return ['sun', 'sea']\n")
    assert read(root, "naming_many:label").labels == [("sea", "sun")]


def test_a_readme_beside_texts_is_no_sample(tmp_path: Path) -> None:
    for name in ("spam/1.txt", "ham/1.txt", "README.md", "LICENSE.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"words of {name}")
    found = read_dataset(tmp_path, build_manifest(tmp_path).lines)
    assert (found.names, found.labels) == (["ham/1.txt", "spam/1.txt"], [("ham",), ("spam",)])
