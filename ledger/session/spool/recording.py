"""The last step of every run: its spool becomes a record, and goes only when the record is safe."""

from contextlib import suppress
from pathlib import Path

from ledger.errors import NotAppended
from ledger.model.paths import RECORD_FILE, run_path
from ledger.recorder import Draft, Recorded, record
from ledger.session.spool.draft import read_inner_draft
from ledger.session.spool.location import SpoolPlace
from ledger.session.spool.spool import Spool


def record_spool(place: SpoolPlace, folder: Path, draft: Draft) -> Recorded:
    """Record a run and discard its spool; whatever else goes wrong, the spool stays for `ledger recover`.

    A run that joined it and has a record of its own is recorded first: what its record needs lies in the same spool.

    Raises:
        NotAppended: the record is made and waits as a whole; the spool is gone.
        LedgerError: the record could not be made or kept; the spool stays.
        OSError: the spool or the disk cannot be read; the spool stays.
    """
    if (inner := read_inner_draft(folder)) is not None and not _is_recorded(place, inner):
        with suppress(NotAppended):  # it waits as a whole
            record(place.ledger, inner, state_dir=place.state_dir, strict=False)
    try:
        recorded = record(place.ledger, draft, state_dir=place.state_dir, strict=False)
    except NotAppended:
        Spool.discard(folder)
        raise
    Spool.discard(folder)
    return recorded


def _is_recorded(place: SpoolPlace, draft: Draft) -> bool:
    """Return whether a kill between two appends left this one done."""
    return place.ledger is not None and place.ledger.read(f"{run_path(draft.id)}/{RECORD_FILE}") is not None
