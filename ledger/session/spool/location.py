"""The ledger and the spool of a run, also where there is no repository at all."""

import os
from contextlib import suppress
from pathlib import Path

from ledger.errors import LedgerError
from ledger.session.spool.events import Start
from ledger.session.spool.spool import Spool
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import homeless_dir


class SpoolPlace:
    """The place of a run's ledger and spool.

    Args:
        ledger: ledger to record on; none outside of a repository.
        state_dir: folder of its spool.
        problem: why there is no ledger, or why the spool is not beside it.
    """

    def __init__(self, ledger: Branch | None, state_dir: Path, problem: LedgerError | None = None) -> None:
        self.ledger = ledger
        self.state_dir = state_dir
        self.problem = problem

    @property
    def home(self) -> str | None:
        """Git directory of the repository, which distinguishes its runs from those of others."""
        return str(self.ledger.repository.common_dir.resolve()) if self.ledger else None


def find_place(folder: Path) -> SpoolPlace:
    """Return the place of a run in `folder`; never raises, so that no training fails for it."""
    try:
        ledger = Branch.open(folder)
    except LedgerError as error:
        return SpoolPlace(None, homeless_dir(), error)
    if os.access(_existing(ledger.repository.state_dir), os.W_OK):
        return SpoolPlace(ledger, ledger.repository.state_dir)
    problem = LedgerError(f"the repository cannot be written to: `{ledger.repository.common_dir}`")
    return SpoolPlace(ledger, homeless_dir(), problem)


def create_spool(place: SpoolPlace, start: Start) -> Spool:
    """Create the spool of a run in its place, or in the user's own folder when the disk there is full.

    Raises:
        OSError: neither can be written; the message is about the first.
    """
    try:
        return Spool.create(place.state_dir, start)
    except OSError:
        if place.state_dir != homeless_dir():
            with suppress(OSError):
                return Spool.create(homeless_dir(), start)
        raise


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else folder.parent
