"""Learning curves in what a training left: of trackers, event files, tables, the state of a trainer, the log."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from ledger.analysis.data.curves import Point
from ledger.analysis.data.scalars import points_of
from ledger.capture.harvest.known_files import LOG
from ledger.capture.harvest.left_files import LeftFile
from ledger.capture.harvest.log_curves import read_log_curves
from ledger.capture.harvest.search import Search
from ledger.capture.outputs.curves import read_curves
from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.model.values import counted, wrong_label

_AXES = frozenset(
    {"step", "epoch", "iteration", "iter", "global_step", "training_iteration", "_step", "steps", "round"}
)
"""Names of columns by which a table is one of curves."""
_BEFORE_AXES = frozenset({"", "unnamed: 0", "time", "timestamp", "date", "wall time", "wall_time", "elapsed"})
"""Names of columns that may stand before them."""
_SPLIT_FOLDERS = frozenset({"train", "training", "val", "valid", "validation", "eval", "test"})
_SNIFFED = 4096


def find_curves(search: Search) -> None:
    """Add the learning curves of a training to a search: those of the first source that has some."""
    for tracked in search.tracked():
        if points := list(points_of(_named(tracked.run.scalars), search.source.begun)):
            search.points = points
            search.sources["curves"] = search.shown(tracked.place)
            return
    for kind, files in search.files("curves"):
        tables = [file for file in files if kind not in {"csv", "jsonl"} or _is_of_curves(file.path, kind)]
        if tables and _curves_in(search, kind, tables):
            return
    log = search.source.log
    if LOG in search.formats and log is not None and log.is_file():
        search.attempt(log, lambda path: _log_points(search, path))


def _named(scalars: Iterable[Scalar]) -> Iterator[Scalar]:
    """Yield the values whose series have a name that a record can hold."""
    return (scalar for scalar in scalars if wrong_label("name", scalar.tag) is None)


def _curves_in(search: Search, kind: str, files: Sequence[LeftFile]) -> bool:
    """Read the files of a kind; return whether they hold curves."""
    if kind == "tfevents":
        return _event_points(search, files)
    newest = max(files, key=lambda file: file.written) if kind == "trainer" else None
    file = newest or search.only(kind, files)
    return file is not None and _file_points(search, file.path)


def _log_points(search: Search, path: Path) -> None:
    found = read_log_curves(path)
    search.note(found.notice)
    if found.points:
        search.points = found.points
        search.sources["curves"] = LOG


def _file_points(search: Search, path: Path) -> bool:
    def read(path: Path) -> None:
        found = read_curves(path)
        if found.goes_back:
            raise LedgerError("its steps go back, as of several trainings")
        search.note(f"{search.shown(path)}: {found.notice}" if found.notice else None)
        search.points = found.points

    if search.attempt(path, read) and search.points:
        search.sources["curves"] = search.shown(path)
        return True
    return False


def _event_points(search: Search, files: Sequence[LeftFile]) -> bool:
    """Read event files, which lie in one folder for each writer; those of splits belong together."""
    folders = list(dict.fromkeys(file.path.parent for file in files))
    begun = search.source.begun - 1  # which of them are this run's is known already
    parts: list[tuple[str, list[Point]]] = []
    if len(folders) > 1 and (
        {folder.name for folder in folders} - _SPLIT_FOLDERS or len({f.parent for f in folders}) > 1
    ):
        search.note(
            f"event files in {counted(len(folders), 'folder')}, perhaps of several trainings, are left out: "
            f"{', '.join(search.shown(folder) for folder in folders[:3])}"
        )
        return False
    for folder in folders:

        def read(path: Path, folder: Path = folder) -> None:
            found = read_curves(path, begun)
            search.note(f"{search.shown(path)}: {found.notice}" if found.notice else None)
            parts.append((folder.name if len(folders) > 1 else "", found.points))

        search.attempt(folder, read)
    points = [_prefixed(point, prefix) for prefix, part in parts for point in part]
    if points:
        search.points = sorted(points, key=lambda point: point.step or 0) if len(parts) > 1 else points
        place = folders[0] if len(folders) == 1 else folders[0].parent
        search.sources["curves"] = f"tfevents in {search.shown(place)}"
    return bool(points)


def _prefixed(point: Point, prefix: str) -> Point:
    if not prefix:
        return point
    values = {f"{prefix}/{name.removeprefix('epoch_')}": value for name, value in point.values.items()}
    return replace(point, values=values)


def _is_of_curves(path: Path, kind: str) -> bool:
    """Return whether a table begins with a column of steps or epochs; data that have one have it among others."""
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED).decode("utf-8", "replace")
    except OSError:
        return False
    first = start.partition("\n")[0]
    if kind == "csv":
        names = [word.strip(" \"'\r\ufeff").lower() for word in re.split(r"[,;\t]", first)]
        at = next((place for place, name in enumerate(names) if name in _AXES), None)
        return at is not None and set(names[:at]) <= _BEFORE_AXES
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and bool({str(name).lower() for name in row} & _AXES)
