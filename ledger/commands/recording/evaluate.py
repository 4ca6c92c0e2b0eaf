"""`ledger evaluate`: a later measurement of runs that are already on the ledger."""

from collections.abc import Sequence
from pathlib import Path

import click

from ledger.analysis.query.language import parse_queries
from ledger.capture.outputs.metrics import parse_metric, read_metrics
from ledger.commands.output import say, write_json
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.model.boxes import Metric
from ledger.recorder.message import shown
from ledger.recorder.record.options import parse_dataset, with_directions
from ledger.recorder.record.warnings import warn_of_data, warn_of_metrics, warn_of_retired
from ledger.recorder.statements.evaluation import evaluate, fill_aggregates
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import select_runs


@click.command("evaluate", context_settings={"ignore_unknown_options": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="RUN | -- COMMAND...")
@click.option("--metrics", "files", multiple=True, type=click.Path(dir_okay=False), help="Metrics file.")
@click.option("-m", "--metric", "metrics", multiple=True, metavar="SPLIT/NAME=VALUE", help="One metric.")
@click.option(
    "-d", "--dataset", "datasets", multiple=True, metavar="ROLE[:NAME@VERSION]=PATH", help="What it was measured on."
)
@click.option(
    "--direction", "directions", multiple=True, metavar="SPLIT/NAME=higher|lower", help="Which values are better."
)
@click.option("--period", metavar="DAY/DAY", help="Days that online metrics were counted over, first and last.")
@click.option("--aggregates", is_flag=True, help="Only add the aggregates of policy.yaml to runs that lack them.")
@click.option("--on", metavar="NAME@VERSION", help="Measure the models of many runs on this dataset version.")
@click.option("--data", type=click.Path(), metavar="PATH", help="Where that version lies; else where a run found it.")
@click.option("--runs", "query", metavar="QUERY", help="Only the models of runs that pass, as for `ledger list`.")
@click.option("--evaluator", metavar="NAME", help="Version of the evaluator; else the hash of its scripts.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="How many models at once.")
@click.option("--engine", metavar="ADDRESS", help="Run on a cluster: dask://host:port, ray://host:port.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="For each model.")
@click.option("--again", is_flag=True, help="Measure what this evaluator has measured there already, too.")
@click.option("--dry-run", is_flag=True, help="Only say which models would be measured.")
@click.option("-n", "--note", help="What you want to say about it.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded as JSON.")
def evaluate_command(
    arguments: tuple[str, ...],
    files: tuple[str, ...],
    metrics: tuple[str, ...],
    datasets: tuple[str, ...],
    directions: tuple[str, ...],
    period: str | None,
    aggregates: bool,
    on: str | None,
    data: str | None,
    query: str | None,
    evaluator: str | None,
    jobs: int | None,
    engine: str | None,
    timeout: float | None,
    again: bool,
    dry_run: bool,
    note: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> int:
    """Record a later measurement of RUN's model, or measure the models of many runs with COMMAND.

    With --on, COMMAND is started once for each model, with {model}, {dataset} and {run} put in. It writes its metrics
    to the file in $LEDGER_METRICS, or prints them as JSON in its last line; answers to the cases in $LEDGER_CASES go
    to $LEDGER_ANSWERS. Each result is recorded at once, so what was stopped goes on where it was.
    Exit code 1 when a model could not be measured; the others are recorded.

    Example: ledger evaluate x7k2qf -m validation/accuracy=0.91 -d validation:digits-validation@v2=data/val

    Example: ledger evaluate x7k2qf -m online/click_rate=0.031 --period 2026-11-01/2026-11-07

    Example: ledger evaluate --on digits-validation@v3 -- python evaluate.py {model} {dataset}
    """
    if aggregates:
        if arguments or files or metrics or datasets or on:
            raise UsageError("--aggregates measures nothing", hint="ledger evaluate --aggregates [--runs QUERY]")
        push_recorded(_fill(query, as_json=as_json), push=push, push_timeout=push_timeout)
        return 0
    if on is not None:
        if files or metrics or datasets or period:
            raise UsageError(
                "--on measures with a command; metrics are not given",
                hint="ledger evaluate --on NAME@VERSION -- COMMAND",
            )
        from ledger.commands.recording.reevaluation import reevaluate_many

        ledger = open_ledger(writing=True)
        code = reevaluate_many(
            ledger, list(arguments), on=on, data=data, query=query, evaluator=evaluator, jobs=jobs, engine=engine,
            timeout=timeout, again=again, dry_run=dry_run, note=note, as_json=as_json,
        )  # fmt: skip
        if not dry_run:
            push_recorded(ledger, push=push, push_timeout=push_timeout)
        return code
    given: list[Metric] = []
    for name in files:
        found = read_metrics(Path(name))
        given += found.metrics
        if found.notice is not None:
            say(f"warning: {name}: {found.notice}")
    given = with_directions([*given, *(parse_metric(text) for text in metrics)], directions)
    ledger = _record_one(arguments, given, datasets, period, note, as_json=as_json)
    push_recorded(ledger, push=push, push_timeout=push_timeout)
    return 0


def _record_one(
    arguments: Sequence[str],
    metrics: Sequence[Metric],
    datasets: Sequence[str],
    period: str | None,
    note: str | None,
    *,
    as_json: bool,
) -> Branch:
    if len(arguments) != 1:
        raise UsageError(
            "one run is evaluated at a time; many need --on",
            hint="ledger evaluate RUN -m NAME=VALUE, or: ledger evaluate --on NAME@VERSION -- COMMAND {model}",
        )
    ledger = open_ledger(writing=True)
    sources = [parse_dataset(text) for text in datasets]
    made = evaluate(arguments[0], metrics, datasets=sources, period=period, note=note, ledger=ledger)
    on_no_data = warn_of_data(made.metrics, made.datasets)
    for warning in [*warn_of_retired(ledger, made.datasets), *on_no_data, *warn_of_metrics(ledger, made.metrics)]:
        say(f"warning: {warning}")
    if as_json:
        write_json(made)
    else:
        first = made.metrics[0]
        where = f" on {first.dataset}" if first.dataset else ""
        say(f"recorded evaluation {made.id} of {made.run}: {first.key} {shown(first)}{where}")
    return ledger


def _fill(query: str | None, *, as_json: bool) -> Branch:
    ledger = open_ledger(writing=True)
    runs = select_runs(ledger, parse_queries([query]) if query else None, reverse=True).runs
    made = fill_aggregates(ledger, runs)
    if as_json:
        write_json(made)
        return ledger
    for evaluation in made:
        told = ", ".join(f"{metric.key} {shown(metric)} ({metric.dataset})" for metric in evaluation.metrics)
        say(f"recorded evaluation {evaluation.id} of {evaluation.run}: {told}")
    if not made:
        say("no run lacks an aggregate that its measurements complete")
    return ledger
