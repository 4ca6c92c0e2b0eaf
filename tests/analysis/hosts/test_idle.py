"""Sums over days of hosts, each minute once, and what idle ones cost."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from ledger.analysis.hosts.day_sums import DaySums, Minutes, apart, sums_of
from ledger.analysis.hosts.idle import IdleGroup, calendars, idle_report
from ledger.hosts.day_log import CardMinute, DayLog, Use
from ledger.model.hosts import HostSource
from ledger.store.branch.branch import Branch
from tests.hosts.planted import DAY, document_of, log_of


def days(ledger: Branch, host: str = "gpu01", source: HostSource = "watch", hours: int = 4) -> DaySums:
    last: list[Use] = ["unclear"] * (hours - 1)
    last.append("missing")
    uses: list[list[Use]] = [["busy"] * hours, ["held"] * hours, ["free"] * hours, last]
    return sums_of(document_of(ledger, log_of(host, uses), source))


def price(gpu: str, day: str) -> float | None:
    del day
    return 3.0 if gpu == "NVIDIA H100" else None


def test_every_minute_of_a_card_is_in_one_sum(ledger: Branch) -> None:
    report = idle_report([days(ledger)], "host", price, "EUR")
    assert report is not None
    (one,) = report.groups
    assert (one.busy_hours, one.held_hours, one.unclear_hours, one.free_hours, one.missing_hours) == (4, 4, 3, 4, 1)
    assert (one.held_amount, one.held_share, one.unpriced_hours) == (12.0, 0.5, 0.0)
    assert (report.first, report.last, report.hosts, report.planted) == ("2026-11-20", "2026-11-20", 1, False)


@pytest.mark.parametrize(("by", "name"), [("user", "ada"), ("job", "slurm 7 (ada)")])
def test_users_and_jobs_have_no_free_hours(ledger: Branch, by: IdleGroup, name: str) -> None:
    report = idle_report([days(ledger)], by, price, "EUR")
    assert report is not None
    (one,) = report.groups
    assert (one.name, one.busy_hours, one.held_hours, one.unclear_hours, one.free_hours) == (name, 4, 4, 3, 0)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("gpu", ["NVIDIA H100"]),
        ("day", ["2026-11-20"]),
        ("week", ["2026-W47"]),
        ("hour", ["00:00", "01:00", "02:00", "03:00"]),
    ],
)
def test_times_and_kinds_are_in_order(ledger: Branch, by: IdleGroup, names: list[str]) -> None:
    report = idle_report([days(ledger)], by, price, "EUR")
    assert report is not None
    busy = [one.name for one in report.groups if one.busy_hours]
    assert busy == names
    assert report.all.held_hours == sum(one.held_hours for one in report.groups)


def test_what_has_no_price_is_counted_and_never_nothing(ledger: Branch) -> None:
    report = idle_report([days(ledger)], "host", lambda *_: None, "EUR")
    assert report is not None
    assert (report.all.held_amount, report.all.unpriced_hours) == (None, 4.0)


@pytest.mark.parametrize(("one", "other"), [("watch", "sacct"), ("prometheus", "sacct"), ("watch", "prometheus")])
def test_documents_that_speak_of_the_same_hours_count_once(ledger: Branch, one: HostSource, other: HostSource) -> None:
    seen, accounted = days(ledger, source=one, hours=3), days(ledger, source=other, hours=4)
    counted, left_out = apart([accounted, seen])
    assert [day.source for day in counted] == [one, other]
    assert counted[0] == seen
    assert counted[1].watched[:5] == [0, 0, 0, 60, 0]  # only the hour that nobody else saw
    assert counted[1].minutes() == Minutes(busy=60, held=60, free=60, missing=60)
    (held,) = counted[1].holders
    assert (held.busy, held.held, held.unclear) == (60, 60, 0)
    assert "speaks of 3 hours that another document has" in left_out[0]


def test_equal_times_of_less_than_an_hour_count_once(ledger: Branch) -> None:
    logs = []
    for use in ("held", "busy"):
        log = DayLog.at("gpu01", DAY)
        log.add(DAY, [CardMinute(name="H100", uuid="a", use=use, user="ada")], minutes=31)
        logs.append(sums_of(document_of(ledger, log)))
    counted, left_out = apart(logs)
    assert (len(counted), len(left_out)) == (1, 1)
    assert sum(sum(day.watched) for day in counted) == 31


def test_one_document_that_two_clones_have_counts_once(ledger: Branch) -> None:
    one = days(ledger)
    assert apart([one, one]) == ([one], [])


def test_a_watcher_that_was_started_again_counts_twice(ledger: Branch) -> None:
    first = sums_of(document_of(ledger, log_of("gpu01", [["held"] * 2])))
    later = sums_of(document_of(ledger, log_of("gpu01", [["busy"] * 3], start=DAY.replace(hour=2))))
    counted, left_out = apart([later, first])
    assert left_out == []
    (calendar,) = calendars(counted)
    assert calendar.days["2026-11-20"][1] == Minutes(held=60)
    assert calendar.days["2026-11-20"][2] == Minutes(busy=60)
    assert calendar.cards == 1


def test_two_watchers_of_the_same_time_count_once(ledger: Branch) -> None:
    both = [sums_of(document_of(ledger, log_of("gpu01", [[use] * 3]))) for use in ("held", "busy")]
    counted, left_out = apart(both)
    assert (len(counted), len(left_out)) == (1, 1)


def test_without_a_day_there_is_no_report() -> None:
    assert idle_report([], "host", price, "EUR") is None


def test_hours_that_nobody_watched_are_counted_once_and_a_host_that_was_gone_was_not_unwatched(ledger: Branch) -> None:
    morning = sums_of(document_of(ledger, log_of("gpu01", [["held"] * 10])))
    evening = sums_of(document_of(ledger, log_of("gpu01", [["busy"] * 4], start=DAY + timedelta(hours=20))))
    report = idle_report([morning, evening], "host", price, "EUR")
    assert report is not None
    assert (report.all.unwatched_hours, report.groups[0].unwatched_hours, report.all.days) == (10, 10, 1)
    by_hour = idle_report([morning, evening], "hour", price, "EUR")
    assert by_hour is not None
    assert [one.name for one in by_hour.groups if one.unwatched_hours] == [f"{hour}:00" for hour in range(10, 20)]
    by_user = idle_report([morning, evening], "user", price, "EUR")
    assert by_user is not None
    assert [one.unwatched_hours for one in by_user.groups] == [0]
    for day, hours in (("2026-12-21", 14 + 14 + 30 * 24), ("2026-12-22", 14 + 14)):
        later = replace(morning, day=day, id="20261222-000000-abcdef")
        gone = idle_report([morning, later], "gpu", price, "EUR")
        assert gone is not None
        assert gone.all.unwatched_hours == gone.groups[0].unwatched_hours == hours
