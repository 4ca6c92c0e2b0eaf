"""Content hashes of bytes, files and trees. The only room of blake3."""

from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3

_MEMORY_MAP_FROM = 1 << 20
"""Bytes from which hashing a file through a memory map on all cores beats reading it."""


def hash_bytes(data: bytes) -> str:
    """Return `blake3:<64 hex digits>` of `data`."""
    return f"blake3:{blake3(data).hexdigest()}"


def hash_file(path: Path) -> str:
    """Return `blake3:<64 hex digits>` of a file's bytes, using every core for a large one.

    Raises:
        OSError: the file cannot be read.
    """
    if path.stat().st_size < _MEMORY_MAP_FROM:
        return hash_bytes(path.read_bytes())
    hasher = blake3(max_threads=blake3.AUTO)
    hasher.update_mmap(path)
    return f"blake3:{hasher.hexdigest()}"


def hash_listing(lines: Iterable[str]) -> str:
    """Return the hash of a listing: each line in UTF-8, ended by a line feed, in the order given."""
    hasher = blake3()
    for line in lines:
        hasher.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return f"blake3:{hasher.hexdigest()}"


class StreamHash:
    """Hashes bytes as they pass by, in constant memory."""

    def __init__(self) -> None:
        self._hasher = blake3()

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        self._hasher.update(data)

    def result(self) -> str:
        """Return `blake3:<64 hex digits>` of everything added so far."""
        return f"blake3:{self._hasher.hexdigest()}"
