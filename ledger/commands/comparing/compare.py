"""`ledger compare`: runs side by side."""

from pathlib import Path
from typing import Literal

import click

from ledger.analysis.comparing.comparable import agreed_direction, why_uncounted
from ledger.analysis.comparing.compare import Comparison, MetricRow, compare
from ledger.analysis.query.fields import show_value
from ledger.analysis.query.order_warnings import measure_command
from ledger.api.compare import find_compared
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.model.entries import StoredRun
from ledger.model.values import ORIGIN_MARK, plain
from ledger.store.branch.branch import Branch
from ledger.store.review.code_difference import code_difference


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="FILE", help="Draw the learning curves: .svg or .png.")
@click.option("--series", multiple=True, help="Draw only these curves.")
def compare_command(
    runs: tuple[str, ...], as_json: bool, as_csv: bool, plot: str | None, series: tuple[str, ...]
) -> None:
    """Compare two or more RUNs, or one with its baseline: params that differ, metrics side by side.

    Values measured on different dataset versions, or by different evaluators, are shown and not ranked.

    Example: ledger compare x7k2qf 9fw3aa --plot curves.svg
    """
    ledger = open_ledger()
    chosen = find_compared(ledger, runs)
    comparison = compare(chosen)
    if plot:
        _draw(ledger, chosen, list(series), Path(plot))
    if as_json:
        write_json(comparison)
        return
    header, rows = _table(comparison)
    if as_csv:
        write_csv(header, rows)
        return
    write_table(header, rows)
    for other in chosen[1:]:
        if difference := code_difference(ledger, chosen[0], other):
            say(f"{chosen[0].record.id} and {other.record.id} differ {difference.told()}")
    _print_uncounted(chosen)
    for row in comparison.metrics:
        if row.refused and row.refused not in {"only one run has it", "a tie"}:
            say(f"not ranked: {row.key}: {row.refused}")
    _print_judge(comparison)
    _print_remedy(comparison)


def _print_remedy(comparison: Comparison) -> None:
    apart = [row for row in comparison.metrics if (row.refused or "").startswith("measured")]
    labels = sorted({metric.dataset for row in apart for metric in row.metrics if metric and metric.dataset})
    if remedy := measure_command(reversed(labels)):
        say(f"hint: to compare them: {remedy}")
    elif apart:
        say("hint: to compare them, measure both on one version: ledger reevaluate NAME@VERSION -- COMMAND {model}")


def _print_uncounted(runs: list[StoredRun]) -> None:
    for run in runs:
        if why := why_uncounted(run):
            said = run.retraction.text if run.retraction else run.record.reason or ""
            say(plain(f"{run.record.id} {why}{f': {said.splitlines()[0]}' if said else ''}; it is never marked"))


def _table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    rows = [[fact.name, *(show_value(value) for value in fact.values)] for fact in comparison.facts]
    rows += [[f"params.{row.name}", *(show_value(value) for value in row.values)] for row in comparison.params]
    rows += [[row.key, *_cells(row)] for row in comparison.metrics]
    return ["", *(plain(run) for run in comparison.runs)], rows


def _cells(row: MetricRow) -> list[str]:
    labels = {metric.dataset for metric in row.metrics if metric}
    cells = []
    for index, metric in enumerate(row.metrics):
        if metric is None:
            cells.append("")
            continue
        where = f" on {metric.dataset or 'unknown data'}" if len(labels) > 1 or not metric.dataset else ""
        mark = ORIGIN_MARK[metric.origin]
        cells.append(f"{show_value(metric.number)}{where}{mark}{f' ({_first(row)})' if row.best == index else ''}")
    return cells


def _first(row: MetricRow) -> str:
    """Return the word for the best value: what it is among these runs, which need not be more than noise."""
    direction = agreed_direction(metric for metric in row.metrics if metric)
    return "lowest" if direction == "lower" else "highest"


def _print_judge(comparison: Comparison) -> None:
    """Say which command answers whether the first place is more than noise, where there is one."""
    ranked = [row for row in comparison.metrics if row.best is not None]
    if ranked and ranked[0].best is not None:
        first = comparison.runs[ranked[0].best]
        other = next(run for run in comparison.runs if run != first)
        say(plain(f"whether that is more than noise: ledger judge {first} --against {other}"))


def _draw(ledger: Branch, runs: list[StoredRun], series: list[str], path: Path) -> None:
    try:
        from ledger.publish.report.comparison import render_comparison
    except ImportError as error:
        raise UsageError(f"drawing needs a package: `{error.name}`", hint="pip install 'git-ledger[site]'") from error
    kind: Literal["svg", "png"] = "png" if path.suffix == ".png" else "svg"
    if path.suffix not in {".svg", ".png"}:
        raise UsageError(f"a plot must end in .svg or .png: `{path}`")
    path.write_bytes(render_comparison(runs, ledger.read_blob, series, kind=kind))
    say(f"wrote {path}")
