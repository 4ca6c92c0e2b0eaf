"""`ledger list`: a table of runs."""

from collections.abc import Sequence

import click

from ledger.analysis.query.fields import field_value, show_value
from ledger.analysis.query.table import runs_table
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.selection import query_of, say_warnings
from ledger.commands.workplace import open_ledger
from ledger.model.entries import StoredRun
from ledger.model.record import Record
from ledger.store.index.selection import Selection, select_runs

_NONE = {True: "no run is on the ledger yet; next: ledger record --help", False: "no run matches the filter"}
"""Messages instead of a table, by whether the ledger is empty."""
_NEEDED = 5
"""Number of columns from the left that are shown in any terminal."""


class _Listed(Record, frozen=True, kw_only=True):
    """A record with later statements: its tags are the current ones."""

    retracted: str | None = None
    """Why it was retracted; none while it stands."""

    @classmethod
    def of(cls, run: StoredRun) -> "_Listed":
        """Return a run in its listed form."""
        fields = {name: getattr(run.record, name) for name in run.record.__struct_fields__} | {"tags": run.tags}
        return cls(**fields, retracted=run.retraction.text if run.retraction else None)


@click.command("list")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option("-e", "--experiment", help="Only runs of this experiment.")
@click.option("-t", "--tag", help="Only runs with this tag.")
@click.option("-s", "--sort", metavar="FIELD", help="Sort by this field; newest first without it.")
@click.option("-r", "--reverse", is_flag=True, help="Reverse the order.")
@click.option("-n", "--limit", type=click.IntRange(1, 10**9), help="Show at most this many.")
@click.option("-c", "--columns", metavar="FIELD,…", help="Show these fields instead of the usual ones.")
@click.option("--json", "as_json", is_flag=True, help="Print whole records as JSON, with later statements.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def list_command(
    filters: tuple[str, ...],
    experiment: str | None,
    tag: str | None,
    sort: str | None,
    reverse: bool,
    limit: int | None,
    columns: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List runs, newest first.

    A FILTER is FIELD OPERATOR VALUE, joined by and, or, not and parentheses, or a word to look for. What stands side by
    side must all hold. Operators: = != < <= > >= ~. Fields: id, status, experiment, author, tags, note, seed, started,
    ended, duration, cost, commit, branch, dirty, dataset, host, chain, parameters, baseline, parent, retracted, and
    params and metrics by their names: lr, validation/accuracy. Where a name may mean several, write params.NAME or
    metrics.NAME.

    Example: ledger list 'lr < 0.01' status=finished --sort validation/accuracy
    """
    ledger, query = open_ledger(), query_of(filters, experiment, tag)
    if not (columns or as_json):
        found = select_runs(ledger, query, sort=sort, reverse=reverse, limit=limit, lines=True)
        _print_warnings(found)
        _write(*runs_table(found.lines), needed=_NEEDED, as_csv=as_csv, none=_NONE[found.empty])
        return
    header = [name for one in (columns or "").split(",") if (name := one.strip())]
    selection = select_runs(ledger, query, sort=sort, reverse=reverse, limit=limit, columns=header)
    _print_warnings(selection)
    if as_json:
        write_json([_Listed.of(run) for run in selection.runs])
        return
    rows = [[show_value(field_value(run, field)) for field in selection.columns] for run in selection.runs]
    _write(header, rows, needed=len(header), as_csv=as_csv, none=_NONE[selection.empty])


def _print_warnings(found: Selection) -> None:
    for problem in found.problems:
        say(f"warning: {problem.path}: {problem.message}")
    say_warnings(found.warnings)


def _write(header: Sequence[str], rows: Sequence[Sequence[str]], *, needed: int, as_csv: bool, none: str) -> None:
    if as_csv:
        write_csv(header, rows)
    elif rows:
        write_table(header, rows, needed=needed)
    else:
        say(none)
