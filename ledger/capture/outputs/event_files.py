"""Curves in event files of TensorBoard: one file, or all files of a folder, as a resumed training leaves several."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ledger.analysis.data.curves import Point
from ledger.capture.outputs.resumption import without_repeats
from ledger.errors import LedgerError, NotFound
from ledger.formats.scalar import Scalar
from ledger.formats.tfevents_file import DamagedFileError, read_scalars
from ledger.model.values import check_label, counted

MARK = "tfevents"
"""What the name of every event file holds."""
_LIMIT = 1 << 30
"""Most bytes of the files together: twenty million points."""
_SAID = 5
"""Most notes that are said."""


def is_event_place(path: Path) -> bool:
    """Return whether a path is an event file, or a folder."""
    return MARK in path.name or path.is_dir()


def read_event_files(path: Path, newer_than: float | None = None) -> tuple[list[Point], list[str]]:
    """Return the points of an event file, or of all files right in a folder, and what was left out.

    Args:
        path: file or folder.
        newer_than: time that the files of a folder were written to after, seconds since 1970; all count by default.

    Raises:
        NotFound: there is none.
        LedgerError: they cannot be read, are larger than 1 GB together, or hold no scalar.
    """
    try:
        files = sorted(file for file in path.iterdir() if MARK in file.name) if path.is_dir() else [path]
        older = [file for file in files if newer_than is not None and file.stat().st_mtime < newer_than]
        files = [file for file in files if file not in older]
        size = sum(file.stat().st_size for file in files)
    except FileNotFoundError:
        raise NotFound(f"there is no curves file: `{path}`", hint="check the path, or leave it out") from None
    except OSError as error:
        raise LedgerError(f"the curves file cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    if older and not files:
        raise LedgerError(f"all event files are older than the run, so they are another run's: `{path}`")
    if not files:
        inside = sorted({str(file.parent) for file in path.glob(f"*/*{MARK}*")})
        hint = f"name one of its folders, such as {inside[0]}" if inside else "CSV, JSON lines or event files"
        raise NotFound(f"no event file lies in the folder: `{path}`", hint=hint)
    if size > _LIMIT:
        raise LedgerError(f"the event files are larger than 1 GB: `{path}`", hint="log fewer points to them")
    notes = [f"{counted(len(older), 'event file')} left out, older than the run"] if older else []
    scalars = _without_wrong_names((scalar for file in files for scalar in _of(file, notes)), notes)
    points, repeats = without_repeats(list(_points(scalars)))
    if not points:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise LedgerError(f"no scalar is in the event files{why}: `{path}`", hint="leave them out")
    return points, [*notes, *repeats]


def _of(file: Path, notes: list[str]) -> Iterator[Scalar]:
    try:
        with file.open("rb") as data:
            yield from read_scalars(data)
    except DamagedFileError as error:
        notes.append(f"{file.name} is read to where it is damaged or still being written: {error}")
    except OSError as error:
        raise LedgerError(f"the curves file cannot be read ({(error.strerror or '').lower()}): `{file}`") from None


def _without_wrong_names(scalars: Iterable[Scalar], notes: list[str]) -> Iterator[Scalar]:
    right: dict[str, bool] = {}
    for scalar in scalars:
        if (known := right.get(scalar.tag)) is None:
            try:
                check_label("name", scalar.tag)
                known = True
            except LedgerError as error:
                notes.append(f"a series is left out: {error.message}")
                known = False
            right[scalar.tag] = known
        if known:
            yield scalar


def _points(scalars: Iterable[Scalar]) -> Iterator[Point]:
    """Yield a point for each step: its values are written one after the other."""
    began: float | None = None
    step, seconds, values = 0, None, dict[str, float]()
    for scalar in scalars:
        began = scalar.time if began is None else began
        if values and (scalar.step != step or scalar.tag in values):
            yield Point(step=step, seconds=seconds, values=values)
            values = {}
        if not values:
            step = scalar.step
            seconds = None if scalar.time is None or began is None else scalar.time - began
        values[scalar.tag] = scalar.value
    if values:
        yield Point(step=step, seconds=seconds, values=values)


def described(notes: list[str]) -> str | None:
    """Return notes as one line; none where there are none."""
    more = len(notes) - _SAID
    return "; ".join(notes[:_SAID]) + (f"; and {counted(more, 'note')} more" if more > 0 else "") or None
