"""`ledger cost`: what runs cost, by experiment, person, week or project, and what of it was wasted."""

from pathlib import Path
from typing import Literal

import click

from ledger.analysis.judging.prediction import FEWEST
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.selection import query_of
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, UsageError
from ledger.formatting import duration, money, share
from ledger.model.values import counted, plain
from ledger.recorder.record.recosting import CostEstimate, Recosted, estimate_cost, recost
from ledger.store.branch.branch import Branch
from ledger.store.index.costs import read_costs
from ledger.store.index.spent import CostGroup, CostSum, joined


@click.command("cost")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option(
    "--by",
    type=click.Choice(["experiment", "person", "week", "status", "project"]),
    default="experiment",
    show_default=True,
    help="What sums are over.",
)
@click.option(
    "--also", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Another repository to sum up."
)
@click.option("--estimate", metavar="EXPERIMENT", help="What more runs like those of this experiment would cost.")
@click.option("--runs", type=click.IntRange(min=1), default=1, show_default=True, help="How many, with --estimate.")
@click.option("--recompute", is_flag=True, help="Compare with the prices of today's policy; nothing is written.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def cost_command(
    filters: tuple[str, ...],
    by: CostGroup | Literal["project"],
    also: tuple[Path, ...],
    estimate: str | None,
    runs: int,
    recompute: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show what runs cost, and what of it went to crashes, retracted runs, idle GPUs and waits for data.

    A FILTER is a query, as in ledger list. Amounts of different currencies are never added, and runs of unknown cost
    are counted. A price is that of the time of the run, as its record has it.

    Example: ledger cost --by person 'started > 2026-11-01'
    """
    ledger = open_ledger()
    if estimate is not None:
        _tell_estimate(estimate_cost(ledger, estimate, runs), as_json=as_json)
        return
    query = query_of(filters)
    if recompute:
        _tell_recosted(recost(ledger, query), as_json=as_json)
        return
    sums: list[CostSum] = []
    for branch in [ledger, *(Branch.open(path) for path in also)]:
        group = "experiment" if by == "project" else by
        found = read_costs(branch, group, query)
        sums += joined(found, _project(branch)) if by == "project" else found
    if also and by != "project":
        names = dict.fromkeys(one.name for one in sums)
        sums = [one for name in names for one in joined([each for each in sums if each.name == name], name)]
    sums.sort(key=lambda one: (-one.amount, one.name))
    if not sums:
        raise LedgerError("no run matches the filter", hint="ledger list")
    _write(sums, by, as_json=as_json, as_csv=as_csv)


def _project(branch: Branch) -> str:
    repository = branch.repository
    return (repository.worktree or repository.git_dir).resolve().name


def _write(sums: list[CostSum], by: str, *, as_json: bool, as_csv: bool) -> None:
    whole = joined(sums, "all")
    if as_json:
        write_json({"by": by, "groups": sums, "all": whole})
        return
    header = [by, "runs", "cost", "crashed", "retracted", "idle", "waiting", "time", "unknown"]
    shown = [*sums, *(whole if len(sums) > 1 else [])]
    rows = [
        [
            plain(one.name),
            str(one.runs),
            money(one.amount, one.currency) if one.currency else "unknown",
            *(_part(amount, one) for amount in (one.crashed, one.withdrawn, one.idle, one.waiting)),
            duration(one.seconds) if one.seconds else "unknown",
            counted(one.unknown, "run") if one.unknown else "",
        ]
        for one in shown
    ]
    (write_csv if as_csv else write_table)(header, rows)


def _part(amount: float, whole: CostSum) -> str:
    """Return a part of a cost, with its share; nothing where there is none."""
    if not amount or whole.currency is None:
        return ""
    return f"{money(amount, whole.currency)} ({share(amount / whole.amount)})"


def _tell_estimate(found: CostEstimate, *, as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    based = f"by {counted(found.based_on, 'finished run')} of {plain(found.experiment)}"
    say_of = f"{counted(found.runs, 'run')} would cost {money(found.amount, found.currency)}"
    reach = ""
    if found.low is not None and found.high is not None:
        reach = (
            f", in 95 of 100 cases between {money(found.low, found.currency)} and {money(found.high, found.currency)}"
        )
    click.echo(f"{say_of}{reach}, {based}")
    if found.seconds is not None:
        click.echo(f"  {duration(found.seconds)} of training, one after the other")
    if found.based_on < FEWEST:
        say(f"warning: {based}: too few for a range")


def _tell_recosted(found: list[Recosted], *, as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    if not found:
        raise UsageError("no run matches the filter", hint="ledger list")
    rows = [
        [one.run[16:], money(one.before, one.before_currency) or "unknown", money(one.now, one.now_currency) or one.why]
        for one in found
    ]
    write_table(["run", "as recorded", "by today's prices"], rows)
    say("nothing was written: a record keeps the price of its time")
