"""The last step of every run: its spool becomes a record, and goes only when the record is safe."""

from pathlib import Path

from ledger.errors import NotAppended
from ledger.recorder import Draft, Recorded, record
from ledger.session.place import Place
from ledger.session.spool import Spool


def record_spool(place: Place, folder: Path, draft: Draft) -> Recorded:
    """Record a run and discard its spool; whatever else goes wrong, the spool stays for `ledger recover`.

    Raises:
        NotAppended: the record is made and waits as a whole; the spool is gone.
        LedgerError: the record could not be made or kept; the spool stays.
        OSError: the spool or the disk cannot be read; the spool stays.
    """
    try:
        recorded = record(place.ledger, draft, state_dir=place.state_dir, strict=False)
    except NotAppended:
        Spool.discard(folder)
        raise
    Spool.discard(folder)
    return recorded
