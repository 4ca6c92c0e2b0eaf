"""What a training left, box by box: params, curves, final values, the model, each with its source.

Of each box only the most telling source counts: two sources of one training say the same, and what differs would be
joined to something that nobody measured. Where a source may be of several trainings, it is left out and named.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from ledger.analysis.data.curves import Point
from ledger.analysis.data.scalars import points_of
from ledger.capture.harvest.arguments import read_arguments, read_defaults
from ledger.capture.harvest.known_files import ARGV, DEFAULTS, LOG, MODEL, NAMES, files_of
from ledger.capture.harvest.left_files import LeftFile, find_left_files
from ledger.capture.harvest.log_curves import read_log_curves
from ledger.capture.harvest.script_options import read_script_options
from ledger.capture.harvest.tracker_stores import TrackedRun, tracked_run
from ledger.capture.inputs.config_files import read_mapping
from ledger.capture.inputs.params import flatten, read_params
from ledger.capture.outputs.curves import read_curves
from ledger.capture.outputs.metrics import parse_key, read_metrics
from ledger.capture.outputs.model import is_beside_model
from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.model.boxes import Metric
from ledger.model.values import Document, ParamValue, counted, wrong_label

_AXES = frozenset(
    {"step", "epoch", "iteration", "iter", "global_step", "training_iteration", "_step", "steps", "round"}
)
"""Names of columns by which a table is one of curves."""
_BEFORE_AXES = frozenset({"", "unnamed: 0", "time", "timestamp", "date", "wall time", "wall_time", "elapsed"})
"""Names of columns that may stand before them."""
_SPLIT_FOLDERS = frozenset({"train", "training", "val", "valid", "validation", "eval", "test"})
_SNIFFED = 4096
_MODEL_CONFIG = frozenset({"architectures", "model_type", "transformers_version", "_class_name"})
"""Keys of a file that describes a model for those who load it."""
_TRAINER_PARAMS = ("num_train_epochs", "max_steps", "train_batch_size", "logging_steps", "eval_steps", "save_steps")
"""What the state of the Transformers Trainer says of its arguments."""
_TIMINGS = ("runtime", "per_second", "total_flos", "epoch", "step", "time", "samples")
"""Ends of names that say how fast a training was, not how good."""
_MOST_METRICS = 100


class TrainingPlace(Document, frozen=True, kw_only=True):
    """Where a training ran, and when."""

    folder: Path
    """Folder that it was started in."""
    command: list[str] = []
    """Command line; empty where it says nothing of this run."""
    script: Path | None = None
    """Its script, where that is known."""
    log: Path | None = None
    """What it printed."""
    begun: float
    """Start, seconds since 1970."""
    ended: float
    """End, seconds since 1970."""
    without: list[Path] = []
    """Folders that it only read, such as those of data."""
    shared: str | None = None
    """Why its files cannot be told from others'; none where they can."""


class Findings(Document, frozen=True, kw_only=True):
    """What was found."""

    params: dict[str, ParamValue] = {}
    """Params by name."""
    points: list[Point] = []
    """Points of the learning curves."""
    metrics: list[Metric] = []
    """Final values in files."""
    model: str | None = None
    """File of the model."""
    sources: dict[str, str] = {}
    """Source of each value: `params.lr`, `curves`, `metrics.accuracy`, `model`."""
    notes: dict[str, list[str]] = {}
    """What was left out and why, by the box that it could have filled."""


def find(source: TrainingPlace, formats: frozenset[str], wanted: Iterable[str]) -> Findings:
    """Return what a training left in some of its boxes; never raises.

    Args:
        source: where it ran, and when.
        formats: kinds of sources that count.
        wanted: boxes to fill: `params`, `curves`, `metrics`, `model`.
    """
    search = _Search(source, formats)
    for box, look in _LOOKS.items():
        if box in wanted:
            search.box = box
            try:
                look(search)
            except Exception as error:  # noqa: BLE001  # foreign files may hold anything; the other boxes are filled
                search.note(f"what the training left was not read: {type(error).__name__}")
    return search.findings()


