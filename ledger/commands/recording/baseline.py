"""`ledger baseline`: the run that others of its experiment are compared with."""

import click

from ledger.commands.output import say, write_json, write_table
from ledger.commands.recording.note import append_notes
from ledger.commands.sending import push_options
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.formatting import moment
from ledger.model.entries import StoredRun


@click.command("baseline")
@click.argument("run", required=False)
@click.option("--because", "reason", metavar="TEXT", help="Reason.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the note, or the list, as JSON.")
def baseline_command(
    run: str | None, reason: str | None, push: bool | None, push_timeout: float, as_json: bool
) -> None:
    """Make RUN the baseline of its experiment, with which others are compared; without RUN, list all baselines.

    The latest baseline counts; every earlier one stays on the ledger. A run that was recorded with a baseline of its
    own keeps that.

    Example: ledger baseline x7k2qf --because "what production runs since Monday"
    """
    if run is not None:
        text = reason or "compare with this one"
        append_notes(run, "baseline", [text], push=push, push_timeout=push_timeout, as_json=as_json)
        return
    if reason is not None:
        raise UsageError("--because needs a run", hint="ledger baseline RUN --because TEXT")
    found = open_ledger().contents().baselines()
    if as_json:
        write_json({experiment: one.record.id for experiment, one in found.items()})
    elif found:
        write_table(["experiment", "baseline", "since", "by", "because"], [_row(one) for one in found.values()])
    else:
        say("no experiment has a baseline yet; next: ledger baseline RUN")


def _row(run: StoredRun) -> list[str]:
    note = next(note for note in reversed(run.notes) if note.kind == "baseline")
    return [run.record.experiment, run.record.id, moment(note.noted_at), note.author.name, note.text.splitlines()[0]]
