"""`ledger matrix`: the values of a metric by run and version of a dataset."""

import click

from ledger.analysis.comparing.matrix import main_metric, matrix_of
from ledger.analysis.query.fields import show_value
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.selection import query_of, read_selection
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound
from ledger.model.boxes.outputs import Metric
from ledger.model.values import counted


@click.command("matrix")
@click.argument("dataset")
@click.option("-m", "--metric", metavar="SPLIT/NAME", help="Metric to show. Default: the one measured most often.")
@click.option("--runs", "query", metavar="FILTER", help="Only runs that match, as for `ledger list`.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def matrix_command(dataset: str, metric: str | None, query: str | None, as_json: bool, as_csv: bool) -> None:
    """Show the value of a metric for each run on each version of DATASET.

    Columns are not comparable with each other: v1 and v2 are different data. Gaps are runs
    that were not measured on a version; ledger reevaluate fills them.

    Example: ledger matrix digits-validation
    """
    ledger = open_ledger()
    contents = ledger.contents()
    versions = [version for version in contents.datasets if version.name == dataset]
    if not versions:
        names = ", ".join(sorted({version.name for version in contents.datasets})) or "none yet"
        raise NotFound(f"no such dataset: `{ascii(dataset)[1:-1]}`", hint=f"known: {names}")
    runs = read_selection(ledger, query_of([query])).runs
    key = metric or main_metric(versions, runs)
    if key is None:
        raise NotFound(
            f"nothing has been measured on this dataset yet: `{dataset}`",
            hint=f"ledger reevaluate {versions[-1].label} -- COMMAND",
        )
    matrix = matrix_of(versions, runs, key)
    if as_json:
        write_json(matrix)
        return
    header = ["run", "experiment", *matrix.versions]
    mixed = len({cell.evaluator for row in matrix.rows for cell in row.cells if cell}) > 1
    rows = [
        [row.run, row.experiment, *("" if cell is None else _cell(cell, mixed) for cell in row.cells)]
        for row in matrix.rows
    ]
    if as_csv:
        write_csv(header, rows)
        return
    write_table(header, rows, needed=len(header))
    say(f"{matrix.key}; columns are not comparable with each other")
    if matrix.gaps:
        missing = max(version for _, version in matrix.gaps)
        fill = f"ledger reevaluate {dataset}@{missing} -- COMMAND {{model}}"
        say(f"{counted(len(matrix.gaps), 'gap')}; to fill them: {fill}")


def _cell(metric: Metric, mixed: bool) -> str:
    """Return a value; with its evaluator where there are several, as their values are not comparable."""
    shown = show_value(metric.number)
    return f"{shown} (evaluator {metric.evaluator or 'unknown'})" if mixed else shown
