"""Samples that were decoded once, kept on disk for every later question, epoch and process.

`<cache>/decoded/<key>/`, where the key is a hash of the content of the dataset and of the code that makes its samples:

    forms.json    type and shape of each array
    0.bin, …      the rows of each array, one after the other
    sums          a checksum for each row, 0 where it is not kept
    lock          held by the process that writes

Derived and disposable. Only data that were compared with their version are kept: others would be wrong for ever.
"""

import fcntl
import json
import logging
import math
import os
import shutil
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.data.preparing.cache import cache_folder
from ledger.data.sources.source import Reader, chosen
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

_LOG = logging.getLogger("ledger")
_FOLDER = "decoded"
_BLOCK = 512
"""Bytes of a block of `stat(2)`: files have holes where no row is kept."""
_NOTHING = 1
"""Checksum that is kept for one of 0, which means that a row is not kept."""


class KeptSamples:
    """What a reader makes, from disk where it was made before; all samples must be alike in type and shape.

    Args:
        reader: makes samples.
        count: number of samples of the dataset.
        key: hash of all that they depend on.
        most_bytes: largest size on disk; of more samples, the first ones are kept.
        is_verified: returns whether the data were compared with their version.
    """

    def __init__(self, reader: Reader, count: int, key: str, most_bytes: int, is_verified: Callable[[], bool]) -> None:
        self._reader, self._count, self._most, self._is_verified = reader, count, most_bytes, is_verified
        self._folder = decoded_folder() / key
        self._opening = threading.Lock()
        self._store: _Store | None = None
        self._useless = False
        """Whether nothing can be kept."""

    def read(self, rows: "NDArray[Any]", columns: frozenset[str] = frozenset()) -> "Arrays":
        """Return the samples at some rows, or some of their arrays.

        Raises:
            LedgerError: one cannot be read, or the samples have no such array.
        """
        import numpy as np

        if self._useless or not self._is_verified():
            return self._reader.read(rows, columns)
        if (store := self._store) is None:
            made = self._reader.read(rows)
            if (opened := self._opened(made)) is not None:
                opened.write(rows, made)
            return chosen(made, columns)
        there = store.has(rows)
        if there.all():
            return chosen(store.read(rows), columns)
        made = self._reader.read(rows[~there])
        alike = store.write(rows[~there], made)
        if not there.any():
            return chosen(made, columns)
        if not alike:
            return self._reader.read(rows, columns)
        kept = store.read(rows[there])
        for name, array in made.items():
            both = np.empty((len(rows), *array.shape[1:]), array.dtype)
            both[there], both[~there] = kept[name], array
            kept[name] = both
        return chosen(kept, columns)

    def close(self) -> None:
        """Close the files, and the reader."""
        if self._store is not None:
            self._store.close()
        self._reader.close()

    def _opened(self, made: "Arrays") -> "_Store | None":
        with self._opening:
            if self._store is None and not self._useless:
                try:
                    self._store = _Store(self._folder, made, self._count, self._most)
                except OSError as error:
                    self._useless = True
                    _LOG.warning("no samples are kept on disk: %s", (error.strerror or str(error)).lower())
            return self._store


