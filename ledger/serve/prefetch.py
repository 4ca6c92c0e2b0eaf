"""Reading ahead of the training: in a thread, bounded in batches and in bytes."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Values that a thread makes ahead of their reader; an exception reaches the reader in its place.

    Args:
        values: makes them, one after the other, in the thread.
        size: returns the bytes of a value.
        most: most values that wait.
        most_bytes: most bytes that wait; one value always may.
    """

    def __init__(self, values: Iterator[T], size: Callable[[T], int], most: int, most_bytes: int) -> None:
        self._values, self._size = values, size
        self._most, self._most_bytes = most, most_bytes
        self._ready: deque[tuple[T | BaseException | None, int]] = deque()
        self._bytes = 0
        self._change = threading.Condition()
        self._stopped = False
        threading.Thread(target=self._work, name="ledger-prefetch", daemon=True).start()

    def __iter__(self) -> Iterator[T]:
        """Yield the values.

        Raises:
            BaseException: what making one raised.
        """
        while True:
            with self._change:
                self._change.wait_for(lambda: self._ready)
                value, size = self._ready.popleft()
                self._bytes -= size
                self._change.notify_all()
            if value is None:
                return
            if isinstance(value, BaseException):
                raise value
            yield value

    def stop(self) -> None:
        """Make no more values; what waits is dropped."""
        with self._change:
            self._stopped = True
            self._ready.clear()
            self._change.notify_all()

    def _work(self) -> None:
        try:
            for value in self._values:
                if not self._put(value, self._size(value)):
                    return
            self._put(None, 0)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the reader
            self._put(error, 0)
        finally:
            if isinstance(self._values, Generator):
                self._values.close()

    def _put(self, value: T | BaseException | None, size: int) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._stopped or not self._ready or self._has_room(size))
            if self._stopped:
                return False
            self._ready.append((value, size))
            self._bytes += size
            self._change.notify_all()
        return True

    def _has_room(self, size: int) -> bool:
        return len(self._ready) < self._most and self._bytes + size <= self._most_bytes
