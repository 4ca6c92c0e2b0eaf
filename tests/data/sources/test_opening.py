"""What lies at a path decides what its samples are; each is read at its place, and what is damaged is named."""

import io
import json
import os
import pickle
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from PIL import Image

import ledger
from ledger.data.preparing.step_values import write_value
from ledger.data.sources.columns import FileColumn
from ledger.data.sources.local_copies import LocalCopies
from ledger.data.sources.objects import ObjectSource
from ledger.data.sources.opening import open_source
from ledger.data.sources.sample_sources import FileSource
from ledger.errors import LedgerError
from tests.conftest import Cli


def rows(*numbers: int) -> Any:  # an array of row numbers
    return np.array(numbers, dtype=np.int64)


def grey(number: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (4, 3), number).save(out, "PNG")
    return out.getvalue()


def pictures(root: Path, classes: Sequence[str] = ("cat", "dog"), count: int = 3) -> Path:
    for place, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for number in range(count):
            (root / name / f"{number}.png").write_bytes(grey(10 * place + number))
    return root


def arrays(root: Path, count: int = 100) -> Path:
    root.mkdir()
    np.save(root / "image.npy", np.arange(count * 6, dtype=np.uint16).reshape(count, 2, 3))
    np.save(root / "label.npy", np.arange(count) % 4)
    return root


def test_columns_are_read_by_row_in_any_order(tmp_path: Path) -> None:
    source = open_source(str(arrays(tmp_path / "data")))
    read = source.read(rows(7, 8, 9, 3, 3, 99))
    assert len(source) == 100
    assert read["image"].tolist() == np.arange(600).reshape(100, 2, 3)[[7, 8, 9, 3, 3, 99]].tolist()
    assert read["image"].dtype == np.uint16
    assert read["label"].tolist() == [3, 0, 1, 3, 3, 3]
    assert source.values("label") == [str(number % 4) for number in range(100)]
    assert source.values("colour") is None


@pytest.mark.parametrize(
    "values", [np.arange(9.0), np.array(["a", "bcd", ""]), np.zeros((5, 0)), np.ones((3, 2), bool)]
)
def test_every_kind_of_value_comes_back(
    values: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # an array
    np.save(tmp_path / "x.npy", values)
    monkeypatch.setattr("ledger.data.sources.columns._WHOLE_BYTES", -1)  # read from the file, however small
    column = FileColumn(tmp_path / "x.npy")
    order = np.arange(len(values))[::-1]
    assert column.read(order).tolist() == values[order].tolist()
    column.close()


@pytest.mark.parametrize("change", ["truncate", "rewrite"])
def test_a_file_that_changes_under_the_training_is_an_error_and_no_crash(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.data.sources.columns._WHOLE_BYTES", 0)
    folder = arrays(tmp_path / "data")
    source = open_source(str(folder), columns=["image"])
    file = folder / "image.npy"
    if change == "truncate":
        with file.open("r+b") as opened:
            opened.truncate(200)
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(LedgerError, match=r"the data changed while a training read them: `.*image\.npy`"):
        source.read(rows(99))


def test_a_file_that_nobody_may_write_to_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.data.sources.columns._WHOLE_BYTES", 0)
    folder = arrays(tmp_path / "data")
    (folder / "image.npy").chmod(0o444)
    column = FileColumn(folder / "image.npy")
    order = rows(5, 4, 99, 0)
    into = np.zeros((4, 2, 3), np.uint16)
    assert column.read(order, into) is into
    assert into.tolist() == column.read(order).tolist() == np.arange(600).reshape(100, 2, 3)[order].tolist()
    (folder / "image.npy").rename(tmp_path / "renamed.npy")  # a result that is no longer kept may still be read
    assert column.read(order).tolist() == into.tolist()
    (tmp_path / "renamed.npy").chmod(0o644)
    with (tmp_path / "renamed.npy").open("r+b") as file:
        file.truncate(200)
    (tmp_path / "renamed.npy").chmod(0o444)
    for truncated in (column, FileColumn(tmp_path / "renamed.npy")):
        with pytest.raises(LedgerError, match="the data changed while a training read them"):
            truncated.read(order)


def test_columns_that_could_be_parts_must_be_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("one", "two"):
        np.save(folder / f"{name}.npy", np.zeros((5, 3)))
    with pytest.raises(LedgerError, match="may be columns of each sample, or parts of one"):
        open_source(str(folder))
    assert sorted(open_source(str(folder), columns=["one", "two"]).read(rows(0))) == ["one", "two"]
    with pytest.raises(LedgerError, match="no such column: `three`"):
        open_source(str(folder), columns=["one", "three"])


def test_columns_of_different_length_are_no_samples(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=np.zeros((5, 2)), label=np.zeros(4))
    with pytest.raises(LedgerError, match="different numbers of rows: `image 5, label 4`"):
        open_source(str(tmp_path / "x.npz"))
    assert len(open_source(str(tmp_path / "x.npz"), columns=["image"])) == 5


def test_arrays_of_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(LedgerError, match="has no rows to read"):
        open_source(str(tmp_path / "x.npy"))
    np.savez(tmp_path / "x.npz", a=np.array([None], dtype=object))
    with pytest.raises(LedgerError, match="cannot be read"):
        open_source(str(tmp_path / "x.npz"))
    (tmp_path / "y.npy").write_bytes(b"no array")
    with pytest.raises(LedgerError, match=r"cannot be read.*y\.npy"):
        open_source(str(tmp_path / "y.npy"))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"x": np.zeros((5, 2)), "label": np.arange(5)}, ["label", "x"]),
        ((np.zeros((5, 2)), np.arange(5)), ["0", "1"]),
        (np.zeros((5, 2)), ["data"]),
    ],
)
def test_what_a_cached_step_kept_is_columns(value: object, names: list[str], tmp_path: Path) -> None:
    write_value(value, tmp_path)
    assert sorted(open_source(str(tmp_path)).read(rows(1, 4))) == names


