"""Content hashes of bytes, files and trees. The only module that uses blake3."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from blake3 import blake3

_AT_ONCE = 1 << 20
"""Bytes of one read, small enough to be hashed from the processor's cache."""
_SMALL = 1 << 16
"""Bytes below which a file is read whole: a view of a buffer costs more than memory that is at hand."""
_LARGE = 1 << 26
"""Bytes from which several threads read a file and all cores hash it; below it, waking them costs what they save."""
_READERS = 4
"""Threads that read it at most: no more than there are cores, which they share with the hash."""
_WINDOW = 1 << 22
"""Bytes that they read before these are hashed: few enough for the cache that cores share, and enough that waking
threads is a small part."""
_PART = 1 << 19
"""Bytes of it that a thread reads at once."""


def hash_bytes(data: bytes) -> str:
    """Return `blake3:<64 hex digits>` of `data`."""
    return f"blake3:{blake3(data).hexdigest()}"


def hash_words(data: bytes, count: int) -> list[int]:
    """Return so many numbers of 64 bits from BLAKE3 of `data`: its extended output, little-endian."""
    digest = blake3(data).digest(length=8 * count)
    return [int.from_bytes(digest[at : at + 8], "little") for at in range(0, len(digest), 8)]


class RunningHash:
    """A BLAKE3 hash of what is added to it, which can be read at any time."""

    def __init__(self) -> None:
        self._hasher = blake3()

    def add(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._hasher.update(data)

    @property
    def text(self) -> str:
        """The hash of all bytes so far, as `blake3:<64 hex digits>`."""
        return f"blake3:{self._hasher.hexdigest()}"


def hash_file(path: Path) -> str:
    """Return `blake3:<64 hex digits>` of a file's bytes, using every core for a large one.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return hash_descriptor(file.fileno(), os.fstat(file.fileno()).st_size)[0]


def new_buffer() -> memoryview:
    """Return a buffer through which one thread reads the files that it hashes."""
    return memoryview(bytearray(_AT_ONCE))


def hash_descriptor(descriptor: int, size: int, buffer: memoryview | None = None) -> tuple[str, int]:
    """Return the hash of an open file, from start to end, and its number of bytes.

    Args:
        descriptor: the file, at its start.
        size: expected number of bytes; it decides how the file is read, not how much.
        buffer: a `new_buffer` for many files in turn, which then stays in the processor's cache; else one of its own.

    Raises:
        OSError: it cannot be read.
    """
    # Never through a memory map: a file that is truncated meanwhile would kill the process with SIGBUS.
    if size >= _LARGE:
        return _hash_large(descriptor)
    data = b""
    if size < _SMALL:
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return hash_bytes(data), size
    hasher, count = blake3(data), len(data)
    buffer = new_buffer() if buffer is None else buffer
    while read := os.readv(descriptor, [buffer]):
        hasher.update(buffer[:read])
        count += read
    return f"blake3:{hasher.hexdigest()}", count


def _hash_large(descriptor: int) -> tuple[str, int]:
    """Read a window with several threads, hash it with all cores, and so on."""
    hasher, count = blake3(max_threads=blake3.AUTO), 0
    window = memoryview(bytearray(_WINDOW))
    with _Readers(descriptor, window) as readers:
        while read := readers.fill(count):
            hasher.update(window[:read])
            count += read
    return f"blake3:{hasher.hexdigest()}", count


class _Readers:
    """Threads that read an open file into a window: this one, and others beside it.

    Whoever is free reads the next part, so that nobody waits for one that wakes up late.

    Args:
        descriptor: the file.
        window: memory for what is read, which each call overwrites.
    """

    def __init__(self, descriptor: int, window: memoryview) -> None:
        from queue import SimpleQueue
        from threading import Thread

        self._descriptor = descriptor
        self._window = window
        self._asked: SimpleQueue[_Task | None] = SimpleQueue()
        self._answered: SimpleQueue[OSError | None] = SimpleQueue()
        others = min(_READERS, os.cpu_count() or 1) - 1
        self._others = [Thread(target=self._serve, name="ledger-hash", daemon=True) for _ in range(others)]

    def __enter__(self) -> Self:
        for thread in self._others:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for _other in self._others:
            self._asked.put(None)
        for thread in self._others:
            thread.join()

    def fill(self, place: int) -> int:
        """Read from a place of the file on; return the number of bytes in the window, 0 at the end of the file.

        Raises:
            OSError: the file cannot be read.
        """
        task = _Task(place, iter(range(0, len(self._window), _PART)), {})
        for _ in self._others:
            self._asked.put(task)
        try:
            self._read(task)
        finally:
            errors = [error for _ in self._others if (error := self._answered.get())]
        if errors:
            raise errors[0]
        for start, size in sorted(task.sizes.items()):
            if size < _PART:  # what follows a short read is read again
                return start + size
        return len(self._window)

    def _serve(self) -> None:
        while task := self._asked.get():
            try:
                self._read(task)
            except OSError as error:
                self._answered.put(error)
            else:
                self._answered.put(None)

    def _read(self, task: "_Task") -> None:
        for start in task.starts:
            buffer = self._window[start : start + _PART]
            task.sizes[start] = os.preadv(self._descriptor, [buffer], task.place + start)


class _Task(NamedTuple):
    """What a window shall hold of a file."""

    place: int
    starts: Iterator[int]
    """Places in the window that nobody reads yet; threads take the next one from it."""
    sizes: dict[int, int]
    """Number of bytes read, by place in the window."""


def hash_listing(lines: Iterable[str]) -> str:
    """Return the hash of a listing: each line in UTF-8, ended by a line feed, in the order given."""
    hasher = blake3()
    for line in lines:
        hasher.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return f"blake3:{hasher.hexdigest()}"


class StreamHash:
    """Hashes bytes of a stream, in constant memory."""

    def __init__(self) -> None:
        self._hasher = blake3()

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        self._hasher.update(data)

    def result(self) -> str:
        """Return `blake3:<64 hex digits>` of everything added so far."""
        return f"blake3:{self._hasher.hexdigest()}"


def merkle_root(leaves: Iterable[bytes]) -> str:
    """Return the root of a Merkle tree over leaves in the order given, as in RFC 6962 section 2.1, with BLAKE3.

    Leaves and nodes have different prefixes (0x00 and 0x01), so that no node can pass for a leaf.
    """
    level = [blake3(b"\0" + leaf).digest() for leaf in leaves]
    if not level:
        return f"blake3:{blake3(b'').hexdigest()}"
    # A level of odd length passes its last node up unchanged: the same tree as splitting at powers of two.
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [blake3(b"\1" + left + right).digest() for left, right in pairs] + odd
    return f"blake3:{level[0].hex()}"
