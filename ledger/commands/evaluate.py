"""`ledger evaluate`: a later measurement of a run that is already on the ledger."""

from pathlib import Path

import click

from ledger.capture.metrics import parse_metric, read_metrics
from ledger.commands.output import say, write_json
from ledger.commands.pushing import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.recorder.evaluation import evaluate
from ledger.recorder.given import parse_dataset
from ledger.recorder.message import shown


@click.command("evaluate")
@click.argument("run")
@click.option("--metrics", "files", multiple=True, type=click.Path(dir_okay=False), help="Metrics file.")
@click.option("-m", "--metric", "metrics", multiple=True, metavar="SPLIT/NAME=VALUE", help="One metric.")
@click.option(
    "-d", "--dataset", "datasets", multiple=True, metavar="ROLE[:NAME@VERSION]=PATH", help="What it was measured on."
)
@click.option("-n", "--note", help="What you want to say about it.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded as JSON.")
def evaluate_command(
    run: str,
    files: tuple[str, ...],
    metrics: tuple[str, ...],
    datasets: tuple[str, ...],
    note: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Record a later measurement of RUN's model, such as on a newer validation set.

    Example: ledger evaluate x7k2qf -m validation/accuracy=0.91 -d validation:digits-validation@v2=data/val
    """
    ledger = open_ledger(writing=True)
    given = [metric for name in files for metric in read_metrics(Path(name))]
    given += [parse_metric(text) for text in metrics]
    made = evaluate(run, given, datasets=[parse_dataset(text) for text in datasets], note=note)
    if as_json:
        write_json(made)
    else:
        first = made.metrics[0]
        where = f" on {first.dataset}" if first.dataset else ""
        say(f"recorded evaluation {made.id} of {made.run}: {first.key} {shown(first)}{where}")
    push_recorded(ledger, push=push, push_timeout=push_timeout)