def test_pictures_have_the_place_of_their_label(tmp_path: Path) -> None:
    source = open_source(str(pictures(tmp_path / "data")))
    read = source.read(rows(0, 4))
    assert read["image"].shape == (2, 3, 4)
    assert read["image"].dtype == np.uint8
    assert [int(image.max()) for image in read["image"]] == [0, 11]
    assert read["label"].tolist() == [0, 1]
    assert source.values("label") == ["cat"] * 3 + ["dog"] * 3
    assert source.values("folder:1") == ["cat"] * 3 + ["dog"] * 3


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "data")
    (folder / "dog" / "1.png").write_bytes(grey(1)[:40])
    with pytest.raises(LedgerError, match=r"cannot be read .*: `dog/1\.png`"):
        open_source(str(folder)).read(rows(3, 4))


def test_samples_of_two_shapes_are_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "data")
    Image.new("L", (9, 9)).save(folder / "dog" / "1.png")
    with pytest.raises(LedgerError, match=r"differ in shape: `dog/0\.png` has image \(3, 4\), `dog/1\.png` \(9, 9\)"):
        open_source(str(folder)).read(rows(3, 4))


def test_texts_and_arrays_in_files_are_samples(tmp_path: Path) -> None:
    for name, text in (("a/0.txt", "short"), ("b/1.txt", "a longer text")):
        (tmp_path / "texts" / name).parent.mkdir(parents=True)
        (tmp_path / "texts" / name).write_text(text)
    read = open_source(str(tmp_path / "texts")).read(rows(1, 0))
    assert read["text"].tolist() == ["a longer text", "short"]
    for name in ("a/0.npy", "b/1.npy"):
        (tmp_path / "arrays" / name).parent.mkdir(parents=True)
        np.save(tmp_path / "arrays" / name, np.full(3, int(name[2])))
    assert open_source(str(tmp_path / "arrays")).read(rows(1, 0))["array"].tolist() == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("how", ["write", "replace", "truncate"])