class _Search:
    """One search, and what it has found so far."""

    def __init__(self, source: TrainingPlace, formats: frozenset[str]) -> None:
        self.source, self.formats = source, formats
        self.params: dict[str, ParamValue] = {}
        self.points: list[Point] = []
        self.metrics: list[Metric] = []
        self.model: str | None = None
        self.sources: dict[str, str] = {}
        self.box = ""
        """Box that is looked for."""
        self.notes: dict[str, list[str]] = {}
        self._tracked: list[TrackedRun] | None = None
        self._files: list[LeftFile] | None = None
        self._left_out: list[str] = []

    def findings(self) -> Findings:
        return Findings(
            params=self.params,
            points=self.points,
            metrics=self.metrics,
            model=self.model,
            sources=self.sources,
            notes=self.notes,
        )

    def note(self, text: str | None) -> None:
        """Note what is left out."""
        if text is not None:
            self.notes.setdefault(self.box, []).append(text)

    def files(self, box: str) -> list[tuple[str, list[LeftFile]]]:
        """Return the files that can fill a box, by kind."""
        if self._files is None:
            self._files = self._find_files()
        for notice in self._left_out:
            self.note(notice)
        return files_of(box, self._files, self.formats)

    def _find_files(self) -> list[LeftFile]:
        source = self.source
        named = _named_folders(source)
        if self.formats <= {ARGV, DEFAULTS, LOG}:
            return []
        if source.shared is not None:
            self._left_out.append(f"files outside of the folders that the command names are left out: {source.shared}")
        folders = [*named, *([source.folder] if source.shared is None else [])]
        found = find_left_files(folders, NAMES, source.begun, source.ended, source.without)
        if found.notice is not None:
            self._left_out.append(f"looked at {found.notice}")
        return found.files

    def tracked(self) -> list[TrackedRun]:
        """Return the run of each tracker that kept this training, too."""
        if self._tracked is None:
            self._tracked = []
            for tracker, files in self.files("tracker"):
                found = tracked_run(tracker, files, self.source.begun, self.source.ended)
                if isinstance(found, str):
                    self.note(found)
                elif found is not None:
                    self._tracked.append(found)
        return self._tracked

    def shown(self, path: Path) -> str:
        """Return a path as the record shows it: relative to the folder of the run, or its last part alone."""
        try:
            return path.relative_to(self.source.folder.absolute()).as_posix()
        except ValueError:
            return path.name

    def attempt(self, path: Path, read: Callable[[Path], None]) -> bool:
        """Read a file; note why it cannot be read."""
        try:
            read(path)
        except LedgerError as error:
            self.note(f"{self.shown(path)}: {error.message}")
            return False
        except (OSError, ValueError, RecursionError) as error:
            self.note(f"{self.shown(path)}: {type(error).__name__}")
            return False
        return True

    def only(self, kind: str, files: Sequence[LeftFile]) -> LeftFile | None:
        """Return the only file of a kind; several may be of several trainings, and are named."""
        if len(files) == 1:
            return files[0]
        names = ", ".join(self.shown(file.path) for file in files[:3])
        self.note(f"{len(files)} files of {kind}, perhaps of several trainings, are left out: {names}")
        return None

    def add_params(self, values: dict[str, ParamValue], source: str) -> None:
        """Add params whose names are new; one with the same last part and value is the same param."""
        known = {(name.rpartition(".")[2], repr(value)) for name, value in self.params.items()}
        taken = {name.replace("-", "_") for name in self.params}
        for name, value in values.items():
            if name.replace("-", "_") not in taken and (name.rpartition(".")[2], repr(value)) not in known:
                self.params[name] = value
                self.sources[f"params.{name}"] = source


def _named_folders(source: TrainingPlace) -> list[Path]:
    """Return the folders that the command line names and that are no folders of data."""
    found: list[Path] = []
    without = {one.absolute() for one in source.without}
    for word in source.command:
        value = word.partition("=")[2] or word
        path = source.folder / value
        try:
            if value.strip("./") and path.is_dir() and path.absolute() not in without:
                found.append(path)
        except (OSError, ValueError):
            continue
    return found


