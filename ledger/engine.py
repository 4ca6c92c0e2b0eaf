"""Mapping of a function over items: on the cores of this machine, or on an existing Dask or Ray cluster.

The only module that uses dask and ray. Functions and items must be importable and picklable on workers: this module
sends them, it never reads a pickle that came from a file or a record.
"""

import os
import re
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, islice
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ledger import __version__
from ledger.errors import LedgerError, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4
"""Items in flight for each worker: enough that none waits, few enough that stopping is quick."""
_PATIENCE_SECONDS = 10
"""Longest wait for an answer of a cluster's head."""
_EMPTY_SECONDS = 60
"""How long a cluster may be without workers."""
_FORMS = "dask://host:8786, or ray://host:10001"
_LONGEST = 300
"""Most characters that are shown of an error of a cluster."""
_NO_MODULE = re.compile(r"No module named '([\w.]{1,100})'")


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

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        from concurrent.futures.process import BrokenProcessPool

        try:
            yield from super().map(function, items)
        except BrokenProcessPool as error:
            raise LedgerError(
                "a process that worked for this one was killed", hint="is there enough memory? fewer take less: --jobs"
            ) from error


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
        from distributed import CancelledError, KilledWorker

        waiting: deque[_DaskItem] = deque()
        workers = max(1, sum(self._client.nthreads().values()))
        try:
            # Impure: an item that is submitted twice is computed twice, as on this machine.
            yield from _in_order(
                lambda item: _DaskItem(self._client, self._client.submit(function, item, pure=False)),
                items,
                workers * _AHEAD,
                waiting,
            )
        except KilledWorker as error:
            raise _lost("Dask", error) from error
        except (CancelledError, OSError) as error:
            raise _gone("Dask", error) from error
        finally:
            self._client.cancel([item.future for item in waiting])


class _DaskItem:
    """What was sent to a Dask cluster, which keeps it for ever where all workers are lost."""

    def __init__(self, client: Any, future: Any) -> None:  # noqa: ANN401  # distributed has no types
        self._client = client
        self.future = future

    def result(self) -> Any:  # noqa: ANN401  # what the function returns
        while True:
            try:
                return self.future.result(timeout=_EMPTY_SECONDS)
            except TimeoutError:  # of the wait, or of the function
                if self.future.done():
                    raise
            if not self._client.nthreads():
                raise ConnectionError(f"it has had no workers for {_EMPTY_SECONDS} s")


class _Ray:
    """A Ray cluster, by the address of its head."""

    grain = 512

    def __init__(self, ray: Any) -> None:  # noqa: ANN401  # ray has no types that mypy reads
        self._ray = ray

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        from ray import exceptions

        waiting: deque[_RayItem] = deque()
        try:
            remote = self._ray.remote(function)
            workers = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            yield from _in_order(
                lambda item: _RayItem(self._ray, remote.remote(item)), items, workers * _AHEAD, waiting
            )
        except ImportError as error:  # of the head, which loads functions as well
            raise _cannot_load("Ray", _absence(error)) from error
        except exceptions.RayTaskError as error:
            if isinstance(error.cause, exceptions.RaySystemError) or "failed to import on the worker" in str(error):
                raise _cannot_load("Ray", _absence(error)) from error
            raise error.cause from error
        except exceptions.WorkerCrashedError as error:
            raise _lost("Ray", error) from error
        except (exceptions.RayError, OSError) as error:
            raise _gone("Ray", error) from error
        finally:
            with suppress(Exception):  # the cluster may be gone
                for item in waiting:
                    self._ray.cancel(item.reference)


class _RayItem:
    """What was sent to a Ray cluster; Ray forgets what nobody refers to."""

    def __init__(self, ray: Any, reference: Any) -> None:  # noqa: ANN401  # ray has no types that mypy reads
        self._ray = ray
        self.reference = reference

    def result(self) -> Any:  # noqa: ANN401  # what the function returns
        return self._ray.get(self.reference)


def _gone(kind: str, error: BaseException) -> LedgerError:
    return LedgerError(f"the {kind} cluster is gone: {_line(error)}", hint="start it again; what is recorded stays")


def _lost(kind: str, error: BaseException) -> LedgerError:
    return LedgerError(
        f"workers of the {kind} cluster died of an item, again and again: {_line(error)}",
        hint="see their logs, and whether they have enough memory; what is recorded stays",
    )


def _cannot_load(kind: str, why: str) -> LedgerError:
    return LedgerError(
        f"workers of the {kind} cluster cannot load what they are sent: {why}",
        hint=f"pip install git-ledger=={__version__}, on every machine of the cluster",
    )


def _absence(error: BaseException) -> str:
    """Return what a worker lacks, as the traceback that it printed says."""
    found = _NO_MODULE.search(str(error))
    return f"they lack `{found[1].partition('.')[0]}`" if found else "they have other versions"


def _line(error: BaseException) -> str:
    """Return the first line of an error, which may hold the whole traceback of a worker."""
    return next(iter(str(error).splitlines()), "")[:_LONGEST] or type(error).__name__


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
        raise UsageError(f"no such engine: `{address}`", hint=_FORMS)
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(_OPENERS[kind](place))
        except ModuleNotFoundError as error:
            raise UsageError(
                f"this engine needs a package: `{error.name}`", hint=f"pip install {_PACKAGES[kind]}"
            ) from None
        except OSError as error:
            raise LedgerError(
                f"nothing answers at this address ({error}): `{address}`", hint="check the address, and that it runs"
            ) from error
        yield engine


def _knock(place: str) -> None:
    """Ask whether anybody listens: Dask and Ray try 10 and 30 s where nobody does.

    Raises:
        UsageError: the address has no port.
        OSError: nobody does.
    """
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"this address of an engine has no port: `{place}`", hint=_FORMS)
    socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_SECONDS).close()


@contextmanager
def _open_dask(place: str) -> Iterator[Engine]:
    from distributed import Client

    _knock(place)
    with Client(f"tcp://{place}", timeout=f"{_PATIENCE_SECONDS}s", set_as_default=False) as client:  # type: ignore[no-untyped-call]  # distributed has no types
        _check_dask(client)
        yield _Dask(client)


def _check_dask(client: Any) -> None:  # noqa: ANN401  # distributed has no types
    """Refuse a cluster that lacks this package: its workers die of what they cannot load, and nothing comes back.

    Asked by a function of the standard library, since ours could not be loaded either.
    """
    asked = resolve_name, "ledger:__version__"
    try:
        found = {client.run_on_scheduler(*asked), *client.run(*asked).values()} - {__version__}
    except ModuleNotFoundError as error:
        raise _cannot_load("Dask", f"they lack `{error.name}`") from error
    if found:
        raise _cannot_load("Dask", f"they have ledger {', '.join(sorted(found))}, here is {__version__}")


@contextmanager
def _open_ray(place: str) -> Iterator[Engine]:
    import logging
    import warnings

    import ray

    _knock(place)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(address=f"ray://{place}", log_to_driver=False, logging_level=logging.ERROR)
    except (RuntimeError, ValueError) as error:
        raise LedgerError(
            f"the Ray cluster cannot be used: {_line(error)}", hint="the same Python and Ray here and on the cluster"
        ) from error
    try:
        yield _Ray(ray)
    finally:
        ray.shutdown()


_OPENERS = {"dask": _open_dask, "ray": _open_ray}
_PACKAGES = {"dask": "'dask[distributed]'", "ray": "'ray[client]'"}
