"""Settings in metric and one quantity: the front in one pass is that of `front_of`, of known values alone."""

import msgspec
from hypothesis import given
from hypothesis import strategies as some

from ledger.analysis.judging.pareto import Choice, front_of
from ledger.analysis.judging.trade_offs import SettingMean, front_on, trade_offs
from ledger.model.boxes.cost import Cost
from ledger.model.entries import StoredRun
from tests.publish.pages.test_page_limits import one_run

FEW = some.integers(0, 4).map(float)


@given(some.lists(some.tuples(FEW, FEW), min_size=1, max_size=9))
def test_one_pass_finds_the_front_that_judge_says(places: list[tuple[float, float]]) -> None:
    choices = [Choice(run=str(at), metric=metric, takes={"x": taken}) for at, (metric, taken) in enumerate(places)]
    assert {str(at) for at in front_on(dict(enumerate(places)))} == set(front_of(0, 0, choices).front)


def paid(number: int, amount: float | None, currency: str | None = "EUR") -> StoredRun:
    run = one_run(number, 0.9)
    record = msgspec.structs.replace(run.record, cost=Cost(amount=amount, currency=currency))
    return msgspec.structs.replace(run, record=record)


def test_currencies_are_quantities_of_their_own_and_what_is_unknown_is_left_out() -> None:
    runs = [paid(1, 2.0), paid(2, 4.0), paid(3, 1.0, "USD"), paid(4, None), paid(5, 8.0), paid(6, 0.5, "USD")]
    means = [SettingMean((run.record.id,), 0.9 - 0.1 * at) for at, run in enumerate(runs[:4])]
    means.append(SettingMean(tuple(run.record.id for run in runs[3:]), 0.99))
    offs = {off.quantity: off for off in trade_offs(means, {run.record.id: run for run in runs}, "higher")}
    euros = offs["cost (EUR)"]
    assert euros.elsewhere == 1
    assert [(one.setting, one.value, one.known, one.on_front) for one in euros.settings] == [
        (0, 2.0, 1, True),
        (1, 4.0, 1, False),
        (4, 8.0, 1, True),
    ]
    assert [one.setting for one in offs["cost (USD)"].front] == [4]
    assert [one.setting for one in euros.front] == [0, 4]


def test_a_quantity_in_which_no_two_settings_differ_is_none() -> None:
    runs = [paid(1, 2.0), paid(2, 2.0)]
    means = [SettingMean((run.record.id,), 0.9) for run in runs]
    by_id = {run.record.id: run for run in runs}
    assert "cost (EUR)" not in {off.quantity for off in trade_offs(means, by_id, "lower")}
    dear = [paid(1, 2.0), paid(2, 1e300)]
    by_id = {run.record.id: run for run in dear}
    means = [SettingMean((run.record.id,), 0.9) for run in dear]
    assert "cost (EUR)" not in {off.quantity for off in trade_offs(means, by_id, "lower", below=1e100)}
