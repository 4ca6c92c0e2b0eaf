"""Time that training waits for its data, measured around every `next()` of a data loader."""

from collections.abc import Callable, Iterable, Iterator
from threading import get_ident
from time import monotonic, perf_counter
from typing import Generic, Protocol, TypeVar, runtime_checkable

from ledger.model.feed import Feed
from ledger.recorder.record.draft import CaptureProblem, Dataset
from ledger.session.spool.events import Failed, Fed, Used

T = TypeVar("T")

_CHECKPOINTS = 1_000
"""Checkpoints at which it is told at once what was served; some loaders ask for a state at every batch."""

_AGAIN_SECONDS = 1.0
_AGAIN_SHARE = 0.01
"""The sum is written again after another second, or another 1 %: for a day of waiting that is some 800 times."""


class LoaderWait:
    """Seconds that training waited for data; those of several loaders add up, nested ones count once.

    Args:
        tell: called with the seconds so far, now and then, so that a killed run keeps them.
    """

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._tell_at = 0.0
        self._inside: set[int] = set()
        self.seconds: float | None = None

    def begin(self) -> float | None:
        """Return the start of this wait; none inside another wait of the same thread."""
        thread = get_ident()
        if thread in self._inside:
            return None
        self._inside.add(thread)
        return perf_counter()

    def end(self, began: float | None) -> None:
        """Count a wait, by what `begin` returned."""
        if began is None:
            return
        seconds = self.seconds = (self.seconds or 0.0) + perf_counter() - began
        self._inside.discard(get_ident())
        if seconds >= self._tell_at:
            self._tell_at = max(seconds + _AGAIN_SECONDS, seconds * (1 + _AGAIN_SHARE))
            self._tell(seconds)


@runtime_checkable
class Feeding(Protocol):
    """What feeds a run: `ledger.batches`."""

    dataset_use: Dataset
    """The data, as the run uses them."""
    on_checkpoint: Callable[[], None] | None
    """Called when a checkpoint is made."""

    def feed(self) -> Feed:
        """Return what was served so far."""


class Feeds:
    """What `ledger.batches` served to a run, told now and then, so that a killed run keeps it.

    Args:
        tell: called with the data of each, and with what it has served so far.
    """

    def __init__(self, tell: Callable[[Used | Fed | Failed], None]) -> None:
        self._tell = tell
        self._feeds: list[Feeding] = []
        self._began = monotonic()
        self._tell_at = 0.0
        self._checkpoints = 0

    def add(self, loader: object) -> bool:
        """Follow a loader that is `ledger.batches`, or one of torch around them; return whether it is."""
        for one in (loader, getattr(loader, "dataset", None)):
            if isinstance(one, Feeding) and isinstance(one.dataset_use, Dataset):
                if not any(known is one for known in self._feeds):
                    self._feeds.append(one)
                    self._tell(Used(dataset=one.dataset_use, fed=True))
                    if getattr(loader, "num_workers", 0):
                        why = "the workers of a DataLoader read the batches, so that nobody here sees which were served"
                        self._tell(Failed(problem=CaptureProblem(field="datasets.feeds", message=why)))
                    one.on_checkpoint = self._say_checkpoint
                return True
        return False

    def _say_checkpoint(self) -> None:
        """Tell what has been served up to a checkpoint; of thousands, no more often than of batches."""
        self._checkpoints += 1
        self.say(now=self._checkpoints <= _CHECKPOINTS)

    def say(self, *, now: bool = True) -> None:
        """Tell what all have served so far; unless it must be now, only now and then."""
        if not now and monotonic() < self._tell_at:
            return
        now_seconds = monotonic()
        self._tell_at = now_seconds + max(_AGAIN_SECONDS, (now_seconds - self._began) * _AGAIN_SHARE)
        for number, one in enumerate(self._feeds):
            self._tell(Fed(number=number, feed=one.feed()))


class Loading(Generic[T]):
    """A data loader that measures how long its user waits; in everything else it behaves as the wrapped loader.

    Args:
        loader: source of batches: a `DataLoader`, a generator, a list.
        waiting: sum to add to.
        feeds: what served the run; none where this loader is not one of them.
    """

    def __init__(self, loader: Iterable[T], waiting: LoaderWait, feeds: Feeds | None = None) -> None:
        self._loader = loader
        self._waiting = waiting
        self._feeds = feeds

    def __iter__(self) -> Iterator[T]:
        """Yield the batches of the loader; exceptions pass through. Starting it and its workers counts as waiting."""
        waiting = self._waiting
        began = waiting.begin()
        try:
            batches = iter(self._loader)
        finally:
            waiting.end(began)
        while True:
            began = waiting.begin()
            try:
                batch = next(batches)
            except StopIteration:
                break
            finally:
                waiting.end(began)
            if self._feeds is not None:
                self._feeds.say(now=False)
            yield batch
        if self._feeds is not None:
            self._feeds.say()

    def __len__(self) -> int:
        return len(self._loader)  # type: ignore[arg-type]  # a loader without a length raises by itself

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # copying and pickling read attributes of a half-made object
            raise AttributeError(name)
        return getattr(self._loader, name)
