"""`ledger advise`: what to try next, from the numbers of runs and of experiments."""

import click

from ledger.api.advise import AdviceReport, advise_about
from ledger.commands.output import echo, say, write_json
from ledger.commands.workplace import open_ledger
from ledger.formatting import number
from ledger.model.values import plain


@click.command("advise")
@click.argument("about", nargs=-1, required=True, metavar="[RUN|EXPERIMENT]...")
@click.option(
    "-m",
    "--metric",
    metavar="NAME",
    help="A metric that is the share of right or wrong answers. Default: that of the headline.",
)
@click.option("--target", type=click.FloatRange(0, 1), help="Level that people, or the product in use, reach in it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def advise_command(about: tuple[str, ...], metric: str | None, target: float | None, as_json: bool) -> None:
    """Show what to try after a RUN, or after the best run of an EXPERIMENT.

    Each suggestion states its numbers, its rule, and the source of the rule. Where evidence is thin, there is none.
    Nothing is known about your problem: the rules look at errors on training, validation and test data, waits for data,
    idle hardware, the budget of policy.yaml, small slices, cases that flip, and noise that hides the best.

    Example: ledger advise x7k2qf --target 0.99
    """
    ledger = open_ledger()
    contents = ledger.contents()
    given = [advise_about(ledger, contents, name, metric=metric, target=target) for name in dict.fromkeys(about)]
    if as_json:
        write_json(given)
        return
    for one in given:
        _print_advice(one, headed=len(given) > 1)


def _print_advice(advised: AdviceReport, *, headed: bool) -> None:
    if headed or advised.about != advised.run:
        best = "" if advised.about == advised.run else f", by its best run {advised.run}"
        echo(click.style(plain(f"{advised.about}{best}"), bold=True))
    for advice in advised.advice:
        numbers = ", ".join(f"{name} {number(value)}" for name, value in advice.numbers.items())
        echo(plain(f"{advice.rule}: {advice.say}"))
        echo(plain(f"  {numbers} ({advice.source})"))
    if advised.budget:
        echo(plain(f"budget: {', '.join(one.text for one in advised.budget)}"))
    if advised.silent is not None:
        say(f"no advice about its errors: {advised.silent}")
    elif not advised.advice:
        say("the numbers of this run support no advice; give --target, or record train and test metrics, for more")
