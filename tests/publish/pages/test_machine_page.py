"""The page of machines: hours of GPUs by host, hour and user, and nothing that a document could smuggle in."""

import re
from pathlib import Path

import msgspec
import pytest

from ledger.analysis.hosts.day_sums import DaySums, Minutes, sums_of
from ledger.analysis.hosts.idle import NO_HOSTS, HostUse
from ledger.hosts.day_log import Use
from ledger.publish.charts.idle_grid import level_of
from ledger.publish.pages.machine_page import DAYS, render_machines
from ledger.store.branch.branch import Branch
from tests.hosts.planted import DAY, document_of, log_of

HOURS = 24


@pytest.fixture
def branch(repo: Path) -> Branch:
    return Branch.open(repo)


def sums(branch: Branch, *uses: Use, host: str = "gpu01") -> DaySums:
    return sums_of(document_of(branch, log_of(host, [[use] * HOURS for use in uses])))


def page(*days: DaySums, price: float | None = 2.0) -> str:
    return render_machines(HostUse(days, lambda *_: price, "EUR")).content


def test_without_a_watched_host_the_page_says_how_to_watch_one() -> None:
    assert "ledger watch" in render_machines(NO_HOSTS).content
    assert "<table" not in render_machines(NO_HOSTS).content


def test_hours_and_money_stand_by_host_user_kind_and_week(branch: Branch) -> None:
    html = page(sums(branch, "held", "busy"), sums(branch, "free", host="gpu02"))
    assert re.findall(r"<h2>(\w[\w ]*)", html) == [
        "Host by hour of the day ", "Hosts", "Week", "User", "Kind of GPU", "Day by day ",
    ]  # fmt: skip
    assert "48.00 EUR" in html
    assert "2 watched hosts did from 2026-11-20 to 2026-11-20" in html
    assert "Planted" not in html
    assert html.count("50 % held idle, 50 % busy") == 2 * HOURS  # by hour of the day, and that day
    assert "100 % free" in html


def test_what_has_no_price_is_said_so(branch: Branch) -> None:
    html = page(sums(branch, "held"), price=None)
    assert "24 h have no price" in html
    assert "0.00 EUR" not in html


def test_hours_that_nobody_watched_are_empty_frames(branch: Branch) -> None:
    day = sums_of(document_of(branch, log_of("gpu01", [["held"] * 10])))
    html = page(day)
    assert html.count("lg-unwatched") == 2 * 14 + 1  # and in the legend
    assert html.count("lg-w4") == 2 * 10 + 1


def test_hours_that_nobody_watched_are_counted_and_a_week_that_is_not_whole_is_marked(branch: Branch) -> None:
    day = sums_of(document_of(branch, log_of("gpu01", [["held"] * 10, ["busy"] * 10])))  # a Friday, until 10 o'clock
    later = msgspec.structs.replace(day, day="2026-11-22", id="20261122-000000-abcdef")
    html = page(day, later)
    text = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    assert "Not watched" in text
    assert "gpu01 20 h 50 % 40.00 EUR 20 h 104 h 72.2 %" in text, "14 h of two days and 24 h of the one between"
    assert "2026-W47 partial: 2 of 7 days 20 h" in text
    whole = [
        msgspec.structs.replace(sums(branch, "busy"), day=f"2026-11-{at}", id=f"202611{at}-000000-abcdef")
        for at in range(16, 23)
    ]
    assert "Not watched" not in page(*whole)
    assert "partial" not in page(*whole)


def test_columns_of_which_nothing_is_known_are_left_out(branch: Branch) -> None:
    assert "Use unknown" not in page(sums(branch, "busy"))
    html = page(sums(branch, "unclear", "missing"))
    assert "Use unknown" in html
    assert "No answer" in html
    assert "share held idle" not in html  # nothing is known of it


def test_planted_days_and_contradictions_are_marked(branch: Branch) -> None:
    planted = msgspec.structs.replace(sums(branch, "held"), source="demo")
    assert "<strong>Planted.</strong>" in page(planted)
    twice = page(sums(branch, "held"), sums(branch, "busy"))
    assert "1 document does not count wholly" in twice


def test_only_the_last_weeks_are_shown(branch: Branch) -> None:
    early = msgspec.structs.replace(sums(branch, "held"), day=f"{DAY.year}-01-01")
    html = page(early, sums(branch, "held"))
    assert DAYS == 28
    assert "2026-01-01" not in html


def test_a_day_of_the_future_hides_no_other(branch: Branch) -> None:
    future = msgspec.structs.replace(sums(branch, "held"), day="2027-11-27", id="20271127-000000-abcdef")
    html = render_machines(HostUse((future, sums(branch, "busy")), lambda *_: 2.0, "EUR"), DAY.date()).content
    assert "from 2026-11-20 to 2026-11-20" in html
    assert "1 document of days after the last entry" in html


def test_hours_of_unknown_use_have_a_mark_of_their_own(branch: Branch) -> None:
    assert page(sums(branch, "unclear")).count("lg-unclear") == 2 * HOURS + 1


def test_a_hostile_name_stays_text(branch: Branch) -> None:
    day = sums(branch, "held", "busy")
    name = '<script>alert(1)</script>"\u202e' * 20
    kinds = [msgspec.structs.replace(kind, gpu=name) for kind in day.kinds]
    html = page(msgspec.structs.replace(day, host=name, kinds=kinds, holders=[day.holders[0]._replace(user=name)]))
    assert "<script>alert" not in html
    assert "\u202e" not in html


@pytest.mark.parametrize(
    ("minutes", "level"),
    [
        (Minutes(busy=60), 0),
        (Minutes(held=1, busy=59), 1),
        (Minutes(held=15, free=45), 2),
        (Minutes(held=60), 4),
        (Minutes(held=1, missing=59), 4),
    ],
)
def test_a_cell_is_the_darker_the_more_was_held_idle(minutes: Minutes, level: int) -> None:
    assert level_of(minutes) == level
