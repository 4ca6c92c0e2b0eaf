"""Reading of learning curves: CSV, JSON lines, a JSON array, histories of Keras and Transformers, event files.

Values that are not numbers are left out and named. Lines that are not CSV or JSON are left out, too; a file with
mostly such lines is refused. The half line of a run that was killed while writing it is ignored.
"""

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from ledger.analysis.data.curves import Point
from ledger.capture.outputs.event_files import described, is_event_place, read_event_files
from ledger.capture.outputs.resumption import without_repeats
from ledger.errors import LedgerError, NotFound
from ledger.formats.columns import NumberColumns, render_verdict
from ledger.formats.encoding import encoding_of
from ledger.formats.numbers import read_measured
from ledger.formats.results import history_rows
from ledger.model.values import check_label, counted

_LIMIT = 200_000_000
"""Largest file in bytes; it has more than ten million points, which nobody draws."""
_WHOLE_LIMIT = 50_000_000
"""Most characters of a file that is one JSON document, which is read whole."""
_STEP = ("step", "global_step", "_step", "trainer/global_step", "train/global_step", "iteration", "iter", "steps")
_EPOCH = ("epoch", "_epoch", "train/epoch", "epochs")
_SECONDS = ("seconds", "time", "elapsed", "elapsed_seconds", "_runtime", "runtime", "relative_time", "wall_time")
_CLOCK = ("_timestamp", "timestamp", "created_at")
"""Names of the axes: ours, then those of Lightning, Transformers, W&B and TensorBoard; the first one present counts."""
_AXES = frozenset((*_STEP, *_EPOCH))
_CLOCK_FROM = 1e8
"""Seconds from which a time is by the clock (1973), not since the start."""
_INDEX = {"", "unnamed: 0"}
"""Name of the index column that pandas writes."""
_DEPTH = 20
_SNIFFED = 4096

Row = tuple[int, Mapping[str, object]]
"""Line number, and cells by name."""


class CurvesFile(NamedTuple):
    """The content of a file of curves."""

    points: list[Point]
    """The points in the order of the file; where its steps go back, in the order of the steps."""
    notice: str | None = None
    """What was left out, and unusual interpretations of the rest; none when there are none."""
    goes_back: bool = False
    """Whether points came again, as of a training that was resumed, or of several that wrote into one file."""


