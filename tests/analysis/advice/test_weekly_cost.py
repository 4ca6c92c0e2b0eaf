"""Costs by week: nothing unknown is a zero, and no two currencies are added."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from ledger.analysis.advice.weekly_cost import main_currency, weekly_costs, weeks_until
from ledger.formatting import iso_week
from ledger.model.boxes.cost import Cost
from ledger.model.entries import StoredRun
from tests.samples import sample_run

MONDAY = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)


def run_of(at: int, cost: Cost, *, days: int = 0, status: str = "finished") -> StoredRun:
    run = sample_run({}, at, experiment=f"e{at % 2}", params={}, accuracy=0.9, started=MONDAY + timedelta(days=days))
    return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, cost=cost, status=status))


def usd(amount: float, idle: float | None = None) -> Cost:
    return Cost(amount=amount, currency="USD", idle_amount=idle)


def test_a_week_sums_its_runs_and_says_what_it_does_not_know() -> None:
    runs = [
        run_of(0, usd(2.0, 0.5)),
        run_of(1, usd(1.0), days=6, status="failed"),
        run_of(2, Cost(amount=9.0, currency="EUR")),
        run_of(3, Cost()),
        run_of(4, usd(4.0), days=7),
    ]
    first, second = weekly_costs(runs, ["2026-W45", "2026-W46"], "USD", lambda run: run.record.experiment)
    assert (first.runs, first.unknown, first.failed) == (4, 2, 1)
    assert (first.amount, first.lost, first.idle) == (3.0, 1.0, 0.5)
    assert first.parts == {"e0": 2.0, "e1": 1.0}
    assert (second.runs, second.amount, second.parts) == (1, 4.0, {"e0": 4.0})
    assert main_currency(runs) == "USD"
    assert main_currency(runs[3:4]) is None


@pytest.mark.parametrize(
    ("day", "week"),
    [(date(2026, 12, 31), "2026-W53"), (date(2027, 1, 3), "2026-W53"), (date(2027, 1, 4), "2027-W01")],
)
def test_weeks_are_those_of_iso_8601(day: date, week: str) -> None:
    assert iso_week(day) == week


def test_weeks_in_a_row_cross_the_year() -> None:
    assert weeks_until(date(2027, 1, 5), 3) == ["2026-W52", "2026-W53", "2027-W01"]


def test_weeks_begin_where_the_calendar_does() -> None:
    assert weeks_until(date(1, 1, 9), 12) == ["0001-W01", "0001-W02"]


@pytest.mark.parametrize("amount", [-1.0, float("inf"), float("nan")])
def test_what_is_no_amount_of_money_is_unknown(amount: float) -> None:
    runs = [run_of(0, Cost(amount=amount, currency="USD")), run_of(2, usd(1.0))]
    (week,) = weekly_costs(runs, ["2026-W45"], "USD", lambda run: run.record.experiment)
    assert (week.amount, week.unknown) == (1.0, 1)
    assert main_currency(runs[:1]) is None
