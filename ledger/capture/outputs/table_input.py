"""Tables of a run, from a CSV file, a list of rows, arrays, or a DataFrame.

No library is imported: arrays and frames are recognised by their methods, which also give their numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path, PurePath
from typing import TypeVar
from uuid import UUID

from ledger.capture.inputs.config_files import type_name
from ledger.errors import LedgerError, NotFound
from ledger.formats.encoding import encoding_of
from ledger.model.tables import Cells, check_cells, dump_cells, load_cells, number_text
from ledger.model.values import TableKind

__all__ = ["cell_text", "check_cells", "dump_cells", "make_cells", "plain_values", "read_cells"]

T = TypeVar("T", bound=Sized)

_MOST_CELLS = 4_000_000
"""Most cells taken from Python; larger tables exceed any sensible policy."""
_ANYTHING_WRITTEN = Decimal | date | PurePath | UUID
"""Types whose text holds their whole value."""
_MISSING = {"NAType", "NaTType"}
"""How pandas writes a missing value."""


def read_cells(path: Path, *, limit: int) -> Cells:
    """Return the table in a CSV file.

    Raises:
        NotFound: there is no such file.
        LedgerError: it cannot be read, is larger than `limit` bytes, or is no CSV; the message names the line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)  # a device has no size, and no end
    except FileNotFoundError:
        raise NotFound(f"no such table: `{path}`", hint="check the path, or leave it out") from None
    except OSError as error:
        raise LedgerError(f"the table cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    if len(data) > limit:
        raise too_large(str(path), limit)
    if not (encoding := encoding_of(data)).startswith("utf-8"):
        with suppress(UnicodeDecodeError):  # text errors are reported as everywhere
            data = data.decode(encoding).encode()
    return load_cells(data, str(path))


def too_large(source: str, limit: int) -> LedgerError:
    """Return the error for a table that is larger than the policy allows."""
    return LedgerError(
        f"the table is larger than {limit} bytes: `{source}`",
        hint="keep fewer rows, or raise limits.table_bytes in policy.yaml",
    )


def make_cells(rows: object, columns: Sequence[object] | None = None, kind: TableKind = "table") -> Cells:
    """Return the table in a Python value.

    Args:
        rows: a list of mappings or of rows, an array of two dimensions, a mapping of columns, a DataFrame.
        columns: names of the columns, where the value does not say them, or which of them in which order.
        kind: a square confusion matrix needs no column of true classes: they are the predicted ones.

    Raises:
        LedgerError: it is none of these, rows have different lengths, or a cell is neither text nor number.
    """
    names = None if columns is None else [cell_text(name) for name in plain_values(columns)]
    if hasattr(rows, "columns") and hasattr(rows, "__getitem__"):
        rows = _columns_of_frame(rows, kind)
    if isinstance(rows, Mapping):
        found, body = _from_columns(rows)
        return _chosen(found, body, names)
    items = (item if isinstance(item, Mapping) else plain_values(item) for item in plain_values(rows))
    listed = list(_bounded(items))
    if any(isinstance(item, Mapping) for item in listed):
        found, body = _from_mappings(listed)
        return _chosen(found, body, names)
    body = _texts(listed)
    if names is None and kind == "confusion" and body:
        names = [str(index) for index in range(len(body[0]))]
    if names is None:
        raise LedgerError("rows without names need the names of their columns", hint="such as columns=['class', 'f1']")
    if kind == "confusion" and names[:1] != ["truth"] and len(body) == len(names):
        names, body = ["truth", *names], [[name, *row] for name, row in zip(names, body, strict=True)]
    for number, row in enumerate(body, start=1):
        if len(row) != len(names):
            raise LedgerError(f"row {number} has {len(row)} cells, but there are {len(names)} columns")
    return Cells(columns=names, rows=body)


def plain_values(values: object) -> list[object]:
    """Return the values of a list, an array, a tensor or a series as a list; nested where it has more dimensions.

    Raises:
        LedgerError: it is not a sequence of values.
    """
    if isinstance(values, str | bytes | Mapping) or values is None:
        raise LedgerError(f"a list or an array is expected, not {type_name(values)}")
    try:
        if hasattr(values, "detach"):
            values = values.detach().cpu()  # a tensor with a gradient, or on a GPU
        if hasattr(values, "tolist") and type(values).__module__ != "numpy":
            values = values.tolist()  # an array of numpy returns its own scalars, which have the shortest text
        listed: list[object] = list(islice(values, _MOST_CELLS + 1))  # type: ignore[call-overload]  # what is not iterable is refused below
    except Exception as error:
        raise LedgerError(f"a list or an array is expected, not {type_name(values)}") from error
    if len(listed) > _MOST_CELLS:
        raise _too_many()
    return listed


def cell_text(value: object) -> str:
    """Return a value as a cell: None is empty, numbers have the fewest digits that restore them.

    Raises:
        LedgerError: it is neither text nor a number.
    """
    if type(value).__name__ in _MISSING:
        return ""
    if not isinstance(value, str | int | float | _ANYTHING_WRITTEN | None):
        value = _scalar(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(float(value))  # a number of numpy is a float, too; its repr is not that of one
    try:
        return "" if value is None else str(value)
    except ValueError:  # Python refuses to write more than 4,300 digits
        raise LedgerError("a whole number is too large for a cell") from None


def _scalar(value: object) -> str | bool | int | float | None:
    try:
        plain = value.item()  # type: ignore[attr-defined]  # what has none is refused below
        # 0.1 in single precision is 0.10000000149011612 in double: numpy's own text has the shorter digits.
        shorter = float(str(value)) if isinstance(plain, float) and type(value).__module__ == "numpy" else plain
    except Exception:  # noqa: BLE001  # a foreign object may raise anything when it is read
        shorter = value
    if not isinstance(shorter, str | bool | int | float | None):
        raise LedgerError(f"a cell must be text or a number, not {type_name(value)}")
    return shorter


def _columns_of_frame(frame: object, kind: TableKind) -> object:
    """Return the columns of a pandas or polars DataFrame; a meaningful index becomes a column, too."""
    try:
        index = getattr(frame, "index", None)
        if index is not None and type(index).__name__ != "RangeIndex":
            frame = frame.reset_index()  # type: ignore[attr-defined]  # what has an index can give it up
        names = [cell_text(name) for name in frame.columns]  # type: ignore[attr-defined]  # asked for by the caller
        if kind == "confusion" and index is not None and names[:1] in (["index"], ["row_0"]):
            names[0] = "truth"  # the form of `pandas.crosstab`, and of a matrix with named rows
        if len(set(names)) < len(names):
            twice = min(name for name in names if names.count(name) > 1)
            raise LedgerError(f"a column appears twice: `{twice}`")  # noqa: TRY301  # told as it is, below
        return {name: list(frame[column]) for name, column in zip(names, frame.columns, strict=True)}  # type: ignore[index, attr-defined]  # as above
    except LedgerError:
        raise
    except Exception as error:
        raise LedgerError(f"not a table: `{type(frame).__name__}`") from error


def _from_columns(columns: Mapping[object, object]) -> tuple[list[str], list[list[str]]]:
    names = [cell_text(name) for name in columns]
    values = list(_bounded(plain_values(column) for column in columns.values()))
    lengths = {len(column) for column in values}
    if len(lengths) > 1:
        said = ", ".join(f"{name} {len(column)}" for name, column in zip(names, values, strict=True))
        raise LedgerError(f"the columns of a table have different lengths: `{said[:80]}`")
    return names, _texts(zip(*values, strict=True))


def _from_mappings(items: Sequence[object]) -> tuple[list[str], list[list[str]]]:
    names: dict[object, None] = {}
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            raise LedgerError(f"row {number} is not a mapping like the others, but {type_name(item)}")
        names |= dict.fromkeys(item)
    rows = [[item.get(name) for name in names] for item in items if isinstance(item, Mapping)]
    return [cell_text(name) for name in names], _texts(rows)


def _chosen(names: list[str], rows: list[list[str]], wanted: list[str] | None) -> Cells:
    if wanted is None:
        return Cells(columns=names, rows=rows)
    if missing := [name for name in wanted if name not in names]:
        raise LedgerError(f"no such column: `{missing[0]}`", hint=f"one of {', '.join(names)}")
    places = [names.index(name) for name in wanted]
    return Cells(columns=wanted, rows=[[row[place] for place in places] for row in rows])


def _bounded(rows: Iterable[T]) -> Iterator[T]:
    """Yield rows, or columns, up to the limit: a table that fills the memory would stop training."""
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > _MOST_CELLS:
            raise _too_many()
        yield row


def _too_many() -> LedgerError:
    return LedgerError(f"a table of more than {_MOST_CELLS} cells", hint="keep a part of it, or count it first")


def _texts(rows: Iterable[object]) -> list[list[str]]:
    made: list[list[str]] = []
    for number, row in enumerate(rows, start=1):
        try:
            made.append([cell_text(cell) for cell in plain_values(row)])
        except LedgerError as error:
            raise LedgerError(f"row {number}: {error.message}", hint=error.hint) from None
    return made
