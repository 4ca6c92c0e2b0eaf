"""`ledger run -- command`: wraps any command in a run, however it ends."""

import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.capture.code.script import script_of_command
from ledger.capture.machine.sampler import Sampler
from ledger.capture.outputs.log_traceback import failing_layer_in_log
from ledger.errors import LedgerError, NotFound
from ledger.model.record import fields_of
from ledger.model.values import Document, Status, check_label
from ledger.recorder import Draft, Recorded
from ledger.recorder.record.draft import Captured, Rank
from ledger.recorder.record.options import Given, named_options, read_given
from ledger.recorder.record.recorder import capture_now
from ledger.session.process.deadline import deadline_of
from ledger.session.process.membership import find_outer
from ledger.session.process.ranks import find_rank, is_silent
from ledger.session.process.resume import with_resume_key
from ledger.session.process.run_dir import read_whole_draft
from ledger.session.process.signals import ENDING, preemption_signal, status_of
from ledger.session.process.terminal import run_command
from ledger.session.spool.attempts import begin_attempt, waits_for_next
from ledger.session.spool.events import Ended, Start, Warned
from ledger.session.spool.location import SpoolPlace, create_spool
from ledger.session.spool.recording import record_spool
from ledger.session.spool.spool import LOG, RUN_DIR, Spool, add_child
from ledger.settings import RUN_DIR_VARIABLE, RUN_ID_VARIABLE, SPOOL_VARIABLE

_LOG = logging.getLogger("ledger")


class Wrapped(Document, frozen=True, kw_only=True):
    """The result of a wrapped command."""

    exit_code: int
    """Exit code to return: the command's own, 128 + n when signal n ended it."""
    id: str
    """Run id."""
    recorded: Recorded | None = None
    """Its record; none when that waits."""
    problem: str | None = None
    """Why it could not be appended at once."""
    hint: str | None = None
    """What to do about that."""


def run_wrapped(
    place: SpoolPlace, start: Start, command: Sequence[str], variables: Mapping[str, str] | None = None
) -> Wrapped:
    """Run a command with its terminal intact, record it, and return its exit code.

    Args:
        place: place where it is recorded.
        start: what is known before it starts, and what to read after its end.
        command: program and arguments.
        variables: environment variables of the command that ours do not have.

    Raises:
        NotFound: there is no such program, or it cannot be executed; nothing is recorded.
    """
    variables = variables or {}
    if is_silent(start.rank) and start.rank is not None:
        return _run_as_rank(start, start.rank, command, variables)
    try:
        if (outer := find_outer(os.environ)) is not None:
            add_child(Path(outer.folder), start.id)
            start = msgspec.structs.replace(start, parent=start.parent or outer.start.id)
        start, shown = begin_attempt(
            place.state_dir, with_resume_key(start, os.environ, stated=start.resume, wrapped=True)
        )
        spool = create_spool(place, start)
    except OSError as error:
        return _run_unrecorded(place, start, command, error, variables)
    captured = capture_now(
        place.ledger,
        Path.cwd(),
        python=_interpreter(command[0]),
        script=script_of_command(command),
        named=named_options(start.given or Given()),
        notebook=any(word.endswith(".ipynb") for word in command),
    )
    with suppress(OSError):  # a full disk may cost parts of the record, never the command
        spool.write_captured(captured)
    try:
        ended = _run(spool, shown, command, variables)
    except NotFound:
        spool.remove()
        raise
    exit_code = ended.exit_code or 0
    try:
        with closing(spool):
            spool.write(ended)
            if waits_for_next(spool.folder):
                problem = "it waits for its next attempt, which continues it"
                return Wrapped(exit_code=exit_code, id=shown, problem=problem, hint="ledger recover")
            recorded = _record(place, spool.folder, captured)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # whatever failed, the command's exit code is returned
        problem, hint = _error_text(error)
        return Wrapped(exit_code=exit_code, id=shown, problem=problem, hint=hint)
    return Wrapped(exit_code=exit_code, id=shown, recorded=recorded)


