"""Tasks in ClearML's offline sessions, an archive or a folder, read without ClearML.

Format: `clearml/backend_interface/task/task.py` and `clearml/backend_interface/metrics/interface.py`
(https://github.com/clearml/clearml), seen in 2.1. A line of `metrics.jsonl` is a list of events. Params are texts with
a type. It writes NaN and the infinities as 0, and keeps no end of a task: a killed one leaves a folder and no archive.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_files import MOST_BYTES, files_in, folders_in, read_store_bytes
from ledger.formats.stores.store_values import (
    load_json,
    load_mapping,
    moment_of,
    number_of,
    param_in,
    status_of_open,
    step_of,
    text_of,
)
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import counted

_TASK, _METRICS, _LOG = "task.json", "metrics.jsonl", "log.jsonl"
_MARK = b'"offline_folder"'
_PREFIX = "offline-"
_PLAIN_SECTIONS = {"General", "Args"}
"""Sections of params that are no part of their names."""
_SCALAR, _TEXT = "training_stats_scalar", "log"
"""Types of events: a point, and a line of the console."""
_SUMMARY = -(1 << 31)
"""Step of a point that is a final value."""
_MILLISECONDS = 1000
_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)


def is_clearml_offline(path: Path) -> bool:
    """Return whether a path is an offline session of ClearML, or a folder with some."""
    return any(map(_is_session, _sessions(path)))


def read_clearml_offline(path: Path) -> Iterator[ForeignRun]:
    """Yield the tasks of an offline session, or of all in a folder, by name.

    Raises:
        LedgerError: it is none, or cannot be read.
    """
    sessions = [session for session in _sessions(path) if _is_session(session)]
    if not sessions:
        raise LedgerError(f"it is no offline session of ClearML: `{path}`")
    for session in sessions:
        yield _read(session)


def _sessions(path: Path) -> Iterator[Path]:
    """Yield what may be a session; a folder whose archive lies beside it says nothing more."""
    if path.is_file() or (path / _TASK).exists():
        yield path
        return
    for folder in (path, path / "offline"):
        archives = [file for file in files_in(folder) if file.name.startswith(_PREFIX) and file.suffix == ".zip"]
        names = {file.stem for file in archives}
        yield from archives
        yield from (inner for inner in folders_in(folder) if inner.name.startswith(_PREFIX) and inner.name not in names)


def _is_session(session: Path) -> bool:
    try:
        return _MARK in _content(session, _TASK)
    except LedgerError:
        return False


def _content(session: Path, name: str) -> bytes:
    """Return a file of a session; an archive may hold more than fits in memory, so only so much is unpacked."""
    if session.is_dir():
        return read_store_bytes(session / name)
    try:
        with zipfile.ZipFile(session) as archive, archive.open(name) as file:
            data = file.read(MOST_BYTES + 1)
    except KeyError:
        raise LedgerError(f"the archive holds no {name}: `{session}`") from None
    except _BROKEN_ARCHIVE as error:
        raise LedgerError(f"the archive cannot be read ({type(error).__name__}): `{session}`") from None
    if len(data) > MOST_BYTES:
        raise LedgerError(f"{name} in the archive is larger than {MOST_BYTES:,} bytes: `{session}`")
    return data


def _read(session: Path) -> ForeignRun:
    losses: list[str] = []
    try:
        task = load_mapping(_content(session, _TASK), _TASK)
    except LedgerError as error:
        raise LedgerError(f"{error.message.replace(f': `{session}`', '')}: `{session}`") from None
    events = _Events()
    for name in (_METRICS, _LOG):
        events.add(session, name, losses)
    script = _inner(task, "script")
    is_closed = session.is_file() or session.with_name(f"{session.name}.zip").is_file()
    entry = text_of(script.get("entry_point"))
    return ForeignRun(
        id=text_of(task.get("id")) or session.stem,
        name=text_of(task.get("name")),
        experiment=text_of(task.get("project_name")),
        status="finished" if is_closed else status_of_open(events.latest),
        started_at=events.first,
        params=_params(task),
        scalars=events.scalars,
        metrics=events.finals,
        tags=[tag for tag in _list(task.get("tags")) if isinstance(tag, str)],
        note=text_of(task.get("comment")),
        commit=text_of(script.get("version_num")),
        command=[entry] if entry else [],
        losses=[*losses, *events.losses(), *_further(task, script), *([_END] if is_closed else [])],
    )


_END = "how it ended, which ClearML does not keep offline"


class _Events:
    """Events of a session, in their order."""

    def __init__(self) -> None:
        self.scalars: list[Scalar] = []
        self.finals: dict[str, float] = {}
        self._times: list[float] = []
        self._zeros: Counter[str] = Counter()
        self._others: Counter[str] = Counter()

    @property
    def first(self) -> datetime | None:
        """Time of the first event."""
        return moment_of(min(self._times, default=None))

    @property
    def latest(self) -> datetime | None:
        """Time of the last event."""
        return moment_of(max(self._times, default=None))

    def add(self, session: Path, name: str, losses: list[str]) -> None:
        """Add the events of a file; what of it cannot be read is a loss."""
        try:
            lines = _content(session, name).split(b"\n")
        except LedgerError as error:
            losses.append(error.message.replace(str(session), session.name))
            return
        broken = 0
        for line in filter(None, lines):
            try:
                events = load_json(line, name)
            except LedgerError:
                broken += 1
                continue
            for event in _list(events):
                self._add(event)
        if broken:
            losses.append(f"{counted(broken, 'line')} of {name} without events")

    def losses(self) -> list[str]:
        """Return what is no point, or may be another, as phrases."""
        zeros = [
            f"`{name}`: {counted(count, 'value')} of 0, which ClearML also writes for NaN and infinity"
            for name, count in self._zeros.items()
            if count
        ]
        return [
            *zeros,
            *(f"`{kind}`: {counted(count, 'event')}" for kind, count in self._others.items() if kind != "log"),
        ]

    def _add(self, event: object) -> None:
        if not isinstance(event, dict):
            self._others["?"] += 1
            return
        time = number_of(event.get("timestamp"))
        seconds = None if time is None else time / _MILLISECONDS
        self._times += [] if seconds is None else [seconds]
        metric, variant, value = event.get("metric"), event.get("variant"), number_of(event.get("value"))
        step = step_of(event.get("iter"))
        if event.get("type") != _SCALAR or value is None or step is None:
            self._others[str(event.get("type"))[:40]] += 1
            return
        if step == _SUMMARY:
            self.finals[str(variant)] = value
            name = str(variant)
        else:
            name = str(metric) if metric == variant else f"{metric}/{variant}"
            self.scalars.append(Scalar(name, step, seconds, value))
        self._zeros[name] += value == 0


def _params(task: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for section, values in _inner(task, "hyperparams").items():
        for name, param in (values if isinstance(values, dict) else {}).items():
            dotted = name.replace("/", ".")
            key = dotted if section in _PLAIN_SECTIONS else f"{section}.{dotted}"
            found[key] = _param(param) if isinstance(param, dict) else param
    return found


def _param(param: dict[str, object]) -> object:
    value, kind = param.get("value"), param.get("type")
    if not isinstance(value, str) or kind == "str":
        return value
    return None if value == "" and not kind else param_in(value)


def _further(task: dict[str, object], script: dict[str, object]) -> Iterator[str]:
    if script.get("diff"):
        repository = script.get("repository")
        yield "changes of its code that were not committed" if repository else "its code, which was in no repository"
    for name, files in (("artifacts", _inner(task, "execution").get("artifacts")),
                        ("models", task.get("offline_output_models"))):  # fmt: skip
        if count := len(_list(files)):
            yield f"{name}: {counted(count, 'file')}"


def _inner(values: dict[str, object], name: str) -> dict[str, object]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
