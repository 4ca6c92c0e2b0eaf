"""`ledger dataset list`: every version of every dataset."""

import click

from ledger.analysis.data.versions import facts_of, versions_of
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.workplace import open_ledger
from ledger.formatting import byte_size, moment


@click.command("list")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def list_command(name: str | None, as_json: bool, as_csv: bool) -> None:
    """List dataset versions, of one dataset or of all, oldest first.

    Example: ledger dataset list
    """
    contents = open_ledger().contents()
    facts = facts_of(contents, versions_of(contents, name) if name else contents.datasets)
    if as_json:
        write_json(
            [
                {
                    "version": fact.version,
                    "judged": len(fact.judged),
                    "trained": len(fact.trained),
                    "retired": fact.retired,
                }
                for fact in facts
            ]
        )
        return
    header = ["version", "role", "samples", "files", "size", "hash", "judged", "trained", "retired", "added", "reason"]
    rows = [
        [
            fact.version.label,
            fact.version.role,
            "" if fact.version.samples is None else str(fact.version.samples),
            str(fact.version.files),
            byte_size(fact.version.bytes),
            fact.version.hash[:19],
            str(len(fact.judged)),
            str(len(fact.trained)),
            fact.retired.text if fact.retired else "",
            moment(fact.version.added_at),
            fact.version.reason or "",
        ]
        for fact in facts
    ]
    if as_csv:
        write_csv(header, rows)
    elif not rows:
        say("no dataset has a version yet; next: ledger dataset add NAME PATH --role validation")
    else:
        write_table(header, rows, needed=4)
