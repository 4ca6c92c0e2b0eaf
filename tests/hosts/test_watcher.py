"""A watcher on cards that a library built from C plays; only the clock is moved."""

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.capture.machine.holders import Owner
from ledger.errors import LedgerError
from ledger.hosts import watcher as module
from ledger.hosts.watcher import Watcher
from ledger.model.document import load
from ledger.model.hosts import HostDay, hours_of
from ledger.recorder.statements.host_days import HostDays
from ledger.store.branch.branch import Branch
from tests.capture.machine.fake_nvml import FakeCards, cards
from tests.conftest import Cli

__all__ = ["cards"]
NOON = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def watching(ledger: Branch, clock: Clock, **options: bool) -> Iterator[Watcher]:
    watcher = Watcher(ledger, "gpu01.example.org", now=clock, **options)
    watcher.open()
    yield watcher
    watcher.close()


class Played(threading.Event):
    """Lets a watcher look for some minutes: every wait moves the clock by its time, and then something may happen."""

    def __init__(self, clock: Clock, minutes: int, then: Mapping[int, Callable[[], None]] | None = None) -> None:
        super().__init__()
        self._clock = clock
        self.looks = 6 * minutes
        self._then = {6 * minute: act for minute, act in (then or {}).items()}
        self._done = 0

    def wait(self, timeout: float | None = None) -> bool:
        if self._done:  # the first look comes at once
            self._clock.now += timedelta(seconds=timeout or 0)
        self._then.get(self._done, lambda: None)()
        self._done += 1
        return self._done > self.looks


def documents(ledger: Branch) -> list[HostDay]:
    tip = ledger.tip()
    files = ledger.repository.read_tree(tip, ["hosts/"]) if tip else []
    datas = ledger.repository.read_objects([file.blob for file in files])
    return [load(data or b"", HostDay, source=file.path) for file, data in zip(files, datas, strict=True)]


def watch(ledger: Branch, played: threading.Event, clock: Clock, **options: bool) -> list[int]:
    with watching(ledger, clock, **options) as watcher:
        return list(watcher.days(played))


def test_minutes_become_a_document_when_it_is_stopped(ledger: Branch, cards: FakeCards) -> None:
    clock = Clock()
    cards.set(busy__0=0, busy__1=90, pid__0=os.getpid())
    then = {3: lambda: cards.set(busy__0=40), 5: lambda: cards.set(lost__1=1)}
    assert watch(ledger, Played(clock, 6, then), clock) == [1]
    (day,) = documents(ledger)
    assert (day.host, day.source, hours_of(day.watched)[12]) == ("gpu01.example.org", "watch", 6)
    first, second = day.gpus
    assert (hours_of(first.held)[12], hours_of(first.busy)[12]) == (3, 3)
    assert (hours_of(second.busy)[12], hours_of(second.missing)[12]) == (5, 1)
    holders = {one.gpu: (one.busy_minutes, one.held_minutes) for one in day.holders}
    assert holders[first.name] == (3, 3)
    assert not list((ledger.repository.state_dir / "hosts").glob("*.json"))


def test_a_day_ends_at_midnight(ledger: Branch, cards: FakeCards) -> None:
    cards.set(busy=100, pid=os.getpid())
    clock = Clock()
    clock.now = datetime(2026, 11, 20, 23, 58, 0, tzinfo=UTC)
    assert watch(ledger, Played(clock, 4), clock) == [1, 1]
    days = documents(ledger)
    assert [(day.id[:8], hours_of(day.watched)[23]) for day in days] == [("20261120", 2), ("20261121", 0)]
    assert hours_of(days[1].watched)[0] == 2


def test_a_watcher_that_was_killed_loses_a_minute(ledger: Branch, cards: FakeCards) -> None:
    cards.set(busy=0, pid=os.getpid())
    clock = Clock()

    def killed() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        watch(ledger, Played(clock, 9, {4: killed}), clock)
    assert documents(ledger) == []
    assert watch(ledger, Played(clock, 0), clock) == [1]
    (day,) = documents(ledger)
    assert hours_of(day.watched)[12] == 3


def test_what_cannot_be_read_again_is_left_where_it_is(
    ledger: Branch, cards: FakeCards, caplog: pytest.LogCaptureFixture
) -> None:
    del cards
    folder = ledger.repository.state_dir / "hosts"
    folder.mkdir(parents=True)
    broken = folder / "gpu01.example.org-2026-11-19-1-1.json"
    broken.write_bytes(b'{"host": "gpu')
    clock = Clock()
    assert watch(ledger, Played(clock, 0), clock) == []
    assert broken.exists()
    assert "cannot be read" in caplog.text


def test_two_watchers_of_one_host_are_told_apart(ledger: Branch, cards: FakeCards) -> None:
    del cards
    clock = Clock()

    def second() -> None:
        with pytest.raises(LedgerError, match="another `ledger watch`"):
            watch(ledger, Played(clock, 1), clock)

    assert watch(ledger, Played(clock, 2, {1: second}), clock) == [1]
    assert watch(ledger, Played(clock, 1), clock) == [1]


