"""`ledger recover`: finish what a crash left."""

from pathlib import Path

import click

from ledger.commands.output import say
from ledger.commands.workplace import tell_recovered
from ledger.session.recover import is_anything_left
from ledger.store.ledger import Ledger
from ledger.store.waiting import homeless_dir


@click.command("recover")
@click.option("--homeless", is_flag=True, help="Also take in runs that were made outside of any repository.")
def recover_command(homeless: bool) -> int:
    """Record the runs of this host whose process died, and append the records that wait.

    Exit code 1 when something still waits.
    """
    ledger = Ledger.open(Path())
    places = [ledger.repository.state_dir, *([homeless_dir()] if homeless else [])]
    left = [place for place in places if is_anything_left(place)]
    if not left:
        say("nothing waits")
    return 1 if sum(tell_recovered(ledger, place) for place in left) else 0
