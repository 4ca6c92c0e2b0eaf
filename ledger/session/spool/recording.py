"""The last step of every run: its spool becomes a record, and is deleted only when the record is safe."""

from contextlib import suppress
from pathlib import Path

from ledger.errors import LedgerError, NotAppended
from ledger.model.ids import is_id
from ledger.model.paths import RECORD_FILE, run_path
from ledger.recorder import Draft, Recorded, record
from ledger.session.process.run_dir import read_whole_draft
from ledger.session.spool.attempts import earlier_attempts
from ledger.session.spool.checkpoints import join_with_parent
from ledger.session.spool.draft import read_inner_draft
from ledger.session.spool.events import Start
from ledger.session.spool.job import close_job
from ledger.session.spool.location import SpoolPlace
from ledger.session.spool.spool import Spool, claimed, read_start, spool_dir


def record_spool(place: SpoolPlace, folder: Path, draft: Draft) -> Recorded:
    """Record a run and discard its spool; on any failure the spool remains for `ledger recover`.

    A run that joined it and has a record of its own is recorded first: its data is in the same spool.

    Raises:
        NotAppended: the record is made and waits as a whole; the spool is deleted.
        LedgerError: the record could not be made or stored; the spool remains.
        OSError: the spool or the disk cannot be read; the spool remains.
    """
    if (inner := read_inner_draft(folder)) is not None and not _is_recorded(place, inner):
        with suppress(NotAppended):  # it waits as a whole
            record(place.ledger, inner, state_dir=place.state_dir, strict=False)
    try:
        recorded = record(place.ledger, draft, state_dir=place.state_dir, strict=False)
    except NotAppended:
        discard_attempts(folder)
        raise
    if place.ledger is not None and draft.checkpoint is not None:
        with suppress(LedgerError, OSError):  # it is recorded; a person can join them by a note
            _record_parent(place, recorded.record.parent)
            join_with_parent(place.ledger, recorded.record, draft.checkpoint)
    discard_attempts(folder)
    return recorded


def _record_parent(place: SpoolPlace, run: str | None) -> None:
    """Record the run whose checkpoint another went on from, where it was killed and still waits for that.

    Raises:
        LedgerError: its record could not be made or stored.
        OSError: its spool cannot be read.
    """
    if run is None or not is_id(run):
        return
    folder = spool_dir(place.state_dir) / run
    if folder.is_dir():
        with claimed(folder) as mine:
            if mine:
                record_spool(place, folder, read_whole_draft(folder, place.ledger))


def discard_attempts(folder: Path) -> None:
    """Discard the spools of all attempts of a recorded run.

    The first goes last: its id is that of the record, by which an attempt that a kill has left is known as recorded.
    """
    start = read_start(folder)
    earlier = earlier_attempts(folder, start)
    _discard(folder, start)
    for one in reversed(earlier):
        _discard(one.folder, one.start)


def _discard(folder: Path, start: Start) -> None:
    """Discard the spool of a recorded run, and those of the ranks that it speaks for."""
    with suppress(OSError):  # without the note a late rank makes a record, which states its rank and counts with none
        close_job(folder, start)
    Spool.discard(folder)


def _is_recorded(place: SpoolPlace, draft: Draft) -> bool:
    """Return whether this run was recorded before a kill between two appends."""
    return place.ledger is not None and place.ledger.read(f"{run_path(draft.id)}/{RECORD_FILE}") is not None
