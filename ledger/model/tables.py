"""Tables of a run: cells as text, the columns that each kind requires, and their form as CSV.

CSV, because a reviewer can read it in a diff: UTF-8, one line a row, numbers in their shortest exact form.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import get_args

from ledger.errors import InvalidDocument, LedgerError
from ledger.model.values import Document, TableKind, check_label, plain

KINDS: tuple[TableKind, ...] = get_args(TableKind)
"""Every kind of table."""
LAYER_COLUMNS = ("layer", "kind", "input", "output", "calls", "parameters", "flops", "note")
"""Columns of a shape trace."""
COLUMNS: dict[TableKind, tuple[str, ...]] = {
    "confusion": ("truth",),
    "classes": ("class", "precision", "recall", "f1", "support"),
    "calibration": ("confidence", "accuracy", "samples"),
    "samples": ("sample", "value"),
    "layers": LAYER_COLUMNS,
}
"""Columns that a table of each kind begins with."""
PAIR_COLUMNS = ("truth", "predicted", "count")
"""Columns of the table of confused pairs, which replaces a confusion matrix of many classes."""
MISTAKE_COLUMNS = ("sample", "truth", "predicted", "confidence")
"""Columns of the table of mistakes that the model was surest of."""
_EXACTLY = {"calibration", "samples", "layers"}
"""Kinds that allow no further columns."""
MOST_COLUMNS = 4_096
"""Most columns of a table."""
_CELL = 2_000
"""Most characters of a cell."""
_SHOWN = 20
"""Most problems that are reported for one table."""
_SLICES = 3
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_NOT_FINITE = {
    "nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf,
}  # fmt: skip
_EXACT = 1 << 53
"""Smallest whole number from which on a float no longer has exact neighbours (IEEE 754 binary64)."""

_Check = Callable[[str], str | None]
"""Takes a cell; returns it as the table stores it, or none when it is not allowed."""


class Cells(Document, frozen=True, kw_only=True):
    """A table as text cells."""

    columns: list[str]
    """Names of the columns."""
    rows: list[list[str]]
    """The rows, each with one cell per column."""


def number_in(text: str) -> float | None:
    """Return the number in a cell, NaN and the infinities included; none when it is not a number."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else None  # digits that no float holds are not the word `inf`
    return _NOT_FINITE.get(text.lower())


def number_text(value: float) -> str:
    """Return a number as a cell, with the fewest digits that restore it exactly."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def kind_of(columns: Sequence[str]) -> TableKind:
    """Return the kind of table that begins with these columns; `table` where no kind does."""
    if len(columns) == _SLICES and columns[0] == "slice" and columns[-1] == "samples":
        return "slices"
    if "predicted" in columns:
        return "table"  # one row per pair of true and predicted class is no matrix
    return next(
        (
            kind
            for kind, start in COLUMNS.items()
            if tuple(columns[: len(start)]) == start and (kind not in _EXACTLY or len(columns) == len(start))
        ),
        "table",
    )


def load_cells(data: bytes, source: str) -> Cells:
    """Return the table in the bytes of a CSV file; empty lines are skipped.

    Raises:
        LedgerError: they are not UTF-8, not CSV, or lack a header line.
        InvalidDocument: rows have too many or too few cells.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LedgerError(f"not UTF-8: `{source}`", hint="save the file as UTF-8") from None
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",\t;", key=head.count))
    rows: list[list[str]] = []
    problems: list[str] = []
    try:
        columns = [name.strip() for name in next(reader, [])]
        for row in reader:
            if row and len(row) != len(columns):
                problems.append(f"line {reader.line_num}: {len(columns)} cells expected, not {len(row)}")
            elif row:
                rows.append(row)
    except csv.Error as error:
        raise LedgerError(f"{source}, line {reader.line_num}: {error}") from None
    if not any(columns):
        raise LedgerError(f"a table begins with a line of column names: `{source}`")
    if problems:
        raise InvalidDocument(source, _first(problems), hint="every row needs as many cells as there are columns")
    return Cells(columns=columns, rows=rows)


