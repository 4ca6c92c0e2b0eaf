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


def merkle_root(leaves: Iterable[bytes]) -> str:
    """Return the root of a Merkle tree over leaves in the order given, as RFC 6962 section 2.1 builds it, with BLAKE3.

    Leaves and nodes are hashed apart (0x00 and 0x01 before them), so that no node can pass for a leaf.
    """
    level = [blake3(b"\0" + leaf).digest() for leaf in leaves]
    if not level:
        return f"blake3:{blake3(b'').hexdigest()}"
    # A level of odd length hands its last node up as it is: the same tree as splitting at powers of two.
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [blake3(b"\1" + left + right).digest() for left, right in pairs] + odd
    return f"blake3:{level[0].hex()}"
