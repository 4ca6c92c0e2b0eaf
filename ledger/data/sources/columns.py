"""Columns of samples in array files and tables: each row is read at its place, and none before it is asked for.

Never through a memory map: a file that is truncated under one kills the training with SIGBUS. A column of few bytes is
read whole.
"""

import os
import weakref
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.data.samples.tabular_files import read_table
from ledger.data.sources.source import LABEL, LABELS, changed_data, content_facts
from ledger.errors import LedgerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

_WHOLE_BYTES = 1 << 26
"""Largest column that is read whole, in bytes: labels of some million samples."""
_KINDS = "biufcSU"
"""Kinds of values that have a form without pickle (`numpy.dtype.kind`)."""


class FileColumn:
    """The rows of one `.npy` file, read from where they lie.

    Args:
        path: the file.

    Raises:
        LedgerError: it is no array of rows, or holds objects.
    """

    def __init__(self, path: Path) -> None:
        import numpy as np

        self.path = path
        try:
            with path.open("rb") as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                self.shape, fortran, self.dtype = read(file)
                self._start = file.tell()
        except (OSError, ValueError) as error:
            raise LedgerError(f"the array cannot be read ({str(error)[:80].lower()}): `{path}`") from None
        if not self.shape or fortran or self.dtype.kind not in _KINDS:
            why = "it holds a single value" if not self.shape else "its columns are stored first" if fortran else ""
            raise LedgerError(f"the array has no rows to read ({why or f'its type is {self.dtype}'}): `{path}`")
        self._row_bytes = self.dtype.itemsize
        for side in self.shape[1:]:
            self._row_bytes *= side
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._close = weakref.finalize(self, os.close, self._file)
        self._facts = content_facts(os.fstat(self._file))
        self._held: NDArray[Any] | None = None
        """All rows; none where they are read."""
        if self._row_bytes * self.shape[0] <= _WHOLE_BYTES:
            self._held = self._read(np.arange(self.shape[0]), None)

    def __len__(self) -> int:
        return int(self.shape[0])

    def read(self, rows: "NDArray[Any]", out: "NDArray[Any] | None" = None) -> "NDArray[Any]":
        """Return some rows.

        Args:
            rows: their numbers.
            out: array that they are written to, and that is returned.

        Raises:
            LedgerError: the file has changed since it was opened, or cannot be read.
        """
        return self._read(rows, out) if self._held is None else _taken(self._held, rows, out)

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        self._close()

    def __reduce__(self) -> "tuple[Any, ...]":
        """Open the file anew in another process: the number of an open file means another one there."""
        return FileColumn, (self.path,), self._facts

    def __setstate__(self, facts: tuple[int, int, int]) -> None:
        """Take over what the file was when it was first opened: if it is another one now, reading says so."""
        if facts != self._facts:
            self._facts, self._held = facts, None

    def _read(self, rows: "NDArray[Any]", out: "NDArray[Any] | None") -> "NDArray[Any]":
        import numpy as np

        found = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype) if out is None else out
        if not found.nbytes:
            return found
        view = found.reshape(-1).view(np.uint8).data
        size = self._row_bytes
        # Neighbours are read at once.
        starts = np.concatenate([[0], np.flatnonzero(np.diff(rows) != 1) + 1, [len(rows)]]).tolist()
        try:
            for begin, end in pairwise(starts):
                self._fill(view[begin * size : end * size], self._start + int(rows[begin]) * size)
        except OSError as error:
            raise LedgerError(f"the array cannot be read ({(error.strerror or '').lower()}): `{self.path}`") from error
        if content_facts(os.fstat(self._file)) != self._facts:
            raise changed_data(self.path)
        return found

    def _fill(self, part: memoryview, place: int) -> None:
        while part:
            count = os.preadv(self._file, [part], place)
            if not count:
                raise changed_data(self.path)
            part, place = part[count:], place + count


