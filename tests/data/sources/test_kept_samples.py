"""Samples on disk: decoded once, and never those of other data, of a crash, or of half a write."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ledger.data.sources.kept_samples import KeptSamples, count_decoded, decoded_folder
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from ledger.data.sources.source import Arrays

COUNT = 50


class Counted:
    """Makes samples, and counts them."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.shape: tuple[int, ...] = (3,)

    def read(self, rows: "np.ndarray[Any, Any]", columns: frozenset[str] = frozenset()) -> "Arrays":
        self.made += rows.tolist()
        arrays: Arrays = {
            "image": np.stack([np.full(self.shape, row, np.uint8) for row in rows.tolist()]),
            "label": rows.astype(np.int64) * 7,
        }
        return {name: array for name, array in arrays.items() if not columns or name in columns}

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def reader() -> Counted:
    return Counted()


def kept(reader: Counted, most_bytes: int = 1 << 20, *, verified: bool = True) -> KeptSamples:
    return KeptSamples(reader, COUNT, "key", most_bytes, lambda: verified)


def rows(*numbers: int) -> "np.ndarray[Any, Any]":
    return np.array(numbers, np.int64)


def checked(samples: KeptSamples, *numbers: int) -> None:
    for columns in ((), ("label",)):
        found = samples.read(rows(*numbers), frozenset(columns))
        assert found["label"].tolist() == [7 * number for number in numbers]
        assert "image" in found or columns
        if not columns:
            assert found["image"].tolist() == [[number] * 3 for number in numbers]


def test_each_sample_is_made_once_in_any_order_and_by_any_process(reader: Counted) -> None:
    first = kept(reader)
    for numbers in ((3, 1, 4), (1, 5, 3), (5, 1, 1), (9,)):
        checked(first, *numbers)
    assert sorted(reader.made) == [1, 3, 4, 5, 9]
    first.close()
    again = kept(reader)
    checked(again, 3, 9, 20)
    checked(again, 20, 1, 2)
    assert sorted(reader.made) == [1, 2, 3, 3, 4, 5, 9, 9, 20]  # the first question says what samples look like
    with pytest.raises(LedgerError, match="no such array: `nothing`"):
        again.read(rows(1), frozenset({"nothing"}))
    again.close()


def test_what_nobody_verified_is_not_kept(reader: Counted) -> None:
    samples = kept(reader, verified=False)
    checked(samples, 1)
    checked(samples, 1)
    assert len(reader.made) == 4
    assert not decoded_folder().exists()


@pytest.mark.parametrize("damaged", ["0.bin", "sums"])
def test_a_row_that_is_not_whole_is_made_again(damaged: str, reader: Counted) -> None:
    first = kept(reader)
    checked(first, *range(10))
    first.close()
    file = decoded_folder() / "key" / damaged
    data = bytearray(file.read_bytes())
    data[9] ^= 0xFF  # of row 3 in the array, of row 2 in the checksums
    file.write_bytes(data)
    reader.made.clear()
    again = kept(reader)
    checked(again, 0)
    checked(again, *range(10))
    assert reader.made.count(3 if damaged == "0.bin" else 2) == 1
    assert len(reader.made) == 2
    again.close()


def test_a_crash_before_the_first_row_costs_nothing_later(reader: Counted) -> None:
    first = kept(reader)
    checked(first, *range(10))
    first.close()
    (decoded_folder() / "key" / "forms.json").write_bytes(b"")
    for _ in range(2):
        again = kept(reader)
        checked(again, *range(10))
        again.close()
    reader.made.clear()
    again = kept(reader)
    checked(again, 0)
    checked(again, *range(10))
    again.close()
    assert reader.made == [0]


def test_a_file_that_was_cut_is_made_again(reader: Counted) -> None:
    first = kept(reader)
    checked(first, *range(10))
    first.close()
    os.truncate(decoded_folder() / "key" / "0.bin", 4)
    reader.made.clear()
    again = kept(reader)
    checked(again, *range(10))
    checked(again, *range(10))
    assert sorted(set(reader.made)) == list(range(10))
    again.close()


def test_of_more_samples_than_there_is_room_for_the_first_are_kept(reader: Counted) -> None:
    samples = kept(reader, most_bytes=11 * 20)  # a sample has 11 bytes
    for _ in range(3):
        checked(samples, *range(15, 25))
    assert {number: reader.made.count(number) for number in (15, 19, 20, 24)} == {15: 1, 19: 1, 20: 6, 24: 6}
    samples.close()


def test_samples_of_another_shape_are_given_and_not_kept(reader: Counted) -> None:
    samples = kept(reader)
    checked(samples, 1, 2)
    reader.shape = (2, 2)
    assert samples.read(rows(3))["image"].shape == (1, 2, 2)
    assert samples.read(rows(3, 4))["image"].shape == (2, 2, 2)
    assert samples.read(rows(1, 3))["image"].shape == (2, 2, 2)
    samples.close()
    assert kept(reader).read(rows(1))["image"].shape == (1, 2, 2)


def test_one_process_writes_and_others_do_without(reader: Counted, caplog: pytest.LogCaptureFixture) -> None:
    first, second = kept(reader), kept(reader)
    checked(first, 1)
    checked(second, 1)
    checked(second, 1)
    assert caplog.messages == ["no samples are kept on disk: another process keeps them"]
    assert count_decoded()[0] == 1
    assert count_decoded(remove=True) == (0, 0)
    first.close()
    count, size = count_decoded(remove=True)
    assert (count, size > 0) == (1, True)
    assert not list(decoded_folder().iterdir())


@pytest.fixture
def full() -> Iterator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * COUNT, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_stops_nothing(reader: Counted, full: None) -> None:
    samples = kept(reader)
    for _ in range(2):
        checked(samples, *range(40, 50))  # their labels lie beyond what may be written
    assert len(reader.made) == 40
    samples.close()
