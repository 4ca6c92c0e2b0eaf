"""The source of a path: what lies there decides what its samples are."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ledger.data.optional_packages import needing
from ledger.data.samples.tabular_files import SUFFIXES as TABLES
from ledger.data.sources.columns import ColumnSource, FileColumn, HeldColumn, open_npz, open_table
from ledger.data.sources.local_copies import LocalCopies
from ledger.data.sources.objects import open_object
from ledger.data.sources.sample_sources import FileSource
from ledger.data.sources.shards import ShardSource
from ledger.data.sources.source import SampleSource, changed_data
from ledger.data.version.declared import nothing_at
from ledger.errors import LedgerError, UsageError

_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_VALUE = "value.json"
"""File that says how a result of `@ledger.cached` is built; its arrays lie beside it."""
_MOST_COLUMNS = 64


def open_source(
    place: str, *, columns: Sequence[str] = (), labels: str | None = None, opened_ns: int | None = None
) -> SampleSource:
    """Return the samples at a path, or those of `package.module:factory`.

    Args:
        place: an array file, a table, tar archives, what `ledger prepare` or `@ledger.cached` kept, a folder of
            arrays that are columns, or a folder whose files are samples; or a URL of one of them, whose files are
            copied here when they are read.
        columns: columns that are read; all by default.
        labels: where labels of samples that are files come from, as `ledger dataset add --labels`.
        opened_ns: time from which on the files must not have changed; by default now.

    Raises:
        LedgerError: nothing lies there, it changed, it cannot be read, it has no such column, or a package is missing.
    """
    with needing("reading samples"):
        if "://" in place:
            return _open_copies(place, LocalCopies(place), columns, labels)
        path = Path(place)
        if not path.exists():
            if _FACTORY.fullmatch(place):
                return open_object(place)
            raise nothing_at(place)
        if opened_ns is not None:
            _check_times([path] if path.is_file() else [*path.glob("*.npy"), *path.glob("*.tar")], opened_ns)
        found = _columns_at(path, columns)
        if found is not None:
            return ColumnSource(_chosen(found, columns), kind="table" if path.suffix.lower() in TABLES else "arrays")
        if columns:
            raise UsageError(f"only arrays and tables have columns: `{place}`", hint="leave columns out")
        shards = [path] if path.suffix == ".tar" else sorted(path.glob("*.tar")) if path.is_dir() else []
        if shards:
            return ShardSource(shards)
        if path.is_dir():
            return FileSource(path, labels, opened_ns=opened_ns)
    raise LedgerError(
        f"a file that is no array, table or tar archive: `{place}`",
        hint="name the folder, or write a map-style object and give it as package.module:factory",
    )


def _check_times(files: Sequence[Path], opened_ns: int) -> None:
    """Refuse files that were written to since a time."""
    for file in files:
        status = file.stat()
        if min(status.st_mtime_ns, status.st_ctime_ns) > opened_ns:
            raise changed_data(file)


def _columns_at(path: Path, columns: Sequence[str]) -> dict[str, FileColumn | HeldColumn] | None:
    """Return the columns that lie at a path; none where the samples there are no rows of arrays."""
    if path.is_file():
        if path.suffix == ".npy":
            return {"data": FileColumn(path)}
        if path.suffix == ".npz":
            return dict(open_npz(path))
        return dict(open_table(path)) if path.suffix.lower() in TABLES else None
    if (path / _VALUE).is_file():
        return {name: FileColumn(file) for name, file in _cached_arrays(path).items()}
    arrays = sorted(path.glob("*.npy"))
    if not arrays or len(arrays) > _MOST_COLUMNS or any(entry.is_dir() for entry in path.iterdir()):
        return None
    return _array_columns(
        {file.stem: file for file in arrays if not columns or file.stem in columns}, str(path), columns
    )


def _array_columns(
    arrays: Mapping[str, Path], place: str, columns: Sequence[str]
) -> dict[str, FileColumn | HeldColumn]:
    """Return array files as columns.

    Raises:
        LedgerError: one cannot be read, or nobody said that they belong together, and they may not.
    """
    found = {name: FileColumn(file) for name, file in arrays.items()}
    if not columns and len({(one.dtype, one.shape[1:]) for one in found.values()}) == 1 < len(found):
        for column in found.values():
            column.close()
        raise LedgerError(
            f"the arrays may be columns of each sample, or parts of one: `{place}`",
            hint=f"name those that belong together: columns={list(arrays)}",
        )
    return dict(found)


def _open_copies(place: str, copies: LocalCopies, columns: Sequence[str], labels: str | None) -> SampleSource:
    """Return the samples at a URL: of single files and archives all is copied first, other files one by one.

    Raises:
        LedgerError: one cannot be read, or what it holds is none of what `open_source` names.
    """
    names = copies.names
    if all(name.endswith(".tar") for name in names):
        return ShardSource(list(copies.paths().values()))
    if all(name.endswith(".npy") and "/" not in name for name in names) and len(names) <= _MOST_COLUMNS:
        files = copies.paths()
        arrays = {"data" if len(files) == 1 else PurePosixPath(name).stem: path for name, path in files.items()}
        chosen = {name: path for name, path in arrays.items() if not columns or name in columns}
        return ColumnSource(_chosen(_array_columns(chosen, place, columns), columns))
    if len(names) == 1 and (path := copies.path(names[0])).suffix.lower() in {".npz", *TABLES}:
        return open_source(str(path), columns=columns)
    if labels not in {None, "folder", "none"}:
        raise UsageError(f"labels of samples at a URL come from their folders alone: `{labels}`", hint="copy the data")
    return FileSource(Path(), labels, copies)


def _cached_arrays(path: Path) -> dict[str, Path]:
    """Return the array files of a cached result: a dictionary of arrays, a tuple or list of them, or one array."""
    try:
        built = json.loads((path / _VALUE).read_text("utf-8"))
        ((kind, inside),) = built.items()
        if kind in {"list", "tuple"}:
            inside = {str(place): value for place, value in enumerate(inside)}
        elif kind in {"array", "tensor"}:
            inside = {"data": built}
        numbers = {name: value.get("array", value.get("tensor")) for name, value in inside.items()}
        return {str(name): path / f"{int(number)}.npy" for name, number in numbers.items() if number is not None}
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise LedgerError(f"a prepared result cannot be read: `{path}`", hint="ledger cache clean") from error


def _chosen(found: dict[str, FileColumn | HeldColumn], columns: Sequence[str]) -> dict[str, FileColumn | HeldColumn]:
    missing = [name for name in columns if name not in found]
    for name in [name for name in found if columns and name not in columns]:
        found.pop(name).close()
    if missing:
        for column in found.values():
            column.close()
        raise LedgerError(f"there is no such column: `{missing[0]}`", hint=f"one of {', '.join(found)}")
    return found
