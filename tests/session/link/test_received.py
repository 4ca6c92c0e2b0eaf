"""What comes over a link is checked before it becomes a spool."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ledger.model.boxes.outputs import Metric
from ledger.model.document import encode
from ledger.recorder.record.draft import Dataset, Rank, TableSource
from ledger.session.link.meeting import StatedMeeting, StoreMeeting
from ledger.session.link.messages import LINE_BYTES, RankStart, load_number
from ledger.session.link.received import ReceivedSpool, load_rank_start, spool_is_here
from ledger.session.spool.events import (
    AnyEvent,
    Ended,
    FigureEvent,
    JoinEvent,
    MetricEvent,
    Start,
    StatementEvent,
    Tabled,
    Used,
)
from ledger.session.spool.job import is_running, rank_spools
from ledger.session.spool.spool import EVENTS, Spool, claimed, read_events, read_start

NOW = datetime.now(UTC)


def start_of(number: int, **changes: object) -> Start:
    made = Start(
        id=f"20261120-194812-x7k2q{number}",
        host=f"host{number}",
        pid=1,
        started_at=NOW,
        experiment="ddp",
        home=f"/home/host{number}",
        folder="/of/the/host",
        working_folder="/of/the/host",
        rank=Rank(rank=number, processes=4, launcher="torchrun", group="group-1"),
    )
    return msgspec.structs.replace(made, **changes)


LEADER = start_of(0, host=os.uname().nodename, pid=os.getpid(), folder="here")


def loaded(start: Start) -> Start:
    return load_rank_start(encode(RankStart(start=start)), LEADER)


def lines(*events: AnyEvent) -> bytes:
    return b"".join(encode(event) + b"\n" for event in events)


POINT = b'{"is":"log","seconds":1.0,"step":%d,"values":{"loss":1.0}}\n'


@pytest.fixture
def received(tmp_path: Path) -> ReceivedSpool:
    return ReceivedSpool(tmp_path, loaded(start_of(1)))


def test_a_rank_is_kept_without_the_folders_of_its_host() -> None:
    kept = loaded(start_of(1))
    assert (kept.host, kept.home, kept.folder, kept.working_folder) == ("host1", LEADER.home, "here", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../../etc/passwd"},
        {"started_at": datetime(2026, 11, 20)},  # noqa: DTZ001  # without a zone is what is refused
        {"rank": None},
        {"rank": Rank(rank=1, processes=4, launcher="torchrun", group="another-1")},
        {"rank": Rank(rank=0, processes=4, launcher="torchrun", group="group-1")},
        {"rank": Rank(rank=4, processes=5, launcher="torchrun", group="group-1")},
        {"per_rank": True},
    ],
)
def test_who_is_no_rank_of_the_training_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="it is no "):
        loaded(start_of(1, **changes))


def test_events_that_name_a_file_are_left_out(received: ReceivedSpool) -> None:
    metric = MetricEvent(metric=Metric(name="score", value=0.5))
    told = lines(
        FigureEvent(title="x", path="/etc/passwd"),
        Tabled(table=TableSource(name="x", path="/etc/passwd")),
        Used(dataset=Dataset(role="train", path="/etc/passwd")),
        JoinEvent(start=start_of(1)),
        StatementEvent(log="/etc/passwd", tags=["kept"]),
        Ended(status="finished", seconds=1.0, ended_at=datetime(2026, 11, 20)),  # noqa: DTZ001  # without a zone
        metric,
    )
    damaged = b'{"is":"unheard of"}\nno JSON\n\xff\xfe\n\n'
    assert received.take(0, 0, damaged + told) == len(damaged + told)
    assert list(read_events(received.folder / EVENTS)) == [StatementEvent(tags=["kept"]), metric]
    assert b"passwd" not in (received.folder / EVENTS).read_bytes()


def test_parts_make_the_file_whatever_comes_twice_or_too_early(received: ReceivedSpool) -> None:
    whole = b"".join(POINT % step for step in range(10))
    assert received.take(0, 50, whole[50:60]) == 0  # what is before is missing
    assert received.take(0, 0, whole[:70]) == 70
    assert received.take(0, 0, whole[:70]) == 70
    assert received.take(0, 30, whole[30:200]) == 200
    assert received.take(0, 200, whole[200:]) == len(whole)
    assert (received.folder / EVENTS).read_bytes() == whole


def test_an_event_without_an_end_and_files_without_number_are_refused(received: ReceivedSpool) -> None:
    with pytest.raises(ValueError, match="an event is too long"):
        received.take(0, 0, b"x" * (LINE_BYTES + 1))
    with pytest.raises(ValueError, match="too many files"):
        received.take(256, 0, b"x")
    for told in (b"", b"-1", b"1e3", b"9" * 19, b"../x"):
        with pytest.raises(ValueError, match="no number"):
            load_number(told)


def test_a_rank_lives_as_long_as_rank_0_hears_it(tmp_path: Path) -> None:
    leader = Spool.create(tmp_path, LEADER)
    received = ReceivedSpool(tmp_path, loaded(start_of(1)))
    assert [one.rank for one in rank_spools(leader.folder, LEADER)] == [1]
    received.hear(1.0)
    assert is_running(received.folder)
    received.let_go()
    assert not is_running(received.folder)
    with claimed(received.folder) as dead:
        assert dead  # of another host, and yet known here
    received.hear(2.0)
    assert is_running(received.folder)
    received.take(0, 0, lines(Ended(status="finished", seconds=1.0, ended_at=NOW)))
    assert received.ended
    received.close()
    leader.close()


def test_a_rank_whose_spool_is_here_shares_the_folder(tmp_path: Path) -> None:
    theirs = Spool.create(tmp_path, start_of(1))
    assert spool_is_here(tmp_path, loaded(start_of(1)))
    assert not spool_is_here(tmp_path, loaded(start_of(2)))
    assert read_start(theirs.folder).home == "/home/host1"
    theirs.close()


class Store:
    """The store of torch, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def check(self, names: list[str]) -> bool:
        return all(name in self.kept for name in names)

    def get(self, name: str) -> bytes:
        return self.kept[name]

    def set(self, name: str, value: str) -> None:
        self.kept[name] = value.encode()

    def append(self, name: str, value: str) -> None:
        self.kept[name] = self.kept.get(name, b"") + value.encode()


def test_ranks_meet_in_the_store_without_a_secret_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    store = Store()
    leader, *others = (StoreMeeting(store, "group-1") for _ in range(3))
    assert not leader.is_asked()
    assert [one.ask() for one in others] == [None, None]
    assert leader.is_asked()
    assert leader.asked == 2
    assert leader.addresses() == ["tcp://127.0.0.1:*"]
    assert all(leader.knows(one.pair.public) for one in others)
    assert not leader.knows(StoreMeeting(Store(), "group-1").pair.public)
    leader.offer("tcp://127.0.0.1:5000")
    assert {one.ask() for one in others} == {("tcp://127.0.0.1:5000", leader.pair.public)}
    kept = b"".join(store.kept.values())
    assert not [one for one in (leader, *others) if one.pair.secret in kept]


def test_a_stated_address_gives_both_sides_their_keys() -> None:
    leader, rank = (StatedMeeting("tcp://localhost:5560", "s" * 32, "group-1", leads=leads) for leads in (True, False))
    assert rank.ask() == ("tcp://localhost:5560", leader.pair.public)
    assert leader.knows(rank.pair.public)
    assert not leader.knows(leader.pair.public)
    assert leader.addresses()[-1] == "tcp://*:5560"
    assert "tcp://127.0.0.1:5560" in leader.addresses()
