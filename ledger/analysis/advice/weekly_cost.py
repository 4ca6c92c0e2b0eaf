"""What runs cost week by week, by experiment and by author: sums over records, in one currency each."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

from ledger.model.entries import StoredRun
from ledger.model.values import WITHDRAWN, Document


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
    """Part of it for runs that failed, were killed, lost or retracted."""
    idle: float = 0.0
    """Part of it for GPUs that stood idle, where that was measured."""
    gpu_hours: float = 0.0
    """Number of GPUs times hours, where both are known."""
    parts: Mapping[str, float] = {}
    """Name of each experiment or author to its part of the amount."""


_LOST = frozenset({"failed", "killed", "lost"})


def week_of(day: date) -> str:
    """Return the ISO 8601 week of a day, as `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def weeks_until(last: date, count: int) -> list[str]:
    """Return `count` weeks in a row, oldest first, up to that of `last`."""
    return [week_of(last - timedelta(weeks=back)) for back in reversed(range(count))]


def main_currency(runs: Iterable[StoredRun]) -> str | None:
    """Return the currency in which most runs have a cost; none where no cost is known."""
    counts: dict[str, int] = {}
    for run in runs:
        if run.record.cost.amount is not None and run.record.cost.currency:
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
        week = week_of(run.record.timing.started_at.date())
        if week in members:
            members[week].append(run)
    return [_week(week, own, currency, part_of) for week, own in members.items()]


def _week(week: str, runs: Iterable[StoredRun], currency: str | None, part_of: Callable[[StoredRun], str]) -> WeekCost:
    parts: dict[str, float] = {}
    count = unknown = failed = 0
    amount = lost = idle = gpu_hours = 0.0
    for run in runs:
        record, cost = run.record, run.record.cost
        count += 1
        failed += record.status not in {"finished", "pruned"}
        gpu_hours += len(record.hardware.gpus) * (record.timing.took or 0.0) / 3600
        if cost.amount is None or cost.currency != currency:
            unknown += 1
            continue
        amount += cost.amount
        idle += cost.idle_amount or 0.0
        lost += cost.amount if record.status in _LOST or run.unranked in WITHDRAWN else 0.0
        parts[part_of(run)] = parts.get(part_of(run), 0.0) + cost.amount
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
