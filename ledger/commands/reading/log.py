"""`ledger log`: the history of the ledger itself."""

import click

from ledger.commands.output import echo, say, write_json
from ledger.commands.workplace import open_ledger
from ledger.formatting import moment
from ledger.model.values import plain


@click.command("log")
@click.option("-n", "--limit", type=click.IntRange(1, 10**9), help="Show at most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def log_command(limit: int | None, as_json: bool) -> None:
    """Show the commits of the ledger, newest first: what was added, when, by whom.

    Example: ledger log --limit 20
    """
    entries = list(open_ledger().log(limit))
    if as_json:
        write_json(entries)
        return
    if not entries:
        say("nothing is on the ledger yet; next: ledger record --help")
    for entry in entries:
        commit = click.style(entry.commit[:10], fg="yellow")
        echo(f"{commit} {moment(entry.time)}  {plain(entry.subject)}  ({plain(entry.author.name)})")