class _Store:
    """The files. Each row is written before its checksum, so that a row that was half written counts as none."""

    def __init__(self, folder: Path, made: "Arrays", count: int, most_bytes: int) -> None:
        import numpy as np

        self._forms = {name: (array.dtype, array.shape[1:]) for name, array in made.items()}
        self._sizes = {name: dtype.itemsize * math.prod(shape) for name, (dtype, shape) in self._forms.items()}
        row_bytes = sum(self._sizes.values())
        self._kept = min(count, most_bytes // max(1, row_bytes))
        """Rows that have room."""
        if not row_bytes or not self._kept or any(array.dtype.hasobject for array in made.values()):
            raise OSError("a sample has no room, or no fixed form")
        folder.mkdir(parents=True, exist_ok=True)
        self._files: list[int] = []
        try:
            self._lock = self._opened(folder / "lock")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OSError("another process keeps them") from None
            said = {name: [dtype.str, list(shape)] for name, (dtype, shape) in self._forms.items()}
            forms = folder / "forms.json"
            if _json_of(forms) != said:
                (folder / "sums").unlink(missing_ok=True)
                forms.write_text(json.dumps(said), "utf-8")
            self._arrays = {name: self._opened(folder / f"{place}.bin") for place, name in enumerate(self._forms)}
            self._sums_file = self._opened(folder / "sums")
            os.truncate(self._sums_file, 4 * count)
            self._sums = np.frombuffer(bytearray(os.pread(self._sums_file, 4 * count, 0)), np.uint32)
            """Checksum of each row."""
        except (OSError, ValueError) as error:
            self.close()
            raise OSError(str(error)) from error
        self._seen = np.zeros(count, np.bool_)
        """Rows whose checksum this process knows to be right."""

    def has(self, rows: "NDArray[Any]") -> "NDArray[Any]":
        """Return which rows are kept and whole."""
        for row in rows[(self._sums[rows] != 0) & ~self._seen[rows]].tolist():
            whole = _checksum([self._bytes(name, row) for name in self._forms]) == self._sums[row]
            self._seen[row], self._sums[row] = whole, self._sums[row] if whole else 0
        found: NDArray[Any] = self._seen[rows]
        return found

    def read(self, rows: "NDArray[Any]") -> "Arrays":
        """Return rows that are kept.

        Raises:
            LedgerError: the files were changed.
        """
        import numpy as np

        arrays: Arrays = {}
        for name, (dtype, shape) in self._forms.items():
            array = np.empty((len(rows), *shape), dtype)
            size, view = self._sizes[name], array.reshape(-1).view(np.uint8).data
            for place, row in enumerate(rows.tolist()):
                if os.preadv(self._arrays[name], [view[place * size : (place + 1) * size]], row * size) != size:
                    raise LedgerError("samples that were kept on disk are gone", hint="ledger cache clean")
            arrays[name] = array
        return arrays

    def write(self, rows: "NDArray[Any]", made: "Arrays") -> bool:
        """Keep rows, as far as there is room; return whether they are like those that are kept."""
        import numpy as np

        files = self._arrays
        if {name: (array.dtype, array.shape[1:]) for name, array in made.items()} != self._forms:
            return False
        views = {name: np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for name, array in made.items()}
        for place, row in enumerate(rows.tolist()):
            if row >= self._kept:
                continue
            parts = {name: views[name][place * size : (place + 1) * size] for name, size in self._sizes.items()}
            try:
                if any(os.pwrite(files[name], part, row * len(part)) < len(part) for name, part in parts.items()):
                    return True
                self._sums[row] = _checksum([bytes(part) for part in parts.values()])
                os.pwrite(self._sums_file, self._sums[row].tobytes(), 4 * row)
            except OSError:
                return True  # a full disk: what is kept is kept
            self._seen[row] = True
        return True

    def close(self) -> None:
        for file in self._files:
            with suppress(OSError):
                os.close(file)
        self._files.clear()

    def _opened(self, path: Path) -> int:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._files.append(file)
        return file

    def _bytes(self, name: str, row: int) -> bytes:
        return os.pread(self._arrays[name], self._sizes[name], row * self._sizes[name])


def decoded_folder() -> Path:
    """Return the folder in which decoded samples are kept: beside prepared data."""
    return cache_folder() / _FOLDER


def count_decoded(*, remove: bool = False) -> tuple[int, int]:
    """Return of how many datasets and codes there are decoded samples, and their bytes.

    Args:
        remove: remove them, but for those that a process keeps open, which then do not count.
    """
    count = size = 0
    for folder in decoded_folder().glob("*"):
        with suppress(OSError), (folder / "lock").open("rb") as lock:
            used = sum(file.stat().st_blocks * _BLOCK for file in folder.iterdir())
            if remove:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            count, size = count + 1, size + used
    return count, size


def _json_of(file: Path) -> object:
    """Return what a file says; none where it says nothing, such as after a crash."""
    with suppress(FileNotFoundError, ValueError):
        return json.loads(file.read_text("utf-8"))
    return None


def _checksum(parts: list[bytes]) -> int:
    found = 0
    for part in parts:
        found = zlib.crc32(part, found)
    return found or _NOTHING
