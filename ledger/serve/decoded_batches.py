"""Batches that a data server has decoded, kept for whoever asks for the same rows."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.data.sources.source import Arrays

Key = tuple[frozenset[str], bytes]
"""Names of the arrays that are wanted, and the rows as bytes."""

_ENTRY_BYTES = 1 << 10
"""What a batch costs besides its values: the arrays themselves, and the entry."""


class DecodedBatches:
    """Batches that were decoded, the least recently asked for first; simultaneous questions for one decode it once.

    Args:
        most_bytes: memory for them; 0 keeps none.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: OrderedDict[Key, Arrays] = OrderedDict()
        self._bytes = 0
        self._making: dict[Key, threading.Event] = {}
        self._lock = threading.Lock()
        self.decoded = 0

    def get(self, key: Key, make: "Callable[[], Arrays]") -> "tuple[Arrays, bool]":
        """Return a batch, and whether it was there already; whatever `make` raises is raised."""
        if not self._most:
            self.decoded += 1
            return make(), False
        while True:
            with self._lock:
                if (found := self._held.get(key)) is not None:
                    self._held.move_to_end(key)
                    return found, True
                other = self._making.get(key)
                if other is None:
                    mine = self._making[key] = threading.Event()
                    break
            other.wait()
        try:
            made = make()
            with self._lock:
                self.decoded += 1
                self._held[key] = made
                self._bytes += _cost(key, made)
                while self._bytes > self._most and len(self._held) > 1:
                    self._bytes -= _cost(*self._held.popitem(last=False))
            return made, False
        finally:
            with self._lock:
                del self._making[key]
            mine.set()


def _cost(key: Key, arrays: "Arrays") -> int:
    return size_of(arrays) + len(key[1]) + _ENTRY_BYTES


def size_of(arrays: "Arrays") -> int:
    """Return the bytes of a batch."""
    return sum(array.nbytes for array in arrays.values())
