"""`ledger advise`: what to try next, from the numbers of runs and of experiments."""

from collections.abc import Sequence

import click

from ledger.analysis.advice import Advice, advise, metric_of
from ledger.analysis.cases import case_stories
from ledger.analysis.experiment_advice import advise_among, best_of
from ledger.analysis.judging import Tried
from ledger.analysis.shares import why_silent
from ledger.commands.output import echo, say, write_json
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.entries import Contents, Run
from ledger.model.values import Document, plain
from ledger.store.ledger import Ledger
from ledger.store.selection import find_runs


class Advised(Document, frozen=True, kw_only=True):
    """What is said about one run or experiment."""

    about: str
    """Run id, or name of the experiment."""
    run: str
    """Run whose numbers were looked at: of an experiment, its best."""
    metric: str
    """Metric that was looked at."""
    advice: list[Advice]
    """What to try."""
    silent: str | None
    """Why nothing could be said of its errors; none where they were looked at."""


@click.command("advise")
@click.argument("about", nargs=-1, required=True, metavar="[RUN|EXPERIMENT]...")
@click.option("-m", "--metric", metavar="NAME", help="A part of right or wrong answers; that of the headline else.")
@click.option("--target", type=click.FloatRange(0, 1), help="What people, or the product in use, reach in it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def advise_command(about: tuple[str, ...], metric: str | None, target: float | None, as_json: bool) -> None:
    """Say what to try after a RUN, or after the best run of an EXPERIMENT.

    Each advice has its numbers, its rule, and where the rule comes from. It is silent where evidence is thin, and
    knows nothing of your problem: it looks at errors on training, validation and test data, waiting for data, idle
    hardware, the budget of policy.yaml, small slices, cases that flip, and noise that hides the best.

    Example: ledger advise x7k2qf --target 0.99
    """
    ledger = open_ledger()
    contents = ledger.contents()
    given = [_advised(ledger, contents, name, metric, target) for name in dict.fromkeys(about)]
    if as_json:
        write_json(given)
        return
    for one in given:
        _tell(one, headed=len(given) > 1)


def _advised(ledger: Ledger, contents: Contents, about: str, metric: str | None, target: float | None) -> Advised:
    run, tried, members = _meant(ledger, contents, about)
    names = {use.name for use in run.record.datasets.used if use.role in {"validation", "test"}}
    stories = case_stories([case for case in contents.cases if case.dataset in names], contents.runs)
    versions = {one.hash: one for one in contents.datasets}
    name = metric_of(run) if metric is None else metric
    advice = advise(run, versions, stories, name=name, target=target, budget=ledger.policy.budget)
    if tried is not None:
        advice += advise_among(run, tried, members)
    named = run.record.id if not members else run.record.experiment
    return Advised(about=named, run=run.record.id, metric=name, advice=advice, silent=why_silent(run, name))


def _meant(ledger: Ledger, contents: Contents, about: str) -> tuple[Run, Tried | None, Sequence[Run]]:
    """Return the run, and of an experiment what was tried in it; an id goes before a name.

    Raises:
        NotFound: no run has it, and no experiment.
        UsageError: several runs have it, or no run of the experiment can be called its best.
        LedgerError: git cannot read the branch.
    """
    members = [run for run in contents.runs if run.record.experiment == about]
    try:
        (found,) = find_runs(ledger, [about])
    except LedgerError as error:
        if not members:
            if isinstance(error, NotFound):
                raise NotFound(f"no run and no experiment has this name: `{about}`", hint="ledger list") from error
            raise
    else:
        return found, None, ()
    best = best_of(members)
    if best is None:
        raise UsageError(
            f"no run of this experiment can be called its best: `{about}`",
            hint="a headline metric on a known dataset version with a direction says which; or: ledger advise RUN",
        )
    return *best, members


def _tell(advised: Advised, *, headed: bool) -> None:
    if headed or advised.about != advised.run:
        best = "" if advised.about == advised.run else f", by its best run {advised.run}"
        echo(click.style(plain(f"{advised.about}{best}"), bold=True))
    for advice in advised.advice:
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in advice.numbers.items())
        echo(plain(f"{advice.rule}: {advice.say}"))
        echo(plain(f"  {numbers} ({advice.source})"))
    if advised.silent is not None:
        say(f"nothing is said of its errors: {advised.silent}")
    elif not advised.advice:
        say("nothing that the numbers of this run prove; more is known with --target, and with train and test metrics")
