"""The interface of every source: a number of samples, and their arrays by row."""

from collections.abc import Mapping, Sequence
from os import PathLike, stat_result
from typing import TYPE_CHECKING, Any, Protocol

from ledger.errors import LedgerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]
    """Arrays by name, one row for each sample."""

LABEL = "label"
"""Name of the property that every source calls the label of a sample."""
LABELS = ("label", "labels", "target", "targets", "y", "class", "classes")
"""Names of arrays that hold the labels of samples."""


class BrokenSample(LedgerError):
    """One sample cannot be read; the others of its batch may.

    Args:
        row: its row.
        message: as of every `LedgerError`.
        hint: the same.
    """

    def __init__(self, row: int, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.row = row

    def __reduce__(self) -> "tuple[Any, ...]":
        """Hand it to another process."""
        return _broken, (self.row, self.message, self.hint)


def content_facts(status: stat_result) -> tuple[int, int, int]:
    """Return what stays the same while the content of a file does: inode, size, time of the last change of content.

    Other changes are none: a backup adds a hard link, and somebody takes the right to write away.
    """
    return status.st_ino & (1 << 63) - 1, status.st_size, status.st_mtime_ns


def changed_data(path: str | PathLike[str]) -> LedgerError:
    """Return the error for a file that was changed after its source was opened."""
    return LedgerError(
        f"the data changed while a training read them: `{path}`",
        hint="restore them, or add a new version: ledger dataset add",
    )


class SampleSource(Protocol):
    """Samples of one dataset, in one order."""

    kind: str
    """Kind of source, for the record."""

    def __len__(self) -> int: ...

    def read(self, rows: "NDArray[Any]") -> "Arrays":
        """Return the samples at some rows, as arrays by name.

        Raises:
            BrokenSample: one cannot be read.
            LedgerError: the samples do not fit in one array.
        """
        ...

    def values(self, name: str) -> Sequence[str | None] | None:
        """Return a property of each sample as text, such as its `label`; none where the source has no such property.

        Raises:
            LedgerError: it cannot be read.
        """
        ...

    def close(self) -> None:
        """Close its files."""
        ...


def _broken(row: int, message: str, hint: str | None) -> BrokenSample:
    return BrokenSample(row, message, hint=hint)


class Reader(Protocol):
    """What makes the samples that are served: of a source, by a user's function, in other processes, or from disk."""

    def read(self, rows: "NDArray[Any]", columns: frozenset[str] = ...) -> "Arrays":
        """Return the samples at some rows, or some of their arrays.

        Raises:
            LedgerError: one cannot be made, or the samples have no such array.
        """
        ...

    def close(self) -> None:
        """End what it needs."""
        ...


def chosen(arrays: "Arrays", columns: frozenset[str]) -> "Arrays":
    """Return some of the arrays; all where none is named.

    Raises:
        LedgerError: there is no such array.
    """
    if missing := sorted(columns - arrays.keys()):
        raise LedgerError(f"the samples have no such array: `{missing[0]}`", hint=f"one of {', '.join(arrays)}")
    return {name: array for name, array in arrays.items() if not columns or name in columns}


def stacked(samples: "Sequence[Mapping[str, Any]]", names: Sequence[str]) -> "Arrays":
    """Return samples as arrays, one row for each.

    Args:
        samples: values by name of each sample.
        names: name of each sample, for messages.

    Raises:
        LedgerError: two samples differ in what they hold, or in shape.
    """
    import numpy as np

    first = samples[0]
    for name, sample in zip(names, samples, strict=True):
        if sample.keys() != first.keys():
            raise LedgerError(
                f"two samples differ in what they hold: `{names[0]}` has {sorted(first)}, `{name}` {sorted(sample)}"
            )
    arrays: Arrays = {}
    for key in first:
        values = [np.asarray(sample[key]) for sample in samples]
        for name, value in zip(names, values, strict=True):
            if value.shape != values[0].shape:
                raise LedgerError(
                    f"two samples differ in shape: `{names[0]}` has {key} {values[0].shape}, `{name}` {value.shape}",
                    hint="make them alike: transform=FUNCTION, or `ledger prepare`",
                )
        arrays[key] = np.stack(values)
        if arrays[key].dtype.hasobject:
            raise LedgerError(f"a sample holds an object that is no array: `{key}` of `{names[0]}`")
    return arrays
