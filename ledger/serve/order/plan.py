"""The plan of a training's batches: which rows batch `k` of epoch `e` holds, whoever asks and whenever.

Pure: nothing here reads data, and the same plan gives the same rows on every machine. Batches are those of all ranks
together, so that the order does not depend on the number of ranks.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ledger.errors import LedgerError
from ledger.hashing import RunningHash, hash_bytes
from ledger.model.feed import FeedPlan, FeedStage, FeedStretch
from ledger.serve.order.orders import Order, order_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ORDER = "ledger order 1"
"""Name of the functions that make an order: other functions get another name."""
_EPOCHS_HELD = 4


class BatchPlan:
    """The batches of a training.

    Args:
        facts: all that they depend on.

    Raises:
        LedgerError: there are no stages, or one has no sample, or fewer than a batch and the rest is dropped.
    """

    def __init__(self, facts: FeedPlan) -> None:
        self.facts = facts
        self.size = facts.global_batch_size
        """Samples of a batch over all ranks."""
        self.digest = hash_bytes(msgspec.json.encode(facts, order="deterministic"))
        """Hash of all facts."""
        self._orders: OrderedDict[int, Order] = OrderedDict()
        starts = [stage.from_epoch for stage in facts.stages]
        if starts[:1] != [0] or starts != sorted(set(starts)):
            raise LedgerError(f"the stages of a plan begin with epoch 0 and go up: `{starts}`")
        for stage in facts.stages:
            _check(stage, facts)

    def stage(self, epoch: int) -> FeedStage:
        """Return the stage that an epoch belongs to."""
        return next(stage for stage in reversed(self.facts.stages) if stage.from_epoch <= epoch)

    def end(self, epoch: int) -> int:
        """Return the number after that of an epoch's last batch; numbers begin with 0, and skipped batches have one."""
        samples = self.stage(epoch).samples
        return samples // self.size if self.facts.tail == "drop" else -(-samples // self.size)

    def numbers(self, epoch: int, start: int = 0) -> Iterator[int]:
        """Yield the numbers of an epoch's batches from one on, without those that are skipped."""
        skipped = [range(one.first, one.last + 1) for one in self.facts.skip if one.epoch == epoch]
        return (number for number in range(start, self.end(epoch)) if not any(number in one for one in skipped))

    def length(self, epoch: int) -> int:
        """Return the number of batches of an epoch, without those that are skipped."""
        end = self.end(epoch)
        skipped = {
            number
            for one in self.facts.skip
            if one.epoch == epoch
            for number in range(one.first, min(one.last + 1, end))
        }
        return end - len(skipped)

    def rows(self, epoch: int, number: int) -> "NDArray[np.int64]":
        """Return the rows of one batch, over all ranks: positions in what its stage draws from."""
        stage = self.stage(epoch)
        start = number * self.size
        stop = start + self.size if self.facts.tail != "short" else min(start + self.size, stage.samples)
        return self._order(epoch, stage).at(np.arange(start, stop, dtype=np.int64) % stage.samples)

    def padding(self, epoch: int, number: int) -> int:
        """Return how many rows of a batch were taken from the start of the epoch, to fill it."""
        return max(0, (number + 1) * self.size - self.stage(epoch).samples) if self.facts.tail == "pad" else 0

    def share_size(self, world: int) -> int:
        """Return how many samples of a full batch each of so many ranks gets.

        Raises:
            LedgerError: the batches, or a last short one, cannot be shared out evenly.
        """
        if self.size % world:
            raise LedgerError(
                f"a batch of {self.size} samples cannot be shared by {world} ranks",
                hint=f"global_batch_size={-(-self.size // world) * world}",
            )
        rest = {stage.samples % self.size for stage in self.facts.stages}
        if self.facts.tail == "short" and any(left % world for left in rest):
            raise LedgerError(
                f"the last batch of {max(rest)} samples cannot be shared by {world} ranks",
                hint='tail="pad", or tail="drop"',
            )
        return self.size // world

    def _order(self, epoch: int, stage: FeedStage) -> Order:
        order = self._orders.get(epoch)
        if order is None:
            words = [_ORDER, self.facts.dataset_hash, str(self.facts.seed), str(epoch)]
            order = self._orders[epoch] = order_of(stage, words)
            if len(self._orders) > _EPOCHS_HELD:
                self._orders.popitem(last=False)
        return order


class OrderDigest:
    """The digest of batches in the order in which they were served.

    BLAKE3 of each batch's number and its rows, as integers of 64 bits, little-endian. Rows are counted within what
    the stage draws from, so that plan and numbers suffice to compute it.
    """

    def __init__(self) -> None:
        self._hash = RunningHash()

    def add(self, number: int, rows: "NDArray[np.int64]") -> None:
        """Add the next batch."""
        self._hash.add(number.to_bytes(8, "little") + rows.astype("<i8").tobytes())

    @property
    def text(self) -> str:
        """The digest so far."""
        return self._hash.text


def digest_of(plan: BatchPlan, stretch: FeedStretch) -> str:
    """Return the digest that the batches of a stretch have by the plan."""
    digest = OrderDigest()
    for number in plan.numbers(stretch.epoch, stretch.first):
        if number > stretch.last:
            break
        digest.add(number, plan.rows(stretch.epoch, number))
    return digest.text


def _check(stage: FeedStage, facts: FeedPlan) -> None:
    """Raise for a stage whose epochs would have no batch, or no order."""
    what = f"the stage from epoch {stage.from_epoch}" if stage.from_epoch else "the plan"
    if not stage.samples:
        raise LedgerError(f"{what} has no sample", hint="keep more labels, or other data")
    if facts.tail == "drop" and stage.samples < facts.global_batch_size:
        raise LedgerError(
            f"{what} has fewer samples than a batch: `{stage.samples}`",
            hint='a smaller batch, or tail="short"',
        )
    if stage.order == "weighted" and (
        set(stage.weights) != set(stage.groups)
        or sum(stage.groups.values()) != stage.samples
        or not all(weight > 0 for weight in stage.weights.values())
        or not all(stage.groups.values())
    ):
        raise LedgerError(f"{what} needs a weight above 0, and samples, for each label: `{sorted(stage.weights)}`")
    if (stage.order == "blocked") != (stage.block is not None):
        raise LedgerError(f"{what} has a block size where blocks are shuffled, and only there: `{stage.block}`")