class _Lines:
    """The lines without points, counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.headers = 0
        self.torn = 0
        self.good = 0
        self.wrong: list[tuple[int, str]] = []

    def notes(self) -> list[str]:
        """Return the notice.

        Raises:
            LedgerError: most lines are wrong.
        """
        said = [f"the line of column names appears {self.headers + 1} times"] if self.headers else []
        said += [f"line {self.torn} is half a line, as of a run that was killed, and left out"] if self.torn else []
        if self.wrong:
            line, why = self.wrong[0]
            if len(self.wrong) >= self.good:
                raise _error(self.path, line, why)
            said.append(f"{counted(len(self.wrong), 'line')} left out (line {line}: {why})")
        return said


def read_curves(path: Path, newer_than: float | None = None) -> CurvesFile:
    """Return the points of a file, and what was left out.

    Args:
        path: the file; or a folder of event files.
        newer_than: when the run began, seconds since 1970: older event files of the folder are those of other runs.

    Raises:
        NotFound: there is no such file.
        LedgerError: it is none of the known forms, is over 200 MB, or nothing of it can be drawn; the message names the
            line.
    """
    if is_event_place(path):
        points, notes = read_event_files(path, newer_than)
        return CurvesFile(points, described(notes))
    if path.suffix.lower() in {".py", ".ipynb"}:
        raise LedgerError(f"this is a program, not a file of curves: `{path}`", hint="CSV, JSON lines or event files")
    try:
        with path.open("rb") as binary:
            encoding = encoding_of(binary.read(_SNIFFED))
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
            if path.stat().st_size > _LIMIT:
                raise LedgerError(f"the curves file is larger than 200 MB: `{path}`", hint="log fewer points to it")
            return _read(file, path)
    except FileNotFoundError:
        raise NotFound(f"there is no curves file: `{path}`", hint="check the path, or leave it out") from None
    except OSError as error:
        raise LedgerError(f"the curves file cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    except UnicodeDecodeError:
        raise LedgerError(f"not UTF-8: `{path}`", hint="save the file as UTF-8") from None


def _read(file: TextIO, path: Path) -> CurvesFile:
    lines = _Lines(path)
    columns = NumberColumns(_AXES)
    points, notes = _points(_rows(file, lines), columns, lines)
    notes = [*lines.notes(), *notes]
    verdict = columns.verdict()
    if verdict.left_out:
        points = [_without(point, verdict.left_out.keys()) for point in points]
    points, repeats = without_repeats(points)
    notes += [*render_verdict(verdict), *repeats]
    if verdict.left_out and not any(point.values for point in points):
        raise LedgerError(f"{path}: no column of numbers: {'; '.join(notes)}", hint="write numbers with a point")
    return CurvesFile(points, "; ".join(notes) or None, goes_back=bool(repeats))


def _without(point: Point, names: Iterable[str]) -> Point:
    if point.values.keys().isdisjoint(names):
        return point
    values = {name: value for name, value in point.values.items() if name not in names}
    return Point(step=point.step, epoch=point.epoch, seconds=point.seconds, values=values)


def _rows(file: TextIO, lines: _Lines) -> Iterator[Row]:
    start = file.read(_SNIFFED).lstrip()
    file.seek(0)
    if start.startswith(("[", "{")) or lines.path.suffix.lower() in {".jsonl", ".ndjson", ".json"}:
        whole = _document(file)
        file.seek(0)
        return _json_lines(file, lines) if whole is None else _of_document(whole, lines)
    return _csv_rows(file, lines)


def _document(file: TextIO) -> list[object] | dict[str, object] | None:
    """Return the one JSON document that the file is; none where it has one per line."""
    try:
        found = json.loads(file.read(_WHOLE_LIMIT))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list | dict) else None


def _of_document(whole: list[object] | dict[str, object], lines: _Lines) -> Iterator[Row]:
    rows: Sequence[object] = whole if isinstance(whole, list) else history_rows(whole) or [whole]
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Mapping):
            lines.good += 1
            yield number, dict(_flat("", row, 0))
        else:
            lines.wrong.append((number, "one JSON object a line expected"))


def _json_lines(file: Iterable[str], lines: _Lines) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            if line.endswith("\n"):
                lines.wrong.append((number, "not JSON, one object a line expected"))
            else:
                lines.torn = number  # a killed run leaves half a line
            continue
        if isinstance(row, dict):
            lines.good += 1
            yield number, dict(_flat("", row, 0))
        else:
            lines.wrong.append((number, "one JSON object a line expected"))


def _flat(prefix: str, row: Mapping[str, object], depth: int) -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        key = f"{prefix}/{name}" if prefix else name
        if isinstance(value, dict) and depth < _DEPTH:
            yield from _flat(key, value, depth + 1)
        else:
            yield key, value


def _csv_rows(file: TextIO, lines: _Lines) -> Iterator[Row]:
    text = iter(file)
    head = next(text, "")
    if not head.strip():
        raise _error(lines.path, 1, "a line of column names expected")
    delimiter = max(",\t;", key=head.count)
    header = [name.strip() for name in next(csv.reader([head], delimiter=delimiter))]
    repeated = [name for name, times in Counter(header).items() if name and times > 1]
    if repeated:
        raise _error(lines.path, 1, "a column appears twice", min(repeated))
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
                continue  # an empty line, or the half line of a killed run
            names = [cell.strip() for cell in row]
            if names == header or _is_header(names, header):
                lines.headers += 1  # a resumed logger writes the header again, perhaps with other columns
                header = names
            elif len(row) != len(header):
                lines.wrong.append((number, f"{len(header)} columns expected, not {len(row)}"))
            else:
                lines.good += 1
                yield number, {name: cell for name, cell in zip(header, row, strict=True) if name.lower() not in _INDEX}
    except csv.Error as error:
        raise _error(lines.path, reader.line_num + 1, str(error)) from None


def _is_header(names: Sequence[str], header: Sequence[str]) -> bool:
    """Return whether a row is a header: with most of the names, and without numbers."""
    known = set(names) & set(header)
    if 2 * len(known) < len(header) or len(set(names)) < len(names):
        return False
    return all(name and read_measured(name).value is None for name in names)


def _points(rows: Iterable[Row], columns: NumberColumns, lines: _Lines) -> tuple[list[Point], list[str]]:
    points: list[Point] = []
    checked: set[str] = set()
    broken: list[tuple[int, float]] = []
    clock_start: float | None = None
    for number, row in rows:
        if not row.keys() <= checked:
            for name in row.keys() - checked:
                _check_name(lines.path, number, name)
            checked |= row.keys()
        values = dict(columns.values(number, row))
        step = _axis(values, _STEP)
        if step is not None and (not math.isfinite(step) or step != int(step)):
            broken.append((number, step))
            step = None
        epoch, seconds = _axis(values, _EPOCH), _axis(values, _SECONDS)
        clock = seconds if seconds is not None and seconds >= _CLOCK_FROM else _axis(values, _CLOCK)
        if clock is not None and (seconds is None or seconds >= _CLOCK_FROM):
            clock_start = clock if clock_start is None else clock_start
            seconds = clock - clock_start
        points.append(Point(step=None if step is None else int(step), epoch=epoch, seconds=seconds, values=values))
    if not broken:
        return points, []
    line, step = broken[0]
    if len(broken) == len(points):
        raise _error(lines.path, line, "a whole step expected", f"{step:g}")
    return points, [f"{counted(len(broken), 'step')} no whole number (line {line}: {step:g})"]


def _check_name(path: Path, line: int, name: str) -> None:
    try:
        check_label("column name", name)
    except LedgerError as error:
        raise _error(path, line, error.message) from None


def _axis(values: dict[str, float], names: tuple[str, ...]) -> float | None:
    """Remove from the values the axis with the first of these names, and return it."""
    for name in names:
        if name in values:
            return values.pop(name)
    folded = {name.lower(): name for name in values}
    for name in names:
        if name in folded:
            return values.pop(folded[name])
    return None


def _error(path: Path, number: int, problem: str, value: str | None = None) -> LedgerError:
    shown = f": `{ascii(value)[1:-1]}`" if value is not None else ""
    return LedgerError(f"{path}, line {number}: {problem}{shown}", hint="mend the line, or leave the file out")
