"""One dataset has one hash, whatever it is stored on."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.data.version.manifest import build_manifest, load_manifest, manifest_of, render_manifest
from ledger.errors import InvalidDocument, LedgerError, NotFound
from ledger.hashing import hash_bytes, hash_file
from ledger.model.entries import ManifestLine


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    (root / "train").mkdir(parents=True)
    (root / "empty").mkdir()
    for name in ("b.txt", "a.txt", "train/é.txt", "train-2.txt", "Z.txt"):
        (root / name).write_text(f"content of {name}")
    return root


def test_paths_stand_in_byte_order_with_size_and_hash(dataset: Path) -> None:
    manifest = build_manifest(dataset)
    assert [line.path for line in manifest.lines] == ["Z.txt", "a.txt", "b.txt", "train-2.txt", "train/é.txt"]
    assert manifest.lines[1].hash == hash_file(dataset / "a.txt")
    assert (manifest.files, manifest.bytes) == (5, sum(line.bytes for line in manifest.lines))


def test_the_hash_is_that_of_the_manifest_file(dataset: Path) -> None:
    manifest = build_manifest(dataset)
    assert manifest.hash == hash_bytes(render_manifest(manifest))


def test_the_hash_depends_on_content_and_names_only(dataset: Path, tmp_path: Path) -> None:
    before = build_manifest(dataset)
    copy = tmp_path / "somewhere" / "else"
    shutil.copytree(dataset, copy)
    (copy / "empty").rmdir()
    (copy / ".DS_Store").write_text("x")
    (copy / ".git").mkdir()
    (copy / ".git" / "HEAD").write_text("x")
    os.utime(copy / "a.txt", (1, 1))
    (copy / "a.txt").chmod(0o600)
    assert build_manifest(copy, jobs=1) == before
    (copy / "a.txt").rename(copy / "A.txt")
    assert build_manifest(copy).hash != before.hash


def test_names_of_both_unicode_forms_are_one(dataset: Path) -> None:
    before = build_manifest(dataset)
    (dataset / "train" / "é.txt").rename(dataset / "train" / "e\u0301.txt")
    assert build_manifest(dataset) == before
    (dataset / "train" / "é.txt").write_text("x")
    with pytest.raises(LedgerError, match="Unicode form"):
        build_manifest(dataset)


def test_folders_whose_names_become_one_are_told_by_their_files(dataset: Path) -> None:
    for name in ("é", "e\u0301"):
        (dataset / name).mkdir()
    with pytest.raises(LedgerError, match="Unicode form"):
        build_manifest(dataset)


def test_a_single_file_is_a_dataset_under_its_own_name(dataset: Path) -> None:
    manifest = build_manifest(dataset / "a.txt")
    assert [line.path for line in manifest.lines] == ["a.txt"]


def test_links_to_files_count_as_their_content(dataset: Path, tmp_path: Path) -> None:
    expected = build_manifest(dataset)
    (dataset / "a.txt").rename(tmp_path / "kept.txt")
    (dataset / "a.txt").symlink_to(tmp_path / "kept.txt")
    (tmp_path / "link").symlink_to(dataset)
    assert build_manifest(tmp_path / "link") == expected


@pytest.mark.parametrize(
    ("target", "said"), [("train", "leads to a folder"), ("nowhere", "is broken"), ("link", "is broken")]
)
def test_links_that_hide_data_are_refused(dataset: Path, target: str, said: str) -> None:
    (dataset / "link").symlink_to(dataset / target)
    with pytest.raises(LedgerError, match=said):
        build_manifest(dataset)


def test_pipes_and_undecodable_names_are_refused(dataset: Path) -> None:
    os.mkfifo(dataset / "pipe")
    with pytest.raises(LedgerError, match="neither a file nor a folder"):
        build_manifest(dataset)
    (dataset / "pipe").unlink()
    (dataset / os.fsdecode(b"\xff.txt")).write_text("x")
    with pytest.raises(LedgerError, match="not UTF-8"):
        build_manifest(dataset)


def test_missing_and_empty_datasets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no dataset"):
        build_manifest(tmp_path / "no")
    (tmp_path / "empty" / "inside").mkdir(parents=True)
    with pytest.raises(LedgerError, match="holds no files"):
        build_manifest(tmp_path / "empty")


def test_a_file_that_grows_while_it_is_hashed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "growing.bin"
    path.write_bytes(b"0" * 30_000_000)
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not stop.is_set():
                file.write(b"1" * 100)
                file.flush()
                time.sleep(0.0001)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(LedgerError, match="changed while it was hashed"):
            _build_often(path)
    finally:
        stop.set()
        writer.join()


def _build_often(path: Path) -> None:
    for _ in range(20):
        build_manifest(path)


def test_progress_counts_up_to_all_files(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}.txt").write_text(str(number))
    seen: list[tuple[int, int]] = []
    build_manifest(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (200, 200)
    assert seen == sorted(seen)


SEGMENT = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text not in {".", ".."} and not text.startswith("\\")
)
LINES = st.dictionaries(
    st.lists(SEGMENT, min_size=1, max_size=3).map("/".join),
    st.tuples(st.integers(0, 10**15), st.binary().map(hash_bytes)),
    min_size=1,
).map(lambda files: [ManifestLine(path=path, bytes=size, hash=content) for path, (size, content) in files.items()])


@given(LINES)
def test_a_manifest_survives_its_file(lines: list[ManifestLine]) -> None:
    manifest = manifest_of(lines)
    assert load_manifest(render_manifest(manifest), "manifest.jsonl") == manifest


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "", "a/./b", "a\\u0000"])
def test_a_manifest_that_leads_out_of_the_dataset_is_refused(path: str) -> None:
    line = '{{"path":"{}","bytes":1,"hash":"blake3:{}"}}\n'.format(path, "0" * 64)
    with pytest.raises(InvalidDocument, match="line 1: path"):
        load_manifest(line.encode(), "manifest.jsonl")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "lists no files"),
        (b"{", "line 1"),
        (b'{"path":"a","bytes":-1,"hash":"x"}', "bytes"),
        (b'{"path":"a","bytes":1,"hash":"md5:1"}', "not a hash"),
    ],
)
def test_a_damaged_manifest_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        load_manifest(data, "manifest.jsonl")


def test_lines_out_of_order_are_refused() -> None:
    lines = [ManifestLine(path=name, bytes=1, hash=hash_bytes(b"")) for name in ("b", "a")]
    data = render_manifest(manifest_of(lines)).splitlines(keepends=True)
    with pytest.raises(InvalidDocument, match="out of order"):
        load_manifest(b"".join(reversed(data)), "manifest.jsonl")
