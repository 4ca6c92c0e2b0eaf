"""`ledger sync`: synchronise the ledgers of this clone and of a remote."""

import click

from ledger.commands.output import say, write_json
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.repository.repository import remotes
from ledger.store.branch.branch import Branch
from ledger.store.sync.sync import sync
from ledger.store.sync.sync_result import Synced

_LONGEST_SECONDS = 86_400.0


@click.command("sync")
@click.argument("remote", required=False)
@click.option("--all", "everywhere", is_flag=True, help="Sync with every remote.")
@click.option("--fold/--no-fold", default=True, help="Also put the entries in the remote's inbox on the branch.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=_LONGEST_SECONDS),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Time limit for each remote.",
)
@click.option("--accept-redaction", is_flag=True, help="Accept a history that `ledger redact` rewrote elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def sync_command(
    remote: str | None, everywhere: bool, fold: bool, timeout: float, accept_redaction: bool, as_json: bool
) -> int:
    """Send this clone's entries to REMOTE, and get those of others.

    Without REMOTE it is the branch's own remote, else `origin`, else the only one. Entries that two clones
    recorded apart are joined without a conflict. Exit code 1 when the remote does not hold them.

    Example: ledger sync
    """
    if everywhere and accept_redaction:
        raise UsageError("--accept-redaction needs one remote, not --all", hint="ledger sync REMOTE --accept-redaction")
    if everywhere and remote is not None:
        raise UsageError("give a remote or --all, not both", hint="ledger sync --all")
    ledger = open_ledger(writing=True)
    if everywhere:
        done = _sync_all(ledger, timeout, fold=fold)
    else:
        done = [sync(ledger, remote, timeout_seconds=timeout, fold=fold, accept_redaction=accept_redaction)]
    if as_json:
        write_json(done if everywhere else done[0])
    else:
        for made in done:
            print_synced(made)
    return 0 if all(made.safe for made in done) else 1


def print_synced(made: Synced) -> None:
    """Print the result of a sync in one line; after a failure, also what to type."""
    say(made.message)
    if made.hint:
        say(f"hint: {made.hint}")


def _sync_all(ledger: Branch, timeout: float, *, fold: bool) -> list[Synced]:
    names = sorted(remotes(ledger.repository.config(r"^remote\..*\.url$")))
    if not names:
        return [sync(ledger, timeout_seconds=timeout, fold=fold)]
    done = {name: sync(ledger, name, timeout_seconds=timeout, fold=fold) for name in names}
    tip = ledger.tip()
    for name, made in done.items():  # what a later remote held is new to an earlier one
        if made.safe and made.tip != tip:
            done[name] = sync(ledger, name, timeout_seconds=timeout, fold=fold)
    return list(done.values())
