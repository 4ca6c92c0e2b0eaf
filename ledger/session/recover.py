"""Finishes what a crash left: records that wait, and spools whose process is gone."""

from pathlib import Path

from ledger.errors import LedgerError
from ledger.model.paths import RECORD_FILE, run_path
from ledger.model.values import Document, Status
from ledger.session.closing import record_spool
from ledger.session.drafting import read_draft
from ledger.session.place import Place
from ledger.session.run_dir import harvest
from ledger.session.spool import RUN_DIR, Spool, claimed, dead_spools
from ledger.store.ledger import Ledger
from ledger.store.waiting import read_waiting, waiting_files


class Recovered(Document, frozen=True, kw_only=True):
    """What became of one thing that waited."""

    id: str
    """Run id."""
    status: Status | None = None
    """How the run ended, where that was found out now."""
    problem: str | None = None
    """Why it still waits."""
    hint: str | None = None
    """What to do about that."""


def is_anything_left(state_dir: Path) -> bool:
    """Say whether anything waits; costs two directory listings."""
    return bool(waiting_files(state_dir) or dead_spools(state_dir))


def recover(ledger: Ledger, state_dir: Path) -> list[Recovered]:
    """Append every waiting record and every run whose process is gone; again is the same.

    Raises:
        InvalidDocument: a waiting file is damaged.
    """
    done = []
    for path, entry in read_waiting(state_dir):
        try:
            ledger.append(entry)
        except LedgerError as error:
            done.append(Recovered(id=entry.id, problem=error.message, hint=error.hint))
        else:
            path.unlink(missing_ok=True)
            done.append(Recovered(id=entry.id))
    for folder in dead_spools(state_dir):
        with claimed(folder) as mine:
            if mine:
                done.append(_recover_spool(ledger, state_dir, folder))
    return done


def _recover_spool(ledger: Ledger, state_dir: Path, folder: Path) -> Recovered:
    try:
        if (
            ledger.read(f"{run_path(folder.name)}/{RECORD_FILE}") is not None
        ):  # killed between the append and the cleaning up
            Spool.discard(folder)
            return Recovered(id=folder.name)
        draft = harvest(folder / RUN_DIR, read_draft(folder))
        made = record_spool(Place(ledger, state_dir), folder, draft)
    except (LedgerError, OSError) as error:
        hint = error.hint if isinstance(error, LedgerError) else None
        return Recovered(id=folder.name, problem=str(error), hint=hint)
    return Recovered(id=folder.name, status=made.record.status)
