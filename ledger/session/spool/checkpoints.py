"""A run that goes on from a checkpoint: which run recorded it, and whether both are attempts of one training."""

from pathlib import Path

from ledger.errors import LedgerError
from ledger.model.document import load
from ledger.model.ids import is_id
from ledger.model.paths import RECORD_FILE, run_of, run_path
from ledger.model.record import Record
from ledger.session.spool.events import Trained
from ledger.session.spool.location import SpoolPlace
from ledger.session.spool.spool import event_files, read_events, spools
from ledger.store.branch.branch import Branch


def run_of_model(place: SpoolPlace, content: str, asking: Path | None) -> str | None:
    """Return the run whose model has this hash: one that waits to be recorded, or the newest on the ledger; or none.

    Args:
        place: where runs are.
        content: hash of the model.
        asking: spool of the run that asks, which is not its own parent.
    """
    for folder in reversed(spools(place.state_dir)):
        if folder == asking:
            continue
        for path in event_files(folder):
            events = read_events(path, points=False)
            if any(isinstance(event, Trained) and event.model.hash == content for event in events):
                return folder.name
    if place.ledger is None or (tip := place.ledger.tip()) is None:
        return None
    # Git looks into all records; only who resumes a training waits for it.
    found = place.ledger.repository.git.attempt(
        "grep", "--name-only", "-z", "--fixed-strings", "-e", content, tip, "--", f"runs/*/{RECORD_FILE}"
    )[1]
    runs = filter(None, (run_of(name.partition(":")[2]) for name in found.decode("utf-8", "replace").split("\0")))
    for run in sorted(runs, reverse=True):
        if (record := _read(place.ledger, run)) is not None and record.model.hash == content:
            return run
    return None


def join_with_parent(ledger: Branch, record: Record, content: str) -> None:
    """Join a recorded run with the one whose checkpoint it loaded, where both are one training.

    They are where the earlier one did not finish and both have the same experiment, params and seed. Any other run was
    derived from it: it names its parent, and is a run of its own.

    Raises:
        LedgerError: the note cannot be appended.
    """
    parent = _read(ledger, record.parent) if record.parent else None
    if parent is None or parent.status == "finished" or _training(parent) != _training(record):
        return
    from ledger.recorder.statements.notes import join_attempts  # with SQLite, which no other run needs

    join_attempts(ledger, parent.id, record.id, f"it went on from the checkpoint {content[:23]}")


def _training(record: Record) -> tuple[object, ...]:
    return record.experiment, record.params.values, record.seed


def _read(ledger: Branch, run: str) -> Record | None:
    if not is_id(run):
        return None
    path = f"{run_path(run)}/{RECORD_FILE}"
    try:
        data = ledger.read(path)
        return None if data is None else load(data, Record, source=path)
    except (LedgerError, ValueError):
        return None


def hash_of(path: Path) -> str:
    """Return the hash by which a model of this file or folder is known.

    Raises:
        LedgerError: there is none, or it cannot be read.
    """
    from ledger.capture.outputs.model import capture_model

    return capture_model(path).hash or ""
