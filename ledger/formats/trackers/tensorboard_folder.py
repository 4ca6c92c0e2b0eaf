"""Runs as TensorBoard knows them: every folder that holds event files is a run, named by its path."""

import os
from collections.abc import Iterator
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_values import moment_of
from ledger.formats.tfevents_file import DamagedFileError, read_scalars
from ledger.formats.trackers.foreign_run import ForeignRun

_MARK = "tfevents"
_MOST_FOLDERS = 100_000
_MOST_BYTES = 1 << 30
"""Most bytes of the files of one run: twenty million points."""
_FINAL = "final/"
"""Start of the tags under which this tool exports final values."""


def is_tensorboard_folder(path: Path) -> bool:
    """Return whether a path is an event file, or a folder that holds some at any depth."""
    if path.is_file():
        return _MARK in path.name
    return next(_folders(path), None) is not None


def read_tensorboard_folder(path: Path) -> Iterator[ForeignRun]:
    """Yield a run for each folder with event files, by path.

    Raises:
        LedgerError: a folder cannot be read.
    """
    if path.is_file():
        yield _run(path.parent.name or path.name, path.parent, [path], path.parent.parent.name)
        return
    top = path.absolute()
    for folder, files in _folders(path):
        name = folder.relative_to(path).as_posix()
        yield _run(top.name if name == "." else name, folder, files, _experiment(top, name))


def _experiment(top: Path, name: str) -> str:
    """Return the folder above a run's; that of all runs where they lie right in it."""
    above = Path(name).parent.as_posix()
    return top.name if above == "." else above


def _folders(path: Path) -> Iterator[tuple[Path, list[Path]]]:
    for count, (folder, folders, names) in enumerate(os.walk(path)):
        if count > _MOST_FOLDERS:
            raise LedgerError(f"more than {_MOST_FOLDERS:,} folders: `{path}`", hint="name one of them")
        folders.sort()
        files = [Path(folder, name) for name in sorted(names) if _MARK in name and not Path(folder, name).is_symlink()]
        if files:
            yield Path(folder), files


def _run(name: str, folder: Path, files: list[Path], experiment: str) -> ForeignRun:
    losses: list[str] = []
    scalars: list[Scalar] = []
    metrics: dict[str, float] = {}
    size = 0
    for file in files:
        try:
            size += file.stat().st_size
            if size > _MOST_BYTES:
                losses.append(f"event files beyond {_MOST_BYTES >> 30} GiB in {folder.name}")
                break
            with file.open("rb") as data:
                for scalar in read_scalars(data):
                    if scalar.tag.startswith(_FINAL):
                        metrics[scalar.tag.removeprefix(_FINAL)] = scalar.value
                    else:
                        scalars.append(scalar)
        except DamagedFileError as error:
            losses.append(f"the end of {file.name}: {error}")
        except OSError as error:
            losses.append(f"{file.name}: {(error.strerror or '').lower()}")
    times = [scalar.time for scalar in scalars if scalar.time is not None]
    return ForeignRun(
        id=name,
        experiment=experiment,
        started_at=moment_of(min(times)) if times else None,
        ended_at=moment_of(max(times)) if times else None,
        scalars=_newest(scalars),
        metrics=metrics,
        losses=[*losses, "whether it ended well: event files do not say", "pictures, histograms and hyperparameters"],
    )


def _newest(scalars: list[Scalar]) -> list[Scalar]:
    """Return the points without those that a resumed training has written again: of each step the newest stands."""
    newest: dict[tuple[str, int], Scalar] = {}
    for scalar in scalars:
        key = scalar.tag, scalar.step
        if key not in newest or (scalar.time or 0) >= (newest[key].time or 0):
            newest[key] = scalar
    return list(newest.values())
