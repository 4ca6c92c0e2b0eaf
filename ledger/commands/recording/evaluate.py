"""`ledger evaluate`: a later measurement of a run that is already on the ledger."""

from pathlib import Path

import click

from ledger.capture.outputs.metrics import parse_metric, read_metrics
from ledger.commands.output import say, write_json
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.model.boxes.outputs import Metric
from ledger.recorder.message import shown
from ledger.recorder.record.options import parse_dataset, with_directions
from ledger.recorder.record.warnings import warn_of_data, warn_of_metrics, warn_of_retired
from ledger.recorder.statements.evaluation import evaluate


@click.command("evaluate")
@click.argument("run")
@click.option("--metrics", "files", multiple=True, type=click.Path(dir_okay=False), help="Metrics file.")
@click.option("-m", "--metric", "metrics", multiple=True, metavar="SPLIT/NAME=VALUE", help="One metric.")
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    metavar="ROLE[:NAME@VERSION]=PATH",
    help="Dataset that it was measured on.",
)
@click.option(
    "--direction", "directions", multiple=True, metavar="SPLIT/NAME=higher|lower", help="Which values are better."
)
@click.option("--period", metavar="DAY/DAY", help="First and last day of online metrics.")
@click.option("-n", "--note", help="Comment.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded as JSON.")
def evaluate_command(
    run: str,
    files: tuple[str, ...],
    metrics: tuple[str, ...],
    datasets: tuple[str, ...],
    directions: tuple[str, ...],
    period: str | None,
    note: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Record a later measurement of RUN's model, such as on a newer validation set.

    The models of many runs are measured by `ledger reevaluate`.

    Example: ledger evaluate x7k2qf -m validation/accuracy=0.91 -d validation:digits-validation@v2=data/val

    Example: ledger evaluate x7k2qf -m online/click_rate=0.031 --period 2026-11-01/2026-11-07
    """
    given: list[Metric] = []
    for name in files:
        found = read_metrics(Path(name))
        given += found.metrics
        if found.notice is not None:
            say(f"warning: {name}: {found.notice}")
    given = with_directions([*given, *(parse_metric(text) for text in metrics)], directions)
    ledger = open_ledger(writing=True)
    sources = [parse_dataset(text) for text in datasets]
    made = evaluate(run, given, datasets=sources, period=period, note=note, ledger=ledger)
    on_no_data = warn_of_data(made.metrics, made.datasets)
    for warning in [*warn_of_retired(ledger, made.datasets), *on_no_data, *warn_of_metrics(ledger, made.metrics)]:
        say(f"warning: {warning}")
    if as_json:
        write_json(made)
    else:
        first = made.metrics[0]
        where = f" on {first.dataset}" if first.dataset else ""
        say(f"recorded evaluation {made.id} of {made.run}: {first.key} {shown(first)}{where}")
    push_recorded(ledger, push=push, push_timeout=push_timeout)
