"""Reads learning curves as trainers write them: CSV or JSON lines.

A column that holds text, truth values or lists is left out: it cannot be drawn. A column of numbers with
a text in it is an error, and so is a line that is no CSV or JSON, except the last one of a run that was
killed while writing it.
"""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from ledger.analysis.curves import Point
from ledger.errors import LedgerError, NotFound
from ledger.model.values import check_label

_LIMIT = 200_000_000
"""Bytes; ten million points are past what anyone draws."""
_STEP = ("step", "global_step", "_step", "trainer/global_step", "train/global_step", "iteration", "iter", "steps")
_EPOCH = ("epoch", "_epoch", "train/epoch", "epochs")
_SECONDS = ("seconds", "time", "elapsed", "elapsed_seconds", "_runtime", "runtime", "relative_time", "wall_time")
_CLOCK = ("_timestamp", "timestamp", "created_at")
"""Names of the axes: ours, then those of Lightning, Transformers, W&B and TensorBoard; the first found counts."""
_CLOCK_FROM = 1e8
"""Seconds from which a time is one of the clock (1973), not one since the start."""
_INDEX = {"", "unnamed: 0"}
"""What pandas calls the index it writes."""
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}
_DEPTH = 20
_SNIFFED = 4096

Row = tuple[int, Mapping[str, object]]
"""Line number, and name to cell."""


def read_curves(path: Path) -> list[Point]:
    """Return the points of a CSV or JSON lines file, in its order.

    Raises:
        NotFound: there is no such file.
        LedgerError: it is neither, is over 200 MB, or a line is wrong; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.stat().st_size > _LIMIT:
                raise LedgerError(f"the curves file is larger than 200 MB: `{path}`", hint="log fewer points to it")
            return list(_points(_rows(file, path), path))
    except FileNotFoundError:
        raise NotFound(f"there is no curves file: `{path}`", hint="check the path, or leave it out") from None
    except OSError as error:
        raise LedgerError(f"the curves file cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    except UnicodeDecodeError:
        raise LedgerError(f"not UTF-8: `{path}`", hint="save the file as UTF-8") from None


def _rows(lines: TextIO, path: Path) -> Iterator[Row]:
    start = lines.read(_SNIFFED).lstrip()
    lines.seek(0)
    if path.suffix.lower() in {".jsonl", ".ndjson", ".json"} or start.startswith("{"):
        return _json_rows(lines, path)
    return _csv_rows(lines, path)


def _json_rows(lines: Iterable[str], path: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            if line.endswith("\n"):
                raise _error(path, number, "not JSON, one object a line expected") from None
            return  # a run that is killed leaves half a line
        if not isinstance(row, dict):
            raise _error(path, number, "one JSON object a line expected")
        yield number, dict(_flat("", row, 0))


def _flat(prefix: str, row: Mapping[str, object], depth: int) -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        key = f"{prefix}/{name}" if prefix else name
        if isinstance(value, dict) and depth < _DEPTH:
            yield from _flat(key, value, depth + 1)
        else:
            yield key, value


def _csv_rows(lines: TextIO, path: Path) -> Iterator[Row]:
    text = iter(lines)
    head = next(text, "")
    if not head.strip():
        raise _error(path, 1, "a line of column names expected")
    delimiter = max(",\t;", key=head.count)
    header = [name.strip() for name in next(csv.reader([head], delimiter=delimiter))]
    repeated = {name for name in header if name and header.count(name) > 1}
    if repeated:
        raise _error(path, 1, "a column stands twice", min(repeated))
    ended = True

    def watched() -> Iterator[str]:
        nonlocal ended
        for line in text:
            ended = line.endswith(("\n", "\r"))
            yield line

    reader = csv.reader(watched(), delimiter=delimiter)
    try:
        for row in reader:
            number = reader.line_num + 1
            if not row or (len(row) < len(header) and not ended):
                continue  # an empty line, or the half line of a run that was killed
            if len(row) != len(header):
                raise _error(path, number, f"{len(header)} columns expected, not {len(row)}")
            yield number, {name: cell for name, cell in zip(header, row, strict=True) if name.lower() not in _INDEX}
    except csv.Error as error:
        raise _error(path, reader.line_num + 1, str(error)) from None


class _Columns:
    """Which column is an axis, which a series, and which is left out; decided by its first cell."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers: dict[str, bool] = {}
        self._seen: dict[str, int] = {}
        self.clock_start: float | None = None

    def values(self, number: int, row: Mapping[str, object]) -> dict[str, float]:
        """Return the numbers of a row by column."""
        values: dict[str, float] = {}
        for name, cell in row.items():
            if cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()):
                continue
            value = _number(cell)
            if name not in self._numbers:
                self._check_name(number, name)
                self._numbers[name], self._seen[name] = value is not None, number
            if self._numbers[name] != (value is not None):
                expected = "a number" if self._numbers[name] else f"a text, as on line {self._seen[name]},"
                raise _error(self._path, number, f"{expected} expected in column `{name}`", str(cell)[:40])
            if value is not None:
                values[name] = value
        return values

    def _check_name(self, number: int, name: str) -> None:
        try:
            check_label("column name", name)
        except LedgerError as error:
            raise _error(self._path, number, error.message) from None


def _points(rows: Iterable[Row], path: Path) -> Iterator[Point]:
    columns = _Columns(path)
    for number, row in rows:
        values = columns.values(number, row)
        step = _axis(values, _STEP)
        if step is not None and (not math.isfinite(step) or step != int(step)):
            raise _error(path, number, "a whole step expected", f"{step:g}")
        epoch, seconds = _axis(values, _EPOCH), _axis(values, _SECONDS)
        clock = seconds if seconds is not None and seconds >= _CLOCK_FROM else _axis(values, _CLOCK)
        if clock is not None and (seconds is None or seconds >= _CLOCK_FROM):
            columns.clock_start = clock if columns.clock_start is None else columns.clock_start
            seconds = clock - columns.clock_start
        yield Point(step=None if step is None else int(step), epoch=epoch, seconds=seconds, values=values)


def _axis(values: dict[str, float], names: tuple[str, ...]) -> float | None:
    """Take the axis of the first of these names out of the values."""
    for name in names:
        if name in values:
            return values.pop(name)
    folded = {name.lower(): name for name in values}
    for name in names:
        if name in folded:
            return values.pop(folded[name])
    return None


def _number(cell: object) -> float | None:
    """Return the number a cell holds, or none when it holds something else."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        return float(cell) if not isinstance(cell, str) or "_" not in cell else None
    except (ValueError, OverflowError):
        return _NOT_FINITE.get(str(cell).strip().lower())


def _error(path: Path, number: int, problem: str, value: str | None = None) -> LedgerError:
    shown = f": `{ascii(value)[1:-1]}`" if value is not None else ""
    return LedgerError(f"{path}, line {number}: {problem}{shown}", hint="mend the line, or leave the file out")
