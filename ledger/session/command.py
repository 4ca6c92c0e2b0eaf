"""`ledger run -- command`: wraps a command in a run, whatever it is and however it ends."""

import os
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.capture.sampler import Sampler
from ledger.errors import LedgerError
from ledger.model.values import Document, Status
from ledger.recorder import Recorded
from ledger.recorder.draft import Captured
from ledger.recorder.given import Given, read_given
from ledger.recorder.record import capture_now
from ledger.session.closing import record_spool
from ledger.session.drafting import read_draft
from ledger.session.events import Ended, Start, Warned
from ledger.session.lifetime import SPOOL_VARIABLE
from ledger.session.place import Place
from ledger.session.run_dir import RUN_DIR_VARIABLE, harvest
from ledger.session.signals import status_of
from ledger.session.spool import LOG, RUN_DIR, Spool
from ledger.session.terminal import run_command


class Wrapped(Document, frozen=True, kw_only=True):
    """What became of a wrapped command."""

    exit_code: int
    """Exit code to return: the command's own, 128 + n when signal n ended it."""
    id: str
    """Run id."""
    recorded: Recorded | None = None
    """Its record; none when it waits."""
    problem: str | None = None
    """Why it could not be recorded at once."""
    hint: str | None = None
    """What to do about that."""


def run_wrapped(place: Place, start: Start, command: Sequence[str], given: Given) -> Wrapped:
    """Run a command with its terminal intact, record it, and say what its exit code was.

    Args:
        place: where it is recorded.
        start: what is known before it starts.
        command: program and arguments.
        given: what to read when it has ended: metrics, curves, log, model.

    Raises:
        NotFound: there is no such program; nothing is recorded.
        OSError: the spool cannot be written.
    """
    spool = Spool.create(place.state_dir, start)
    # A file the command wrote is a result of this run only if it is newer than this moment.
    began = time.time()
    clock = time.monotonic()
    captured = capture_now(place.ledger, Path.cwd(), python=_interpreter(command[0]))
    spool.write_captured(captured)
    signals: list[int] = []

    def notice(number: int) -> None:
        signals.append(number)
        if number != signal.SIGINT:
            spool.write(Warned(status=status_of(number), reason=signal.Signals(number).name))

    sampler: list[Sampler] = []

    def started(pid: int) -> None:
        sampler.append(Sampler(pid, beat=spool.beat))
        sampler[0].start()

    environment = os.environ | {
        SPOOL_VARIABLE: str(spool.folder),
        RUN_DIR_VARIABLE: str(spool.folder / RUN_DIR),
        "LEDGER_RUN_ID": start.id,
    }
    try:
        code = run_command(command, spool.folder / LOG, environment=environment, started=started, notice=notice)
    except BaseException:
        spool.remove()
        raise
    usage, gpus = sampler[0].stop()
    status, reason = _ending(code, signals)
    exit_code = 128 - code if code < 0 else code
    spool.write(
        Ended(
            status=status,
            seconds=time.monotonic() - clock,
            ended_at=datetime.now(UTC),
            reason=reason,
            exit_code=exit_code,
            usage=usage,
            gpus=gpus,
        )
    )
    return _finish(place, spool, given, captured, began, exit_code)


def _finish(place: Place, spool: Spool, given: Given, captured: Captured, began: float, exit_code: int) -> Wrapped:
    run_id = spool.folder.name
    try:
        draft = harvest(spool.folder / RUN_DIR, read_draft(spool.folder))
        draft = read_given(given, draft, newer_than=began, strict=False)
        draft = msgspec.structs.replace(draft, captured=captured)
        recorded = record_spool(place, spool.folder, draft)
    except LedgerError as error:
        return Wrapped(exit_code=exit_code, id=run_id, problem=error.message, hint=error.hint or "ledger recover")
    finally:
        spool.close()
    return Wrapped(exit_code=exit_code, id=run_id, recorded=recorded)


def begin(experiment: str, command: Sequence[str], run_id: str, folder: str | None) -> Start:
    """Return what is known of a wrapped command before it starts."""
    return Start(
        id=run_id,
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=datetime.now(UTC),
        experiment=experiment,
        command=list(command),
        folder=folder,
    )


def _ending(code: int, signals: Sequence[int]) -> tuple[Status, str | None]:
    """Tell how a command ended: by its own exit code, by a signal we passed on, or by one it got elsewhere."""
    if code == 0:
        return "finished", None
    if signals:
        return status_of(signals[-1]), signal.Signals(signals[-1]).name
    number = -code if code < 0 else code - 128
    if number in {member.value for member in signal.Signals}:
        return status_of(number), signal.Signals(number).name
    return "failed", f"exit code {code}"


def _interpreter(program: str) -> Path | None:
    """Return the Python interpreter that a command starts, when it visibly starts one."""
    found = shutil.which(program)
    return Path(found) if found and Path(found).name.startswith("python") else None
