"""`ledger aggregate`: add the aggregates of policy.yaml to runs that lack them."""

import click

from ledger.commands.output import say, write_json
from ledger.commands.selection import query_of, read_selection
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.recorder.message import shown
from ledger.recorder.statements.evaluation import fill_aggregates


@click.command("aggregate")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded as JSON.")
def aggregate_command(filters: tuple[str, ...], push: bool | None, push_timeout: float, as_json: bool) -> None:
    """Add the aggregates that policy.yaml defines to the runs that match FILTER and lack them.

    New measurements get theirs when they are recorded; this is for those from before the definition.

    Example: ledger aggregate experiment=digits
    """
    ledger = open_ledger(writing=True)
    runs = read_selection(ledger, query_of(filters)).runs
    made = fill_aggregates(ledger, runs)
    if as_json:
        write_json(made)
    else:
        for evaluation in made:
            told = ", ".join(f"{metric.key} {shown(metric)} ({metric.dataset})" for metric in evaluation.metrics)
            say(f"recorded evaluation {evaluation.id} of {evaluation.run}: {told}")
        if not made:
            say("no run is missing an aggregate that its measurements allow")
    push_recorded(ledger, push=push, push_timeout=push_timeout)
