"""The facts of a file beside a document, found in one pass: hash, size, header line, rows."""

import csv
import re
from collections.abc import Iterator, Sequence

from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.boxes.outputs import Table
from ledger.model.record import Record
from ledger.model.values import Document, counted
from ledger.store.branch.pictures import wrong_picture

_AXES = 3
"""Columns before the series in curves: step, epoch, seconds."""
_NUMBERS = re.compile(rb"[0-9eE.+\-,\nNaIfinty]*")
"""A value in curves: a number, `NaN` or an infinity."""
_LONGEST = 1 << 20
"""Longest header line in bytes; that of curves with 5,000 series has 200,000."""


class Side(Document, frozen=True, kw_only=True):
    """One object of the branch."""

    hash: str
    """Content hash."""
    bytes: int
    """Size."""
    rows: int = 0
    """Number of lines below the header; for tables and curves."""
    columns: tuple[str, ...] = ()
    """Names in the header; for tables and curves."""
    wrong: tuple[str, ...] = ()
    """What is wrong with the file by itself: no real picture, curves without numbers."""


def look_at(standing: Sequence[str], data: bytes) -> Side:
    """Read the facts of one object.

    Args:
        standing: its paths, at least one.
        data: its content.
    """
    wrong = [why for path in standing for why in wrong_picture(path, data)]
    columns: tuple[str, ...] = ()
    rows = 0
    if any(path.endswith(".csv") for path in standing):
        first, _, rest = data.partition(b"\n")
        columns = _csv_cells(first[:_LONGEST])
        rows = rest.count(b"\n") + (bool(rest) and not rest.endswith(b"\n"))
        if any(path.endswith(f"/{paths.CURVES_FILE}") for path in standing):
            wrong += _wrong_curves(columns, rows, rest)
    return Side(hash=hash_bytes(data), bytes=len(data), rows=rows, columns=columns, wrong=tuple(dict.fromkeys(wrong)))


def _csv_cells(line: bytes) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([line.decode("utf-8")], strict=True), []))
    except (UnicodeDecodeError, csv.Error):
        return ()


def _wrong_curves(columns: Sequence[str], rows: int, rest: bytes) -> Iterator[str]:
    if tuple(columns[:_AXES]) != ("step", "epoch", "seconds"):
        yield "curves begin with the columns step, epoch, seconds"
    elif not _NUMBERS.fullmatch(rest) or rest.count(b",") != rows * (len(columns) - 1):
        yield "curves hold a number or nothing for each series, line by line"


def contradictions(record: Record, name: str, side: Side) -> Iterator[tuple[str, str]]:
    """Yield field and message of each statement of a record that contradicts a file beside it.

    Args:
        record: record with the statements.
        name: path of the file, relative to the record.
        side: facts of the file.
    """
    patch, notebook, curves = record.code.patch, record.code.notebook, record.results.curves
    if patch is not None and name == patch.file and patch.bytes != side.bytes:
        yield "code.patch.bytes", _bytes(patch.bytes, side)
    if notebook is not None and name == notebook.file and notebook.bytes != side.bytes:
        yield "code.notebook.bytes", _bytes(notebook.bytes, side)
    if curves is not None and name == curves.file:
        series = [column.removeprefix("'") for column in side.columns[_AXES:]]
        if curves.series != series:
            yield "results.curves.series", "the record does not name the series that the curves hold"
        if curves.points != side.rows:
            yield (
                "results.curves.points",
                f"the record says {counted(curves.points, 'point')}, but there are {side.rows:,}",
            )
    for position, figure in enumerate(record.results.figures):
        if name == figure.file and figure.bytes != side.bytes:
            yield f"results.figures[{position}].bytes", _bytes(figure.bytes, side)
    for position, table in enumerate(record.statistics.tables):
        if name == table.file:
            yield from _of_table(f"statistics.tables[{position}]", table, side)


def _of_table(field: str, table: Table, side: Side) -> Iterator[tuple[str, str]]:
    if table.bytes != side.bytes:
        yield f"{field}.bytes", _bytes(table.bytes, side)
    if (table.rows, table.columns) != (side.rows, len(side.columns)):
        said = f"{table.rows:,} rows and {table.columns:,} columns"
        yield f"{field}.rows", f"the record says {said}, but there are {side.rows:,} and {len(side.columns):,}"


def _bytes(said: int, side: Side) -> str:
    return f"the record says {said:,} bytes, but the file has {side.bytes:,}"
