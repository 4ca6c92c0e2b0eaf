"""Time that training waits for its data, measured around every `next()` of a data loader."""

from collections.abc import Callable, Iterable, Iterator
from threading import get_ident
from time import perf_counter
from typing import Generic, TypeVar

T = TypeVar("T")

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


class Loading(Generic[T]):
    """A data loader that measures how long its user waits; in everything else it behaves as the wrapped loader.

    Args:
        loader: source of batches: a `DataLoader`, a generator, a list.
        waiting: sum to add to.
    """

    def __init__(self, loader: Iterable[T], waiting: LoaderWait) -> None:
        self._loader = loader
        self._waiting = waiting

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
                return
            finally:
                waiting.end(began)
            yield batch

    def __len__(self) -> int:
        return len(self._loader)  # type: ignore[arg-type]  # a loader without a length raises by itself

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # copying and pickling read attributes of a half-made object
            raise AttributeError(name)
        return getattr(self._loader, name)
