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
    """Return what reading a store gives: runs, or the one error that is allowed."""
    try:
        return list(read(store))
    except LedgerError as error:
        return error


def endure(read: Read, store: Path, file: Path, *, seed: int = 0, rounds: int = 60) -> list[str]:
    """Damage a file of a store in every way, read the store each time, and return what was wrong with the answers.

    Args:
        read: the reader.
        store: what it is given.
        file: the file to be damaged, which is put back.
        seed: of the choice of places.
        rounds: number of cuts, and of files with flipped bytes.
    """
    whole = file.read_bytes()
    wrong: list[str] = []
    for damage in _damages(file, whole, random.Random(seed), rounds):  # noqa: S311  # damage that can be repeated
        started = time.monotonic()
        found = outcome(read, store)
        wrong += (f"{damage}: {fault}" for fault in faults_of(found, time.monotonic() - started))
    file.unlink()
    file.write_bytes(whole)
    return wrong


def _damages(file: Path, whole: bytes, chance: random.Random, rounds: int) -> Iterator[str]:
    """Damage a file, and yield how, before the next damage."""
    for number in range(rounds):
        file.write_bytes(whole[: len(whole) * number // rounds])
        yield f"cut {number} of {rounds}"
        data = bytearray(whole)
        for _ in range(chance.choice([1, 3, 30])):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        file.write_bytes(data)
        yield f"flipped bytes {number}"
    for content in FOREIGN:
        file.write_bytes(content)
        yield f"foreign {content[:8]!r}"
    for content in (b"", whole):
        file.write_bytes(content)
        with file.open("r+b") as opened:
            opened.truncate(SPARSE)
        yield f"sparse after {len(content)} bytes"
    file.unlink()
    yield "gone"
    file.symlink_to("/etc/passwd")
    yield "a link elsewhere"


def faults_of(found: list[ForeignRun] | LedgerError, seconds: float) -> Iterator[str]:
    """Yield what is wrong with an answer: too slow, no single line, values of a wrong type."""
    if seconds >= MOST_SECONDS:
        yield f"it took {seconds:.0f} s"
    if isinstance(found, LedgerError):
        if len(found.message) >= _LONGEST or "\n" in found.message:
            yield f"no single line: {found.message[:80]!r}"
        return
    for run in found:
        msgspec.convert(msgspec.to_builtins(run), ForeignRun)
        if not all(isinstance(point.step, int) and isinstance(point.value, float) for point in run.scalars):
            yield f"a point of another type in {run.id!r}"


_LONGEST = 1000
