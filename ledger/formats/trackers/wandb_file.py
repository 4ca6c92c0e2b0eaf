"""Runs in the files that W&B writes before it uploads them, `run-ID.wandb`, read without W&B.

A file has a header of seven bytes and then a log of records, each a message of `wandb/proto/wandb_internal.proto`
(https://github.com/wandb/wandb), seen in 0.31. Values are JSON in field 16, or typed in fields 3 to 8.
"""

import re
import struct
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.protobuf import message_fields, signed
from ledger.formats.record_log import read_log_records
from ledger.formats.stores.series_rows import SeriesRows, leaves
from ledger.formats.stores.store_files import files_in, folders_in
from ledger.formats.stores.store_values import (
    load_json,
    moment_of,
    number_of,
    same_number,
    status_of_open,
    step_of,
    text_of,
)
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import Status, counted

_MAGIC, _HEAD = b":W&B", 7
_SUFFIX = ".wandb"
_FOLDERS = ("offline-run-", "run-")
_HISTORY, _SUMMARY, _CONFIG, _METRIC, _RUN, _EXIT, _PREEMPTING, _ENVIRONMENT = 2, 3, 5, 12, 17, 18, 23, 26
"""Numbers of fields in `Record`."""
_LOST = {7: "measurements of the machine", 8: "artifacts", 13: "console output"}
"""Other fields, which hold what no record of ours has a place for."""
_LABELS = (("group", 6), ("job_type", 7), ("sweep", 12))
"""Further names of a run, and their fields in `RunRecord`, which become tags."""
_VALUE_JSON = 16
_GOALS = {1: "lower", 2: "higher"}
_MOST_SECONDS = 1e10
_DEEPEST = 100
_PLAIN = re.compile(rb"\x12([\x01-\x7f])(.{1,127})\x82\x01([\x01-\x7f])(.{1,127})", re.DOTALL)
"""An item with one key and a value in JSON, as nearly all are."""
_double = struct.Struct("<d").unpack

_Message = dict[int, list[int | bytes]]
_Path = tuple[str, ...]


def is_wandb_file(path: Path) -> bool:
    """Return whether a path is a file of W&B, or a folder of a run or of runs that has one."""
    return next(_files(path), None) is not None


def read_wandb_file(path: Path) -> Iterator[ForeignRun]:
    """Yield the runs of a file of W&B, or of all in a folder, by name; what cannot be read of one is among its losses.

    Args:
        path: a file `run-ID.wandb`, the folder of a run, the folder `wandb`, or the one that holds it.

    Raises:
        LedgerError: there is no such file, or it cannot be read.
    """
    files = list(_files(path))
    if not files:
        raise LedgerError(
            f"it holds no run of W&B, which is a file `run-ID.wandb`: `{path}`",
            hint="runs that are only on the server: export them as CSV, and import that as a table",
        )
    for file in files:
        yield _read(file)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield from [path] if _has_magic(path) else []
        return
    for folder in (path, path / "wandb"):
        runs = [inner for inner in folders_in(folder) if inner.name.startswith(_FOLDERS)]
        for inner in (folder, *runs):
            yield from (file for file in files_in(inner) if file.suffix == _SUFFIX and _has_magic(file))


def _has_magic(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).startswith(_MAGIC)
    except OSError:
        return False


