"""`ledger tag`: add tags to a run, or remove them."""

import click

from ledger.commands.recording.note import append_notes
from ledger.commands.sending import push_options


@click.command("tag")
@click.argument("run")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@click.option("--remove", is_flag=True, help="Remove the tags instead.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the notes as JSON.")
def tag_command(
    run: str, tags: tuple[str, ...], remove: bool, push: bool | None, push_timeout: float, as_json: bool
) -> None:
    """Add TAGs to RUN; the ledger keeps who did it and when.

    Example: ledger tag x7k2qf release-candidate
    """
    append_notes(run, "untag" if remove else "tag", list(tags), push=push, push_timeout=push_timeout, as_json=as_json)
