"""`ledger.batches`: the batches of a dataset version, in an order that can be stopped, resumed and proved."""

import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ledger.data.preparing.object_code import hash_object
from ledger.data.sources.source import BrokenSample, SampleSource, stacked
from ledger.errors import LedgerError
from ledger.model.feed import Feed, Transport
from ledger.recorder.record.draft import Dataset
from ledger.serve.choosing import ChosenStage
from ledger.serve.messages import Welcome
from ledger.serve.order.cursor import Cursor, load_cursor
from ledger.serve.order.mixing import keys_of
from ledger.serve.order.plan import BatchPlan
from ledger.serve.prefetch import Prefetch
from ledger.serve.served import Served
from ledger.serve.version_check import VersionCheck

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

Sample = dict[str, Any]
"""The arrays of one sample, by name."""

_LOG = logging.getLogger("ledger")
_AUGMENT = "ledger augment 1"
_MOST_ASKED = 16
"""Most batches that are asked of a server at once: its queue for a client holds more, and drops what has no room."""


class Options(NamedTuple):
    """How batches are read, none of which changes their order."""

    rank: int = 0
    world: int = 1
    transform: Callable[[Sample], Sample] | None = None
    augment: Callable[[Sample, np.random.Generator], Sample] | None = None
    prefetch: int = 4
    prefetch_bytes: int = 1 << 28
    skip_broken: bool = False
    """Whether a sample that cannot be read is left out, and not the end of the training."""
    server: Transport | None = None
    """How a data server is reached; none where this process reads the data itself."""


class Batch(NamedTuple):
    """A batch on its way to the training."""

    number: int
    positions: "NDArray[np.int64]"
    """Rows over all ranks, within the stage of the epoch."""
    arrays: "Arrays"
    cached: bool
    """Whether a data server had decoded it before."""
    left_out: int
    """Samples of this rank that are broken, and left out."""