def _read(path: Path) -> ForeignRun:
    log = _RunLog()
    damage: list[str] = []
    try:
        with path.open("rb") as file:
            file.seek(_HEAD)
            for record in read_log_records(file, damage):
                log.add(record)
    except OSError as error:
        raise LedgerError(f"the file cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    return log.run(path.stem.removeprefix("run-"), damage)


class _RunLog:
    """A run as the records of its file tell it, in their order."""

    def __init__(self) -> None:
        self._rows = SeriesRows()
        self._config: dict[str, object] = {}
        self._summary: dict[str, object] = {}
        self._goals: dict[str, str] = {}
        self._run: _Message = {}
        self._exit: _Message | None = None
        self._environment: _Message = {}
        self._preempted = False
        self._broken = 0
        self._lost: Counter[str] = Counter()

    def add(self, record: bytes) -> None:
        """Add a record; one that is none is counted."""
        try:
            for number, data in message_fields(record):
                if isinstance(data, bytes):
                    self._add(number, data)
        except (ValueError, IndexError, LedgerError):
            self._broken += 1

    def run(self, id_: str, damage: list[str]) -> ForeignRun:
        """Return the run.

        Args:
            id_: its id, where no record says it.
            damage: what of its file cannot be read.
        """
        run, environment = self._run, self._environment
        started = _time(run, 17) or _time(environment, 3)
        ended = self._ended(started)
        status, reason = self._end(started)
        program = [text for text in _texts(environment, 6) if text]
        git = _message(_bytes(run, 21) or _bytes(environment, 9))
        series = {scalar.tag: scalar.value for scalar in self._rows.scalars}
        return ForeignRun(
            id=_text(run, 1) or id_,
            name=_text(run, 8),
            experiment=_text(run, 3),
            status=status,
            reason=reason,
            started_at=started,
            ended_at=ended,
            author=_text(environment, 13) or _text(run, 2),
            params={key: value for key, value in self._config.items() if key != "_wandb"},
            scalars=self._rows.scalars,
            metrics=dict(self._finals(series)),
            directions={name: goal for name in series if (goal := self._goal(name))},
            tags=[*_texts(run, 10), *(f"{label}={text}" for label, place in _LABELS if (text := _text(run, place)))],
            note=_text(run, 9),
            commit=_text(git, 2),
            command=[*program, *_texts(environment, 5)],
            losses=[*damage, *self._losses()],
        )

    def _add(self, number: int, data: bytes) -> None:
        if number == _HISTORY:
            self._add_row(data)
        elif number in {_SUMMARY, _CONFIG}:
            _change(data, self._summary if number == _SUMMARY else self._config)
        elif number == _METRIC:
            self._add_metric(_message(data))
        elif number == _RUN:
            self._run |= _message(data)
            _change(_bytes(self._run, 4), self._config)
            _change(_bytes(self._run, 5), self._summary)
        elif number == _EXIT:
            self._exit = _message(data)
        elif number == _ENVIRONMENT:
            self._environment |= _message(data)
        elif number == _PREEMPTING:
            self._preempted = True
        elif number in _LOST:
            self._lost[_LOST[number]] += 1

    def _add_row(self, data: bytes) -> None:
        row: dict[str, object] = {}
        step = 0
        for number, part in message_fields(data):
            if number == 1 and isinstance(part, bytes):
                path, value = _item(part)
                row[".".join(path)] = value
            elif isinstance(part, bytes):
                step = _number(_message(part), 1)
        stated = step_of(row.get("_step"))
        self._rows.add(row, step if stated is None else stated, number_of(row.get("_timestamp")))

    def _add_metric(self, metric: _Message) -> None:
        name = _text(metric, 1) or _text(metric, 2)
        if name and (goal := _GOALS.get(_number(metric, 8))):
            self._goals[name] = goal

    def _goal(self, name: str) -> str | None:
        """Return the direction of a series: its own, or that of a pattern such as `val/*`."""
        return self._goals.get(name) or next(
            (goal for pattern, goal in self._goals.items() if "*" in pattern and fnmatchcase(name, pattern)), None
        )

    def _finals(self, series: dict[str, float]) -> Iterator[tuple[str, float]]:
        """Yield the values of the summary that are not the last ones of series; a killed run has no others."""
        for name, value in leaves(self._summary):
            number = number_of(value)
            if number is None and name not in series and name not in self._rows.others:
                self._lost[f"`{name}`: a final value without a number"] += not isinstance(value, dict)
            if number is None or (self._exit is None and name in series):
                continue
            if not same_number(number, series.get(name)):
                yield name, number

    def _end(self, started: datetime | None) -> tuple[Status, str | None]:
        if self._exit is None:
            seen = [moment for moment in (started, moment_of(self._rows.latest)) if moment]
            return status_of_open(max(seen, default=None)), None
        code = signed(_number(self._exit, 1))
        if code == 0:
            return "finished", None
        return ("preempted" if self._preempted else "failed"), f"exit code {code}"

    def _ended(self, started: datetime | None) -> datetime | None:
        if self._exit is None or started is None:
            return None
        own = self._summary.get("_wandb")
        seconds = number_of(own.get("runtime") if isinstance(own, dict) else None)
        seconds = seconds or number_of(self._summary.get("_runtime"))
        if seconds is None or not 0 <= seconds < _MOST_SECONDS:
            return None
        return started + timedelta(seconds=seconds)

    def _losses(self) -> Iterator[str]:
        yield from self._rows.losses()
        yield from (name for name, count in self._lost.items() if count)
        if self._broken:
            yield counted(self._broken, "damaged record")


def _item(data: bytes) -> tuple[_Path, object]:
    """Return path and value of an item of a history, a summary or a config."""
    if (plain := _PLAIN.fullmatch(data)) is not None:
        key_size, key, size, text = plain.groups()
        if key_size[0] == len(key) and size[0] == len(text):
            return (key.decode("utf-8", "replace"),), load_json(text, "value")
    path: list[str] = []
    value: object = None
    for number, part in message_fields(data):
        if isinstance(part, bytes) and number in {1, 2}:
            path += [part.decode("utf-8", "replace")] if part else []
        elif number == _VALUE_JSON or number == 8:  # noqa: PLR2004, PLR1714  # `json`
            value = load_json(part, "value") if isinstance(part, bytes) else None
        elif isinstance(part, bytes):
            value = _double(part)[0] if number == 6 else part.decode("utf-8", "replace")  # noqa: PLR2004  # `number`
        elif number == 4:  # noqa: PLR2004  # `boolean`
            value = bool(part)
        elif number == 5:  # noqa: PLR2004  # `integer`, in zigzag
            value = part >> 1 ^ -(part & 1)
    if len(path) > _DEEPEST:
        raise ValueError(len(path))
    return tuple(path), value


def _change(data: bytes, values: dict[str, object]) -> None:
    """Change values as a record of a summary or config says: fields 1 are new values, fields 2 are taken away."""
    for number, part in message_fields(data):
        if not isinstance(part, bytes) or number not in {1, 2}:
            continue
        path, value = _item(part)
        inner = values
        for name in path[:-1]:
            found = inner.get(name)
            if not isinstance(found, dict):
                found = inner[name] = {}
            inner = found
        if path and number == 1:
            inner[path[-1]] = value
        elif path:
            inner.pop(path[-1], None)


def _message(data: bytes) -> _Message:
    found: _Message = {}
    for number, value in message_fields(data):
        found.setdefault(number, []).append(value)
    return found


def _bytes(message: _Message, number: int) -> bytes:
    return next((value for value in message.get(number, []) if isinstance(value, bytes)), b"")


def _number(message: _Message, number: int) -> int:
    return next((value for value in message.get(number, []) if isinstance(value, int)), 0)


def _texts(message: _Message, number: int) -> list[str]:
    return [value.decode("utf-8", "replace") for value in message.get(number, []) if isinstance(value, bytes)]


def _text(message: _Message, number: int) -> str | None:
    return text_of(next(iter(_texts(message, number)), None))


def _time(message: _Message, number: int) -> datetime | None:
    """Return the time in a field: seconds and nanoseconds since 1970."""
    if not (data := _bytes(message, number)):
        return None
    time = _message(data)
    return moment_of(signed(_number(time, 1)) + _number(time, 2) / 1e9)
