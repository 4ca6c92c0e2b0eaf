"""The run that another tracker kept of the same training, where it lies beside it: params, curves, final values."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.capture.harvest.left_files import LeftFile
from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun

_EARLY = 5.0
"""Seconds by which a tracker may know a run before the process that starts it is known here."""


class TrackedRun(NamedTuple):
    """The run of another tracker."""

    run: ForeignRun
    """What its store says."""
    place: Path
    """The store."""


def tracked_run(tracker: str, files: Sequence[LeftFile], begun: float, ended: float) -> TrackedRun | str | None:
    """Return the only run of a tracker in a span of time; why there is none, or nothing to say.

    Args:
        tracker: kind of the store.
        files: its files that were written in that span.
        begun: start of the span, seconds since 1970.
        ended: its end.
    """
    found: list[TrackedRun] = []
    for place in dict.fromkeys(_place(tracker, file) for file in files):
        try:
            found += [TrackedRun(run, place) for run in _READERS[tracker](place) if _within(run, begun, ended)]
        except LedgerError as error:
            return error.message
    if len(found) > 1:
        return f"{len(found)} runs of {tracker}, perhaps of several trainings, are left out"
    return found[0] if found else None


def _place(tracker: str, file: LeftFile) -> Path:
    return file.path if tracker == "wandb" else file.path.parent


def _within(run: ForeignRun, begun: float, ended: float) -> bool:
    """Return whether a run began in a span of time; one without a time was written in it."""
    return run.started_at is None or begun - _EARLY <= run.started_at.timestamp() <= ended


def _wandb(path: Path) -> Iterator[ForeignRun]:
    from ledger.formats.trackers.wandb_file import read_wandb_file

    return read_wandb_file(path)


def _dvclive(path: Path) -> Iterator[ForeignRun]:
    from ledger.formats.trackers.dvclive import read_dvclive

    return read_dvclive(path)


_READERS: dict[str, Callable[[Path], Iterator[ForeignRun]]] = {"wandb": _wandb, "dvclive": _dvclive}
"""Stores that hold one run, so that reading them takes no longer than the run deserves."""
