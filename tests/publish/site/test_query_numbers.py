"""The numbers that queries compare keep every digit, and stand in the order of the table's rows."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ledger.model.boxes.cost import Cost
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import Evaluation, StoredRun
from ledger.model.record import Timing
from ledger.publish.data.query_numbers import render_numbers
from ledger.publish.data.search_columns import Numbers
from tests.minimal import ADA, NOW, TOOL, minimal_record


def run(number: int, *metrics: Metric, later: tuple[Metric, ...] = (), **changes: object) -> StoredRun:
    record = minimal_record(id=f"20261120-1948{number:02}-abcdef", results=Results(metrics=list(metrics)), **changes)
    evaluations = tuple(
        Evaluation(format=1, id=record.id, run=record.id, metrics=[metric], author=ADA, evaluated_at=NOW, tool=TOOL)
        for metric in later
    )
    return StoredRun(record=record, path="runs/x", files={}, evaluations=evaluations)


def numbers(*runs: StoredRun) -> Numbers:
    script = render_numbers("0-ab", runs[::-1])
    start, end = b'ledgerData("numbers:0-ab", ', b");\n"
    assert script.startswith(start)
    assert script.endswith(end)
    return msgspec.json.decode(script[len(start) : -len(end)], type=Numbers)


def test_of_no_runs_there_are_no_numbers() -> None:
    made = numbers()
    assert (made.rows, made.started, made.metrics) == (0, [], [])


def test_rows_are_newest_first_and_a_value_keeps_every_digit() -> None:
    value = 0.1234567890123456
    made = numbers(run(1, Metric(name="f1", value=value)), run(2, Metric(name="f1", value="NaN")), run(3))
    assert made.rows == 3
    (metric,) = made.metrics
    assert (metric.key, metric.rows, metric.values) == ("f1", None, [None, "NaN", value])


@pytest.mark.parametrize(("with_value", "sparse"), [(1, True), (3, True), (4, False), (10, False)])
def test_a_metric_that_few_runs_have_lists_its_rows(with_value: int, sparse: bool) -> None:  # noqa: FBT001  # of pytest
    runs = [run(at, *([Metric(name="f1", value=float(at))] if at < with_value else [])) for at in range(10)]
    (metric,) = numbers(*runs).metrics
    expected = {9 - at: float(at) for at in range(with_value)}
    if sparse:
        assert metric.rows is not None
        assert dict(zip(metric.rows, metric.values, strict=True)) == expected
    else:
        assert metric.rows is None
        assert metric.values == [expected.get(row) for row in range(10)]


def test_the_runs_own_value_counts_before_that_of_a_later_evaluation() -> None:
    own, later, last = (Metric(name="f1", value=value) for value in (0.1, 0.2, 0.3))
    assert numbers(run(1, own, later=(later,))).metrics[0].values == [0.1]
    assert numbers(run(1, later=(later, last))).metrics[0].values == [0.3]


def test_times_are_seconds_to_the_microsecond_and_what_is_unknown_is_none() -> None:
    at = datetime(2026, 11, 20, 19, 48, 12, 123456, tzinfo=UTC)
    timing = Timing(started_at=at.replace(microsecond=0), ended_at=at, duration_seconds=0.123456, recorded_at=at)
    made = numbers(run(1), run(2, timing=timing, cost=Cost(amount=1.23456789)))
    assert made.started[0] == int(at.timestamp())
    assert datetime.fromtimestamp(made.ended[0], UTC) - at < timedelta(microseconds=1)
    assert made.duration == [0.123456, None]
    assert made.cost == [1.23456789, None]


def test_a_key_that_hides_characters_is_shown_and_keys_stand_in_order() -> None:
    made = numbers(run(1, Metric(name="b\u202e", value=1.0), Metric(name="a", value=2.0)))
    assert [metric.key for metric in made.metrics] == ["a", "b⟨U+202E⟩"]
