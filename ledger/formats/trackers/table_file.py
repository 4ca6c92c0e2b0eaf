"""Runs in any table with one row a run: CSV, TSV or lines of JSON, whose columns the user names.

Nothing is guessed but the form of the file: lines that begin with `{` are JSON, else the header decides what separates
cells. A row of another width than the header has shifted cells, so it is left out.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ledger.errors import LedgerError
from ledger.formats.encoding import encoding_of
from ledger.formats.numbers import is_nothing, read_measured
from ledger.formats.stores.store_files import read_store_bytes
from ledger.formats.stores.store_values import load_json, moment_in, moment_of, number_of, param_in
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import counted, listed, plain

_SEPARATORS = ("\t", ",", ";", "|")
_MOST_ROWS = 1_000_000
_SHOWN = 40
"""Characters of a cell that a loss shows."""
_MILLISECONDS = 1000
_MILLISECONDS_FROM = 1e11
"""Times above it are milliseconds: in seconds, it is the year 5138."""


class ResultsTable(NamedTuple):
    """Runs of a table, and what of it is none."""

    runs: list[ForeignRun]
    """Its runs, by row."""
    losses: list[str]
    """Rows that were left out, by line."""
    metric: str | None = None
    """The column that the runs were made to improve, where that is known."""


class ForeignColumns(NamedTuple):
    """Names of columns, as the user gives them; in lines of JSON, `a.b` is `b` in `a`."""

    metrics: Sequence[str] = ()
    """Final values."""
    params: Sequence[str] = ()
    """Params."""
    id: str | None = None
    """Id of the run; without one, its line is its id."""
    time: str | None = None
    """Start: ISO 8601 in UTC, or seconds or milliseconds since 1970."""


class TableRow(NamedTuple):
    """A row of a table."""

    line: int
    cells: dict[str, object]


class TableIds:
    """Ids of runs that stay distinct, however often a table repeats one: `a`, `a#2`, `a#3`."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def distinct(self, id_: str) -> str:
        """Return an id that was not given out before."""
        self._seen[id_] += 1
        count = self._seen[id_]
        return id_ if count == 1 else f"{id_}#{count}"


def read_table_file(path: Path, columns: ForeignColumns) -> ResultsTable:
    """Return the runs of a table.

    Args:
        path: the file.
        columns: what its columns mean.

    Raises:
        LedgerError: it cannot be read, is no table, or has no such column.
    """
    losses: list[str] = []
    rows = list(table_rows(read_table_text(path), str(path), losses))
    _check_columns(path, columns, rows)
    ids = TableIds()
    return ResultsTable([_run(row, columns, ids) for row in rows], losses)


def read_table_text(path: Path) -> str:
    """Return the text of a table in the encoding that its first bytes show.

    Raises:
        LedgerError: it cannot be read, is too large, or is no text.
    """
    data = read_store_bytes(path.resolve())
    if b"\0" in data and encoding_of(data) == "utf-8":
        raise LedgerError(f"it is no table, but binary: `{path}`")
    return data.decode(encoding_of(data), "replace")


def width_losses(lines: Sequence[int], width: int) -> list[str]:
    """Return rows of another width than the header as a phrase; none for none."""
    if not lines:
        return []
    shown = listed([str(line) for line in lines], most=20)
    place = "line" if len(lines) == 1 else "lines"
    return [f"{counted(len(lines), 'row')} without the {width} cells of the header: {place} {shown}"]


def table_rows(text: str, source: str, losses: list[str]) -> Iterator[TableRow]:
    """Yield the rows of a table.

    Args:
        text: the table.
        source: where it came from, for messages.
        losses: phrases for rows that are none, which are added at the end.

    Raises:
        LedgerError: it has too many rows, or cells that are too long.
    """
    is_json = text.lstrip("\ufeff \r\n").startswith("{")
    rows = _json_rows(text, losses) if is_json else _separated_rows(text, source, losses)
    for number, row in enumerate(rows):
        if number == _MOST_ROWS:
            raise LedgerError(f"the table has more than {_MOST_ROWS:,} rows: `{source}`", hint="divide the file")
        yield row


def _json_rows(text: str, losses: list[str]) -> Iterator[TableRow]:
    broken: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = load_json(line, f"line {number}")
        except LedgerError:
            row = None
        if isinstance(row, dict):
            yield TableRow(number, row)
        else:
            broken.append(str(number))
    if broken:
        losses.append(f"{counted(len(broken), 'line')} without a row of JSON: {listed(broken, most=20)}")


def _separated_rows(text: str, source: str, losses: list[str]) -> Iterator[TableRow]:
    header = next((line for line in text.split("\n") if line.strip()), "")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=header.count))
    names: list[str] = []
    odd: list[int] = []
    try:
        for cells in lines:
            if not any(cells):
                continue
            if not names:
                names = [name.strip() for name in cells]
            elif len(cells) == len(names):
                yield TableRow(lines.line_num, dict(zip(names, cells, strict=True)))
            else:
                odd.append(lines.line_num)
    except csv.Error as error:
        raise LedgerError(f"line {lines.line_num} is no row ({str(error)[:80]}): `{source}`") from None
    losses += width_losses(odd, len(names))


def _check_columns(path: Path, columns: ForeignColumns, rows: Sequence[TableRow]) -> None:
    wanted = [*columns.metrics, *columns.params, *(name for name in (columns.id, columns.time) if name)]
    if not wanted or not rows:
        return
    missing = [name for name in wanted if all(_cell(row, name) is None for row in rows)]
    if missing:
        known = listed([plain(name) for name in islice(rows[0].cells, 30)], most=30)
        raise LedgerError(f"the table has no column `{plain(missing[0])}`: `{path}`", hint=f"it has: {known}")


def _cell(row: TableRow, name: str) -> object:
    """Return a cell by its name, or by a dotted path through mappings; none where the row has none."""
    if name in row.cells:
        return row.cells[name]
    found: object = row.cells
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _run(row: TableRow, columns: ForeignColumns, ids: TableIds) -> ForeignRun:
    losses: list[str] = []
    metrics: dict[str, float] = {}
    for name in columns.metrics:
        cell = _cell(row, name)
        value = read_measured(cell).value if isinstance(cell, str) else number_of(cell)
        if value is not None:
            metrics[name] = value
        elif cell is not None and not is_nothing(str(cell)):
            losses.append(f"`{name}` is no number on line {row.line}: `{plain(str(cell)[:_SHOWN])}`")
    params = {name: _param(cell) for name in columns.params if (cell := _cell(row, name)) is not None and cell != ""}
    time = _cell(row, columns.time) if columns.time else None
    started = _moment(time)
    if started is None and time is not None and not is_nothing(str(time)):
        losses.append(f"`{columns.time}` is no time on line {row.line}: `{plain(str(time)[:_SHOWN])}`")
    id_ = str(_cell(row, columns.id) or "").strip() if columns.id else ""
    return ForeignRun(
        id=ids.distinct(id_ or f"line {row.line}"), started_at=started, params=params, metrics=metrics, losses=losses
    )


def _param(cell: object) -> object:
    return param_in(cell.strip()) if isinstance(cell, str) else cell


def _moment(cell: object) -> datetime | None:
    seconds = cell if isinstance(cell, int | float) else None
    if isinstance(cell, str):
        if (moment := moment_in(cell.strip())) is not None:
            return moment
        seconds = read_measured(cell).value
    value = number_of(seconds)
    return moment_of(value / _MILLISECONDS if value is not None and value > _MILLISECONDS_FROM else value)
