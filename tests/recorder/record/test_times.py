"""When a run lived that is recorded afterwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.errors import UsageError
from ledger.recorder.record.times import Times, times_of
from ledger.store.branch.branch import Branch
from tests.conftest import Cli

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
TEN, ELEVEN = "2026-11-27T10:00:00Z", "2026-11-27T12:00:00+01:00"


def times(
    started: str | None = None, ended: str | None = None, took: float | None = None, log: Path | None = None
) -> Times:
    return times_of(NOW, started=started, ended=ended, duration=took, log=log)


def test_what_nobody_said_is_unknown() -> None:
    found = times()
    assert found.duration_seconds is None
    assert set(found.unknown) == {"started_at", "ended_at", "duration_seconds"}


def test_two_of_three_give_the_third() -> None:
    hour = timedelta(hours=1)
    for found in (times(TEN, ELEVEN), times(TEN, None, 3600.0), times(None, ELEVEN, 3600.0)):
        assert (found.ended_at - found.started_at, found.duration_seconds, found.unknown) == (hour, 3600.0, {})


def test_a_duration_alone_is_counted_back_and_says_so() -> None:
    found = times(took=60.0)
    assert (found.started_at, found.duration_seconds) == (NOW - timedelta(minutes=1), 60.0)
    assert "counted back" in found.unknown["started_at"]


def test_a_start_alone_does_not_say_how_long_it_took() -> None:
    assert times(TEN).duration_seconds is None
    assert set(times(None, ELEVEN).unknown) == {"started_at", "duration_seconds"}


@pytest.mark.parametrize(
    ("started", "ended", "took"),
    [("ten", None, None), (ELEVEN, TEN, None), (TEN, ELEVEN, 7200.0), ("2027-01-01", None, None), (None, None, -1.0)],
)
def test_what_contradicts_itself_is_refused(started: str | None, ended: str | None, took: float | None) -> None:
    with pytest.raises(UsageError):
        times(started, ended, took)


def test_the_times_of_its_log_are_taken_and_named(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("[2026-11-20 10:00:00,250] begins\nepoch 1\n2026-11-20T10:05:30.250 ends\nbye\n")
    found = times(log=log)
    assert (found.source, found.duration_seconds) == ("log", 330.0)
    assert "zone" in found.unknown
    log.write_text("2026-11-20T10:00:00Z begins\n2026-11-20T11:00:00+01:00 ends\n")
    assert times(log=log).duration_seconds is None  # the same moment twice says nothing
    log.write_text("2026-11-20T10:00:00Z begins\n2026-11-20T12:00:00+01:00 ends\n")
    assert (times(log=log).duration_seconds, times(log=log).unknown) == (3600.0, {})


def test_a_record_made_afterwards_does_not_claim_to_have_taken_no_time(repo: Path, cli: Cli) -> None:
    assert cli("record", "-m", "validation/accuracy=0.5").code == 0
    (run,) = Branch.open(repo).contents().runs
    timing = run.record.timing
    assert (timing.duration_seconds, timing.took) == (None, None)
    assert "after 0.0 s" not in cli("log").out
    assert "0.0 s" not in cli("list").out
    assert "--started sets it" in cli("show", run.record.id).out
    assert run.record.cost.unknown["all"].startswith("the run's duration was not measured")


def test_a_run_of_last_week_is_recorded_under_its_own_date(repo: Path, cli: Cli) -> None:
    assert cli("record", "--started", "2026-11-20T10:00:00Z", "--ended", "2026-11-20T11:30:00Z").code == 0
    (run,) = Branch.open(repo).contents().runs
    assert run.record.id.startswith("20261120-100000-")
    assert run.record.timing.took == 5400.0
    assert "1 h 30 min (as stated)" in cli("show", run.record.id).out
    assert cli("verify").code == 0
