"""`ledger dataset retire`: mark a version as no longer in use."""

import click

from ledger.commands.output import say, write_json
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.recorder.data.dataset_versions import retire_version


@click.command("retire")
@click.argument("version", metavar="NAME@VERSION")
@click.option("--because", "reason", required=True, metavar="TEXT", help="Reason.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the statement as JSON.")
def retire_command(version: str, reason: str, push: bool | None, push_timeout: float, as_json: bool) -> None:
    """Retire a version that should not be used any more; it stays on the ledger, with all that was measured on it.

    Example: ledger dataset retire digits-validation@v1 --because "a tenth of it was in the training set"
    """
    ledger = open_ledger(writing=True)
    note = retire_version(ledger, version, reason)
    if as_json:
        write_json(note)
    else:
        say(f"retired {note.dataset}: {note.text.splitlines()[0]}; recording a metric on it now gives a warning")
    push_recorded(ledger, push=push, push_timeout=push_timeout)
