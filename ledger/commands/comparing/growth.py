"""`ledger growth`: how a metric grows with data, model size, time or money."""

from typing import get_args

import click

from ledger.analysis.advice.growth import Against, Growth, growth_of
from ledger.commands.output import echo, say, write_json
from ledger.commands.selection import query_of, read_selection
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound, UsageError
from ledger.formatting import number
from ledger.model.values import counted

_WORDS: dict[Against, str] = {
    "samples": "training samples",
    "parameters": "parameters",
    "duration": "seconds",
    "cost": "cost",
}


@click.command("growth")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option("-e", "--experiment", help="Only runs of this experiment.")
@click.option("-m", "--metric", required=True, metavar="SPLIT/NAME", help="Metric to fit.")
@click.option(
    "--against",
    type=click.Choice(get_args(Against)),
    default="samples",
    show_default=True,
    help="Quantity that varies.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def growth_command(
    filters: tuple[str, ...], experiment: str | None, metric: str, against: Against, as_json: bool
) -> None:
    """Fit a power law to METRIC and predict its value for ten times more.

    One line for each comparable group, as values on other dataset versions or by other evaluators are not
    comparable. Where there are too few points, it says so. A FILTER is a query, as in ledger list.

    Example: ledger growth -e data-size -m validation/accuracy --against samples
    """
    runs = read_selection(open_ledger(), query_of(filters, experiment)).runs
    try:
        grown = growth_of(runs, metric, against)
    except ModuleNotFoundError as error:
        raise UsageError(f"fitting needs a package: `{error.name}`", hint="pip install 'git-ledger[data]'") from None
    if as_json:
        write_json(grown)
    elif not grown:
        raise NotFound(f"no run has both a `{metric}` on known data and its {_WORDS[against]}")
    else:
        for growth in grown:
            _print_growth(growth)


def _print_growth(growth: Growth) -> None:
    sizes = [point.size for point in growth.points]
    runs = counted(len(growth.points), "run")
    echo(f"{growth.group.label} against {_WORDS[growth.against]}: {runs}, {sizes[0]:g} to {sizes[-1]:g}")
    exponent, expected = growth.exponent, growth.expected
    if exponent is None or expected is None or not growth.exponent_interval or not growth.expected_interval:
        say(f"  {growth.why_not}")
        return
    low, high = (number(bound, 3) for bound in growth.exponent_interval)
    echo(f"  the error goes with size to the power {number(exponent, 3)} (95 %: {low} to {high})")
    low, high = (number(bound) for bound in growth.expected_interval)
    echo(f"  at {growth.expected_at:g}, ten times the largest: {number(expected)} expected ({low} to {high})")
    if growth.flattens:
        say("  the curve bends: growth brings less than this predicts")
