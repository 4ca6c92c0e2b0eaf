"""`ledger record`: a run that has ended becomes a record."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.commands.recording.options import given_of, run_options
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.model.ids import new_id
from ledger.model.values import Status, check_label
from ledger.recorder import Draft, Recorded, record
from ledger.recorder.message import closing_line
from ledger.recorder.record.draft import Rank
from ledger.recorder.record.options import read_given
from ledger.recorder.record.times import times_of
from ledger.recorder.record.warnings import how_to_name, warn_of_record
from ledger.store.branch.branch import Branch

_STATUSES: tuple[Status, ...] = ("finished", "failed", "interrupted", "killed", "preempted", "pruned")


@click.command("record")
@run_options
@click.option("--status", type=click.Choice(_STATUSES), default="finished", show_default=True, help="How it ended.")
@click.option("--because", "--reason", "reason", metavar="TEXT", help="Cause of the end.")
@click.option("--started", metavar="TIME", help="When it started: ISO 8601; without a zone, in this machine's.")
@click.option("--ended", metavar="TIME", help="When it ended.")
@click.option("--duration", type=float, metavar="SECONDS", help="How long it ran.")
@click.option("--command", "command_line", metavar="TEXT", help="Command line it was started with.")
@click.option("--review", is_flag=True, help="Propose it, on a branch of its own, instead of adding it to the ledger.")
@click.option("--proposal", metavar="NAME", help="The same, together with the other runs of the proposal NAME.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded as JSON.")
def record_command(
    experiment: str,
    status: Status,
    reason: str | None,
    started: str | None,
    ended: str | None,
    duration: float | None,
    command_line: str | None,
    review: bool,
    proposal: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Record a training run that has ended.

    Nothing in your working tree, index or HEAD moves: the record is one commit on the branch `ledger`.

    Example: ledger record --params params.yaml --metrics metrics.json --dataset validation=data/val --log train.log
    """
    now = datetime.now(UTC)
    log = options.get("log")
    times = times_of(now, started=started, ended=ended, duration=duration, log=Path(log) if log else None)
    ledger = open_ledger(writing=True)
    draft = Draft(
        id=new_id(now if "started_at" in times.unknown else times.started_at, os.urandom(4)),
        status=status,
        reason=reason,
        experiment=check_label("experiment", experiment),
        started_at=times.started_at,
        ended_at=times.ended_at,
        duration_seconds=times.duration_seconds or 0.0,
        timed=times.duration_seconds is not None,
        times=times.source,
        times_unknown=times.unknown,
        rank=_rank(),
        command=_split(command_line),
        folder=ledger.repository.folder,
    )
    draft = read_given(given_of(options), draft)
    with Bar("hashing datasets") as bar:
        name = proposal or (draft.id if review else None)
        place = _proposal(ledger, name) if name else ledger
        recorded = record(place, draft, state_dir=ledger.repository.state_dir, strict=True, progress=bar.count)
    tell(ledger, recorded, as_json=as_json)
    if name is None:
        push_recorded(ledger, push=push, push_timeout=push_timeout)
    else:
        from ledger.commands.review.proposal_output import send

        send(ledger, name, [draft.id], opening=proposal is None, push=push, seconds=push_timeout, as_json=False)


def _rank() -> Rank | None:
    """Return the rank of this process in a job: a training may call this command in each of its processes."""
    from ledger.session.process.ranks import (
        find_rank,  # nothing else of a living run is needed to record one that has ended
    )

    return find_rank(os.environ)


def _proposal(ledger: Branch, name: str) -> Branch:
    from ledger.recorder.statements.proposal import (
        begin_proposal,  # code for hosts takes longer to load than a record
    )

    return begin_proposal(ledger, name)


def tell(ledger: Branch, recorded: Recorded, *, as_json: bool) -> None:
    """Print the result: one line, what was redacted, warnings about its datasets, and the next command."""
    made = recorded.record
    for warning in warn_of_record(ledger, made):
        say(f"warning: {warning}")
    if as_json:
        headline = made.headline
        write_json(
            {
                "id": made.id,
                "status": made.status,
                "path": recorded.path,
                "commit": recorded.commit,
                "headline": {"metric": headline.key, "value": headline.value} if headline else None,
                "redactions": made.redactions,
                "unknown": {name: dict(box.unknown) for name, box in made.boxes().items() if box.unknown},
            }
        )
        return
    say(closing_line(made))
    for field, why in made.results.unknown.items():
        if field != "metrics":  # a run without metrics surprises nobody who recorded it so
            say(f"warning: {field}: {why}")
    for field, why in made.statistics.unknown.items():
        if field.startswith("tables."):
            say(f"warning: {field}: {why}")
    if made.redactions:
        counts = ", ".join(f"{count} {kind}" for kind, count in made.redactions.items())
        say(f"warning: secrets were replaced before anything was stored: {counts}")
    if (command := how_to_name(made)) is not None:
        say(f"hint: give this data a name: {command}")


def _split(command_line: str | None) -> list[str]:
    import shlex

    try:
        return shlex.split(command_line or "")
    except ValueError as error:
        raise UsageError(f"--command is not a command line: {str(error).lower()}: `{command_line}`") from error