class Batches:
    """The batches of a dataset, epoch after epoch; made by `ledger.batches`.

    Iterating yields the batches of one epoch, and iterating again those of the next one. An epoch that was left before
    its end begins again; only `load_state_dict` goes on in the middle.

    Example:
        >>> for batch in ledger.batches("digits-train@v3", batch_size=64):
        ...     train(batch["image"], batch["label"])

    Args:
        source: the samples.
        plan: their order.
        stages: rows that each stage of the plan draws from.
        dataset: the dataset version, for the record.
        check: whether the content is that of the version.
        options: how batches are read.

    Raises:
        LedgerError: the batches cannot be shared by so many ranks.
    """

    def __init__(
        self,
        source: SampleSource,
        plan: BatchPlan,
        stages: Sequence[ChosenStage],
        dataset: Dataset,
        check: VersionCheck,
        options: Options,
    ) -> None:
        self.plan = plan
        self.batch_size = plan.share_size(options.world)
        """Samples of a batch on this rank."""
        self.dataset_use = dataset
        self.on_checkpoint: Callable[[], None] | None = None
        """Called when the state is asked for: the record then has all batches up to the checkpoint."""
        self._source, self._stages, self._options = source, stages, options
        self._check = check
        self._cursor = Cursor(0, 0)
        self._pinned = self._resumed = False
        self._served = Served(len(source))
        self._code, self._code_unknown = _code_of(options, getattr(source, "welcome", None))

    def __len__(self) -> int:
        """Return the number of batches of the epoch that comes next, or that is being iterated."""
        return self.plan.length(self._next_epoch())

    @property
    def epoch(self) -> int:
        """The epoch that is being iterated, or that comes next."""
        return self._next_epoch()

    def set_epoch(self, epoch: int) -> None:
        """State which epoch comes next; one in whose middle a checkpoint was loaded goes on there.

        Raises:
            LedgerError: it is no whole number from 0 on.
        """
        if not isinstance(epoch, int) or epoch < 0:
            raise LedgerError(f"an epoch is a whole number from 0 on: `{epoch}`")
        if epoch != self._cursor.epoch:
            self._cursor, self._resumed = Cursor(epoch, 0), False
        self._pinned = True

    def state_dict(self) -> dict[str, Any]:
        """Return where the training is, for its checkpoint: the plan, the epoch and the next batch."""
        if self.on_checkpoint is not None:
            self.on_checkpoint()
        return self._cursor.state(self.plan)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a training was.

        Raises:
            LedgerError: it was under another plan, or is no state.
        """
        self._cursor = load_cursor(state, self.plan)
        self._resumed, self._pinned = True, False

    def feed(self) -> Feed:
        """Return what was served so far, for the record."""
        served, options = self._served, self._options
        return Feed(
            dataset=f"{self.dataset_use.name}@{self.dataset_use.version}"
            if self.dataset_use.name
            else self.dataset_use.path or self.dataset_use.memory or "data in memory",
            verified=self._check.done or getattr(self._source, "verified", False),
            plan=self.plan.facts,
            plan_digest=self.plan.digest,
            batch_size=self.batch_size,
            world=options.world,
            code=self._code,
            code_unknown=self._code_unknown,
            source=self._source.kind,
            server=self._options.server,
            reconnects=getattr(self._source, "reconnects", 0),
            cache_hits=served.cache_hits,
            broken=len(served.broken),
            broken_named=served.broken_named,
            batches=served.batches,
            samples=served.samples,
            stretches=served.stretches(),
            stretches_left_out=served.left_out,
            unique_samples=served.unique,
            bytes=served.bytes,
            padded=served.padded,
            wait_seconds=round(served.waits.seconds, 4),
            wait_p50_seconds=served.waits.percentile(0.5),
            wait_p95_seconds=served.waits.percentile(0.95),
            wait_p99_seconds=served.waits.percentile(0.99),
            first_batch_seconds=served.first_batch_seconds,
        )

    def close(self) -> None:
        """Close the files of the dataset."""
        self._source.close()

    def __iter__(self) -> "Iterator[dict[str, Any]]":
        """Yield the batches of the next epoch.

        Raises:
            LedgerError: a sample cannot be read, or the content is not that of the version.
        """
        began = time.perf_counter()
        worker = _worker()
        if worker is not None and not (self._pinned or self._resumed or self._served.batches):
            raise LedgerError(
                "the workers of a DataLoader cannot know which epoch it is",
                hint="num_workers=0, since batches are read ahead anyway; or batches.set_epoch(EPOCH) before each",
            )
        epoch = self._next_epoch()
        start = self._cursor.number if self._resumed and epoch == self._cursor.epoch else 0
        self._cursor, self._pinned, self._resumed = Cursor(epoch, start), False, False
        self._served.begin()
        made = self._made(epoch, _own_numbers(self.plan.numbers(epoch, start), worker))
        # Those that a server is asked for are ahead already.
        waiting = 1 if hasattr(self._source, "begin") else self._options.prefetch
        ahead = Prefetch(made, _size, waiting, self._options.prefetch_bytes)
        try:
            for batch in ahead:
                self._check.check()
                self._count(epoch, batch, time.perf_counter() - began)
                self._cursor = Cursor(epoch, batch.number + 1)
                yield self._handed(batch.arrays)
                began = time.perf_counter()
        finally:
            ahead.stop()
        self._cursor = Cursor(epoch, self.plan.end(epoch))
        self._check.check()

    def _next_epoch(self) -> int:
        cursor = self._cursor
        at_end = cursor.number >= self.plan.end(cursor.epoch)
        return cursor.epoch + 1 if at_end and not self._pinned else cursor.epoch

    def __reduce__(self) -> "tuple[Any, ...]":
        """Hand the batches to a worker of a spawned process, where they stand; it counts nothing.

        Raises:
            LedgerError: the content is not that of the version, which the worker could not find out.
        """
        self._check.wait()
        check = VersionCheck.known(self._check.expected, done=self._check.done)
        made = (self._source, self.plan, self._stages, self.dataset_use, check, self._options)
        return type(self), made, (self._cursor, self._pinned, self._resumed)

    def __setstate__(self, state: tuple[Cursor, bool, bool]) -> None:
        """Stand where the batches stood that were handed over."""
        self._cursor, self._pinned, self._resumed = state

    def _made(self, epoch: int, numbers: Iterator[int]) -> Iterator[Batch]:
        """Yield batches; of a server so many are asked for at once as may be read ahead."""
        begin = getattr(self._source, "begin", None)
        asked: deque[tuple[int, NDArray[np.int64], NDArray[np.int64], Callable[[], Arrays]]] = deque()
        options = self._options
        ahead = min(options.prefetch, _MOST_ASKED) if begin else 1
        try:
            for number in numbers:
                positions = self.plan.rows(epoch, number)
                rows = self._sound(self._rows(epoch, positions[options.rank :: options.world]))
                asked.append((number, positions, rows, begin(rows) if begin else partial(self._source.read, rows)))
                while len(asked) >= ahead:
                    yield (batch := self._read(epoch, *asked.popleft()))
                    ahead = max(1, min(ahead, options.prefetch_bytes // max(1, _size(batch))))
            while asked:
                yield self._read(epoch, *asked.popleft())
        finally:
            for *_, question in asked:
                if (cancel := getattr(question, "cancel", None)) is not None:
                    cancel()

    def _read(
        self,
        epoch: int,
        number: int,
        positions: "NDArray[np.int64]",
        rows: "NDArray[np.int64]",
        read: "Callable[[], Arrays]",
    ) -> Batch:
        while True:
            try:
                arrays = read()
                break
            except BrokenSample as error:
                rows = self._without(rows, error)
                read = partial(self._source.read, rows)  # asked one by one, as broken ones are few
        if self._options.transform is not None or self._options.augment is not None:
            arrays = self._changed(arrays, rows, epoch)
        return Batch(number, positions, arrays, getattr(read, "cached", False), self._share(positions) - len(rows))

    def _share(self, positions: "NDArray[np.int64]") -> int:
        return len(range(self._options.rank, len(positions), self._options.world))

    def _sound(self, rows: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return rows without those that are known to be broken; all of them where no other is left."""
        if not self._served.broken:
            return rows
        left: NDArray[np.int64] = rows[~np.isin(rows, list(self._served.broken))]
        return left if len(left) else rows

    def _without(self, rows: "NDArray[np.int64]", error: BrokenSample) -> "NDArray[np.int64]":
        """Return rows without the broken one.

        Raises:
            BrokenSample: broken samples are not left out, or no other is left.
        """
        left: NDArray[np.int64] = rows[rows != error.row]
        if not self._options.skip_broken or not len(left) or len(left) == len(rows):
            raise error
        if self._served.note_broken(error.row, error.message):
            _LOG.warning("left out: %s", error.message)
        return left

    def _rows(self, epoch: int, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        chosen = next(stage for stage in reversed(self._stages) if stage.facts.from_epoch <= epoch)
        return positions if chosen.rows is None else chosen.rows[positions]

    def _changed(self, arrays: "Arrays", rows: "NDArray[np.int64]", epoch: int) -> "Arrays":
        """Return samples as the user's functions make them; each has random numbers of its own, wherever it is made."""
        transform, augment = self._options.transform, self._options.augment
        samples = []
        for place, row in enumerate(rows.tolist()):
            sample: Sample = {name: array[place] for name, array in arrays.items()}
            if transform is not None:
                sample = transform(sample)
            if augment is not None:
                key = keys_of(_AUGMENT, self.plan.facts.dataset_hash, str(self.plan.facts.seed), str(epoch), str(row))
                sample = augment(sample, np.random.Generator(np.random.Philox(key=key[:2])))
            samples.append(sample)
        return stacked(samples, [f"sample {row}" for row in rows.tolist()])

    def _count(self, epoch: int, batch: Batch, waited: float) -> None:
        served = self._served
        served.add(epoch, batch.number, batch.positions, self._rows(epoch, batch.positions))
        served.waits.add(waited)
        served.bytes += _size(batch)
        served.cache_hits += batch.cached
        served.samples -= batch.left_out
        served.padded += self.plan.padding(epoch, batch.number)
        if served.first_batch_seconds is None:
            served.first_batch_seconds = round(waited, 4)

    def _handed(self, arrays: "Arrays") -> dict[str, Any]:
        return dict(arrays)


def _code_of(options: Options, welcome: Welcome | None) -> tuple[str | None, str | None]:
    """Return the hash of what makes samples of samples, here and in a server, and why it is unknown, if it is."""
    codes = [code for code in (options.transform, options.augment) if code is not None]
    served = welcome.code if welcome is not None else None
    try:
        own = hash_object(codes) if codes else None
    except LedgerError as error:
        return served, error.message
    except Exception as error:  # noqa: BLE001  # a foreign object may raise anything when it is read
        return served, f"{type(error).__name__}: {error}"[:200]
    return " ".join(one for one in (served, own) if one) or None, None


def _size(batch: Batch) -> int:
    return sum(array.nbytes for array in batch.arrays.values())


def _worker() -> Any:  # noqa: ANN401  # torch is not imported here
    """Return which worker of a `DataLoader` of torch this process is; none where it is none."""
    torch = sys.modules.get("torch")
    return torch.utils.data.get_worker_info() if torch is not None else None


def _own_numbers(numbers: Iterator[int], worker: Any) -> Iterator[int]:  # noqa: ANN401  # the same
    """Yield the batches that a worker reads: the `DataLoader` takes one of each in turn."""
    if worker is None:
        return numbers
    return (number for place, number in enumerate(numbers) if place % worker.num_workers == worker.id)
