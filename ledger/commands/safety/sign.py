"""`ledger sign`: sign entries that are on the ledger already."""

from datetime import UTC, datetime

import click

from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.model.values import counted
from ledger.recorder.statements.signing import sign_entries
from ledger.repository.blobs import blob_reader


@click.command("sign")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--all", "everybody", is_flag=True, help="Also sign entries of others.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the documents that were signed as JSON.")
def sign_command(runs: tuple[str, ...], everybody: bool, push: bool | None, push_timeout: float, as_json: bool) -> None:
    """Sign your entries that lack your signature, or all entries about each RUN.

    The key is the one that git signs with (user.signingKey, gpg.format = ssh). Whose signatures count, and whether
    every new entry needs one, is set in policy.yaml.

    Example: ledger sign x7k2qf
    """
    ledger = open_ledger(writing=True)
    with blob_reader(ledger.repository) as read_blob, Bar("signing") as bar:
        signed = sign_entries(ledger, read_blob, datetime.now(UTC), runs=runs, everybody=everybody, progress=bar.count)
    if as_json:
        write_json(signed)
    elif signed:
        say(f"signed {counted(len(signed), 'entry')}")
    else:
        say("nothing to sign: every entry of yours carries your signature")
    push_recorded(ledger, push=push, push_timeout=push_timeout)
