"""Damage to files of stores: whatever it is, a reader yields runs or raises one clear error, and soon."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun

Read = Callable[[Path], Iterator[ForeignRun]]

FOREIGN = (
    b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
    b"SQLite format 3\0" + bytes(4096),
    b"PK\x03\x04" + bytes(100),
    b"PAR1" + bytes(100) + b"PAR1",
    b":W&B\xe1\xbe\x00" + bytes(70_000),
    b"[" * 100_000,
    b'{"a": ' * 50_000,
    b"name\tvalue\n1\n\xff\xfe\t2\t3\n" * 10,
    b"\xff\xfea\x00",
    b"null", b"[]", b"{}", b"[[1]]", b'"text"', b"1e999", b"\n" * 1000, b"- a\n- b\n", b"a: &a [*a]\n", b"!!python/x 1",
)  # fmt: skip
SPARSE = 100 << 20
MOST_SECONDS = 10


def outcome(read: Read, store: Path) -> list[ForeignRun] | LedgerError:
    """Return what reading a store gives; anything but runs and one error fails the test."""
    start = time.monotonic()
    found: list[ForeignRun] | LedgerError
    try:
        found = list(read(store))
    except LedgerError as error:
        found = error
    assert time.monotonic() - start < MOST_SECONDS
    if isinstance(found, LedgerError):
        assert len(found.message) < 1000
        assert "\n" not in found.message
    else:
        for run in found:
            msgspec.convert(msgspec.to_builtins(run), ForeignRun)
            assert all(isinstance(point.step, int) and isinstance(point.value, float) for point in run.scalars)
    return found


def endure(read: Read, store: Path, file: Path, *, seed: int = 0, rounds: int = 60) -> None:
    """Damage a file of a store in every way, and read the store each time.

    Args:
        read: the reader.
        store: what it is given.
        file: the file to be damaged, which is put back.
        seed: of the choice of places.
        rounds: number of cuts, and of files with flipped bytes.
    """
    chance = random.Random(seed)  # noqa: S311  # damage that can be repeated
    whole = file.read_bytes()
    for number in range(rounds):
        file.write_bytes(whole[: len(whole) * number // rounds])
        outcome(read, store)
        data = bytearray(whole)
        for _ in range(chance.choice([1, 3, 30])):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        file.write_bytes(data)
        outcome(read, store)
    for content in FOREIGN:
        file.write_bytes(content)
        outcome(read, store)
    for content in (b"", whole):
        file.write_bytes(content)
        with file.open("r+b") as opened:
            opened.truncate(SPARSE)
        outcome(read, store)
    file.unlink()
    outcome(read, store)
    file.symlink_to("/etc/passwd")
    outcome(read, store)
    file.unlink()
    file.write_bytes(whole)
