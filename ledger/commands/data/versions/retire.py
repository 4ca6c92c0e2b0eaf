"""`ledger dataset retire`: a version that is used no longer."""

import click

from ledger.commands.output import say, write_json
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.recorder.data.dataset_versions import retire_version


@click.command("retire")
@click.argument("version", metavar="NAME@VERSION")
@click.option("--because", "reason", required=True, metavar="TEXT", help="Why.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the statement as JSON.")
def retire_command(version: str, reason: str, push: bool | None, push_timeout: float, as_json: bool) -> None:
    """Say that a version is used no longer; it stays on the ledger, and so does all that was measured on it.

    Example: ledger dataset retire digits-validation@v1 --because "a tenth of it was in the training set"
    """
    ledger = open_ledger(writing=True)
    note = retire_version(ledger, version, reason)
    if as_json:
        write_json(note)
    else:
        say(f"retired {note.dataset}: {note.text.splitlines()[0]}; who records a metric on it is warned")
    push_recorded(ledger, push=push, push_timeout=push_timeout)
