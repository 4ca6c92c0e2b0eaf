"""Looking at data: every kind of sample and of label, and what is damaged is counted, named and never fatal."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from PIL import Image

from ledger.data.samples.images import draw_picture
from ledger.data.samples.labels import parse_labelling
from ledger.data.samples.reading import Reading, read_dataset
from ledger.data.samples.statistics import FEWEST_TO_JUDGE, summarise
from ledger.data.samples.tabular_files import read_table
from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError, NotFound, UsageError


def picture(path: Path, grey: int = 128, size: tuple[int, int] = (8, 8), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, grey if mode == "L" else (grey, 0, 255)).save(path)
    return path


def read(root: Path, labels: str | None = None, slices: tuple[str, ...] = ()) -> Reading:
    labelling = parse_labelling(labels) if labels else None
    return read_dataset(root, build_manifest(root).lines, labelling=labelling, slices=slices)


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    for name in ("cat/1.png", "cat/2.png", "dog/3.png"):
        picture(tmp_path / "animals" / name, grey=ord(name[-5]))
    return tmp_path / "animals"


def test_folders_are_labels(animals: Path) -> None:
    found = read(animals)
    assert found.labels == [("cat",), ("cat",), ("dog",)]
    assert summarise(found).labels == {"cat": 2, "dog": 1}


def test_folders_that_say_what_samples_are_for_are_no_labels(tmp_path: Path) -> None:
    picture(tmp_path / "train/1.png")
    picture(tmp_path / "val/2.png")
    assert read(tmp_path).labels is None
    assert read(tmp_path, "folder").labels == [("train",), ("val",)]


def test_no_labels_where_nobody_wants_any(animals: Path) -> None:
    assert read(animals, "none").labels is None


@pytest.mark.parametrize("key", ["{path}", "{name}", "{stem}"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_of_a_table_holds_labels_and_slices(animals: Path, key: str, suffix: str) -> None:
    paths = [Path("cat/1.png"), Path("dog/3.png")]
    keys = [key.format(path=path, name=path.name, stem=f"0{path.stem}"[-1]) for path in paths]
    table = pa.table({"file": keys, "label": ["tiger", "wolf"], "camera": ["a", "b"]})
    if suffix == "csv":
        pyarrow.csv.write_csv(table, animals / "labels.csv")
    else:
        pyarrow.parquet.write_table(table, animals / "labels.parquet")
    found = read(animals, f"labels.{suffix}:label", ("camera", "folder:1"))
    assert found.labels == [("tiger",), (), ("wolf",)]
    assert found.slices == {"folder:1": ["cat", "cat", "dog"], "camera": ["a", None, "b"]}
    made = summarise(found)
    assert made.unlabelled == 1
    assert {(one.name, one.value, one.samples) for one in made.slices} >= {("camera", "a", 1), ("folder:1", "cat", 2)}


def test_a_missing_column_is_named_with_those_there_are(animals: Path) -> None:
    (animals / "labels.csv").write_text("file,kind\ncat/1.png,cat\n")
    with pytest.raises(LedgerError, match="no such column: `label`") as raised:
        read(animals, "labels.csv:label")
    assert raised.value.hint == "one of file, kind"


@pytest.mark.parametrize(
    ("content", "said"),
    [("file,label\nnobody.png,cat\n", "names the samples"), ("file,label\na,b,c\n", "malformed"), ("", "malformed")],
)
def test_a_table_of_labels_that_says_nothing_is_refused(animals: Path, content: str, said: str) -> None:
    (animals / "labels.csv").write_text(content)
    with pytest.raises(LedgerError, match=said):
        read(animals, "labels.csv:label")


def test_coco_categories_are_labels(animals: Path) -> None:
    said = {
        "images": [{"id": 7, "file_name": "1.png"}, {"id": 8, "file_name": "dog/3.png"}],
        "categories": [{"id": 1, "name": "ear"}, {"id": 2, "name": "tail"}],
        "annotations": [{"image_id": 7, "category_id": 2}, {"image_id": 7, "category_id": 1}],
    }
    (animals / "coco.json").write_text(json.dumps(said))
    found = read(animals, "coco:coco.json")
    assert found.labels == [("ear", "tail"), (), ()]
    assert summarise(found).labels == {"ear": 1, "tail": 1}
    assert found.label(0) == "ear + tail"


@pytest.mark.parametrize("content", ["[]", "{}", "nonsense", '{"images": 1, "categories": [], "annotations": []}'])
def test_what_is_no_coco_file_is_refused(animals: Path, content: str) -> None:
    (animals / "coco.json").write_text(content)
    with pytest.raises(LedgerError, match="not a COCO file"):
        read(animals, "coco:coco.json")


def test_yolo_classes_are_labels(tmp_path: Path) -> None:
    picture(tmp_path / "set/images/1.png")
    picture(tmp_path / "set/images/2.png")
    (tmp_path / "set/labels").mkdir()
    (tmp_path / "set/labels/1.txt").write_text("1 0.5 0.5 1 1\n0 0.1 0.1 0.2 0.2\n")
    (tmp_path / "set/classes.txt").write_text("ear\ntail\n")
    assert read(tmp_path / "set", "yolo:labels").labels == [("ear", "tail"), ()]
    (tmp_path / "set/labels/1.txt").write_text("ear 0.5\n")
    with pytest.raises(LedgerError, match="class number"):
        read(tmp_path / "set", "yolo:labels")


def test_a_function_gives_labels(animals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "naming_one.py").write_text(
        "def label(path):\n    if path.stem == '2':\n        raise ValueError('no idea')\n"
        "    return path.parent.name.upper()\n"
    )
    found = read(animals, "naming_one:label")
    assert found.labels == [("CAT",), (), ("DOG",)]
    assert found.warnings == ["the label function gave no label for 1 samples, first 2.png: ValueError: no idea"]
    for missing in ("naming_one:nothing", "nowhere_at_all:label"):
        with pytest.raises(LedgerError, match="cannot be loaded"):
            read(animals, missing)


@pytest.mark.parametrize("text", ["", "somewhere", "coco:", "labels.csv", "../x:y z"])
def test_labels_from_nowhere_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_labelling(text)


def test_labels_that_are_not_there_are_refused(animals: Path) -> None:
    with pytest.raises(NotFound, match=r"no labels at: `labels\.csv`"):
        read(animals, "labels.csv:label")


def test_a_corrupt_image_among_many_is_counted_and_named(tmp_path: Path) -> None:
    for number in range(1_000):
        picture(tmp_path / f"{number:04}.png", grey=number % 256, size=(2, 2))
    whole = (tmp_path / "0500.png").read_bytes()
    (tmp_path / "0500.png").write_bytes(whole[:40])
    (tmp_path / "0501.png").write_bytes(b"no picture")
    made = summarise(read(tmp_path))
    assert made.images is not None
    assert (made.samples, made.images.count) == (1_000, 998)
    assert made.images.unreadable == ["0500.png", "0501.png"]
    assert "2 of 1000 images cannot be read: 0500.png, 0501.png" in made.warnings


def test_sizes_kinds_and_channels_of_images(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / f"{number}.png", grey=51, size=(6, 4), mode="RGB")
    picture(tmp_path / "odd.png", grey=255, size=(3, 3))
    images = summarise(read(tmp_path)).images
    assert images is not None
    assert images.sizes == {"6x4": 3, "3x3": 1}
    assert images.modes == {"L": 1, "RGB": 3}
    assert images.means == pytest.approx([0.2, 0.0, 1.0])
    assert images.deviations == pytest.approx([0.0, 0.0, 0.0])


def test_the_deviation_of_a_channel_is_that_of_its_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size=(5, 9, 7), dtype=np.uint8)
    for number, one in enumerate(pixels):
        Image.fromarray(one).save(tmp_path / f"{number}.png")
    images = summarise(read(tmp_path)).images
    assert images is not None
    assert images.means == pytest.approx([pixels.mean() / 255], abs=1e-6)
    assert images.deviations == pytest.approx([pixels.std() / 255], abs=1e-6)


@pytest.mark.parametrize("shape", [(12, 8, 8), (12, 8, 8, 3), (12, 8, 8, 1)])
def test_rows_of_an_array_are_images(tmp_path: Path, shape: tuple[int, ...]) -> None:
    for label in ("0", "1"):
        np.save(tmp_path / f"{label}.npy", np.full(shape, 8.0))
    np.save(tmp_path / "1.npy", np.full(shape, 16.0))
    found = read(tmp_path)
    made = summarise(found)
    assert found.kind == "images"
    assert made.labels == {"0": 12, "1": 12}
    assert made.images is not None
    assert made.images.sizes == {"8x8": 24}
    assert made.images.means[0] == pytest.approx(0.75, abs=0.01)  # white is 16, as in scikit-learn's digits


def test_labels_of_rows_stand_in_another_array(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((3, 4, 4), dtype=np.uint8))
    np.save(tmp_path / "labels.npy", np.array([7, 8, 7]))
    assert read(tmp_path, "labels.npy").labels == [("7",), ("8",), ("7",)]
    np.save(tmp_path / "labels.npy", np.array([7, 8]))
    with pytest.raises(LedgerError, match="there are 3 samples"):
        read(tmp_path, "labels.npy")


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_an_array_of_two_dimensions_is_a_table(tmp_path: Path, suffix: str) -> None:
    values = np.random.default_rng(0).normal(size=(50, 3))
    values[0, 1] = np.nan
    if suffix == "npy":
        np.save(tmp_path / "x.npy", values)
    else:
        np.savez(tmp_path / "x.npz", x=values)
    made = summarise(read(tmp_path))
    assert made.samples == 50
    assert [(one.name, one.count, one.missing) for one in made.features] == [
        ("x0", 50, 0),
        ("x1", 49, 1),
        ("x2", 50, 0),
    ]
    assert made.features[0].mean == pytest.approx(values[:, 0].mean(), rel=1e-5)
    assert sum(made.features[0].counts) == 50
    assert len(made.features[0].edges) == len(made.features[0].counts) + 1


def test_an_array_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return (Path(tmp_path / "sprung").touch, ())

    np.save(tmp_path / "x.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    made = summarise(read(tmp_path))
    assert not (tmp_path / "sprung").exists()
    assert any("x.npy" in warning for warning in made.warnings)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_rows_of_a_table_are_samples(tmp_path: Path, suffix: str) -> None:
    rows = [{"id": n, "age": 20.0 + n / 2, "city": "Rome" if n % 2 else "Oslo", "ok": n % 3 == 0} for n in range(30)]
    file = tmp_path / f"people.{suffix}"
    if suffix == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif suffix == "parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), file)
    else:
        comma = "," if suffix == "csv" else "\t"
        file.write_text("\n".join([comma.join(rows[0]), *(comma.join(map(str, row.values())) for row in rows)]))
    found = read(file, f"{file}:city", ("ok",)) if suffix != "tsv" else read(file, f"{file}:city")
    made = summarise(found)
    assert made.labels == {"Oslo": 15, "Rome": 15}
    assert "age" in [one.name for one in made.features]
    assert "id" not in [one.name for one in made.features], "a column that counts rows means nothing"
    with pytest.raises(LedgerError, match="no such column: `town`"):
        read(file, f"{file}:town")


def test_a_column_that_reads_like_text_is_one(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("who,said\n" + "".join(f"ann,it was a fine day number {n}\n" for n in range(9)))
    found = read(tmp_path)
    assert found.samples.texts is not None
    assert found.samples.texts[3] == "it was a fine day number 3"
    assert [one.name for one in summarise(found).features] == ["length of said"]


def test_texts_are_samples(tmp_path: Path) -> None:
    for label in ("spam", "ham"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text("two words")
    made = summarise(read(tmp_path))
    assert made.labels == {"ham": 1, "spam": 1}
    assert [(one.name, one.mean) for one in made.features] == [("length in characters", 9.0), ("length in words", 2.0)]


def test_files_of_no_known_kind_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"12345")
    (tmp_path / "b.wav").write_bytes(b"")
    made = summarise(read(tmp_path))
    assert made.samples == 2
    assert [one.name for one in made.features] == ["size in bytes"]


def test_a_damaged_table_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n2\n4\n")
    (tmp_path / "b.csv").write_text("x\n1,2,3\n")
    made = summarise(read(tmp_path))
    assert made.samples == 3
    assert "b.csv" in made.warnings[0]


def test_values_that_are_no_number_are_missing(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1.0], [np.inf], [np.nan], [1e308], [-1e308]]))
    (feature,) = summarise(read(tmp_path)).features
    assert (feature.count, feature.missing, feature.counts) == (3, 2, [])


def test_a_part_that_is_too_small_to_judge_by_is_warned_about(tmp_path: Path) -> None:
    rows = ["city"] + ["Rome"] * FEWEST_TO_JUDGE + ["Oslo"] * (FEWEST_TO_JUDGE - 1)
    (tmp_path / "x.csv").write_text("\n".join(rows))
    (warning,) = summarise(read(tmp_path / "x.csv", f"{tmp_path / 'x.csv'}:city")).warnings
    assert warning.startswith("label: 1 of 2 have fewer than 97 samples")
    assert "Oslo with 96, where it is known to 10 points" in warning
    (tmp_path / "x.csv").write_text("\n".join([*rows, "Oslo"]))
    assert summarise(read(tmp_path / "x.csv", f"{tmp_path / 'x.csv'}:city")).warnings == []


def test_names_from_the_data_cannot_control_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\x1b[31m,label\n1,\x1b]0;evil\x07\n5,ok\n")
    made = summarise(read(tmp_path / "x.csv", f"{tmp_path / 'x.csv'}:label"))
    assert all("\x1b" not in text for text in [*made.labels, *(one.name for one in made.features)])


def test_a_picture_is_small_and_the_same_every_time_and_holds_nothing_else(animals: Path) -> None:
    made = Image.new("RGB", (300, 100), (10, 20, 30))
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    made.save(animals / "dog/4.jpg", exif=exif)
    found = read(animals)
    first, second = (draw_picture(found.pictures[-1]) for _ in range(2))
    assert first is not None
    assert first == second
    assert b"home" not in first
    (animals / "shown.png").write_bytes(first)
    with Image.open(animals / "shown.png") as shown:
        assert shown.size == (64, 21)


def test_a_column_of_ids_in_a_table_stays_text_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,commit,x,count\n001,9182733,0.5,10\n12,61e9540,1e10,0\n,3,-0.5,7\n")
    table = read_table(tmp_path / "t.csv")
    assert table.column("id").to_pylist() == ["001", "12", None]
    assert table.column("commit").to_pylist() == ["9182733", "61e9540", "3"]
    assert table.column("x").to_pylist() == [0.5, 1e10, -0.5]
    assert table.column("count").to_pylist() == [10, 0, 7]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04N.", None])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_a_damaged_array_is_named_and_the_others_are_read(tmp_path: Path, suffix: str, content: bytes | None) -> None:
    np.save(tmp_path / "whole.npy", np.zeros((2, 4, 4)))
    if content is None:  # the form of the other suffix
        np.savez(tmp_path / "x", a=np.zeros((1, 4, 4)))
        (tmp_path / "x.npz").rename(tmp_path / f"bad.{suffix}")
    else:
        (tmp_path / f"bad.{suffix}").write_bytes(content)
    found = read(tmp_path)
    if content is None and suffix == "npz":
        assert len(found.names) == 3
    else:
        assert found.names == ["whole.npy[0]", "whole.npy[1]"]
        assert any(f"bad.{suffix}" in warning for warning in found.warnings)