def test_a_picture_that_changes_under_the_training_is_told(how: str, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "data")
    source = open_source(str(folder))
    assert int(source.read(rows(4))["image"].max()) == 11
    picture, opened = folder / "dog" / "1.png", time.time_ns()
    while picture.stat().st_ctime_ns <= opened:  # the clock of files goes in steps
        if how == "truncate":
            os.truncate(picture, 20)
        elif how == "write":
            picture.write_bytes(grey(99))  # a picture like any other
        else:
            (tmp_path / "new.png").write_bytes(grey(99))
            os.utime(tmp_path / "new.png", (0, 0))  # as old as it may be, as `cp -p` leaves it
            (tmp_path / "new.png").replace(picture)
    with pytest.raises(LedgerError, match=r"^the data changed while a training read them: `.*dog/1\.png`$"):
        source.read(rows(3, 4))
    assert int(source.read(rows(3))["image"].max()) == 10
    assert int(open_source(str(folder)).read(rows(3))["image"].max()) == 10


def test_a_picture_that_changes_before_it_is_read_is_told_too(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "data")
    source = open_source(str(folder))
    for place, picture in enumerate((folder / "cat" / "1.png", folder / "dog" / "1.png")):
        (tmp_path / f"link-{place}").hardlink_to(picture)
        picture.chmod(0o600)
    while (folder / "dog" / "1.png").stat().st_mtime_ns <= source.opened_ns:  # type: ignore[attr-defined]  # of files
        (folder / "dog" / "1.png").write_bytes(grey(99))
    assert int(source.read(rows(1))["image"].max()) == 1
    for late in (source, open_source(str(folder), opened_ns=source.opened_ns)):  # type: ignore[attr-defined]  # the same
        with pytest.raises(LedgerError, match=r"^the data changed while a training read them: `.*dog/1\.png`$"):
            late.read(rows(3, 4))
    assert int(open_source(str(folder)).read(rows(4))["image"].max()) == 99


