"""`ledger export`: runs as a flat table for other tools."""

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from ledger.analysis.data.curves import Point, load_curves
from ledger.analysis.query.language import Query
from ledger.commands.output import echo, say
from ledger.commands.selection import query_of, read_selection, say_warnings
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.exporters.exported_run import ExportedRun
from ledger.exporters.targets import TARGETS
from ledger.model.entries import Problem, StoredRun
from ledger.model.paths import CURVES_FILE
from ledger.model.values import counted, plain
from ledger.store.branch.branch import Branch
from ledger.store.index.export import Format, ParquetPart, render_export, render_parquet
from ledger.store.index.selection import find_runs, select_parts


@click.command("export")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv", "jsonl"]),
    help="Format. Default: that of the file's name.",
)
@click.option("--to", "target", type=click.Choice(list(TARGETS)), help="Another tool, whose files a folder will hold.")
@click.option(
    "-o", "--output", type=click.Path(), metavar="PATH", help="Write to this file, or with --to to this new folder."
)
def export_command(filters: tuple[str, ...], kind: Format | None, target: str | None, output: str | None) -> None:
    """Export runs, oldest first: id, status, times, cost, params.NAME, metrics.SPLIT/NAME and their datasets.

    A FILTER is a query, as in ledger list, or a run. With --to the runs are written in the format of another tool, and
    what it cannot hold is said.

    Example: ledger export 'status = finished' -o runs.parquet
    """
    if target is not None:
        if kind is not None or output is None:
            raise UsageError("--to writes a folder", hint=f"ledger export --to {target} -o FOLDER")
        _export_to(target, filters, Path(output))
        return
    kind = kind or _format_of(output)
    if output is None and kind == "parquet" and sys.stdout.isatty():
        raise UsageError("cannot write Parquet to a terminal", hint="ledger export -o runs.parquet")
    data, count, problems = _table(open_ledger(), query_of(filters), kind)
    for problem in problems:
        say(f"warning: {problem.path}: {problem.message}")
    if not count:
        say("no run matches the filter")
    if output is None:
        echo(data, nl=False)
        return
    Path(output).write_bytes(data)
    say(f"wrote {count} runs to {output}")


def _table(ledger: Branch, query: Query | None, kind: Format) -> tuple[bytes, int, Sequence[Problem]]:
    """Return a file of the matching runs, their number, and what could not be read."""
    if kind == "parquet":
        parts, found = select_parts(ledger, query, ParquetPart)
        say_warnings(found.warnings)
        return render_parquet(parts or [ParquetPart([])]), sum(part.rows for part in parts), found.problems
    selection = read_selection(ledger, query)
    return render_export(selection.runs, kind), len(selection.runs), selection.problems


def _export_to(target: str, filters: tuple[str, ...], folder: Path) -> None:
    """Write runs as files of another tool into a new folder, whole or not at all."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LedgerError(f"there is something already: `{plain(str(folder))}`", hint="name a new folder")
    ledger = open_ledger()
    runs = _chosen(ledger, filters)
    if not runs:
        raise LedgerError("no run matches the filter", hint="ledger list")
    curves = TARGETS[target].curves
    made = TARGETS[target].render([ExportedRun(run.record, _points(ledger, run) if curves else []) for run in runs])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as aside:
        for name, data in made.files.items():
            path = Path(aside, "made", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        Path(aside, "made").mkdir(exist_ok=True)
        Path(aside, "made").replace(folder)
    say(f"wrote {counted(len(runs), 'run')} for {target} to {folder}")
    for loss in made.losses:
        say(f"warning: not kept: {loss}")
    if made.next:
        say(f"next: {made.next}")


def _points(ledger: Branch, run: StoredRun) -> list[Point]:
    blob = run.files.get(CURVES_FILE)
    return load_curves(ledger.read_blob(blob), f"{run.path}/{CURVES_FILE}") if blob else []


def _chosen(ledger: Branch, filters: tuple[str, ...]) -> Sequence[StoredRun]:
    """Return the runs that words name, or that a query chooses."""
    if filters and all(re.fullmatch(r"[0-9a-hjkmnp-tv-z-]{3,22}", word) for word in filters):
        try:
            return find_runs(ledger, list(filters))
        except NotFound:
            if len(filters) > 1:
                raise
    return read_selection(ledger, query_of(filters)).runs


def _format_of(output: str | None) -> Format:
    formats: dict[str, Format] = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl"}
    suffix = Path(output).suffix if output else ".csv"
    if suffix not in formats:
        raise UsageError(f"no export format has this suffix: `{suffix}`", hint="--format parquet, csv or jsonl")
    return formats[suffix]
