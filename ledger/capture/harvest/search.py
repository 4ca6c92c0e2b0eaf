"""One search through what a training left: where it ran, the files that count, and what was found so far."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.analysis.data.curves import Point
from ledger.capture.harvest.known_files import ARGV, DEFAULTS, LOG, NAMES, files_of
from ledger.capture.harvest.left_files import LeftFile, find_left_files
from ledger.capture.harvest.tracker_stores import TrackedRun, tracked_run
from ledger.errors import LedgerError
from ledger.model.boxes.outputs import Metric
from ledger.model.values import Document, ParamValue


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


class Search:
    """One search, and what it has found so far.

    Args:
        source: where the training ran, and when.
        formats: kinds of sources that count.
    """

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
        """Return what was found so far."""
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