@pytest.mark.parametrize("kind", ["held", "read", "archive"])
def test_what_changed_before_another_process_opens_it_is_told(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind != "held":
        monkeypatch.setattr("ledger.data.sources.columns._WHOLE_BYTES", 0)
    file = tmp_path / ("x.tar" if kind == "archive" else "x.npy")
    if kind == "archive":
        shard(file, [(f"{number}.cls", b"1") for number in range(5)])
    else:
        np.save(file, np.zeros((100, 8)))
    source = open_source(str(file))
    handed_over = pickle.dumps(source)
    assert len(pickle.loads(handed_over).read(rows(3))) == 1  # noqa: S301  # our own
    data = bytearray(file.read_bytes())
    data[512 if kind == "archive" else -1] ^= 3
    file.unlink()
    file.write_bytes(data)
    os.utime(file, (1, 1))  # the clock of files goes in steps
    with pytest.raises(LedgerError, match=r"^the data changed while a training read them: "):
        pickle.loads(handed_over).read(rows(3))  # noqa: S301  # the same


def test_another_link_to_a_file_and_other_rights_are_no_change(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "data")
    np.save(tmp_path / "x.npy", np.zeros((2_000_000, 8)))
    shard(tmp_path / "x.tar", [(f"{number}.cls", b"1") for number in range(5)])
    sources = [open_source(str(place)) for place in (folder, tmp_path / "x.npy", tmp_path / "x.tar")]
    before = [source.read(rows(1, 2)) for source in sources]
    for file in (folder / "dog" / "1.png", tmp_path / "x.npy", tmp_path / "x.tar"):
        (tmp_path / f"backup-{file.name}").hardlink_to(file)
        file.chmod(0o444)
    for source, then in zip(sources, before, strict=True):
        assert {name: now.tobytes() for name, now in source.read(rows(1, 2)).items()} == {
            name: value.tobytes() for name, value in then.items()
        }


def test_samples_at_a_url_are_copied_when_they_are_read_and_no_sooner(tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    folder = pictures(tmp_path / "data")
    store.put(str(folder), "/bucket/pictures", recursive=True)
    here, copies = open_source(str(folder)), LocalCopies("memory://bucket/pictures", tmp_path / "copies")
    there = FileSource(Path(), None, copies)
    assert there.values("label") == here.values("label")
    assert not (tmp_path / "copies").exists()
    assert there.read(rows(4, 0))["image"].tolist() == here.read(rows(4, 0))["image"].tolist()
    assert len(list((tmp_path / "copies").iterdir())) == 2
    store.pipe("/bucket/pictures/dog/1.png", b"other")  # what was listed is what is served
    assert int(there.read(rows(4))["image"].max()) == 11
    store.rm("/bucket/pictures", recursive=True)
    assert int(there.read(rows(4))["image"].max()) == 11
    with pytest.raises(LedgerError, match="no dataset at"):
        there.read(rows(1))


def test_copies_have_a_bounded_size_and_the_one_used_last_stays(tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    for number in range(6):
        store.pipe(f"/bounded/{number}.bin", bytes(100))
    copies = LocalCopies("memory://bounded", tmp_path / "copies", most_bytes=350)
    for number in range(6):
        assert copies.path(f"{number}.bin").read_bytes() == bytes(100)
        assert copies.path("0.bin").exists()
        assert sum(file.stat().st_size for file in (tmp_path / "copies").iterdir()) <= 350


def test_a_copy_that_is_cut_short_or_has_no_room_is_an_error(tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    store.put(str(pictures(tmp_path / "data")), "/cut", recursive=True)
    source = FileSource(Path(), None, LocalCopies("memory://cut", tmp_path / "copies"))
    store.pipe("/cut/dog/1.png", grey(11)[:-9])  # as a connection that ends too early
    with pytest.raises(LedgerError, match="the data changed while a training read them"):
        source.read(rows(4))
    assert source.read(rows(0))["image"].shape == (1, 3, 4)
    with pytest.raises(LedgerError, match="larger than 9 bytes together"):
        LocalCopies("memory://cut", tmp_path / "copies", most_bytes=9).paths()


def test_a_copy_that_another_process_removes_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fsspec.filesystem("memory")
    store.pipe("/removed/x.bin", b"content")
    copies = LocalCopies("memory://removed", tmp_path / "copies")
    path = LocalCopies.path
    calls: list[str] = []

    def removed_once(self: LocalCopies, name: str) -> Path:
        copy = path(self, name)
        calls.append(name)
        if len(calls) == 1:
            copy.unlink()
        return copy

    monkeypatch.setattr(LocalCopies, "path", removed_once)
    assert copies.read("x.bin") == b"content"
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["columns", "array.npy", "table.csv", "shards"])
def test_columns_tables_and_archives_at_a_url_are_what_they_are_here(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.setenv("LEDGER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "columns").mkdir()
    np.save(tmp_path / "columns" / "x.npy", np.arange(6.0).reshape(3, 2))
    np.save(tmp_path / "columns" / "label.npy", np.arange(3))
    np.save(tmp_path / "array.npy", np.arange(3))
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "shards").mkdir()
    shard(tmp_path / "shards" / "x.tar", [(f"{number}.cls", b"1") for number in range(5)])
    fsspec.filesystem("memory").put(str(tmp_path / name), f"/kinds/{name}", recursive=True)
    here, there = open_source(str(tmp_path / name)), open_source(f"memory://kinds/{name}")
    assert {key: value.tolist() for key, value in there.read(rows(1, 0)).items()} == {
        key: value.tolist() for key, value in here.read(rows(1, 0)).items()
    }
    assert (here.kind, len(here)) == (there.kind, len(there))
    held = f"copies of files at URLs: {2 if name == 'columns' else 1}, "
    assert cli("cache").err.startswith(held)
    assert cli("cache", "clean").err.splitlines()[1].startswith(f"removed {held}")
    assert not list((tmp_path / "cache" / "copies").iterdir())


def test_an_archive_that_changes_under_the_training_is_told(tmp_path: Path) -> None:
    shard(tmp_path / "x.tar", [(f"{number}.cls", b"1") for number in range(5)])
    source = open_source(str(tmp_path))
    assert source.read(rows(4))["label"].tolist() == [1]
    before = (tmp_path / "x.tar").stat().st_mtime_ns
    while (tmp_path / "x.tar").stat().st_mtime_ns == before:  # the clock of files goes in steps
        with (tmp_path / "x.tar").open("r+b") as file:
            file.seek(512)
            file.write(b"2")
    with pytest.raises(LedgerError, match=r"^the data changed while a training read them: `.*x\.tar`$"):
        source.read(rows(4))


def test_other_files_are_no_samples_and_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "sound.wav").write_bytes(b"RIFF")
    (tmp_path / "more.wav").write_bytes(b"RIFF")
    with pytest.raises(LedgerError, match=r"not all pictures, arrays or texts: `more\.wav`"):
        open_source(str(tmp_path))
    with pytest.raises(LedgerError, match="no array, table or tar archive"):
        open_source(str(tmp_path / "sound.wav"))
    with pytest.raises(LedgerError, match="no dataset at"):
        open_source(str(tmp_path / "nothing"))


def shard(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def test_shards_are_read_as_webdataset_writes_them(tmp_path: Path) -> None:
    for number in range(2):
        members = [
            (f"{place:03}.{ending}", data)
            for place in range(5 * number, 5 * number + 5)
            for ending, data in (
                ("png", grey(place)),
                ("cls", str(place % 3).encode()),
                ("json", json.dumps({"width": place, "name": "x"}).encode()),
            )
        ]
        shard(tmp_path / f"shard-{number}.tar", members)
    source = open_source(str(tmp_path))
    read = source.read(rows(9, 0, 5))
    assert len(source) == 10
    assert [int(image.max()) for image in read["image"]] == [9, 0, 5]
    assert read["label"].tolist() == [0, 0, 2]
    assert read["width"].tolist() == [9, 0, 5]
    assert source.values("label") == [str(place % 3) for place in range(10)]
    shard(tmp_path / "shard-1.tar", [("005.wav", b"x")])
    with pytest.raises(LedgerError, match=r"no picture, array, text or number: `\.wav`"):
        open_source(str(tmp_path / "shard-1.tar")).read(rows(0))
    (tmp_path / "bad.tar").write_bytes(b"x" * 600)
    with pytest.raises(LedgerError, match=r"archive cannot be read .*bad\.tar"):
        open_source(str(tmp_path / "bad.tar"))


def test_tables_are_columns_and_missing_values_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("size,colour\n1,red\n2,blue\n3,red\n")
    source = open_source(str(tmp_path / "x.csv"))
    assert source.read(rows(2, 0))["colour"].tolist() == ["red", "red"]
    assert source.values("colour") == ["red", "blue", "red"]
    (tmp_path / "y.csv").write_text("size,colour\n1,red\n,blue\n")
    with pytest.raises(LedgerError, match="missing values, which no array holds: `size`"):
        open_source(str(tmp_path / "y.csv"))


class Items:
    targets = (1, 0, 1)

    def __len__(self) -> int:
        return 3

    def __getitem__(self, row: int) -> tuple[object, int]:
        if row == 2:
            raise KeyError("lost")
        return np.full(2, row), self.targets[row]


def test_an_object_of_python_is_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_data.py").write_text("def make():\n    return [(number, number % 2) for number in range(4)]\n")
    monkeypatch.chdir(tmp_path)
    source = open_source("own_data:make")
    assert source.read(rows(3, 1))["label"].tolist() == [1, 1]
    assert source.values("label") == ["0", "1", "0", "1"]
    source = ObjectSource(Items(), "items")
    assert source.values("label") == ["1", "0", "1"]
    assert source.read(rows(1, 0))["data"].tolist() == [[1, 1], [0, 0]]
    with pytest.raises(LedgerError, match=r"KeyError.*: `items\[2\]`"):
        source.read(rows(2))
    with pytest.raises(LedgerError, match="ModuleNotFoundError"):
        open_source("no_such_module:make")
    with pytest.raises(LedgerError, match="no length"):
        ObjectSource(iter([]), "stream")


def test_batches_of_an_object_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.arange(12).reshape(6, 2), torch.tensor([0, 1, 0, 1, 0, 1]))
    for batch in ledger.batches(data, batch_size=3, keep={"label": ["1"]}, as_torch=True):
        assert batch["label"].tolist() == [1, 1, 1]
        assert sorted(batch["data"][:, 0].tolist()) == [2, 6, 10]
