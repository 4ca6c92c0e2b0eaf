"""The same content is the same dataset, however it is named, stored and hashed."""

import io
import json
import os
import random
import tarfile
import threading
from pathlib import Path

import fsspec
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.data.version.hashed_samples import hash_samples
from ledger.data.version.manifest import build_manifest, load_manifest, manifest_of, render_manifest
from ledger.data.version.stat_cache import StatCache
from ledger.errors import InvalidDocument, LedgerError, NotFound, UsageError
from ledger.hashing import hash_bytes
from tests.conftest import examples


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return written(tmp_path / "data", {"b.txt": b"b", "a.txt": b"a", "train/é.txt": b"e", "train/.hidden": b"h"})


def written(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def packed(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # mypy wants a literal
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


NAMES = st.lists(st.text("abÄ. ", min_size=1, max_size=3).map(lambda text: f"{text}_"), min_size=1, max_size=2)
CONTENTS = st.dictionaries(NAMES.map("/".join), st.binary(max_size=40), min_size=1)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=CONTENTS, jobs=st.integers(1, 8), chance=st.randoms(use_true_random=False))
def test_same_content_gives_the_same_hash_whatever_the_way(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], jobs: int, chance: random.Random
) -> None:
    folders = {path for name in files for path in Path(name).parents}
    files = {name: content for name, content in files.items() if Path(name) not in folders}
    mixed = list(files.items())
    chance.shuffle(mixed)
    base = tmp_path_factory.mktemp("any")
    one, other = written(base / "one", files), written(base / "other", dict(mixed))
    expected = build_manifest(one, jobs=jobs)
    assert build_manifest(other, jobs=1) == expected
    assert build_manifest(f"{other}/**") == expected
    assert build_manifest(f"file://{other}") == expected
    assert build_manifest(packed(base / "data.tar", dict(mixed))) == expected
    lines = list(expected.lines)
    chance.shuffle(lines)
    assert manifest_of(lines) == expected == load_manifest(render_manifest(expected), "manifest.jsonl")
    if len(files) == 1 and "/" not in mixed[0][0]:
        assert build_manifest(one / mixed[0][0]) == expected
    name, content = mixed[0]
    (one / name).write_bytes(content + b"x")
    assert build_manifest(one).hash != expected.hash
    (one / name).unlink()
    written(one, {f"{name}/inside": content})
    assert build_manifest(one).hash != expected.hash
    (other / name).rename(other / f"{name}2")
    assert build_manifest(other).hash != expected.hash


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("[!b]*", ["a.txt", "train/.hidden", "train/é.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "train/é.txt"]),
        ("tr*", ["train/.hidden", "train/é.txt"]),
        ("tr*/é*", ["train/é.txt"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
    ],
)
def test_a_glob_is_the_files_that_match_named_from_where_it_begins(
    dataset: Path, pattern: str, names: list[str]
) -> None:
    assert [line.path for line in build_manifest(dataset / pattern).lines] == names


def test_a_glob_looks_at_nothing_that_it_cannot_match(dataset: Path) -> None:
    (dataset / "train" / "broken").symlink_to("nowhere")
    assert build_manifest(dataset / "*.txt").files == 2
    with pytest.raises(LedgerError, match="is broken"):
        build_manifest(dataset / "**")


def test_a_name_that_looks_like_a_pattern_is_a_name(dataset: Path) -> None:
    written(dataset, {"[ab].txt": b"x"})
    assert [line.path for line in build_manifest(dataset / "[ab].txt").lines] == ["[ab].txt"]


def test_a_glob_that_matches_nothing_is_refused(dataset: Path) -> None:
    with pytest.raises(NotFound, match="nothing matches"):
        build_manifest(dataset / "*.png")
    with pytest.raises(NotFound, match="no dataset"):
        build_manifest(dataset / "no" / "*.png")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_is_the_folder_it_unpacks_to(dataset: Path, tmp_path: Path, mode: str) -> None:
    path = tmp_path / f"data.tar{mode[1:].replace(':', '.')}"
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # mypy wants a literal
        archive.add(dataset, ".")
    assert build_manifest(path) == build_manifest(dataset)


def test_shards_are_files_in_a_folder_and_samples_through_tar(tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    for number in range(3):
        packed(shards / f"{number}.tar", {"0001.png": b"p%d" % number, "0001.cls": b"1"})
    written(shards, {"readme.md": b"x"})
    assert build_manifest(shards).files == 4
    through = build_manifest(f"tar://{shards}", jobs=2)
    assert [line.path for line in through.lines][:3] == ["0.tar/0001.cls", "0.tar/0001.png", "1.tar/0001.cls"]
    assert build_manifest(f"tar://{shards}/*.tar") == through
    with pytest.raises(LedgerError, match="no tar archive"):
        build_manifest(f"tar://{shards}/*.md")


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/../b"])
def test_an_archive_that_leads_out_of_itself_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LedgerError, match="leads out of it"):
        build_manifest(packed(tmp_path / "x.tar", {name: b""}))


def test_an_archive_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.tar", {"a": b"1"})
    with tarfile.open(path, "a") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    with pytest.raises(LedgerError, match="two files with one path"):
        build_manifest(path)


def test_links_in_an_archive_count_as_their_content(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.tar", {"a": b"1"})
    with tarfile.open(path, "a") as archive:
        for name, kind in (("hard", tarfile.LNKTYPE), ("soft", tarfile.SYMTYPE)):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, "a"
            archive.addfile(link)
    assert {line.hash for line in build_manifest(path).lines} == {hash_bytes(b"1")}
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("broken")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(LedgerError, match="is broken"):
        build_manifest(path)


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.tar.gz", {"a": os.urandom(100_000)}, "w:gz")
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(LedgerError, match="damaged"):
        build_manifest(path)


def test_objects_at_an_address_are_the_same_dataset_as_the_folder(
    store: fsspec.AbstractFileSystem, dataset: Path
) -> None:
    for line in build_manifest(dataset).lines:
        store.pipe(f"/bucket/data/{line.path}", (dataset / line.path).read_bytes())
    assert build_manifest("memory://bucket/data") == build_manifest(dataset)
    assert build_manifest("memory://bucket/data/a.txt") == build_manifest(dataset / "a.txt")
    with pytest.raises(NotFound):
        build_manifest("memory://bucket/nothing")
    with pytest.raises(UsageError, match="no such kind"):
        build_manifest("nothing-of-the-kind://x")


def test_an_object_that_is_replaced_while_it_is_hashed_is_noticed(store: fsspec.AbstractFileSystem) -> None:
    for number in range(3):
        store.pipe(f"/changing/{number}", b"before")
    with pytest.raises(LedgerError, match="changed while it was hashed"):
        build_manifest("memory://changing", progress=lambda *_: store.pipe("/changing/1", b"after!"))


def test_an_object_with_a_known_strong_tag_is_not_read_again(
    store: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {"a": '"1"', "b": 'W/"1"', "c": None}
    for name in tags:
        store.pipe(f"/tagged/{name}", name.encode())
    plain = type(store).find
    read: list[str] = []

    def find(self: object, path: str, **options: object) -> object:
        found = plain(self, path, **options)
        return {path: {**facts, "ETag": tags[path[-1]]} for path, facts in found.items()}

    monkeypatch.setattr(type(store), "find", find)
    opened = type(store).open

    def reading(self: object, path: str, *rest: object, **options: object) -> object:
        read.append(path)
        return opened(self, path, *rest, **options)

    monkeypatch.setattr(type(store), "open", reading)
    cache = StatCache(tmp_path / "hashes.sqlite3")
    first = build_manifest("memory://tagged", cache=cache)
    read.clear()
    assert build_manifest("memory://tagged", cache=cache) == first
    assert [path[-1] for path in read] == ["b", "c"]
    tags["a"] = '"2"'
    store.pipe("/tagged/a", b"A")
    assert build_manifest("memory://tagged", cache=cache) != first


def test_a_pointer_in_place_of_data_is_noticed(dataset: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    (dataset / "big.bin").write_text(pointer)
    with pytest.raises(LedgerError, match="git-lfs pointer") as caught:
        build_manifest(dataset)
    assert caught.value.hint == "git lfs pull"
    (dataset / "big.bin").write_text(f"{pointer}{'x' * 1000}")
    assert build_manifest(dataset).files == 5


def test_what_dvc_keeps_is_named_by_its_own_hash(tmp_path: Path) -> None:
    md5 = "0a" * 16
    cache = tmp_path / ".dvc" / "cache" / "files" / "md5"
    written(cache, {f"{md5[:2]}/{md5[2:]}": b"12345"})
    listing = json.dumps([{"md5": md5, "relpath": "a/b.png"}]).encode()
    written(cache, {"11/1" + "1" * 29 + ".dir": listing})
    one = tmp_path / "x.bin.dvc"
    one.write_text(f"outs:\n- md5: {md5}\n  size: 5\n  hash: md5\n  path: x.bin\n")
    folder = tmp_path / "data.dvc"
    folder.write_text(f"outs:\n- md5: {'1' * 32}.dir\n  size: 5\n  nfiles: 1\n  hash: md5\n  path: data\n")
    assert [(line.path, line.bytes, line.hash) for line in build_manifest(one).lines] == [("x.bin", 5, f"md5:{md5}")]
    manifest = build_manifest(folder)
    assert [(line.path, line.bytes, line.hash) for line in manifest.lines] == [("a/b.png", 5, f"md5:{md5}")]
    assert load_manifest(render_manifest(manifest), "manifest.jsonl") == manifest
    lock = tmp_path / "dvc.lock"
    lock.write_text("schema: '2.0'\nstages:\n  make:\n    " + folder.read_text().replace("\n", "\n    "))
    assert [line.path for line in build_manifest(lock).lines] == ["data/a/b.png"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("outs: [", "not YAML"),
        ("outs: 3", "names no data"),
        ("- 1", "names no data"),
        ("outs:\n- path: x\n  etag: abc\n", "MD5 of its content is missing"),
        (f"outs:\n- path: x\n  md5: {'0a' * 16}\n  size: 1\n", "MD5 of its content is missing"),
        (f"outs:\n- path: ../x\n  md5: {'0a' * 16}\n  hash: md5\n  size: 1\n", "leads out"),
        (f"outs:\n- path: x\n  md5: {'0a' * 16}\n  hash: md5\n", "its size is missing"),
        (f"outs:\n- path: x\n  md5: {'0a' * 16}.dir\n  hash: md5\n", "listing"),
    ],
)
def test_a_dvc_file_that_proves_nothing_is_refused(tmp_path: Path, said: str, message: str) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "x.dvc").write_text(said)
    with pytest.raises(LedgerError, match=message):
        build_manifest(tmp_path / "x.dvc")


def test_a_folder_that_grows_while_it_is_hashed_is_noticed(tmp_path: Path) -> None:
    written(tmp_path, {f"{number}": b"x" for number in range(200)})
    with pytest.raises(LedgerError, match="the dataset changed while it was hashed"):
        build_manifest(tmp_path, progress=lambda *_: (tmp_path / "new").touch())
    build_manifest(tmp_path, progress=lambda *_: (tmp_path / ".DS_Store").touch())


def test_a_file_that_is_replaced_while_it_is_hashed_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, {"data/big": os.urandom(1 << 22), "new": os.urandom(1 << 22)}) / "data" / "big"
    stop = threading.Event()

    def replace() -> None:
        while not stop.is_set():
            (tmp_path / "again").write_bytes(b"x" * (1 << 22))
            (tmp_path / "again").rename(path)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        with pytest.raises(LedgerError, match="changed while it was hashed"):
            _build_often(path)
    finally:
        stop.set()
        thread.join()


def _build_often(path: Path) -> None:
    for _ in range(200):
        build_manifest(path)


def test_an_unreadable_file_and_a_link_loop_are_told(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (dataset / "loop").symlink_to("loop")
    with pytest.raises(LedgerError, match="is broken"):
        build_manifest(dataset)
    (dataset / "loop").unlink()
    plain = os.open

    def refusing(path: str, *rest: int) -> int:
        if str(path).endswith("a.txt"):
            raise PermissionError(13, "Permission denied", path)
        return plain(path, *rest)

    monkeypatch.setattr(os, "open", refusing)  # root may read everything
    with pytest.raises(LedgerError, match=r"cannot be read \(permission denied\)"):
        build_manifest(dataset)


def test_samples_are_hashed_by_what_they_hold() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    expected = hash_samples(array)
    assert [line.path for line in expected.lines][:2] == ["000000000000", "000000000001"]
    assert hash_samples(list(array)) == expected
    assert hash_samples(np.asfortranarray(array)) == expected
    assert hash_samples(array.astype(">f4")) == expected
    assert hash_samples(torch.from_numpy(array)) == expected
    assert hash_samples(torch.from_numpy(array).t().contiguous().t()) == expected
    for other in (array.astype(np.float64), array.reshape(3, 2, 2), array[::-1], array[:2], array + 1):
        assert hash_samples(other) != expected


def test_a_torch_dataset_is_hashed_by_its_samples() -> None:
    inputs, labels = torch.arange(6.0).reshape(3, 2), torch.tensor([0, 1, 0])
    dataset = torch.utils.data.TensorDataset(inputs, labels)
    assert hash_samples(dataset) == hash_samples(list(zip(inputs, labels, strict=True)))
    assert hash_samples([{"x": inputs, "y": 1}]) == hash_samples([{"y": 1, "x": inputs}])
    assert hash_samples([inputs.to(torch.bfloat16)]) != hash_samples([inputs.to(torch.float16)])


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


@given(st.lists(st.recursive(PLAIN, st.lists, max_leaves=4), min_size=1))
def test_samples_that_differ_have_hashes_that_differ(values: list[object]) -> None:
    hashes = {repr(value): hash_samples([value]).hash for value in values}
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize("samples", [[], [object()], [np.array([object()])], [lambda: 1]])
def test_samples_without_canonical_bytes_are_refused(samples: list[object]) -> None:
    with pytest.raises(LedgerError):
        hash_samples(samples)


def test_a_manifest_line_with_an_unknown_hash_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="not a hash"):
        load_manifest(b'{"path":"a","bytes":1,"hash":"sha1:00"}\n', "manifest.jsonl")
