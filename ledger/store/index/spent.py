"""What runs cost, as the index keeps it: a row a run, and sums of them."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Literal

from ledger.formatting import iso_week
from ledger.model.entries import StoredRun
from ledger.model.values import CRASHED, WITHDRAWN, Document
from ledger.store.index.order import Sql

CostGroup = Literal["experiment", "person", "week", "month", "year", "status"]
"""What sums are over."""


class CostSum(Document, frozen=True, kw_only=True):
    """What the runs of one group cost, in one currency."""

    name: str
    """Name of the group."""
    currency: str | None
    """Currency of every amount; none where no run of the group has a known cost."""
    runs: int
    """Number of runs."""
    unknown: int = 0
    """Number of runs whose cost is unknown: they are in no amount."""
    amount: float = 0.0
    """Cost of those whose cost is known."""
    crashed: float = 0.0
    """Part of it that went to runs that failed, were killed or lost."""
    withdrawn: float = 0.0
    """Part of it that went to runs that were retracted, or that another attempt speaks for."""
    idle: float = 0.0
    """Part of it for GPUs that stood idle, where that was measured."""
    waiting: float = 0.0
    """Part of it for time that the training waited for data, where that was measured."""
    seconds: float = 0.0
    """Time that the runs took."""
    energy_kwh: float = 0.0
    """Energy of their GPUs, where that was measured."""
    co2e_kg: float = 0.0
    """CO2e of this energy in kg, as far as a figure is known for its place."""
    co2e_of_kwh: float = 0.0
    """Part of the energy whose CO2e is known."""


Spent = tuple[str | float | None, ...]
"""Row of the table `spent`."""


def spent_row(run: StoredRun) -> Spent:
    """Return what the index keeps of the cost of a run."""
    record, cost = run.record, run.record.cost
    usage = record.hardware.usage
    started = record.timing.started_at
    aside = run.unranked if run.unranked in WITHDRAWN else ""
    return (
        record.id,
        record.experiment,
        record.author.name,
        iso_week(started),
        f"{started.year}-{started.month:02}",
        record.status,
        aside or "",
        cost.currency if cost.amount is not None else None,
        cost.amount,
        cost.idle_amount,
        usage.data_wait_seconds if usage else None,
        record.timing.took,
        cost.energy_kwh,
        cost.co2e_kg,
    )


def sum_costs(database: sqlite3.Connection, by: CostGroup, where: Sql) -> Iterator[CostSum]:
    """Yield the sums of the matching runs."""
    text, arguments = where
    among = "" if text == "1" else f"WHERE run IN (SELECT id FROM runs WHERE {text})"  # noqa: S608  # the expressions are our own
    crashed = ", ".join(f"'{status}'" for status in CRASHED)
    asked = (
        f"SELECT {_column(by)}, currency, count(*), sum(amount IS NULL), total(amount),"  # noqa: S608  # as above
        f" total(CASE WHEN status IN ({crashed}) THEN amount END), total(CASE WHEN aside <> '' THEN amount END),"
        " total(idle), total(CASE WHEN seconds > 0 THEN amount * min(1, waited / seconds) END), total(seconds),"
        f" total(energy), total(co2e), total(CASE WHEN co2e IS NOT NULL THEN energy END)"
        f" FROM spent {among} GROUP BY 1, currency"
    )
    for name, currency, runs, unknown, amount, *parts in database.execute(asked, arguments):
        lost, withdrawn, idle, waiting, seconds, energy, co2e, placed = parts
        yield CostSum(
            name=name,
            currency=currency,
            runs=runs,
            unknown=unknown,
            amount=amount,
            crashed=lost,
            withdrawn=withdrawn,
            idle=idle,
            waiting=waiting,
            seconds=seconds,
            energy_kwh=energy,
            co2e_kg=co2e,
            co2e_of_kwh=placed,
        )


def sum_amounts(database: sqlite3.Connection, by: CostGroup, only: str | None) -> Iterator[CostSum]:
    """Yield the sums of amounts only, of all runs, or of the one group that is named."""
    column = _column(by)
    among = "" if only is None else f"WHERE {column} = ?"
    asked = (
        f"SELECT {column}, currency, count(*), sum(amount IS NULL), total(amount)"  # noqa: S608  # the words are our own
        f" FROM spent {among} GROUP BY 1, currency"
    )
    for name, currency, runs, unknown, amount in database.execute(asked, () if only is None else (only,)):
        yield CostSum(name=name, currency=currency, runs=runs, unknown=unknown, amount=amount)


def _column(by: CostGroup) -> str:
    return "substr(month, 1, 4)" if by == "year" else by


def joined(sums: Iterable[CostSum], name: str) -> list[CostSum]:
    """Return the sums of several groups as one group, by currency; runs of unknown cost join the only currency."""
    listed = list(sums)
    known = list(dict.fromkeys(one.currency for one in listed if one.currency))
    found: dict[str | None, CostSum] = {}
    for one in listed:
        currency = one.currency or (known[0] if len(known) == 1 else None)
        before = found.get(currency)
        found[currency] = CostSum(
            name=name,
            currency=currency,
            **{field: getattr(one, field) + (getattr(before, field) if before else 0) for field in _SUMMED},
        )
    return sorted(found.values(), key=lambda one: -one.amount)


_SUMMED = (
    *("runs", "unknown", "amount", "crashed", "withdrawn", "idle", "waiting"),
    *("seconds", "energy_kwh", "co2e_kg", "co2e_of_kwh"),
)
