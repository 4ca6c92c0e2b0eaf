"""`ledger cost`: what runs cost, by experiment, person, week or project, and what of it was wasted."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click
import msgspec

from ledger.analysis.advice.spending import SpendingShare
from ledger.analysis.judging.prediction import FEWEST
from ledger.analysis.query.language import Query
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.selection import query_of
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, UsageError
from ledger.formatting import duration, money, number, share
from ledger.model.values import counted, listed, plain
from ledger.recorder.record.recosting import CostEstimate, Recosted, estimate_cost, recost
from ledger.store.branch.branch import Branch
from ledger.store.index.costs import read_costs, read_spending
from ledger.store.index.spent import CostGroup, CostSum, joined

_MOST_SHOWN = 10
"""Most experiments or persons whose budget is shown, beside those that are over it."""

_NEARLY_ALL = 1 - 1e-9
"""Sums of the same numbers in another order differ in their last digits."""


@click.command("cost")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option(
    "--by",
    type=click.Choice(["experiment", "person", "week", "month", "year", "status", "project"]),
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
@click.option("--check", is_flag=True, help="Exit with 1 when a budget of the policy is exceeded.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def cost_command(
    filters: tuple[str, ...],
    by: CostGroup | Literal["project"],
    also: tuple[Path, ...],
    estimate: str | None,
    runs: int,
    recompute: bool,
    check: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show what runs cost, and what of it went to crashes, retracted runs, idle GPUs and waits for data.

    A FILTER is a query, as in ledger list. Amounts of different currencies are never added, and runs of unknown cost
    are counted. A price is that of the time of the run, as its record has it. Energy and CO2e are those of the GPUs,
    where they were measured. Budgets are those of `spending` in the policy, over all runs of this ledger.

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
    budgets = read_spending(ledger, datetime.now(UTC).date())
    if check and not ledger.policy.spending:
        raise UsageError(
            "the policy has no budget to check", hint="ledger policy set spending '{amount: 500, per: week}'"
        )
    sums = _sums([ledger, *(Branch.open(path) for path in also)], by, query)
    if sums or not check:
        if not sums:
            raise LedgerError("no run matches the filter", hint="ledger list")
        _write(sums, by, budgets, as_json=as_json, as_csv=as_csv)
    over = [f"{one.per} {plain(one.name)}" for one in budgets if one.over]
    if check and over:
        raise LedgerError(
            f"over the budget: `{listed(over)}`", hint="ledger cost --by person; the policy has the budgets"
        )


def _sums(ledgers: Sequence[Branch], by: CostGroup | Literal["project"], query: Query | None) -> list[CostSum]:
    """Return the sums of all ledgers, the dearest first."""
    sums: list[CostSum] = []
    for branch in ledgers:
        found = read_costs(branch, "experiment" if by == "project" else by, query)
        sums += joined(found, _project(branch)) if by == "project" else found
    if len(ledgers) > 1 and by != "project":
        names = dict.fromkeys(one.name for one in sums)
        sums = [one for name in names for one in joined([each for each in sums if each.name == name], name)]
    return sorted(sums, key=lambda one: (-one.amount, one.name))


def _project(branch: Branch) -> str:
    repository = branch.repository
    return (repository.worktree or repository.git_dir).resolve().name


def _write(sums: list[CostSum], by: str, budgets: Sequence[SpendingShare], *, as_json: bool, as_csv: bool) -> None:
    whole = joined(sums, "all")
    if as_json:
        write_json({"by": by, "groups": sums, "all": whole, "budgets": [_with_share(one) for one in budgets]})
        return
    columns = table_of([*sums, *(whole if len(sums) > 1 else [])], by)
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    (write_csv if as_csv else write_table)(list(columns), rows)
    if not as_csv:
        for line in _budget_lines(budgets):
            click.echo(line)


def table_of(shown: Sequence[CostSum], by: str) -> dict[str, list[str]]:
    """Return the columns of the table, by name; those of energy and CO2e only where there is any."""
    columns = {
        by: [plain(one.name) for one in shown],
        "runs": [str(one.runs) for one in shown],
        "cost": [money(one.amount, one.currency) if one.currency else "unknown" for one in shown],
        "crashed": [_part(one.crashed, one) for one in shown],
        "retracted": [_part(one.withdrawn, one) for one in shown],
        "idle": [_part(one.idle, one) for one in shown],
        "waiting": [_part(one.waiting, one) for one in shown],
        "time": [duration(one.seconds) if one.seconds else "unknown" for one in shown],
    }
    if any(one.energy_kwh for one in shown):
        columns["GPU energy"] = [f"{number(one.energy_kwh)} kWh" if one.energy_kwh else "" for one in shown]
    if any(one.co2e_kg for one in shown):
        columns["its CO2e"] = [_co2e(one) for one in shown]
    columns["unknown"] = [counted(one.unknown, "run") if one.unknown else "" for one in shown]
    return columns


def _co2e(one: CostSum) -> str:
    """Return the CO2e of the energy, with the part of it that it is of where that is not all."""
    if not one.co2e_kg:
        return ""
    part = f" (of {number(one.co2e_of_kwh)} kWh)" if one.co2e_of_kwh < one.energy_kwh * _NEARLY_ALL else ""
    return f"{number(one.co2e_kg)} kg{part}"


def _with_share(one: SpendingShare) -> dict[str, object]:
    return {**msgspec.to_builtins(one), "spent": one.spent, "share": one.spent / one.amount, "over": one.over}


def _budget_lines(budgets: Sequence[SpendingShare]) -> Iterator[str]:
    """Yield a line for each budget; of one for each experiment or person, all that are over and the dearest."""
    counts: dict[tuple[str, float, str], int] = {}
    for one in budgets:
        budget = (one.per, one.amount, one.currency)
        counts[budget] = counts.get(budget, 0) + 1
        if counts[budget] <= _MOST_SHOWN or one.over:
            yield _budget_line(one)
    for (per, amount, currency), count in counts.items():
        if count > _MOST_SHOWN:
            yield f"{counted(count, per)} in all have a budget of {money(amount, currency)}: ledger cost --json"


def _budget_line(one: SpendingShare) -> str:
    beside = [f"{counted(one.unknown, 'run')} of unknown cost"] if one.unknown else []
    beside += [f"{money(amount, currency)} beside it" for currency, amount in one.others.items()]
    said = f"{money(one.spent, None)} of {money(one.amount, one.currency)} ({share(one.spent / one.amount)})"
    return ", ".join([f"{one.per} {plain(one.name)}: {said}", *(["over the budget"] if one.over else []), *beside])


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
        [
            one.run[16:],
            money(one.before, one.before_currency) or "unknown",
            (money(one.now, one.now_currency) or one.why) + (f" ({one.row.label})" if one.row else ""),
        ]
        for one in found
    ]
    write_table(["run", "as recorded", "by today's prices"], rows)
    say("nothing was written: a record keeps the price of its time")