class HeldColumn:
    """The rows of an array in memory.

    Args:
        array: the array.
    """

    def __init__(self, array: "NDArray[Any]") -> None:
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __len__(self) -> int:
        return len(self._array)

    def read(self, rows: "NDArray[Any]", out: "NDArray[Any] | None" = None) -> "NDArray[Any]":
        """Return some rows, in the array that is given, if one is."""
        return _taken(self._array, rows, out)

    def close(self) -> None:
        """Do nothing."""


def _taken(array: "NDArray[Any]", rows: "NDArray[Any]", out: "NDArray[Any] | None") -> "NDArray[Any]":
    import numpy as np

    if out is None:
        found: NDArray[Any] = np.asarray(array[rows])
        return found
    # `clip`, since any other mode makes a copy first; the numbers were checked.
    return np.take(array, rows, axis=0, out=out, mode="clip")


class ColumnSource:
    """Samples whose parts are rows of several arrays.

    Args:
        columns: array of each part, by name.
        kind: kind of source.

    Raises:
        LedgerError: the arrays have different numbers of rows, or there is none.
    """

    def __init__(self, columns: Mapping[str, FileColumn | HeldColumn], kind: str = "arrays") -> None:
        self.kind = kind
        self._columns = dict(columns)
        counts = {name: len(column) for name, column in columns.items()}
        if len(set(counts.values())) != 1:
            self.close()
            told = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
            raise LedgerError(
                f"the arrays of a sample have different numbers of rows: `{told}`",
                hint="name those that belong together: columns=[…]",
            )

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def read(self, rows: "NDArray[Any]", out: "Arrays | None" = None) -> "Arrays":
        """Return the samples at some rows.

        Args:
            rows: their numbers.
            out: arrays that they are written to; where it has only some, only these are read.

        Raises:
            LedgerError: a file has changed since it was opened, or cannot be read.
        """
        if out is None:
            return {name: column.read(rows) for name, column in self._columns.items()}
        return {name: self._columns[name].read(rows, array) for name, array in out.items()}

    def forms(self) -> "dict[str, tuple[np.dtype[Any], tuple[int, ...]]]":
        """Return the type of each array, and the shape of one row of it."""
        return {name: (column.dtype, tuple(column.shape[1:])) for name, column in self._columns.items()}

    def values(self, name: str) -> Sequence[str | None] | None:
        """Return the values of a column as text; that of the labels has one of the usual names."""
        import numpy as np

        found = next((one for one in (LABELS if name == LABEL else (name,)) if one in self._columns), None)
        if found is None:
            return None
        values = self._columns[found].read(np.arange(len(self)))
        return [str(value) for value in values.tolist()] if values.ndim == 1 else None

    def close(self) -> None:
        """Close the files."""
        for column in self._columns.values():
            column.close()


def open_npz(path: Path) -> dict[str, HeldColumn]:
    """Return the arrays of a `.npz` file, read whole.

    Raises:
        LedgerError: it cannot be read, or holds objects.
    """
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: HeldColumn(archive[name]) for name in archive.files if archive[name].ndim}
    except Exception as error:  # noqa: BLE001  # damaged files make numpy and zipfile raise anything
        raise LedgerError(f"the arrays cannot be read ({str(error)[:80].lower()}): `{path}`") from None


def open_table(path: Path) -> dict[str, HeldColumn]:
    """Return the columns of numbers and of words of a table, read whole.

    Raises:
        LedgerError: it cannot be read, has missing numbers, or pyarrow is not installed.
    """
    import numpy as np

    table = read_table(path)
    columns: dict[str, HeldColumn] = {}
    for name in table.column_names:
        column = table.column(name)
        if column.null_count:
            raise LedgerError(f"a column has missing values, which no array holds: `{name}` of `{path}`")
        values = column.to_numpy()
        if values.dtype.hasobject:
            listed = values.tolist()
            if not all(isinstance(value, str) for value in listed):
                raise LedgerError(f"a column holds neither numbers nor words: `{name}` of `{path}`")
            values = np.array(listed)
        columns[str(name)] = HeldColumn(values)
    return columns
