"""`ledger advise`: what to try next, from the numbers of a run."""

import click

from ledger.analysis.advice import advise
from ledger.analysis.cases import case_stories
from ledger.commands.output import say, write_json
from ledger.commands.workplace import open_ledger
from ledger.store.selection import find_runs


@click.command("advise")
@click.argument("run")
@click.option("-m", "--metric", default="accuracy", show_default=True, metavar="NAME", help="A part of right answers.")
@click.option("--target", type=click.FloatRange(0, 1), help="What people, or the product in use, reach in it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def advise_command(run: str, metric: str, target: float | None, as_json: bool) -> None:
    """Say what to try after RUN: each advice with its numbers, its rule, and where the rule comes from.

    It is silent where evidence is thin, and knows nothing of your problem: it looks at errors on training,
    validation and test data, idle hardware, small slices, and cases that flip.

    Example: ledger advise x7k2qf --target 0.99
    """
    ledger = open_ledger()
    (found,) = find_runs(ledger, [run])
    contents = ledger.contents()
    names = {use.name for use in found.record.datasets.used if use.role in {"validation", "test"}}
    stories = case_stories([case for case in contents.cases if case.dataset in names], contents.runs)
    given = advise(found, {one.hash: one for one in contents.datasets}, stories, name=metric, target=target)
    if as_json:
        write_json(given)
        return
    for advice in given:
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in advice.numbers.items())
        click.echo(f"{advice.rule}: {advice.say}")
        click.echo(f"  {numbers} ({advice.source})")
    if not given:
        say("nothing that the numbers of this run prove; more is known with --target, and with train and test metrics")
