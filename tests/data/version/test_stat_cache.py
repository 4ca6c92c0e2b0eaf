"""Unchanged files are not read again, and nothing but certainly unchanged ones are taken for it."""

import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ledger.data.version.files
from ledger.data.version.manifest import build_manifest
from ledger.data.version.stat_cache import RESOLUTION_NS, StatCache
from ledger.hashing import hash_descriptor
from tests.conftest import examples


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    for number in range(200):
        (root / f"{number}.txt").write_text(f"content {number}")
    long_ago(root)
    return root


@pytest.fixture
def cache(tmp_path: Path) -> StatCache:
    return StatCache(tmp_path / "state" / "hashes.sqlite3")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every file that is hashed leaves its size."""
    seen: list[int] = []

    def counting(descriptor: int, size: int, buffer: memoryview) -> tuple[str, int]:
        seen.append(size)
        return hash_descriptor(descriptor, size, buffer)

    monkeypatch.setattr(ledger.data.version.files, "hash_descriptor", counting)
    # A clock that is ahead by more than a file system's resolution: nothing here is too young to be remembered.
    monkeypatch.setattr(ledger.data.version.files, "is_at_rest", lambda _status, _now: True)
    return seen


def long_ago(root: Path) -> None:
    for path in root.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))


def test_a_second_pass_reads_no_file(dataset: Path, cache: StatCache, reads: list[int]) -> None:
    first = build_manifest(dataset, cache=cache)
    assert len(reads) == 200
    assert build_manifest(dataset, cache=cache) == first == build_manifest(dataset)
    assert len(reads) == 400, "only the pass without a cache read them again"


def test_only_what_changed_is_read(dataset: Path, cache: StatCache, reads: list[int]) -> None:
    build_manifest(dataset, cache=cache)
    reads.clear()
    (dataset / "7.txt").write_text("content X")
    (dataset / "new.txt").write_text("n")
    (dataset / "8.txt").unlink()
    assert build_manifest(dataset, cache=cache) == build_manifest(dataset)
    assert sorted(reads[:2]) == [1, 9]


def test_a_change_that_keeps_size_and_time_is_seen(dataset: Path, cache: StatCache, reads: list[int]) -> None:
    before = build_manifest(dataset, cache=cache)
    (dataset / "7.txt").write_text("content X")
    os.utime(dataset / "7.txt", (1_000_000_000, 1_000_000_000))
    reads.clear()
    assert build_manifest(dataset, cache=cache).hash != before.hash
    assert reads == [9]


def test_a_file_that_is_not_yet_at_rest_is_read_again(dataset: Path, cache: StatCache) -> None:
    """Git's racy rule: a file written again within the same tick of the clock looks as it did."""
    build_manifest(dataset, cache=cache)  # all of it was written within the last two seconds
    path = dataset / "7.txt"
    seen = path.stat()
    while True:  # until both writes fall into one tick
        path.write_text("content A")
        first = path.stat()
        build_manifest(dataset, cache=cache)
        path.write_text("content B")
        if path.stat().st_mtime_ns - first.st_mtime_ns < RESOLUTION_NS:
            break
    assert seen.st_size == first.st_size
    assert build_manifest(dataset, cache=cache) == build_manifest(dataset)
    with sqlite3.connect(cache.file) if cache.file.exists() else sqlite3.connect(":memory:") as database:
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    assert not tables, "nothing young is remembered"


def test_what_rests_long_enough_is_remembered(dataset: Path, cache: StatCache) -> None:
    time.sleep(RESOLUTION_NS / 1e9 + 0.1)
    build_manifest(dataset, cache=cache)
    with sqlite3.connect(cache.file) as database:
        assert database.execute("SELECT count(*) FROM files").fetchone() == (200,)


def test_what_is_gone_is_forgotten(dataset: Path, cache: StatCache, reads: list[int]) -> None:
    build_manifest(dataset, cache=cache)
    for number in range(100):
        (dataset / f"{number}.txt").unlink()
    build_manifest(dataset, cache=cache)
    with sqlite3.connect(cache.file) as database:
        assert database.execute("SELECT count(*) FROM files").fetchone() == (100,)
    assert len(reads) == 200


@pytest.mark.parametrize("content", [b"", b"not SQLite at all" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_cache_is_ignored_and_made_anew(
    dataset: Path, cache: StatCache, reads: list[int], content: bytes
) -> None:
    cache.file.parent.mkdir()
    cache.file.write_bytes(content)
    assert build_manifest(dataset, cache=cache) == build_manifest(dataset)
    build_manifest(dataset, cache=cache)
    reads.clear()
    build_manifest(dataset, cache=cache)
    assert reads == []


def test_a_database_of_something_else_is_not_written_into(dataset: Path, cache: StatCache) -> None:
    cache.file.parent.mkdir()
    with sqlite3.connect(cache.file) as database:
        database.execute("CREATE TABLE files (dataset INT, name TEXT, value BLOB)")
    assert build_manifest(dataset, cache=cache) == build_manifest(dataset)


def test_a_folder_that_cannot_be_written_costs_nothing(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert build_manifest(dataset, cache=StatCache(tmp_path / "file" / "hashes.sqlite3")) == build_manifest(dataset)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), flipped=st.integers(1, 255))
def test_a_flipped_byte_never_gives_another_hash(
    dataset: Path, cache: StatCache, reads: list[int], position: float, flipped: int
) -> None:
    assert reads is not None
    kept = cache.file.with_name("kept")
    if not kept.exists():
        build_manifest(dataset, cache=cache)
        shutil.copy(cache.file, kept)
    data = bytearray(kept.read_bytes())
    data[int(position * len(data))] ^= flipped
    cache.file.write_bytes(data)
    assert build_manifest(dataset, cache=cache) == build_manifest(dataset)
