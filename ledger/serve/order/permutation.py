"""A permutation of any number of rows that needs no memory: row by row, from a key.

A Feistel network over the smallest power of two that holds all positions, whose results beyond the last row are put
in again until they are none (cycle walking: Black and Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA 2002).
It takes at most two rounds of the network on average. Few rows are sorted by their random numbers instead.
"""

from typing import TYPE_CHECKING

import numpy as np

from ledger.serve.order.mixing import random_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SORTED = 1_024
"""Up to so many rows, the permutation is a sort: networks of a few bits do not reach every order."""
_ROUNDS = 8
"""Rounds of the network, half on each side: Luby and Rackoff need four, and the function of a round is a weak one."""
_AT_ONCE = 1 << 15
"""Positions that are worked on at once: they stay in the processor's cache."""
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_SORT_KEY = 8


class Permutation:
    """An order of rows, by position.

    Args:
        rows: number of rows.
        keys: 16 numbers of 64 bits: eight for the rounds, the ninth for few rows.
    """

    def __init__(self, rows: int, keys: "NDArray[np.uint64]") -> None:
        self.rows = rows
        self._keys = keys
        self._sorted: NDArray[np.int64] | None = None
        if rows <= _SORTED:
            words = random_words(np.arange(rows, dtype=np.uint64), keys[_SORT_KEY])
            self._sorted = np.argsort(words, kind="stable").astype(np.int64)
        bits = max(2, (rows - 1).bit_length())
        self._low, self._high = bits // 2, bits - bits // 2

    def at(self, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the rows at some positions, from 0 to below the number of rows."""
        if self._sorted is not None:
            return self._sorted[positions]
        found = np.empty(len(positions), dtype=np.int64)
        for start in range(0, len(positions), _AT_ONCE):
            part = positions[start : start + _AT_ONCE].astype(np.uint64)
            found[start : start + _AT_ONCE] = self._walk(part).astype(np.int64)
        return found

    def _walk(self, positions: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
        rows = np.uint64(self.rows)
        found = self._network(positions)
        beyond = np.flatnonzero(found >= rows)
        while len(beyond):
            again = self._network(found[beyond])
            found[beyond] = again
            beyond = beyond[again >= rows]
        return found

    def _network(self, numbers: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
        """Return a permutation of the power of two: each side in turn is changed by a function of the other."""
        low = np.uint64(self._low)
        left, right = numbers >> low, numbers & ((np.uint64(1) << low) - np.uint64(1))
        for number in range(_ROUNDS):
            key = self._keys[number]
            if number % 2 == 0:
                left ^= _round(right, key, self._high)
            else:
                right ^= _round(left, key, self._low)
        return (left << low) | right


def _round(half: "NDArray[np.uint64]", key: np.uint64, bits: int) -> "NDArray[np.uint64]":
    """Return so many bits that depend on all of one half: two multiplications, whose high bits are the good ones."""
    mixed = half + key
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(32)
    mixed *= _SECOND
    mixed >>= np.uint64(64 - bits)
    return mixed
