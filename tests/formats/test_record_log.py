"""Logs of records: what is written whole is read, and what is broken costs no more than its block."""

import struct
import zlib
from pathlib import Path

import pytest

from ledger.formats.record_log import read_log_records

BLOCK = 32768


def part(kind: int, data: bytes) -> bytes:
    return struct.pack("<IHB", zlib.crc32(bytes([kind]) + data), len(data), kind) + data


def log(*records: bytes) -> bytes:
    """Return a log, as LevelDB writes it."""
    out = b""
    for record in records:
        rest, is_first = record, True
        while True:
            left = BLOCK - len(out) % BLOCK
            if left < 7:
                out += bytes(left)
                continue
            now, rest = rest[: left - 7], rest[left - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[is_first, not rest]
            out += part(kind, now)
            is_first = False
            if not rest:
                break
    return out


def read(folder: Path, data: bytes) -> tuple[list[bytes], list[str]]:
    path = folder / "log"
    path.write_bytes(data)
    damage: list[str] = []
    with path.open("rb") as file:
        return list(read_log_records(file, damage)), damage


RECORDS = [b"a", b"", b"b" * 100_000, b"c" * (BLOCK - 7), b"d" * 32_750, b"e"]
TORN = "the end of its file, which was not written whole"


def test_records_are_read_however_long(tmp_path: Path) -> None:
    assert read(tmp_path, log(*RECORDS)) == (RECORDS, [])
    assert read(tmp_path, b"") == ([], [])


def test_space_that_was_only_reserved_is_no_damage(tmp_path: Path) -> None:
    assert read(tmp_path, log(b"a", b"b") + bytes(100_000)) == ([b"a", b"b"], [])


@pytest.mark.parametrize("cut", [1, 5, 20, 40_000, 100_000])
def test_a_torn_end_is_named_and_what_is_before_it_is_read(tmp_path: Path, cut: int) -> None:
    found, damage = read(tmp_path, log(*RECORDS)[:-cut])
    assert found == RECORDS[: len(found)]
    assert len(found) < len(RECORDS)
    assert damage == [TORN]


def test_a_damaged_block_is_left_out_and_counted(tmp_path: Path) -> None:
    data = bytearray(log(*[bytes([65 + number]) * 1000 for number in range(100)]))
    data[BLOCK + 5000] ^= 1
    found, damage = read(tmp_path, bytes(data))
    assert 60 < len(found) < 100
    assert all(len(set(record)) == 1 and len(record) == 1000 for record in found)
    assert damage == ["1 damaged place of its file"]


def test_parts_out_of_order_are_no_record(tmp_path: Path) -> None:
    data = part(3, b"x") + part(1, b"a") + part(2, b"y") + part(1, b"b") + part(4, b"z")
    assert read(tmp_path, data) == ([b"a", b"b"], ["1 damaged place of its file"])
