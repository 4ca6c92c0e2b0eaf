"""Recovery after a crash: of records that wait, and of spools whose process is gone."""

import contextlib
from collections.abc import Collection
from pathlib import Path
from socket import gethostname
from typing import Literal

from ledger.errors import LedgerError
from ledger.model.paths import RECORD_FILE, run_path
from ledger.model.values import Document, Status
from ledger.session.process.run_dir import read_whole_draft
from ledger.session.spool.attempts import earlier_attempts, has_later, waits_for_next
from ledger.session.spool.job import belongs_to_job, is_covered, leads_in_place
from ledger.session.spool.keeper import read_keeper
from ledger.session.spool.location import SpoolPlace
from ledger.session.spool.recording import discard_attempts, record_spool
from ledger.session.spool.spool import Spool, claimed, dead_spools, read_start, silence_seconds, spools
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import read_waiting, waiting_files


class Recovered(Document, frozen=True, kw_only=True):
    """The result of recovering one thing."""

    id: str
    """Run id."""
    status: Status | None = None
    """How the run ended, where that was determined now."""
    problem: str | None = None
    """Why it still waits."""
    hint: str | None = None
    """What to do about that."""


def is_anything_left(state_dir: Path) -> bool:
    """Return whether anything waits; costs two directory listings."""
    return bool(waiting_files(state_dir) or dead_spools(state_dir))


class WaitingRun(Document, frozen=True, kw_only=True):
    """Something that waits, or a living run."""

    id: str
    """Run id, or that of the entry."""
    state: Literal["entry", "dead", "alive", "elsewhere", "rank", "attempt"]
    """`entry`: made, and not on the branch yet; `dead`: its process is gone; `elsewhere`: on another host; `rank`: a
    rank of a job whose rank 0 is to record it; `attempt`: waits for its next attempt."""
    host: str | None = None
    """Host of the run."""
    silence_seconds: float | None = None
    """Seconds since its last sign of life."""


def what_waits(state_dir: Path) -> list[WaitingRun]:
    """Return everything that waits, and the living runs."""
    listed = [WaitingRun(id=path.stem, state="entry") for path in waiting_files(state_dir)]
    dead = set(dead_spools(state_dir))
    for folder in spools(state_dir):
        try:
            start = read_start(folder)
        except (LedgerError, OSError):
            continue  # just being made or removed
        host, keeper = start.host, read_keeper(folder, start).host
        state: Literal["dead", "alive", "elsewhere", "rank", "attempt"] = (
            "alive" if keeper == gethostname() else "elsewhere"
        )
        if folder in dead:
            left = _is_left_to_next(folder, resumable=False)
            state = "rank" if belongs_to_job(start) else "attempt" if left else "dead"
        listed.append(WaitingRun(id=folder.name, state=state, host=host, silence_seconds=silence_seconds(folder)))
    return listed


def recover(
    ledger: Branch, state_dir: Path, hosts: Collection[str] = (), *, resumable: bool = False
) -> list[Recovered]:
    """Append every waiting record and every run whose process is gone; idempotent.

    Where one cannot be recovered, its result has the reason, and the others are recovered all the same.

    Args:
        ledger: ledger to append to.
        state_dir: folder of what waits.
        hosts: other hosts that are gone, so that their runs are too; `all` names every one.
        resumable: record attempts that wait for a next one, too.
    """
    done = [_recover_waiting(ledger, path) for path in waiting_files(state_dir)]
    for folder in _leaders_first(dead_spools(state_dir, hosts)):
        with claimed(folder, hosts) as mine:
            if mine and not _is_left_to_leader(folder, hosts) and not _is_left_to_next(folder, resumable=resumable):
                done.append(_recover_spool(ledger, state_dir, folder))
    return done


def _is_left_to_next(folder: Path, *, resumable: bool) -> bool:
    """Return whether a later attempt makes the record of this one, or is still expected to."""
    try:
        return has_later(folder) or (not resumable and waits_for_next(folder))
    except (LedgerError, OSError):
        return False


def _leaders_first(folders: list[Path]) -> list[Path]:
    """Return dead spools with those of ranks last: what rank 0 records, it takes along."""

    def is_rank(folder: Path) -> bool:
        try:
            return belongs_to_job(read_start(folder))
        except (LedgerError, OSError):
            return False

    return sorted(folders, key=is_rank)


def _is_left_to_leader(folder: Path, hosts: Collection[str]) -> bool:
    """Return whether a dead rank makes no record, because rank 0 has made it or will; the former is cleared away."""
    try:
        start = read_start(folder)
    except (LedgerError, OSError):
        return False
    if not belongs_to_job(start):
        return False
    if is_covered(folder, start):
        Spool.discard(folder)
        return True
    return not leads_in_place(folder, start, hosts)


def _recover_waiting(ledger: Branch, path: Path) -> Recovered:
    try:
        entry = read_waiting(path)
        if entry.home is not None and entry.home != SpoolPlace(ledger, path.parent).home:
            return _elsewhere(path.stem, entry.home)
        ledger.append(entry)
        path.unlink(missing_ok=True)
    except (LedgerError, OSError) as error:
        return Recovered(id=path.stem, problem=str(error), hint=_hint(error))
    return Recovered(id=path.stem)


def _elsewhere(name: str, home: str) -> Recovered:
    """Return the result for a record from another repository: it is not appended here."""
    gone = "" if Path(home).is_dir() else ", which is gone"
    return Recovered(
        id=name, problem=f"it was made in another repository{gone}: `{home}`", hint="there: ledger recover --homeless"
    )


def _recover_spool(ledger: Branch, state_dir: Path, folder: Path) -> Recovered:
    try:
        home = read_start(folder).home
        if home is not None and home != SpoolPlace(ledger, state_dir).home:
            return _elsewhere(folder.name, home)
        # Killed between the append and the cleanup: nothing is left to do.
        name = next((one.folder.name for one in earlier_attempts(folder, read_start(folder))), folder.name)
        if ledger.read(f"{run_path(name)}/{RECORD_FILE}") is not None:
            discard_attempts(folder)
            return Recovered(id=name)
        with _working_folder(folder):
            made = record_spool(SpoolPlace(ledger, state_dir), folder, read_whole_draft(folder, ledger))
    except Exception as error:  # noqa: BLE001  # one unreadable spool must not stop every command from now on
        return Recovered(id=folder.name, problem=str(error) or type(error).__name__, hint=_hint(error))
    return Recovered(id=made.record.id, status=made.record.status)


def _working_folder(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Change to the folder in which a wrapped command was started, so that its files are found; it may be gone."""
    where = read_start(folder).working_folder
    return contextlib.chdir(where) if where and Path(where).is_dir() else contextlib.nullcontext()


def _hint(error: Exception) -> str | None:
    return error.hint if isinstance(error, LedgerError) else None
