"""`ledger checkpoint`: vouch for the whole ledger as it is now."""

from datetime import UTC, datetime

import click

from ledger.commands.output import say, write_json, write_table
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.formatting import moment
from ledger.model.values import counted
from ledger.repository.blobs import blob_reader
from ledger.store.integrity.checkpoint import make_checkpoint, read_checkpoints


@click.command("checkpoint")
@click.option(
    "--sign/--no-sign", "signed", default=None, help="Sign it. Default: where git is configured with an SSH key."
)
@click.option("--list", "listed", is_flag=True, help="List the checkpoints instead.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def checkpoint_command(
    signed: bool | None, listed: bool, push: bool | None, push_timeout: float, as_json: bool
) -> None:
    """Tag the tip with the number of entries and the Merkle root of their content.

    From then on `ledger verify` proves that history still contains it. Where a signer of policy.yaml signed it,
    verify checks only what came after.

    Example: ledger checkpoint --sign
    """
    if listed:
        found = read_checkpoints(open_ledger())
        if as_json:
            write_json(found)
        elif found:
            rows = [
                [one.name, moment(one.made_at), str(one.entries), "signed" if one.signed else "", one.root]
                for one in found
            ]
            write_table(["checkpoint", "made", "entries", "", "root"], rows)
        else:
            say("no checkpoint yet; next: ledger checkpoint")
        return
    ledger = open_ledger(writing=True)
    with blob_reader(ledger.repository) as read_blob:
        made = make_checkpoint(ledger, read_blob, datetime.now(UTC), signed=signed)
    if as_json:
        write_json(made)
    else:
        said = "signed" if made.signed else "not signed: git has no SSH signing key" if signed is None else "not signed"
        say(f"checkpoint {made.name}: {counted(made.entries, 'entry')}, {made.root[:23]}… ({said})")
    push_recorded(ledger, push=push, push_timeout=push_timeout)
