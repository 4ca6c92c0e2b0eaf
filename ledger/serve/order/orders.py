"""The orders of an epoch: which row stands at which position, each a pure function of a key.

Rows here are numbered within what a stage draws from.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ledger.model.feed import FeedStage
from ledger.serve.order.mixing import keys_of, random_shares
from ledger.serve.order.permutation import Permutation

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_BLOCKS = 16
"""Blocks whose rows are shuffled with one another: what a reader of blocks keeps in memory."""
_GROUP_KEY, _MEMBER_KEY, _SHIFT_KEY = 9, 10, 11


class Order(Protocol):
    """The rows of an epoch, by position."""

    def at(self, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the rows at some positions, from 0 to below the number of samples."""
        ...


class Sequential:
    """Every row at its own position."""

    def at(self, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the rows at some positions."""
        return positions


class Weighted:
    """Draws with replacement: first a group by its weight, then one of its rows.

    Args:
        counts: number of rows of each group; the rows of a group follow one another.
        weights: weight of each group.
        keys: 16 numbers of 64 bits, of which the tenth draws groups and the eleventh rows.
    """

    def __init__(self, counts: Sequence[int], weights: Sequence[float], keys: "NDArray[np.uint64]") -> None:
        total = sum(weights)
        self._until = np.array([share / total for share in accumulate(weights)], dtype=np.float64)
        self._counts = np.array(counts, dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self._counts)[:-1]]).astype(np.int64)
        self._keys = keys

    def at(self, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the rows at some positions."""
        counters = positions.astype(np.uint64)
        drawn = random_shares(counters, self._keys[_GROUP_KEY])
        groups = np.minimum(np.searchsorted(self._until, drawn, side="right"), len(self._counts) - 1)
        member = random_shares(counters, self._keys[_MEMBER_KEY]) * self._counts[groups]
        return self._starts[groups] + np.minimum(member.astype(np.int64), self._counts[groups] - 1)


class Blocked:
    """Blocks of neighbouring rows in a random order, and the rows of 16 blocks shuffled: few places of a disk at once.

    The blocks begin at a random row in each epoch, and the rows that fill no block stand last, shuffled, too.

    Args:
        rows: number of rows.
        block: rows of a block.
        keys: 16 numbers of 64 bits.
        words: words that gave the keys.
    """

    def __init__(self, rows: int, block: int, keys: "NDArray[np.uint64]", words: Sequence[str]) -> None:
        self._rows, self._block, self._words = rows, block, words
        self._whole = rows // block
        self._blocks = Permutation(self._whole, keys) if self._whole else None
        self._shift = int(keys[_SHIFT_KEY] % np.uint64(rows))
        self._window = WINDOW_BLOCKS * block
        self._shuffles: dict[int, Permutation] = {}

    def at(self, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the rows at some positions."""
        found = np.empty(len(positions), dtype=np.int64)
        windows = np.where(positions < self._whole * self._block, positions // self._window, -1)
        for window in np.unique(windows):
            here = windows == window
            found[here] = self._in_window(int(window), positions[here])
        return (found + self._shift) % self._rows

    def _in_window(self, window: int, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        if window < 0 or self._blocks is None:
            start = self._whole * self._block
            return start + self._shuffle(-1, self._rows - start).at(positions - start)
        start = window * self._window
        size = min(self._window, self._whole * self._block - start)
        inside = self._shuffle(window, size).at(positions - start)
        blocks = self._blocks.at(window * WINDOW_BLOCKS + inside // self._block)
        return blocks * self._block + inside % self._block

    def _shuffle(self, window: int, size: int) -> Permutation:
        if window not in self._shuffles:
            if len(self._shuffles) > 1:  # batches come in order, and span two windows at most
                self._shuffles.clear()
            self._shuffles[window] = Permutation(size, keys_of(*self._words, f"window {window}"))
        return self._shuffles[window]


def order_of(stage: FeedStage, words: Sequence[str]) -> Order:
    """Return the order of an epoch.

    Args:
        stage: the stage that the epoch belongs to.
        words: what names the epoch: the dataset's hash, the seed and the epoch.
    """
    if stage.order == "sequential":
        return Sequential()
    keys = keys_of(*words)
    if stage.order == "weighted":
        labels = list(stage.groups)
        return Weighted([stage.groups[label] for label in labels], [stage.weights[label] for label in labels], keys)
    if stage.order == "blocked":
        return Blocked(stage.samples, stage.block or 1, keys, words)
    return Permutation(stage.samples, keys)
