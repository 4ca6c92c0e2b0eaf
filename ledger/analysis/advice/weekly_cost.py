"""What runs cost week by week, by experiment and by author: sums over records, in one currency each."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from ledger.formatting import iso_week, utc
from ledger.model.entries import StoredRun
from ledger.model.values import CRASHED, WITHDRAWN, Document


class WeekCost(Document, frozen=True, kw_only=True):
    """What the runs that started in one week cost, in one currency."""

    week: str
    """Week as ISO 8601 writes it: `2026-W47`."""
    runs: int = 0
    """Runs that started in it, of any cost."""
    unknown: int = 0
    """Runs whose cost is unknown or in another currency: they are in no amount."""
    failed: int = 0
    """Runs that ended otherwise than finished or pruned."""
    amount: float = 0.0
    """Cost of all runs whose cost is known."""
    lost: float = 0.0
    """Part of it for runs that failed, were killed or lost, were retracted, or that another attempt speaks for."""
    idle: float = 0.0
    """Part of it for GPUs that stood idle, where that was measured."""
    gpu_hours: float = 0.0
    """Number of GPUs times hours, where both are known."""
    parts: Mapping[str, float] = {}
    """Name of each experiment or author to its part of the amount."""


def weeks_until(last: date, count: int) -> list[str]:
    """Return `count` weeks in a row, oldest first, up to that of `last`; fewer where the calendar begins."""
    first = last.toordinal() - 7 * (count - 1)
    return [iso_week(date.fromordinal(at)) for at in range(first, last.toordinal() + 1, 7) if at > 0]


def known_amount(run: StoredRun) -> float | None:
    """Return the cost of a run; none where it is unknown, or no amount of money, as a negative or infinite one."""
    amount = run.record.cost.amount
    return amount if amount is not None and math.isfinite(amount) and amount >= 0 else None


def main_currency(runs: Iterable[StoredRun]) -> str | None:
    """Return the currency in which most runs have a cost; none where no cost is known."""
    counts: dict[str, int] = {}
    for run in runs:
        if known_amount(run) is not None and run.record.cost.currency:
            counts[run.record.cost.currency] = counts.get(run.record.cost.currency, 0) + 1
    return min(counts, key=lambda name: (-counts[name], name)) if counts else None


def weekly_costs(
    runs: Iterable[StoredRun], weeks: Iterable[str], currency: str | None, part_of: Callable[[StoredRun], str]
) -> list[WeekCost]:
    """Return the cost of each week, in the order of `weeks`; amounts of other currencies are never added.

    Args:
        runs: the runs; a run belongs to the week in which it started, UTC.
        weeks: names of weeks.
        currency: currency of the sums.
        part_of: the name that a run's cost goes to, as its experiment.
    """
    members: dict[str, list[StoredRun]] = {week: [] for week in weeks}
    for run in runs:
        week = started_week(run)
        if week in members:
            members[week].append(run)
    return [_week(week, own, currency, part_of) for week, own in members.items()]


def started_week(run: StoredRun) -> str:
    """Return the week in which a run started, UTC."""
    return iso_week(utc(run.record.timing.started_at))


def _week(week: str, runs: Iterable[StoredRun], currency: str | None, part_of: Callable[[StoredRun], str]) -> WeekCost:
    parts: dict[str, float] = {}
    count = unknown = failed = 0
    amount = lost = idle = gpu_hours = 0.0
    for run in runs:
        record, cost, known = run.record, run.record.cost, known_amount(run)
        count += 1
        failed += record.status not in {"finished", "pruned"}
        gpu_hours += len(record.hardware.gpus) * (record.timing.took or 0.0) / 3600
        if known is None or cost.currency != currency:
            unknown += 1
            continue
        amount += known
        idle += cost.idle_amount or 0.0
        lost += known if record.status in CRASHED or run.unranked in WITHDRAWN else 0.0
        parts[part_of(run)] = parts.get(part_of(run), 0.0) + known
    return WeekCost(
        week=week,
        runs=count,
        unknown=unknown,
        failed=failed,
        amount=amount,
        lost=lost,
        idle=idle,
        gpu_hours=gpu_hours,
        parts=parts,
    )
