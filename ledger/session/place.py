"""Where a run's ledger and its spool are, also where there is no repository at all."""

import os
import tempfile
from pathlib import Path

from ledger.errors import LedgerError
from ledger.store.ledger import Ledger


class Place:
    """Where a run belongs.

    Args:
        ledger: the ledger it is recorded on; none outside of any repository.
        state_dir: where its spool lives.
        problem: why there is no ledger, or why the spool is not beside it.
    """

    def __init__(self, ledger: Ledger | None, state_dir: Path, problem: LedgerError | None = None) -> None:
        self.ledger = ledger
        self.state_dir = state_dir
        self.problem = problem


def homeless_dir() -> Path:
    """Return the folder for runs that have no writable repository: `$XDG_STATE_HOME/ledger`.

    Source: the XDG base directory specification, which names `~/.local/state` as the default. A user
    without a home, as containers give every other one, has a folder among the temporary files.
    """
    base = os.environ.get("XDG_STATE_HOME", "")
    if base.startswith("/"):
        return Path(base) / "ledger"
    try:
        return Path.home() / ".local" / "state" / "ledger"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"ledger-{os.getuid()}"


def find_place(folder: Path) -> Place:
    """Return where a run in `folder` belongs; it never raises, so that no training fails for it."""
    try:
        ledger = Ledger.open(folder)
    except LedgerError as error:
        return Place(None, homeless_dir(), error)
    if os.access(_existing(ledger.repository.state_dir), os.W_OK):
        return Place(ledger, ledger.repository.state_dir)
    problem = LedgerError(f"the repository cannot be written to: `{ledger.repository.common_dir}`")
    return Place(ledger, homeless_dir(), problem)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else folder.parent