def dump_cells(cells: Cells) -> bytes:
    r"""Return a table as CSV: UTF-8, line ends `\n`; the same table gives the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(cells.columns)
    writer.writerows(cells.rows)
    return out.getvalue().encode()


def check_cells(kind: TableKind, cells: Cells, source: str, *, row_word: str = "line", first_row: int = 2) -> Cells:
    """Return the table as it is stored: single-line cells, and the numbers that its kind requires in shortest form.

    Args:
        kind: which columns it must have.
        cells: the table.
        source: what the message calls it.
        row_word: what the message calls a row: `line` of a file, `row` of a value.
        first_row: number of the first one.

    Raises:
        InvalidDocument: columns are missing, twice or no names; cells are no numbers; ids stand twice. The first 20
            problems are told.
    """
    problems = list(_of_columns(kind, cells.columns))
    if not problems:
        checks = _checks(kind, cells.columns)
        rows = [[_checked_cell(check, cell) for check, cell in zip(checks, row, strict=True)] for row in cells.rows]
        found = _of_rows(kind, cells, rows, lambda index: f"{row_word} {index + first_row}")
        problems = list(islice(found, _SHOWN + 1))
        if not problems:
            return Cells(columns=cells.columns, rows=[[cell or "" for cell in row] for row in rows])
    raise InvalidDocument(source, _first(problems), hint=_hint(kind))


def _of_columns(kind: TableKind, columns: Sequence[str]) -> Iterator[str]:
    if len(columns) > MOST_COLUMNS:
        yield f"more than {MOST_COLUMNS} columns: `{len(columns)}`"
        return
    seen: set[str] = set()
    for position, name in enumerate(columns, start=1):
        try:
            check_label(f"the name of column {position}", name)
        except LedgerError as error:
            yield error.message
        if name in seen:
            yield f"a column appears twice: `{plain(name)}`"
        seen.add(name)
    start = COLUMNS.get(kind, ())
    if kind == "slices" and (len(columns) != _SLICES or columns[0] != "slice" or columns[-1] != "samples"):
        yield f"a table of slices has the columns slice, a metric's name, samples; not `{_column_names(columns)}`"
    elif tuple(columns[: len(start)]) != start or (kind in _EXACTLY and len(columns) > len(start)):
        yield f"a table of kind {kind} begins with the columns {', '.join(start)}; not `{_column_names(columns)}`"


def _of_rows(
    kind: TableKind, cells: Cells, kept: Sequence[Sequence[str | None]], at: Callable[[int], str]
) -> Iterator[str]:
    seen: set[str] = set()
    checks = _checks(kind, cells.columns)
    for index, row in enumerate(kept):
        for name, check, cell, was in zip(cells.columns, checks, row, cells.rows[index], strict=True):
            if cell is None:
                expected = _EXPECTED[check if len(was) <= _CELL else _text]
                yield f"{at(index)}, column `{plain(name)}`: {expected}: `{plain(was[:40])}`"
        first = row[0] or ""
        if kind not in {"table", "calibration"} and first and first in seen:
            yield f"{at(index)}, column `{cells.columns[0]}`: appears twice: `{first[:40]}`"
        seen.add(first)


def _checks(kind: TableKind, columns: Sequence[str]) -> list[_Check]:
    """Return the check of each column of a kind."""
    others = columns[1:]
    if kind == "table":
        return [_text] * len(columns)
    if kind == "confusion":
        return [_name, *[_count for _ in others]]
    if kind == "calibration":
        return [_fraction, _fraction, _count]
    if kind == "samples":
        return [_name, _value]
    if kind == "layers":
        return [_name, _text, _text, _text, _count, _count, _count_or_empty, _text]
    special: dict[str, _Check] = {"support": _count, "samples": _count}
    if kind == "classes":
        special |= dict.fromkeys(("precision", "recall", "f1"), _fraction_or_empty)
    return [_name, *[special.get(name, _number_or_empty) for name in others]]


def _checked_cell(check: _Check, cell: str) -> str | None:
    return check(cell) if len(cell) <= _CELL else None


def _text(cell: str) -> str:
    return plain(cell).replace("\n", "\\n")


def _name(cell: str) -> str | None:
    return _text(cell.strip()) or None


def _count(cell: str) -> str | None:
    value = number_in(cell)
    return str(int(value)) if value is not None and 0 <= value < _EXACT and value == int(value) else None


def _count_or_empty(cell: str) -> str | None:
    return _count(cell) if cell.strip() else ""


def _value(cell: str) -> str | None:
    cell = cell.strip()
    if _WHOLE.fullmatch(cell):
        return str(int(cell))
    value = number_in(cell)
    return None if value is None else number_text(value)


def _fraction(cell: str) -> str | None:
    value = number_in(cell)
    return number_text(value) if value is not None and 0 <= value <= 1 else None


def _number_or_empty(cell: str) -> str | None:
    return _value(cell) if cell.strip() else ""


def _fraction_or_empty(cell: str) -> str | None:
    return _fraction(cell) if cell.strip() else ""


_EXPECTED: dict[_Check, str] = {
    _text: f"a cell of at most {_CELL} characters expected",
    _name: "a name expected",
    _count: "a whole count expected",
    _count_or_empty: "a whole count, or nothing, expected",
    _value: "a number expected",
    _fraction: "a number from 0 to 1 expected",
    _number_or_empty: "a number, or nothing, expected",
    _fraction_or_empty: "a number from 0 to 1, or nothing, expected",
}
"""Expected content of a cell, by the check that refused it."""


def _hint(kind: TableKind) -> str:
    return {
        "confusion": "one row for each true class, one column for each predicted class: truth,cat,dog",
        "classes": "such as cat,0.9,0.8,0.85,120; leave a cell empty where nothing can be said",
        "slices": "such as night,0.71,120 below slice,accuracy,samples",
        "calibration": "one row for each bin, such as 0.93,0.9,120",
        "samples": "one row for each sample, with an id of its own, such as img-17,1",
        "layers": 'one row for each layer, such as fc1,Linear,"(2, 64)","(2, 10)",1,650,2560,',
        "table": "give every column a name of its own",
    }[kind]


def _column_names(columns: Sequence[str]) -> str:
    shown = plain(", ".join(columns))
    return shown if len(shown) <= 80 else f"{shown[:80]}…"  # noqa: PLR2004  # as many as fit on a line


def _first(problems: Iterable[str]) -> list[str]:
    found = list(problems)
    return [*found[:_SHOWN], "and more"] if len(found) > _SHOWN else found
