"""A file has one hash, however large it is and however it is read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from ledger import hashing
from ledger.hashing import hash_descriptor, hash_file, new_buffer

SMALL, READ, WINDOW, LARGE = 1 << 8, 1 << 10, 1 << 12, 1 << 14
"""Sizes in place of the true ones, so that a file of a few kB is read as one of many GB is."""
SIZES = [
    *(0, 1, SMALL - 1, SMALL, SMALL + 1, READ - 1, READ, READ + 1, 3 * READ),
    *(LARGE - 1, LARGE, LARGE + 1, LARGE + READ, LARGE + READ + 1, 2 * LARGE - 1),
]


@pytest.fixture(autouse=True)
def sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_SMALL", SMALL)
    monkeypatch.setattr(hashing, "_AT_ONCE", READ)
    monkeypatch.setattr(hashing, "_PART", READ)
    monkeypatch.setattr(hashing, "_WINDOW", WINDOW)
    monkeypatch.setattr(hashing, "_LARGE", LARGE)


@pytest.fixture
def short_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every read gives less than was asked for, as those of some network file systems do."""
    whole, several, at = os.read, os.readv, os.preadv
    monkeypatch.setattr(os, "read", lambda file, size: whole(file, min(size, 100)))
    monkeypatch.setattr(os, "readv", lambda file, buffers: several(file, [buffers[0][:700]]))
    monkeypatch.setattr(os, "preadv", lambda file, buffers, place: at(file, [buffers[0][:700]], place))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "data.bin"
    path.write_bytes(content(2 * LARGE))
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def content(size: int) -> bytes:
    return bytes(number % 251 for number in range(size))


def expected(data: bytes) -> str:
    return f"blake3:{blake3(data).hexdigest()}"


@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_has_the_hash_of_its_bytes(tmp_path: Path, size: int) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(content(size))
    assert hash_file(path) == expected(content(size))


@pytest.mark.usefixtures("short_reads")
@pytest.mark.parametrize("size", SIZES)
def test_short_reads_change_no_hash(tmp_path: Path, size: int) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(content(size))
    assert hash_file(path) == expected(content(size))


def test_a_buffer_holds_nothing_of_the_file_before(tmp_path: Path) -> None:
    buffer = new_buffer()
    for size in reversed(SIZES):
        path = tmp_path / f"{size}.bin"
        path.write_bytes(content(size))
        with path.open("rb", buffering=0) as file:
            assert hash_descriptor(file.fileno(), size, buffer) == (expected(content(size)), size)


@pytest.mark.parametrize("size", [0, SMALL - 1, LARGE - 1, LARGE, 3 * LARGE])
def test_another_size_than_expected_is_said_with_the_hash_of_what_is_there(opened: int, size: int) -> None:
    assert hash_descriptor(opened, size) == (expected(content(2 * LARGE)), 2 * LARGE)


def test_a_large_file_that_is_cut_short_meanwhile_ends_where_it_ends(
    opened: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.preadv

    def cutting(file: int, buffers: list[memoryview], place: int) -> int:
        os.ftruncate(opened, LARGE + 10)
        return read(file, buffers, place)

    monkeypatch.setattr(os, "preadv", cutting)
    assert hash_descriptor(opened, 2 * LARGE) == (expected(content(LARGE + 10)), LARGE + 10)


@pytest.mark.parametrize("failing", [0, READ, WINDOW, WINDOW + READ])
def test_an_error_of_any_thread_is_raised(opened: int, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    read = os.preadv

    def broken(file: int, buffers: list[memoryview], place: int) -> int:
        if place == failing:
            raise OSError(5, "Input/output error")
        return read(file, buffers, place)

    monkeypatch.setattr(os, "preadv", broken)
    with pytest.raises(OSError, match="Input/output"):
        hash_descriptor(opened, 2 * LARGE)
