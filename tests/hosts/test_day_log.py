"""Minutes added up to a day, and the document that is made of them."""

from datetime import timedelta

import msgspec
import pytest

from ledger.hosts.day_log import CardMinute, DayLog, clean_name, gpus_of, holders_of, merged, use_of
from ledger.model.document import dump, load
from ledger.model.hosts import HOURS, MOST_CARDS, HostDay, hours_of, hours_text
from ledger.store.branch.branch import Branch
from tests.hosts.planted import DAY, document_of, log_of


@pytest.mark.parametrize(
    ("activities", "held", "use"),
    [
        ([1.0, 0.0], True, "busy"),
        ([0.04, 0.05], True, "held"),
        ([0.05], True, "busy"),
        ([0.0, None], True, "held"),
        ([0.0], False, "free"),
        ([0.9], False, "busy"),
        ([None], True, "unclear"),
        ([None, None], False, "missing"),
        ([], False, "missing"),
    ],
)
def test_a_minute_is_busy_from_five_percent(activities: list[float | None], held: bool, use: str) -> None:  # noqa: FBT001
    assert use_of(activities, held=held, below=0.05) == use


@pytest.mark.parametrize("minutes", [[0] * HOURS, [60] * 8 + [12] + [0] * 15, list(range(HOURS)), [0, 60] * 12])
def test_hours_are_read_as_they_were_written(minutes: list[int]) -> None:
    assert hours_of(hours_text(minutes)) == minutes


@pytest.mark.parametrize("text", ["", "60", "60*25", "60*23", "x*24", "60*8 12  0*15", "1*24 1", "-1*24", "600*24"])
def test_hours_that_are_no_day_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours expected|numbers of minutes"):
        hours_of(text)


def test_a_card_that_is_seen_late_or_vanishes_is_missing_meanwhile() -> None:
    log = DayLog.at("gpu01", DAY)
    first, second = (CardMinute(name="L4", uuid=name, use="busy", user="ada") for name in ("a", "b"))
    log.add(DAY, [first], minutes=10)
    log.add(DAY + timedelta(minutes=10), [first, second], minutes=5)
    log.add(DAY + timedelta(hours=1), [second], minutes=20)
    assert [hours_of(gpu.busy)[:2] for gpu in gpus_of(log)] == [[15, 0], [5, 20]]
    assert [hours_of(gpu.missing)[:2] for gpu in gpus_of(log)] == [[0, 20], [10, 0]]


def test_an_hour_never_has_more_than_sixty_minutes() -> None:
    log = DayLog.at("gpu01", DAY)
    for start in (0, 40, 50):
        log.add(DAY + timedelta(minutes=start), [CardMinute(name="L4", use="held", user="ada")], minutes=40)
    assert log.watched[0] == 60
    assert hours_of(gpus_of(log)[0].held)[0] == 60
    assert holders_of(log)[0].held_minutes == 60


def test_a_clock_that_goes_back_tells_no_minute_twice(ledger: Branch) -> None:
    log = DayLog.at("gpu01", DAY)
    card = CardMinute(name="L4", use="held", user="ada")
    for minute in [*range(30), *range(10, 35), 34]:
        log.add(DAY + timedelta(minutes=minute), [card])
    assert log.watched[0] == 35
    assert document_of(ledger, log).holders[0].held_minutes == 35


def test_a_card_of_several_users_belongs_to_all_of_them() -> None:
    assert merged({"ada": "slurm 1"}) == ("ada", "slurm 1")
    assert merged({"grace": "slurm 2", "ada": None}) == ("ada+grace", None)


def test_the_document_of_eight_cards_and_a_hundred_jobs_is_small(ledger: Branch) -> None:
    log = DayLog.at("gpu01", DAY)
    for minute in range(24 * 60):
        cards = [
            CardMinute(
                name="NVIDIA H100 80GB HBM3",
                uuid=f"GPU-{place:08}-0000-0000-0000-000000000000",
                use="busy" if (minute * (place + 3)) % 7 else "held",
                user=f"user{minute % 10}",
                job=f"slurm {minute // 12}",
            )
            for place in range(8)
        ]
        log.add(DAY + timedelta(minutes=minute), cards)
    day = document_of(ledger, log)
    assert len(dump(day)) < 4_096
    assert {one.user for one in day.holders} == {f"user{number}" for number in range(10)}
    assert sum(one.busy_minutes + one.held_minutes for one in day.holders) == 8 * 24 * 60
    assert [one.user for one in holders_of(log, names=False)] == ["others"]
    assert load(dump(day), HostDay, source="a day") == day


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"watched": "30*24"}, "more minutes than its host"),
        ({"watched": "61*24"}, "than it lasted"),
        ({"ended_at": "2026-11-20T12:00:00Z"}, "than it lasted"),
        ({"ended_at": "2026-11-22T00:00:00Z"}, "another day"),
        ({"gpus": [{"name": "H100", "uuid": "a"}] * 2, "holders": []}, "twice"),
        ({"holders": [{"user": "ann", "gpu": "NVIDIA H100", "held_minutes": 10**12}]}, "longer than it was held"),
        ({"holders": [{"user": "ann", "gpu": "T4", "busy_minutes": 1}]}, "longer than it was held"),
        ({"watched": "60*3"}, "24 hours expected"),
    ],
)
def test_minutes_that_cannot_be_are_refused(ledger: Branch, change: dict[str, object], why: str) -> None:
    day = document_of(ledger, log_of("gpu01", [["held"] * 24]))
    said = msgspec.json.decode(dump(day)) | change
    with pytest.raises(Exception, match=why):
        load(msgspec.json.encode(said), HostDay, source="a day")


def test_a_user_of_many_jobs_is_named_and_only_those_beyond_the_most_are_others() -> None:
    log = DayLog.at("gpu01", DAY)
    for number in range(1000):
        card = CardMinute(name="H100", use="busy", user=f"user{number % 5}", job=f"slurm {number}")
        log.add(DAY + timedelta(minutes=number), [card])
    totals: dict[str, int] = {}
    for one in holders_of(log):
        totals[one.user] = totals.get(one.user, 0) + one.busy_minutes
    assert totals == {f"user{number}": 200 for number in range(5)}
    crowd = DayLog.at("gpu01", DAY)
    for number in range(40):
        crowd.add(DAY + timedelta(minutes=number), [CardMinute(name="H100", use="held", user=f"user{number}")])
    held = holders_of(crowd)
    assert sum(one.held_minutes for one in held) == 40
    assert held[0].user == "others"
    assert len(held) <= 12


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("ada", "ada"),
        ("a\x1fb\n", "ab"),
        ("\x1b[31mred", "[31mred"),
        ("a\u202eb", "ab"),
        ("x" * 300, "x" * 60),
        ("\n", ""),
    ],
)
def test_names_from_clusters_are_visible_and_short(name: str, clean: str) -> None:
    assert clean_name(name) == clean
    log = DayLog.at("gpu01", DAY)
    log.add(DAY, [CardMinute(name=name, use="held", user=name, job=name)])
    (one,) = holders_of(log)
    assert (one.user, one.gpu) == (clean or "unknown", clean or "GPU")


def test_cards_beyond_the_most_are_counted() -> None:
    log = DayLog.at("gpu01", DAY)
    log.add(DAY, [CardMinute(name="H100", use="free") for _ in range(MOST_CARDS + 7)])
    assert len(gpus_of(log)) == MOST_CARDS
    assert "7 of 135 cards are left out" in log.left_out["gpus"]
