"""Columns of cells as numbers: whether a column is numeric is decided by all of its cells."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ledger.formats.numbers import is_nothing, read_measured
from ledger.model.values import counted, plain

_FAST = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,20})?(?:[eE]-[0-9]{1,2})?")
"""The form of nearly all cells; a float holds each of them."""
_ID = re.compile(r"0[0-9]+|(?=[0-9]*[a-f]*[0-9])[0-9a-fA-F]{5,64}|[0-9]+[eE][0-9]+")
"""Texts that are ids: one of them makes the whole column text, since an id may have only digits."""
_SHOWN = 20


class _Column:
    """The cells of one column so far."""

    def __init__(self) -> None:
        self.plain = 0
        """Cells that are plain numbers, of which only the count matters."""
        self.numbers = 0
        self.texts = 0
        self.example: tuple[int, str] | None = None
        self.ids = False
        self.units: set[str] = set()
        self.doubtful = self.comma = False
        self.kind = "text"


class ColumnVerdict(NamedTuple):
    """The result for all columns."""

    left_out: dict[str, str]
    """Columns that are not numeric, each with the reason."""
    notes: list[str]
    """Remarks on numeric columns."""


class NumberColumns:
    """Reads cells row by row, and reports at the end which columns were numeric.

    Args:
        axes: lower-case names of columns that count steps, where `007` is a number.
    """

    def __init__(self, axes: frozenset[str]) -> None:
        self._axes = axes
        self._columns: dict[str, _Column] = {}
        self._comma = False

    def values(self, line: int, row: Mapping[str, object]) -> Iterator[tuple[str, float]]:
        """Yield the numbers of a row, by column."""
        for name, cell in row.items():
            if cell is None or cell == "":
                continue
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = _Column()
            if isinstance(cell, str) and _FAST.fullmatch(cell):
                column.plain += 1
                yield name, float(cell)
                continue
            if isinstance(cell, str) and is_nothing(cell):
                continue
            value = self._value(name, column, cell)
            if value is None:
                column.texts += 1
                column.example = column.example or (line, str(cell)[:40])
            else:
                column.numbers += 1
                yield name, value

    def _value(self, name: str, column: _Column, cell: object) -> float | None:
        if isinstance(cell, str):
            return self._text(name, column, cell)
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            column.kind = "true or false" if isinstance(cell, bool) else "no single value"
            return None
        column.units.add("")
        try:
            return float(cell)
        except OverflowError:
            return None

    def _text(self, name: str, column: _Column, cell: str) -> float | None:
        said = read_measured(cell)
        if said.value is None:
            word = cell.strip()
            if name.lower() in self._axes and word.isascii() and word.isdigit():
                column.units.add("")
                return float(word)
            column.ids |= _ID.fullmatch(word) is not None
            return None
        column.comma |= said.comma
        self._comma |= said.comma
        column.doubtful |= said.doubtful
        if math.isfinite(said.value):
            column.units.add(said.unit)
        return said.value

    def verdict(self) -> ColumnVerdict:
        """Return the columns that are left out, and remarks on the others."""
        left_out: dict[str, str] = {}
        notes: list[str] = []
        for name, column in self._columns.items():
            if not column.plain and not column.numbers and not column.texts:
                continue
            column.numbers += column.plain
            units = sorted(column.units | ({""} if column.plain else set()))
            if column.texts and (column.ids or column.texts >= column.numbers):
                line, text = column.example or (0, "")
                mixed = f", as on line {line}: `{ascii(text)[1:-1]}`" if column.numbers else ""
                left_out[name] = f"{'ids' if column.ids and column.numbers else column.kind}{mixed}"
            elif len(units) > 1:
                left_out[name] = f"different units: {', '.join(unit or 'none' for unit in units)}"
            elif column.doubtful and not (column.comma or (self._comma and not column.plain)):
                left_out[name] = "a comma may stand before decimals or between thousands"
            else:
                notes += _notes(plain(name), column, units[0] if units else "")
        return ColumnVerdict(left_out, notes)


def _notes(name: str, column: _Column, unit: str) -> Iterator[str]:
    if unit == "%":
        yield f"`{name}` is written in per cent, so that 93.1% is 0.931"
    elif unit:
        yield f"`{name}` is in {unit}"
    if column.texts and column.example:
        line, text = column.example
        yield f"{counted(column.texts, 'cell')} of `{name}` left out (line {line}: `{ascii(text)[1:-1]}`)"


def render_verdict(verdict: ColumnVerdict) -> list[str]:
    """Return the result as phrases."""
    names = [f"`{plain(name)}` ({why})" for name, why in verdict.left_out.items()]
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return [*([f"left out: {', '.join([*names[:_SHOWN], *more])}"] if names else []), *verdict.notes[:_SHOWN]]
