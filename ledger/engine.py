"""Maps a function over items: on the cores of this machine, or on a Dask or Ray cluster that runs already.

The only room of dask and ray. Functions and items must be importable and picklable where workers are: this module
sends them, it never reads a pickle that came from a file or a record.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol, TypeVar

from ledger.errors import LedgerError, UsageError

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4
"""Items in flight for each worker: enough that none waits, few enough that stopping is quick."""


class Engine(Protocol):
    """Where work is done."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the result for each item, in the order of the items, as soon as it and all before it are there.

        What the function raises is raised here, for that item; the items after it are given up.

        Raises:
            LedgerError: the cluster is gone.
        """


class _Local:
    """The cores of this machine: threads, whose work waits for processes, files, or code that frees the interpreter."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        if self.jobs == 1 or len(items) <= 1:
            yield from map(function, items)
            return
        with ThreadPoolExecutor(self.jobs) as pool:
            yield from _in_order(pool, function, items, self.jobs * _AHEAD)


def _in_order(pool: Executor, function: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    left = iter(items)
    waiting = [pool.submit(function, item) for item in islice(left, ahead)]
    try:
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(function, item) for item in islice(left, 1)]
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


class _Dask:
    """A Dask cluster, by the address of its scheduler."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401  # distributed has no types
        self._client = client

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        from distributed import CancelledError

        # Impure: the same item asked for twice is done twice, as here.
        futures = self._client.map(function, list(items), pure=False)
        try:
            for future in futures:
                yield future.result()
        except (CancelledError, OSError) as error:
            raise LedgerError(
                f"the Dask cluster is gone: {error}", hint="start it again; what is recorded stays"
            ) from error
        finally:
            self._client.cancel(futures)


class _Ray:
    """A Ray cluster, by the address of its head."""

    def __init__(self, ray: Any) -> None:  # noqa: ANN401  # ray has no types that mypy reads
        self._ray = ray

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        remote = self._ray.remote(function)
        for reference in [remote.remote(item) for item in items]:
            yield self._ray.get(reference)


@contextmanager
def open_engine(address: str | None = None, *, jobs: int | None = None) -> Iterator[Engine]:
    """Open an engine for the length of the block.

    Args:
        address: `dask://host:port` or `ray://host:port`; none is this machine.
        jobs: how many items at once on this machine; one for each core by default.

    Raises:
        UsageError: the address has another shape, or its library is not installed.
        LedgerError: nothing answers there.
    """
    if address is None:
        yield _Local(jobs or os.cpu_count() or 1)
        return
    kind, separator, place = address.partition("://")
    if not separator or not place or kind not in _OPENERS:
        raise UsageError(f"no such engine: `{address}`", hint="dask://host:8786, or ray://host:10001")
    try:
        opened = _OPENERS[kind](place)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"this engine needs a package: `{error.name}`", hint=f"pip install {_PACKAGES[kind]}"
        ) from None
    except (OSError, TimeoutError, ConnectionError) as error:
        raise LedgerError(
            f"nothing answers there ({error}): `{address}`", hint="check the address, and that it runs"
        ) from error
    with opened as engine:
        yield engine


@contextmanager
def _open_dask(place: str) -> Iterator[Engine]:
    from distributed import Client

    with Client(f"tcp://{place}", timeout="10s", set_as_default=False) as client:  # type: ignore[no-untyped-call]  # distributed has no types
        yield _Dask(client)


@contextmanager
def _open_ray(place: str) -> Iterator[Engine]:
    import ray

    ray.init(address=f"ray://{place}", log_to_driver=False)
    try:
        yield _Ray(ray)
    finally:
        ray.shutdown()


_OPENERS = {"dask": _open_dask, "ray": _open_ray}
_PACKAGES = {"dask": "'dask[distributed]'", "ray": "'ray[client]'"}