def _find_params(search: _Search) -> None:
    for tracked in search.tracked():
        search.add_params(flatten(tracked.run.params), search.shown(tracked.place))
    for kind, files in [] if search.params else search.files("params"):
        newest = max(files, key=lambda file: file.written) if kind == "trainer" else None
        file = newest or search.only(kind, files)
        if file is not None and search.attempt(file.path, lambda path, kind=kind: _params_in(search, kind, path)):  # type: ignore[misc]  # mypy cannot infer the default
            break
    script = search.source.script
    declared = read_script_options(script) if script is not None else []
    if ARGV in search.formats:
        search.add_params(read_arguments(search.source.command, declared), ARGV)
    if DEFAULTS in search.formats and script is not None:
        search.add_params(read_defaults(declared), f"{DEFAULTS} in {script.name}")


def _params_in(search: _Search, kind: str, path: Path) -> None:
    if kind == "trainer":
        state = read_mapping(path, "params")
        values = flatten({name: state[name] for name in _TRAINER_PARAMS if state.get(name) is not None})
    else:
        values = read_params(path)
        if _MODEL_CONFIG & values.keys():
            raise LedgerError("it describes the model for those who load it")
    search.add_params(values, search.shown(path))


def _find_curves(search: _Search) -> None:
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


def _curves_in(search: _Search, kind: str, files: Sequence[LeftFile]) -> bool:
    """Read the files of a kind; return whether they hold curves."""
    if kind == "tfevents":
        return _event_points(search, files)
    newest = max(files, key=lambda file: file.written) if kind == "trainer" else None
    file = newest or search.only(kind, files)
    return file is not None and _file_points(search, file.path)


def _log_points(search: _Search, path: Path) -> None:
    found = read_log_curves(path)
    search.note(found.notice)
    if found.points:
        search.points = found.points
        search.sources["curves"] = LOG


def _file_points(search: _Search, path: Path) -> bool:
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


def _event_points(search: _Search, files: Sequence[LeftFile]) -> bool:
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


def _find_metrics(search: _Search) -> None:
    for tracked in search.tracked():
        logged = {scalar.tag for scalar in tracked.run.scalars}
        stated = {name: value for name, value in tracked.run.metrics.items() if name not in logged}
        _add_metrics(search, _parsed(stated), search.shown(tracked.place))
    for _, files in search.files("metrics"):
        for file in sorted(files, key=lambda file: file.written):
            search.attempt(file.path, lambda path: _metrics_in(search, path))


def _metrics_in(search: _Search, path: Path) -> None:
    _add_metrics(search, read_metrics(path).metrics, search.shown(path))


def _add_metrics(search: _Search, metrics: Iterable[Metric], place: str) -> None:
    for metric in metrics:
        if metric.name.lower().endswith(_TIMINGS) or len(search.metrics) >= _MOST_METRICS:
            continue
        search.metrics = [one for one in search.metrics if one.key != metric.key]
        search.metrics.append(replace(metric, origin="file") if metric.origin == "said" else metric)
        search.sources[f"metrics.{metric.key}"] = place


def _parsed(values: Mapping[str, float]) -> Iterator[Metric]:
    for name, value in values.items():
        with suppress(LedgerError):
            yield parse_key(name, value)


def _find_model(search: _Search) -> None:
    files = [file for _, found in search.files(MODEL) for file in found if not is_beside_model(file.path.name)]
    if not files:
        return
    last = max(files, key=lambda file: (file.written, file.bytes))
    search.model = str(last.path)
    many = f"the last written of {len(files)} model files" if len(files) > 1 else "written by the run"
    search.sources["model"] = f"{search.shown(last.path)}, {many}"


_LOOKS: dict[str, Callable[[_Search], None]] = {
    "params": _find_params,
    "curves": _find_curves,
    "metrics": _find_metrics,
    "model": _find_model,
}
"""What fills each box."""
