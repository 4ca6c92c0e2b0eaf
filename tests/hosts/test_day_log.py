"""Minutes added up to a day, and the document that is made of them."""

from datetime import timedelta

import msgspec
import pytest

from ledger.hosts.day_log import CardMinute, DayLog, gpus_of, holders_of, merged, use_of
from ledger.model.document import dump, load
from ledger.model.hosts import HOURS, HostDay, hours_of, hours_text
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
    for _ in range(3):
        log.add(DAY, [CardMinute(name="L4", use="held", user="ada")], minutes=40)
    assert log.watched[0] == 60
    assert hours_of(gpus_of(log)[0].held)[0] == 60
    assert holders_of(log)[0].held_minutes == 60


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
    assert day.holders[-1].user == "others"
    assert sum(one.busy_minutes + one.held_minutes for one in day.holders) == 8 * 24 * 60
    assert [one.user for one in holders_of(log, names=False)] == ["others"]
    assert load(dump(day), HostDay, source="a day") == day


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"watched": "30*24"}, "more minutes than its host"),
        ({"watched": "61*24"}, "an hour has 60 minutes"),
        ({"watched": "60*3"}, "24 hours expected"),
    ],
)
def test_minutes_that_cannot_be_are_refused(ledger: Branch, change: dict[str, str], why: str) -> None:
    day = document_of(ledger, log_of("gpu01", [["held"] * 24]))
    said = msgspec.json.decode(dump(day)) | change
    with pytest.raises(Exception, match=why):
        load(msgspec.json.encode(said), HostDay, source="a day")
