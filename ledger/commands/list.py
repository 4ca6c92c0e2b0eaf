"""`ledger list`: a table of runs."""

from collections.abc import Sequence

import click

from ledger.analysis.fields import field_value, params_that_differ, show_value
from ledger.analysis.query import Comparison, Every, Query, parse_queries
from ledger.commands.output import duration, money, say, write_csv, write_json, write_table
from ledger.commands.workplace import open_ledger
from ledger.model.entries import Run
from ledger.store.selection import select_runs

_PARAMS_SHOWN = 6
_NEEDED = 5
"""Columns from the left that are shown however narrow the terminal is."""


@click.command("list")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option("-e", "--experiment", help="Only runs of this experiment.")
@click.option("-t", "--tag", help="Only runs with this tag.")
@click.option("-s", "--sort", metavar="FIELD", help="Sort by this field; newest first without it.")
@click.option("-r", "--reverse", is_flag=True, help="Turn the order round.")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="Show at most this many.")
@click.option("-c", "--columns", metavar="FIELD,…", help="Show these fields instead of the usual ones.")
@click.option("--json", "as_json", is_flag=True, help="Print whole records as JSON.")
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

    A FILTER is FIELD OPERATOR VALUE, joined by and, or, not and parentheses, or a word to look for; all FILTERs must
    hold. Fields: id, status, experiment, author, tags, note, seed, started, duration, cost, commit, dataset, host,
    params.NAME, metrics.SPLIT/NAME. Operators: = != < <= > >= ~.

    Example: ledger list 'params.lr < 0.01' status=finished --sort metrics.validation/accuracy
    """
    selection = select_runs(open_ledger(), _query(filters, experiment, tag), sort=sort, reverse=reverse, limit=limit)
    for problem in selection.problems:
        say(f"warning: {problem.path}: {problem.message}")
    if selection.warning:
        say(f"warning: {selection.warning}")
    ordered = selection.runs
    if as_json:
        write_json([run.record for run in ordered])
        return
    header, rows = _chosen(ordered, columns.split(",")) if columns else _usual(ordered)
    if as_csv:
        write_csv(header, rows)
    elif ordered:
        write_table(header, rows, needed=len(header) if columns else _NEEDED)
    else:
        say("no run is on the ledger yet; next: ledger record --help" if selection.empty else "no run passes")


def _query(filters: Sequence[str], experiment: str | None, tag: str | None) -> Query | None:
    stated: list[Query] = [
        Comparison(field=field, operator="=", value=value)
        for field, value in (("experiment", experiment), ("tags", tag))
        if value is not None
    ]
    if filters:  # the grammar's library is loaded for it alone
        parsed = parse_queries(filters)
        stated += [parsed] if parsed else []
    return Every(parts=tuple(stated)) if stated else None


def _chosen(runs: Sequence[Run], columns: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    names = [name.strip() for name in columns if name.strip()]
    return names, [[show_value(field_value(run, name)) for name in names] for run in runs]


def _usual(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    params = params_that_differ(runs)[:_PARAMS_SHOWN] if len(runs) > 1 else []
    header = ["run", "status", "experiment", "headline", "measured on", "took", *params, "cost"]
    return header, [_usual_row(run, params) for run in runs]


def _usual_row(run: Run, params: Sequence[str]) -> list[str]:
    record = run.record
    headline = record.headline
    cost = record.cost
    return [
        record.id,
        f"{record.status}, retracted" if run.retraction else record.status,
        record.experiment,
        f"{show_value(headline.number)} {headline.key}" if headline else "",
        (headline.dataset or "unknown") if headline else "",
        duration(record.timing.duration_seconds),
        *(show_value(record.params.values.get(name)) for name in params),
        money(cost.amount, cost.currency),
    ]
