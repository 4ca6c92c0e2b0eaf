"""What a training has been served: stretches of batches with the digest of their order, and how long it waited."""

import math
from typing import TYPE_CHECKING

import numpy as np

from ledger.model.feed import FeedStretch
from ledger.serve.order.plan import OrderDigest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COUNTED = 10_000_000
"""Most samples of a dataset of which it is kept which were served: a byte each."""
_LISTED = 200
"""Most stretches that are kept from the beginning, and from the end."""
_NAMED = 20
"""Most broken samples that are named."""
_LEAST_WAIT, _STEP = 1e-6, 1.05
"""Waits are counted in steps of 5 %, from a microsecond on, so that percentiles of any number of batches are known."""


class Waits:
    """How long each of any number of batches was waited for."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._counts: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Count one wait."""
        self.seconds += seconds
        step = max(0, math.ceil(math.log(max(seconds, _LEAST_WAIT) / _LEAST_WAIT) / math.log(_STEP)))
        self._counts[step] = self._counts.get(step, 0) + 1

    def percentile(self, share: float) -> float | None:
        """Return the seconds that this share of the waits did not exceed, up to 5 % too many; none without a wait."""
        left = share * sum(self._counts.values())
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return _LEAST_WAIT * _STEP**step
        return None


class Served:
    """The batches that were handed to a training, in order.

    Args:
        samples: number of samples of the dataset.
    """

    def __init__(self, samples: int) -> None:
        self.waits = Waits()
        self.batches = self.samples = self.bytes = self.padded = self.cache_hits = 0
        self.left_out = 0
        """Number of stretches that are no longer kept."""
        self.broken: dict[int, str] = {}
        """Samples that could not be read and were left out: rows, and why."""
        self.first_batch_seconds: float | None = None
        self._stretches: list[FeedStretch] = []
        self._digest: OrderDigest | None = None
        self._seen = np.zeros(samples, dtype=np.bool_) if samples <= _COUNTED else None

    def begin(self) -> None:
        """Begin a stretch."""
        self._close()

    def add(self, epoch: int, number: int, positions: "NDArray[np.int64]", rows: "NDArray[np.int64]") -> None:
        """Add the next batch.

        Args:
            epoch: its epoch.
            number: its number.
            positions: rows of the batch, over all ranks, within its stage.
            rows: the same rows within the dataset.
        """
        self.batches += 1
        self.samples += len(positions)
        if self._digest is None:
            self._digest = OrderDigest()
            self._stretches.append(FeedStretch(epoch=epoch, first=number, last=number, batches=0, samples=0, digest=""))
        self._digest.add(number, positions)
        before = self._stretches[-1]
        self._stretches[-1] = FeedStretch(
            epoch=epoch,
            first=before.first,
            last=number,
            batches=before.batches + 1,
            samples=before.samples + len(positions),
            digest="",
        )
        if self._seen is not None:
            self._seen[[row for row in rows.tolist() if row not in self.broken] if self.broken else rows] = True

    def note_broken(self, row: int, why: str) -> bool:
        """Note a sample that cannot be read; return whether it is the first time."""
        if row in self.broken:
            return False
        self.broken[row] = why
        return True

    @property
    def broken_named(self) -> list[str]:
        """The first broken samples, in words."""
        return list(self.broken.values())[:_NAMED]

    def stretches(self) -> list[FeedStretch]:
        """Return what was served, one stretch for each time that an iteration began."""
        if self._digest is None:
            return list(self._stretches)
        return [*self._stretches[:-1], _with_digest(self._stretches[-1], self._digest.text)]

    @property
    def unique(self) -> int | None:
        """Number of different samples; none where it was not counted."""
        return None if self._seen is None else int(self._seen.sum())

    def _close(self) -> None:
        if self._digest is not None:
            self._stretches[-1] = _with_digest(self._stretches[-1], self._digest.text)
            self._digest = None
        if len(self._stretches) > 2 * _LISTED:
            del self._stretches[_LISTED]
            self.left_out += 1


def _with_digest(stretch: FeedStretch, digest: str) -> FeedStretch:
    return FeedStretch(**{name: getattr(stretch, name) for name in stretch.__struct_fields__} | {"digest": digest})
