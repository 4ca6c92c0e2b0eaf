"""`ledger export`: runs as a flat table for other tools."""

import sys
from pathlib import Path

import click

from ledger.commands.output import echo, say
from ledger.commands.selection import query_of, read_selection
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.store.index.export import Format, render_export


@click.command("export")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv", "jsonl"]),
    help="Format. Default: that of the file's name.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write to this file, not to stdout."
)
def export_command(filters: tuple[str, ...], kind: Format | None, output: str | None) -> None:
    """Export runs, oldest first: id, status, times, cost, params.NAME, metrics.SPLIT/NAME and their datasets.

    A FILTER is a query, as in ledger list.

    Example: ledger export 'status = finished' -o runs.parquet
    """
    kind = kind or _format_of(output)
    if output is None and kind == "parquet" and sys.stdout.isatty():
        raise UsageError("cannot write Parquet to a terminal", hint="ledger export -o runs.parquet")
    selection = read_selection(open_ledger(), query_of(filters))
    for problem in selection.problems:
        say(f"warning: {problem.path}: {problem.message}")
    if not selection.runs:
        say("no run matches the filter")
    data = render_export(selection.runs, kind)
    if output is None:
        echo(data, nl=False)
        return
    Path(output).write_bytes(data)
    say(f"wrote {len(selection.runs)} runs to {output}")


def _format_of(output: str | None) -> Format:
    formats: dict[str, Format] = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl"}
    suffix = Path(output).suffix if output else ".csv"
    if suffix not in formats:
        raise UsageError(f"no export format has this suffix: `{suffix}`", hint="--format parquet, csv or jsonl")
    return formats[suffix]