def _run(spool: Spool, shown: str, command: Sequence[str], variables: Mapping[str, str]) -> Ended:
    """Run the command under observation, and return how it ended; a failure to write is no reason to stop it."""
    clock = time.monotonic()
    signals: list[int] = []

    def notice(number: int) -> None:
        if number not in {signal.SIGINT, *ENDING, preemption_signal()}:
            return  # SIGUSR1 and SIGUSR2 are messages from a scheduler to its script: no end
        signals.append(number)
        if number != signal.SIGINT:
            with suppress(OSError):
                spool.write(Warned(status=status_of(number), reason=signal.Signals(number).name))

    sampler: list[Sampler] = []

    def started(pid: int) -> None:
        sampler.append(Sampler(pid, beat=spool.beat))
        sampler[0].start()

    environment = {
        **os.environ,
        **variables,
        SPOOL_VARIABLE: str(spool.folder),
        RUN_DIR_VARIABLE: str(spool.folder / RUN_DIR),
        RUN_ID_VARIABLE: shown,
    }
    code = run_command(command, spool.folder / LOG, environment=environment, started=started, notice=notice)
    usage, gpus = sampler[0].stop()
    status, reason = _ending(code, signals)
    # An exception that nobody caught ends Python with 1: another code was chosen by somebody, and has its own reason.
    if status == "failed" and code == 1 and (layer := failing_layer_in_log(spool.folder / LOG, Path.cwd())):
        reason = f"{reason}; {layer}"
    return Ended(
        status=status,
        seconds=time.monotonic() - clock,
        ended_at=datetime.now(UTC),
        reason=reason,
        exit_code=_shell_code(code),
        usage=usage,
        gpus=gpus,
    )


def _record(place: SpoolPlace, folder: Path, captured: Captured) -> Recorded:
    return record_spool(
        place, folder, msgspec.structs.replace(read_whole_draft(folder, place.ledger), captured=captured)
    )


def _error_text(error: BaseException) -> tuple[str, str]:
    if isinstance(error, LedgerError):
        return error.message, error.hint or "ledger recover"
    why = "stopped" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
    return f"the command has ended, but its run is not recorded yet: {why}", "ledger recover"


def _run_unrecorded(
    place: SpoolPlace, start: Start, command: Sequence[str], error: OSError, variables: Mapping[str, str]
) -> Wrapped:
    """Run the command without a record: a failure of recording is no reason to keep it from training."""
    problem = f"this run is not recorded ({(error.strerror or str(error)).lower()}): `{place.state_dir}`"
    _LOG.warning(problem)
    nothing = Path(os.devnull)
    environment = {**os.environ, **variables}
    code = run_command(command, nothing, environment=environment, started=lambda _: None, notice=lambda _: None)
    return Wrapped(exit_code=_shell_code(code), id=start.id, problem=problem)


def _run_as_rank(start: Start, rank: Rank, command: Sequence[str], variables: Mapping[str, str]) -> Wrapped:
    """Run the command of a rank other than 0; the wrapper of rank 0 keeps the record."""
    of = f" of {rank.processes}" if rank.processes else ""
    problem = f"rank {rank.rank}{of} keeps no record, rank 0 does (according to {rank.launcher})"
    environment = {name: value for name, value in os.environ.items() if name not in {SPOOL_VARIABLE, RUN_DIR_VARIABLE}}
    environment |= variables
    code = run_command(
        command, Path(os.devnull), environment=environment, started=lambda _: None, notice=lambda _: None
    )
    return Wrapped(exit_code=_shell_code(code), id=start.id, problem=problem)


def _shell_code(code: int) -> int:
    """Return the exit code in the form of a shell: 128 + n when signal n ended the command."""
    return 128 - code if code < 0 else code


def begin(
    place: SpoolPlace,
    experiment: str,
    command: Sequence[str],
    run_id: str,
    given: Given,
    resume: str | None = None,
) -> Start:
    """Return the start of a wrapped command's spool, which remains even if nobody sees the end of the command.

    Raises:
        LedgerError: an option is invalid; better now than after hours of training.
    """
    now = datetime.now(UTC)
    asked = Draft(
        id=run_id, status="running", experiment=experiment, started_at=now, ended_at=now, duration_seconds=0.0
    )
    # Files are read at the end: the command may write them.
    words = msgspec.structs.replace(given, params_files=[], metrics_files=[], curves=[], log=None)
    stated = read_given(words, asked)
    return Start(
        id=run_id,
        rank=find_rank(os.environ),
        resume=check_label("resume", resume) if resume else None,
        deadline=deadline_of(os.environ),
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=now,
        experiment=experiment,
        command=list(command),
        folder=place.ledger.repository.folder if place.ledger else None,
        home=place.home,
        **fields_of(stated),
        params=stated.params,
        given=msgspec.structs.replace(given, note=None),
        working_folder=str(Path.cwd()),
    )


def _ending(code: int, signals: Sequence[int]) -> tuple[Status, str | None]:
    """Return how a command ended: by its own exit code, by a signal that was passed on, or by one from elsewhere."""
    if code == 0:
        return "finished", None
    if signals:
        return status_of(signals[-1]), signal.Signals(signals[-1]).name
    number = -code if code < 0 else code - 128
    if number in {member.value for member in signal.Signals}:
        return status_of(number), signal.Signals(number).name
    return "failed", f"exit code {code}"


def _interpreter(program: str) -> Path | None:
    """Return the Python interpreter that a command starts, where the command line shows one."""
    found = shutil.which(program)
    return Path(found) if found and Path(found).name.startswith("python") else None
