"""Content hashes of bytes, files and trees. The only module that uses blake3."""

import os
from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3

_AT_ONCE = 1 << 20
"""Bytes of one read, small enough to be hashed from the processor's cache."""
_LARGE = 1 << 26
"""Bytes from which several threads read a file and all cores hash it; below it, waking them costs what they save."""
_READERS = 4
_WINDOW = 1 << 23
"""Bytes that they read at once: twice as fast as one thread on 2 cores, and little memory for many files at once."""


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
        return hash_descriptor(file.fileno(), path.stat().st_size)[0]


def hash_descriptor(descriptor: int, size: int) -> tuple[str, int]:
    """Return the hash of an open file, from start to end, and its number of bytes.

    Args:
        descriptor: the file, at its start.
        size: expected number of bytes; it decides how the file is read, not how much.

    Raises:
        OSError: it cannot be read.
    """
    # Never through a memory map: a file that is truncated meanwhile would kill the process with SIGBUS.
    if size < _AT_ONCE:
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return hash_bytes(data), size
        os.lseek(descriptor, 0, os.SEEK_SET)
    if size >= _LARGE:
        return _hash_large(descriptor)
    hasher, count = blake3(), 0
    window = memoryview(bytearray(_AT_ONCE))
    while read := os.readv(descriptor, [window]):
        hasher.update(window[:read])
        count += read
    return f"blake3:{hasher.hexdigest()}", count


def _hash_large(descriptor: int) -> tuple[str, int]:
    from concurrent.futures import ThreadPoolExecutor

    hasher, count = blake3(max_threads=blake3.AUTO), 0
    window = memoryview(bytearray(_WINDOW))
    size = _WINDOW // _READERS
    parts = [window[start : start + size] for start in range(0, _WINDOW, size)]
    with ThreadPoolExecutor(_READERS) as pool:
        while True:
            places = range(count, count + _WINDOW, size)
            read = 0
            for part in list(pool.map(lambda part, at: os.preadv(descriptor, [part], at), parts, places)):
                read += part
                if part < size:
                    break  # the rest after a short read is read again
            if not read:
                return f"blake3:{hasher.hexdigest()}", count
            hasher.update(window[:read])
            count += read


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
