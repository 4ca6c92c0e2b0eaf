"""Random numbers by position: the n-th number of a key, without the ones before it.

The function and its constants are the finaliser of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom
Number Generators, OOPSLA 2014), which passes BigCrush as a counter-based generator.
"""

from typing import TYPE_CHECKING

import numpy as np

from ledger.hashing import hash_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_BITS = 53
"""Bits of a number between 0 and 1: those of a double."""
KEYS = 16
"""Numbers of 64 bits that one key consists of."""


def keys_of(*parts: str) -> "NDArray[np.uint64]":
    """Return the key that some words give: 16 numbers of 64 bits, from BLAKE3 of the words, a line each."""
    return np.array(hash_words("".join(f"{part}\n" for part in parts).encode(), KEYS), dtype=np.uint64)


def mixed(numbers: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Return each number as one of 64 bits that nobody can tell from a random one; different numbers stay so."""
    mixed = numbers ^ (numbers >> np.uint64(30))
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def random_words(positions: "NDArray[np.uint64]", key: np.uint64) -> "NDArray[np.uint64]":
    """Return the random numbers of 64 bits at some positions of a key's sequence."""
    return mixed((positions + np.uint64(1)) * _GOLDEN + key)


def random_shares(positions: "NDArray[np.uint64]", key: np.uint64) -> "NDArray[np.float64]":
    """Return the random numbers from 0 to below 1 at some positions of a key's sequence."""
    return (random_words(positions, key) >> np.uint64(64 - _BITS)).astype(np.float64) * 2.0**-_BITS
