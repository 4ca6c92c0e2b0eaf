"""Mapping of a function over items: on the cores of this machine, or on an existing Dask or Ray cluster.

The only module that uses dask and ray. Functions and items must be importable and picklable on workers: this module
sends them, it never reads a pickle that came from a file or a record.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ledger.errors import LedgerError, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4
"""Items in flight for each worker: enough that none waits, few enough that stopping is quick."""


class Engine(Protocol):
    """An executor of work."""

    grain: int
    """Number of small things that make one item worth sending."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield the result for each item, in order, as soon as all results before it are there.

        Items are taken as workers become free, in the caller's thread. An exception of the function is raised here, for
        its item; the items after it are abandoned.

        Raises:
            LedgerError: the cluster is gone.
        """


class _Local:
    """The cores of this machine: threads, whose work waits for processes, files, or code that releases the GIL."""

    grain = 64
    """A future costs 20 µs, as much as hashing a small file."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def _pool(self) -> "Executor":
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self.jobs)

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        left = iter(items)
        first = list(islice(left, 2))
        if self.jobs == 1 or len(first) <= 1:  # a single item is done without loading a pool
            yield from map(function, chain(first, left))
            return
        with self._pool() as pool:
            try:
                yield from _in_order(
                    lambda item: pool.submit(function, item), chain(first, left), self.jobs * _AHEAD, deque()
                )
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


class _Processes(_Local):
    """Processes on this machine, for work in Python: each starts afresh, and knows nothing of this one."""

    grain = 512
    """Starting one and importing what it needs takes half a second."""

    def _pool(self) -> "Executor":
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        return ProcessPoolExecutor(self.jobs, mp_context=get_context("spawn"))


def _in_order(submit: Callable[[T], Any], items: Iterable[T], ahead: int, waiting: deque[Any]) -> Iterator[Any]:
    """Yield results in the order of the items; requested results that have not arrived are in `waiting`."""
    for item in items:
        waiting.append(submit(item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Dask:
    """A Dask cluster, by the address of its scheduler."""

    grain = 512
    """A task costs the scheduler up to a millisecond: https://distributed.dask.org/en/stable/limitations.html."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401  # distributed has no types
        self._client = client

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        from distributed import CancelledError

        waiting: deque[Any] = deque()
        workers = max(1, sum(self._client.nthreads().values()))
        try:
            # Impure: an item that is submitted twice is computed twice, as on this machine.
            yield from _in_order(
                lambda item: self._client.submit(function, item, pure=False), items, workers * _AHEAD, waiting
            )
        except (CancelledError, OSError) as error:
            raise LedgerError(
                f"the Dask cluster is gone: {error}", hint="start it again; what is recorded stays"
            ) from error
        finally:
            self._client.cancel(list(waiting))


class _Ray:
    """A Ray cluster, by the address of its head."""

    grain = 512

    def __init__(self, ray: Any) -> None:  # noqa: ANN401  # ray has no types that mypy reads
        self._ray = ray

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        remote = self._ray.remote(function)
        workers = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        yield from _in_order(lambda item: remote.remote(item).future(), items, workers * _AHEAD, deque())


@contextmanager
def open_engine(address: str | None = None, *, jobs: int | None = None, processes: bool = False) -> Iterator[Engine]:
    """Open an engine for the length of the block.

    Args:
        address: `dask://host:port` or `ray://host:port`; none is this machine.
        jobs: number of items at once on this machine; one for each core by default.
        processes: whether this machine works in processes, for functions that keep Python busy.

    Raises:
        UsageError: the address has another form, or its library is not installed.
        LedgerError: nothing answers there.
    """
    if address is None:
        yield (_Processes if processes else _Local)(jobs or os.cpu_count() or 1)
        return
    kind, separator, place = address.partition("://")
    if not separator or not place or kind not in _OPENERS:
        raise UsageError(f"no such engine: `{address}`", hint="dask://host:8786, or ray://host:10001")
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(_OPENERS[kind](place))
        except ModuleNotFoundError as error:
            raise UsageError(
                f"this engine needs a package: `{error.name}`", hint=f"pip install {_PACKAGES[kind]}"
            ) from None
        except (OSError, TimeoutError, ConnectionError) as error:
            raise LedgerError(
                f"nothing answers at this address ({error}): `{address}`", hint="check the address, and that it runs"
            ) from error
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
