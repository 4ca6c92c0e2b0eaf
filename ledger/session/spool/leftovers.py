"""What the training of a spool left beside it: where to look for it, and whether it can be told from that of others."""

from pathlib import Path

from ledger.capture.code.script import is_own_script, script_of_command
from ledger.capture.harvest.search import TrainingPlace
from ledger.recorder.record.draft import Draft
from ledger.recorder.record.harvest import with_harvest
from ledger.session.spool.attempts import earlier_attempts
from ledger.session.spool.events import Start
from ledger.session.spool.job import is_running
from ledger.session.spool.spool import last_sign_of_life, read_start, spools
from ledger.store.branch.branch import Branch
from ledger.store.branch.run_times import read_lives

_TICK = 0.02
"""Seconds that two runs may overlap: their times are rounded."""


def with_leftovers(ledger: Branch | None, folder: Path, draft: Draft) -> Draft:
    """Return the draft of a spool with what its training left, in boxes that nobody filled.

    Raises:
        OSError: the spool cannot be read.
        InvalidDocument: its start is damaged.
    """
    start = read_start(folder)
    if start.working_folder is None or start.stated or start.harvest == "off":
        return draft
    where = Path(start.working_folder)
    script = script_of_command([str(where / word) if word.endswith(".py") else word for word in draft.command])
    # Inside a test runner or an application, the command line is not that of the training.
    own = start.given is not None or (script is not None and is_own_script(script))
    source = TrainingPlace(
        folder=where,
        command=draft.command if own and draft.notebook is None else [],
        script=script if own else None,
        log=Path(draft.log) if draft.log else None,
        begun=draft.started_at.timestamp(),
        ended=draft.ended_at.timestamp(),
        without=[where / one.path for one in draft.datasets if one.path and "://" not in one.path],
        shared=_other_run(folder, start, draft),
    )
    options = start.params if start.given is not None else ()
    return with_harvest(ledger, draft, source, choice=start.harvest, options=options)


def _other_run(folder: Path, start: Start, draft: Draft) -> str | None:
    """Return that another run was going on here at the same time, whose files may be those that lie here."""
    state_dir = folder.parent.parent
    begun, ended = draft.started_at.timestamp() + _TICK, draft.ended_at.timestamp() - _TICK
    told = "another run was going on here at the same time"
    if any(first < ended and last > begun for first, last in read_lives(state_dir)):
        return told
    mine = {folder.name, draft.parent, *(one.folder.name for one in earlier_attempts(folder, start))}
    for other in spools(state_dir):
        if other.name in mine:
            continue
        try:
            theirs = read_start(other)
            if theirs.rank is not None and start.rank is not None and theirs.rank.group == start.rank.group:
                continue
            lives = is_running(other) or last_sign_of_life(other).timestamp() > begun
            if lives and theirs.started_at.timestamp() < ended:
                return told
        except Exception:  # noqa: BLE001, S112  # it is being removed, or damaged
            continue
    return None