def test_names_are_left_out_on_request(ledger: Branch, cards: FakeCards) -> None:
    cards.set(busy=0, pid=os.getpid())
    clock = Clock()
    watch(ledger, Played(clock, 2), clock, names=False)
    (day,) = documents(ledger)
    assert {one.user for one in day.holders} == {"others"}
    assert "--no-names" in day.unknown["holders"]


def test_a_card_that_slurm_gave_away_is_held_without_any_process(
    ledger: Branch, cards: FakeCards, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards.set(busy=0)
    monkeypatch.setattr(module, "given_cards", lambda _: {1: Owner("grace", "slurm 9")})
    clock = Clock()
    watch(ledger, Played(clock, 2), clock)
    (day,) = documents(ledger)
    assert [hours_of(gpu.held)[12] for gpu in day.gpus] == [0, 2]
    assert [(one.user, one.job, one.held_minutes) for one in day.holders] == [("grace", "slurm 9", 2)]


def test_where_no_process_is_named_memory_in_use_is_what_holds(ledger: Branch, cards: FakeCards) -> None:
    gib = 1 << 30
    cards.set(busy=0, used__0=20 * gib, used__1=gib >> 2, **{"fail.nvmlDeviceGetComputeRunningProcesses_v3": 3})
    clock = Clock()
    watch(ledger, Played(clock, 2), clock)
    (day,) = documents(ledger)
    assert [hours_of(gpu.held)[12] for gpu in day.gpus] == [2, 0]
    assert [one.user for one in day.holders] == ["unknown"]
    assert "names no processes" in day.unknown["held"]


def test_numbers_of_slurm_are_no_places_among_divided_cards(
    ledger: Branch, cards: FakeCards, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards.set(mig=2)
    monkeypatch.setattr(module, "given_cards", lambda _: {1: Owner("grace", "slurm 9")})
    clock = Clock()
    watch(ledger, Played(clock, 1), clock)
    (day,) = documents(ledger)
    assert len(day.gpus) == 4
    assert day.holders == []


def test_a_policy_that_leaves_hosts_out_holds_for_their_days(ledger: Branch, cards: FakeCards, cli: Cli) -> None:
    del cards
    assert cli("policy", "set", "privacy.host", "true").code == 0
    clock = Clock()
    watcher = Watcher(Branch.open(ledger.repository.worktree or Path()), now=clock)
    watcher.open()
    list(watcher.days(Played(clock, 1)))
    (day,) = documents(ledger)
    assert re.fullmatch("host-[0-9a-f]{8}", day.host)
    assert os.uname().nodename.lower() not in str(day)
    assert [gpu.uuid for gpu in day.gpus] == [None, None]


def test_minutes_that_cannot_be_appended_are_never_written_over(
    ledger: Branch, cards: FakeCards, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards.set(busy=0, pid=os.getpid())
    clock = Clock()

    def killed() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        watch(ledger, Played(clock, 9, {4: killed}), clock)
    clock.now += timedelta(minutes=10)

    def refused(*_: object) -> int:
        raise LedgerError("a lock was left")

    with monkeypatch.context() as patched:
        patched.setattr(HostDays, "append", refused)
        assert watch(ledger, Played(clock, 3), clock) == []
    clock.now += timedelta(minutes=10)
    assert watch(ledger, Played(clock, 0), clock) == [2]
    assert sum(hours_of(day.watched)[12] for day in documents(ledger)) == 3 + 3


def test_parts_of_minutes_are_none(ledger: Branch, cards: FakeCards) -> None:
    cards.set(busy=0, pid=os.getpid())
    clock = Clock()
    for _ in range(4):
        played = Played(clock, 1)
        played.looks = 2
        assert watch(ledger, played, clock) == []


def test_a_card_that_is_lost_from_the_start_costs_itself(ledger: Branch, cards: FakeCards) -> None:
    cards.set(busy=100, pid__1=os.getpid(), lost__0=1)
    clock = Clock()
    watch(ledger, Played(clock, 2), clock)
    (day,) = documents(ledger)
    assert [gpu.name for gpu in day.gpus] == ["NVIDIA L4"]
    assert day.unknown["lost"].endswith(": 0")


def test_two_names_of_hosts_that_look_alike_in_paths_stay_two(ledger: Branch) -> None:
    names = {Watcher(ledger, name).host for name in ("gpu 1", "gpu-1", "GPU-1", "gpu/1")}
    assert len(names) == 3
    assert "gpu-1" in names


def test_a_machine_without_gpus_is_told_what_to_do(ledger: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    if Path("/proc/driver/nvidia").exists() or list(Path("/sys/class/drm").glob("card*")):
        pytest.skip("this machine has a GPU")
    with pytest.raises(LedgerError, match="no GPU that could be watched"):
        Watcher(ledger).open()
