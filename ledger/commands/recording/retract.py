"""`ledger retract`: withdraw a run."""

import click

from ledger.commands.recording.note import append_notes
from ledger.commands.sending import push_options


@click.command("retract")
@click.argument("run")
@click.option("--because", "reason", required=True, metavar="TEXT", help="Why nobody should rely on it.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the note as JSON.")
def retract_command(run: str, reason: str, push: bool | None, push_timeout: float, as_json: bool) -> None:
    """Withdraw RUN: it stays on the ledger, with the reason, and on no leaderboard.

    Example: ledger retract x7k2qf --because "it was trained on the validation set"
    """
    append_notes(run, "retraction", [reason], push=push, push_timeout=push_timeout, as_json=as_json)
