"""`ledger run -- command`: run a command with its terminal intact, and record it."""

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from ledger.capture.harvest.known_files import check_formats
from ledger.commands.output import say, write_json
from ledger.commands.recording.options import given_of, run_options
from ledger.commands.recording.record import tell
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.compat.stand_in import TRACKERS, environment_as
from ledger.errors import LedgerError
from ledger.model.ids import new_id
from ledger.model.record import Record
from ledger.model.values import check_label, counted, listed
from ledger.session.process.command import Wrapped, begin, run_wrapped
from ledger.session.process.end_command import run_end_command
from ledger.session.spool.location import find_place
from ledger.store.branch.branch import Branch


@click.command("run", context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@run_options
@click.option(
    "--resume", metavar="KEY", help="Key of all attempts of this training: one that ends badly waits for the next."
)
@click.option(
    "--harvest",
    metavar="auto|off|SOURCE,...",
    help="Sources that fill boxes which nobody filled: what the command left, printed and was given. Default: policy.",
)
@click.option(
    "--as",
    "tracker",
    type=click.Choice(TRACKERS),
    help="Let the command's calls of this tracker reach the ledger: nothing is installed, and no line is changed.",
)
@push_options
@click.option(
    "--json", "as_json", is_flag=True, help="Print what was recorded as JSON, after what the command printed."
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_command(
    experiment: str,
    resume: str | None,
    tracker: str | None,
    harvest: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
    command: tuple[str, ...],
    **options: Any,
) -> int:
    """Run COMMAND, record it whatever happens, and return its exit code.

    The command finds a folder in LEDGER_RUN_DIR; files that it leaves there (params.yaml, steps.yaml, metrics.json,
    curves.csv, figures/*.png, tables/*.csv, model.pt, note.txt) become part of the record. Files named by options are
    read when it has ended. Boxes that nobody filled are filled with what the command left, such as event files of
    TensorBoard, hparams.yaml or trainer_state.json, printed, and was given; the record says which.

    Example: ledger run --dataset validation=data/val -- python train.py --lr 0.1
    """
    check_label("experiment", experiment)
    place = find_place(Path())
    given = given_of(options)
    run_id = new_id(datetime.now(UTC), secrets.token_bytes(4))
    if harvest is not None:
        check_formats(harvest)
    start = replace(begin(place, experiment, command, run_id, given, resume), harvest=harvest)
    if place.ledger is None:
        problem = place.problem.message if place.problem else "no ledger"
        say(f"warning: {problem}; the record will wait in {place.state_dir}")
    else:
        try:
            open_ledger(writing=True)
        except LedgerError as error:
            say(f"warning: {error.message}")
    wrapped = run_wrapped(place, start, command, environment_as(tracker, os.environ) if tracker else None)
    with suppress(OSError):  # the command's exit code is returned even without a stderr
        _print_recorded(place.ledger, wrapped, as_json=as_json)
    with suppress(OSError):
        if wrapped.recorded is not None and place.ledger is not None:
            push_recorded(place.ledger, push=push, push_timeout=push_timeout)
            if why := run_end_command(place.ledger.repository, wrapped.recorded.record):
                say(f"warning: {why}")
    return wrapped.exit_code


_FILLED_BY = {
    "params": "--params FILE",
    "datasets": "--dataset ROLE=PATH",
    "model": "--model FILE",
    "results": "--metrics FILE",
}
"""Options that fill each box."""


def _empty_boxes(record: Record) -> str:
    """Return in one line what was found where, which boxes are empty, and what fills them; empty where that is nothing.

    A run with child runs leaves the boxes to those.
    """
    boxes = record.boxes()
    empty = [name for name in _FILLED_BY if not (boxes[name].known and _is_filled(record, name))]
    if record.children:
        return ""
    parts = [f"found {', '.join(found)}"] if (found := list(_found(record))) else []
    if empty:
        options = " ".join(_FILLED_BY[name] for name in empty)
        script = "" if found else ", or `ledger.run()` in the script"
        parts.append(f"unknown boxes: {', '.join(empty)}; fill them with `ledger run {options}`{script}")
    return "; ".join(parts)


def _found(record: Record) -> Iterator[str]:
    """Yield what was found, and where."""
    params = Counter(record.params.found.values())
    for where, count in params.items():
        yield f"{counted(len(record.params.values) if 'all' in record.params.found else count, 'param')} in {where}"
    if "curves" in record.results.found:
        yield f"curves in {record.results.found['curves']}"
    files = sorted({where for name, where in record.results.found.items() if name.startswith("metrics")})
    if files:
        yield f"metrics in {listed(files)}"
    if "all" in record.model.found:
        yield f"model {record.model.found['all'].partition(', ')[0]}"


def _is_filled(record: Record, name: str) -> bool:
    return name != "results" or bool(record.results.metrics)


def _print_recorded(ledger: Branch | None, wrapped: Wrapped, *, as_json: bool) -> None:
    if wrapped.recorded is not None and ledger is not None:
        tell(ledger, wrapped.recorded, as_json=as_json)
        if not as_json and (empty := _empty_boxes(wrapped.recorded.record)):
            say(f"hint: {empty}")
        return
    if as_json:
        write_json({"id": wrapped.id, "problem": wrapped.problem, "hint": wrapped.hint})
        return
    say(f"warning: {wrapped.problem}")
    if wrapped.hint:
        say(f"hint: {wrapped.hint}")
