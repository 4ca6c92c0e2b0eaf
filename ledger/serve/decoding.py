"""How rows become the arrays of a batch: read and decoded, and made into others by the user's function.

In this process, or in several: one process runs the Python of one transform at a time, however many threads it has.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.data.preparing.object_code import hash_object
from ledger.data.sources.opening import open_source
from ledger.data.sources.source import SampleSource, chosen, stacked
from ledger.errors import LedgerError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

Transform = Callable[[dict[str, Any]], dict[str, Any]]

_TRIES = 3
"""How often the same rows are given to a process, each time another one, where processes die of them."""


class Decoder:
    """Reads rows of a source, and makes others of them.

    Args:
        source: the samples.
        transform: makes a sample of a sample.
    """

    def __init__(self, source: SampleSource, transform: Transform | None = None) -> None:
        self._source, self._transform = source, transform

    @property
    def code(self) -> str | None:
        """Hash of the code of the transform; none where there is none."""
        return hash_object(self._transform) if self._transform is not None else None

    def read(self, rows: "NDArray[Any]", columns: frozenset[str] = frozenset()) -> "Arrays":
        """Return the samples at some rows, or some of their arrays.

        Raises:
            LedgerError: one cannot be read, or the samples have no such array.
        """
        arrays = self._source.read(rows)
        if self._transform is not None:
            samples = [
                self._transform({name: array[place] for name, array in arrays.items()}) for place in range(len(rows))
            ]
            arrays = stacked(samples, [f"sample {row}" for row in rows.tolist()])
        return chosen(arrays, columns)

    def close(self) -> None:
        """Do nothing: the source is closed by whoever opened it."""


class Recipe(NamedTuple):
    """What another process needs to decode the same."""

    place: str
    columns: tuple[str, ...] = ()
    labels: str | None = None
    transform: str | None = None
    opened_ns: int | None = None
    """Time from which on the samples must not change: a process begins later, or again."""

    def open(self) -> Decoder:
        """Return what decodes.

        Raises:
            LedgerError: the samples cannot be read, or there is no such function.
        """
        source = open_source(self.place, columns=self.columns, labels=self.labels, opened_ns=self.opened_ns)
        return Decoder(source, load_transform(self.transform) if self.transform is not None else None)


class DecodingProcesses:
    """A decoder for each of several processes, which end with this one, however it ends.

    Args:
        recipe: what they decode.
        count: how many.

    Raises:
        LedgerError: they cannot be started.
    """

    def __init__(self, recipe: Recipe, count: int) -> None:
        self._recipe, self._count = recipe, count
        self._lock = threading.Lock()
        self._pool = self._started()

    def read(self, rows: "NDArray[Any]", columns: frozenset[str] = frozenset()) -> "Arrays":
        """Return what a `Decoder` returns; where a process dies, another one does its work.

        Raises:
            LedgerError: as a `Decoder`; or processes die of these rows.
        """
        for _ in range(_TRIES):
            pool = self._pool
            try:
                return pool.submit(_read, rows, columns).result()
            except BrokenProcessPool:
                with self._lock:
                    if self._pool is pool:
                        pool.shutdown(wait=False)
                        self._pool = self._started()
        raise LedgerError(
            f"the processes that decode die of one of these samples: rows {', '.join(map(str, rows.tolist()[:8]))}…"
        )

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        try:
            return ProcessPoolExecutor(
                self._count, mp_context=get_context("spawn"), initializer=_begin, initargs=(self._recipe,)
            )
        except OSError as error:  # their locks lie in /dev/shm
            raise LedgerError(
                f"the processes that decode cannot be started ({(error.strerror or '').lower()})",
                hint="free some space in /dev/shm, or leave --processes out",
            ) from error


def load_transform(text: str) -> Transform:
    """Return a user's function: `MODULE:FUNCTION`, of a module in the current folder first, as `python -m` does.

    Raises:
        LedgerError: there is none.
    """
    place, colon, name = text.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        found = getattr(import_module(place), name) if colon else None
    except Exception as error:
        raise LedgerError(
            f"the transform cannot be loaded ({type(error).__name__}: {str(error)[:120]}): `{text}`",
            hint="MODULE:FUNCTION, where function(sample) returns the sample",
        ) from error
    finally:
        sys.path.remove(here)
    if not callable(found):
        raise UsageError(f"not a function: `{text}`", hint="MODULE:FUNCTION")
    transform: Transform = found
    return transform


_decoders: list[Decoder | LedgerError] = []
"""The decoder of a process that does nothing else, or why it has none."""


def _begin(recipe: Recipe) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _decoders.append(recipe.open())
    except LedgerError as error:
        _decoders.append(error)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _read(rows: "NDArray[Any]", columns: frozenset[str]) -> "Arrays":
    if isinstance(decoder := _decoders[0], LedgerError):
        raise LedgerError(decoder.message, hint=decoder.hint)
    try:
        return decoder.read(rows, columns)
    except LedgerError:
        raise
    except Exception as error:  # noqa: BLE001  # of a foreign transform; it may be none that another process can read
        raise LedgerError(f"{type(error).__name__}: {str(error)[:200]}") from None
