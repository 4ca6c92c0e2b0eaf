"""The batches that a training iterates over: stopped anywhere and resumed, they are those that were never stopped."""

import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ledger
from ledger.analysis.data.feeds import feed_facts
from ledger.errors import LedgerError
from ledger.serve.batches import Batches
from ledger.serve.order.plan import BatchPlan, digest_of
from ledger.serve.prefetch import Prefetch
from ledger.serve.served import Served, Waits
from tests.conftest import Cli

ROWS = 100


@pytest.fixture
def data(repo: Path) -> str:
    folder = repo / "data"
    folder.mkdir()
    np.save(folder / "x.npy", np.arange(ROWS * 3, dtype=np.float32).reshape(ROWS, 3))
    np.save(folder / "label.npy", np.arange(ROWS) % 5)
    return str(folder)


def taken(batches: Batches, most: int = 10**9) -> list[list[int]]:
    found = []
    for batch in batches:
        found.append([int(row[0]) // 3 for row in batch["x"]])
        if len(found) == most:
            break
    return found


def flat(batches: list[list[int]]) -> list[int]:
    return [row for batch in batches for row in batch]


def until_it_differs(batches: Batches) -> None:
    for _ in range(1000):
        taken(batches)


def test_an_epoch_is_what_the_plan_says_and_the_next_another_one(data: str) -> None:
    batches = ledger.batches(data, batch_size=8, seed=3)
    first, second = taken(batches), taken(batches)
    assert len(first) == len(batches) == 12
    assert first == [batches.plan.rows(0, number).tolist() for number in range(12)]
    assert second == [batches.plan.rows(1, number).tolist() for number in range(12)]
    assert batches.epoch == 2


@pytest.mark.parametrize("stop", [1, 5, 11, 12])
@pytest.mark.parametrize("stated", [True, False])
def test_a_training_that_resumes_goes_on_where_it_was(stop: int, stated: bool, data: str) -> None:  # noqa: FBT001  # both ways of a loop
    whole = ledger.batches(data, batch_size=8, seed=3)
    expected = [taken(whole) for _ in range(3)]
    stopped = ledger.batches(data, batch_size=8, seed=3)
    before = [taken(stopped), taken(stopped, stop)]
    resumed = ledger.batches(data, batch_size=8, seed=3)
    resumed.load_state_dict(stopped.state_dict())
    after = []
    # Who counts epochs asks again for the one that was stopped; who does not, for the next batch.
    for epoch in range(1, 3) if stated else range(2 if stop < 12 else 1):
        if stated:
            resumed.set_epoch(epoch)
        after += taken(resumed)
    assert [*before[0], *before[1], *after] == [batch for epoch in expected for batch in epoch]


def test_an_epoch_that_was_left_begins_again(data: str) -> None:
    batches = ledger.batches(data, batch_size=8)
    assert taken(batches, 2) == taken(batches)[:2]


def test_an_epoch_can_be_asked_for_again(data: str) -> None:
    batches = ledger.batches(data, batch_size=8)
    first = taken(batches)
    batches.set_epoch(0)
    assert taken(batches) == first
    with pytest.raises(LedgerError, match="whole number from 0 on: `-1`"):
        batches.set_epoch(-1)


def test_a_state_of_another_plan_is_refused_with_what_differs(data: str) -> None:
    state = ledger.batches(data, batch_size=8, seed=3).state_dict()
    with pytest.raises(LedgerError, match="differs in: `seed, global batch size`"):
        ledger.batches(data, batch_size=4).load_state_dict(state)
    with pytest.raises(LedgerError, match="differs in: `stages`"):
        ledger.batches(data, batch_size=8, seed=3, order="sequential").load_state_dict(state)
    for wrong in ({}, {**state, "epoch": -1}, {**state, "batch": "3"}, {"plan": "x", "epoch": 0, "batch": 0}):
        with pytest.raises(LedgerError):
            ledger.batches(data, batch_size=8, seed=3).load_state_dict(wrong)


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_share_each_batch_and_may_be_others_after_a_restart(world: int, data: str) -> None:
    whole = taken(ledger.batches(data, batch_size=8, seed=3))
    shares = [ledger.batches(data, global_batch_size=8, seed=3, rank=rank, world=world) for rank in range(world)]
    parts = [taken(one, 5) for one in shares]
    joined = [[rows[rank] for rank in range(8 // world) for rows in step] for step in zip(*parts, strict=True)]
    assert joined == whole[:5]
    alone = ledger.batches(data, global_batch_size=8, seed=3)
    alone.load_state_dict(shares[0].state_dict())
    assert taken(alone) == whole[5:]


def test_ranks_come_from_the_launcher(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    batches = ledger.batches(data, batch_size=4, seed=3)
    assert batches.plan.size == 8
    assert taken(batches)[0] == batches.plan.rows(0, 0)[1::2].tolist()
    with pytest.raises(LedgerError, match="rank 5 is none of 2 ranks"):
        ledger.batches(data, batch_size=4, rank=5)


def test_what_was_served_can_be_proved_from_the_plan(data: str) -> None:
    batches = ledger.batches(data, batch_size=8, seed=3)
    taken(batches)
    taken(batches, 4)
    feed = batches.feed()
    assert [(one.epoch, one.first, one.last, one.batches, one.samples) for one in feed.stretches] == [
        (0, 0, 11, 12, 96),
        (1, 0, 3, 4, 32),
    ]
    assert [digest_of(BatchPlan(feed.plan), one) for one in feed.stretches] == [one.digest for one in feed.stretches]
    assert feed.batches == 16
    assert feed.unique_samples == len(
        {*flat(taken(ledger.batches(data, batch_size=8, seed=3))), *second_epoch(batches)}
    )
    assert feed.bytes == 16 * 8 * (3 * 4 + 8)
    assert feed.first_batch_seconds is not None
    assert feed.wait_p99_seconds is not None


def second_epoch(batches: Batches) -> list[int]:
    return [row for number in range(4) for row in batches.plan.rows(1, number).tolist()]


def test_augmentation_depends_on_sample_and_epoch_alone(data: str) -> None:
    def augment(sample: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        return {**sample, "noise": random.random()}

    def noise(batches: Batches) -> dict[int, float]:
        return {int(row[0]) // 3: float(value) for batch in batches for row, value in zip(batch["x"], batch["noise"])}  # noqa: B905

    one = ledger.batches(data, batch_size=10, augment=augment)
    first, second = noise(one), noise(one)
    shares = [ledger.batches(data, global_batch_size=4, augment=augment, rank=rank, world=2) for rank in range(2)]
    assert {**noise(shares[0]), **noise(shares[1])} == first
    assert len(set(first.values())) == ROWS
    assert first != second
    assert one.feed().code is not None


def test_a_transform_makes_samples_alike(data: str) -> None:
    batches = ledger.batches(data, batch_size=10, transform=lambda sample: {"sum": sample["x"].sum()})
    assert next(iter(batches))["sum"].shape == (10,)


def test_labels_choose_and_weigh(data: str) -> None:
    kept = ledger.batches(data, batch_size=5, keep={"label": ["1", "3"]}, tail="short")
    assert sorted(flat(taken(kept))) == [row for row in range(ROWS) if row % 5 in {1, 3}]
    weighted = ledger.batches(data, batch_size=10, order="weighted", weights={"0": 1, "4": 1})
    assert {row % 5 for row in flat(taken(weighted))} == {0, 4}
    staged = ledger.batches(data, batch_size=5, keep={"label": "1"}, curriculum={1: {}})
    assert {row % 5 for row in flat(taken(staged))} == {1}
    assert len(flat(taken(staged))) == ROWS
    with pytest.raises(LedgerError, match="no sample has this label: `9`"):
        ledger.batches(data, batch_size=5, keep={"label": ["9"]})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "batches need a size"),
        ({"batch_size": 0}, "at least one sample"),
        ({"batch_size": 4, "global_batch_size": 6}, "make no batch of 6"),
        ({"batch_size": 4, "order": "sorted"}, "invalid enum value 'sorted'"),
        ({"batch_size": 4, "order": "blocked"}, "block size"),
        ({"batch_size": 4, "weights": {"1": 2}}, "only a weighted order has weights"),
        ({"batch_size": 4, "curriculum": {1: {"size": 3}}}, "curriculum from epoch 1"),
        ({"batch_size": 4, "path": "elsewhere"}, "this names none"),
        ({"batch_size": 400}, "fewer samples than a batch"),
    ],
)
def test_what_makes_no_plan_is_refused(options: dict[str, Any], said: str, data: str) -> None:
    with pytest.raises(LedgerError, match=said):
        ledger.batches(data, **options)


def test_a_version_is_verified_beside_the_training(data: str, cli: Cli) -> None:
    assert cli("dataset", "add", "numbers", data, "--version", "v1", "--role", "train").code == 0
    batches = ledger.batches("numbers@v1", path=data, batch_size=8)
    for _ in range(100):
        taken(batches)
        if batches.feed().verified:
            break
    assert batches.feed().verified
    assert batches.feed().dataset == "numbers@v1"
    np.save(Path(data) / "label.npy", np.zeros(ROWS))
    changed = ledger.batches("numbers@v1", path=data, batch_size=8)
    with pytest.raises(LedgerError, match=r"the data are not those of numbers@v1"):
        until_it_differs(changed)
    unverified = ledger.batches("numbers@v1", path=data, batch_size=8, verify=False)
    assert unverified.plan.digest == batches.plan.digest
    assert not unverified.feed().verified
    with pytest.raises(LedgerError, match="no such dataset version"):
        ledger.batches("numbers@v9", path=data, batch_size=8)


def test_a_version_is_found_where_it_was_added_from_and_nowhere_else(data: str, cli: Cli) -> None:
    assert cli("dataset", "add", "numbers", data, "--version", "v1", "--role", "train").code == 0
    batches = ledger.batches("numbers@v1", batch_size=8, seed=1)
    assert taken(batches) == taken(ledger.batches("numbers@v1", path=data, batch_size=8, seed=1))
    np.save(Path(data) / "label.npy", np.zeros(ROWS))
    with pytest.raises(LedgerError, match=r"the data are not those of numbers@v1: `.*/data`"):
        until_it_differs(ledger.batches("numbers@v1", batch_size=8))
    Path(data).rename(f"{data}-moved")
    with pytest.raises(LedgerError, match="not known where the data of this version lie"):
        ledger.batches("numbers@v1", batch_size=8)


def test_a_loader_of_torch_with_workers_keeps_the_order(data: str) -> None:
    torch = pytest.importorskip("torch")
    whole = ledger.batches(data, batch_size=8)
    expected = [taken(whole), taken(whole)]
    for workers in (0, 2):
        batches = ledger.batches(data, batch_size=8, as_torch=True)
        loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=workers)
        for epoch in range(2):
            batches.set_epoch(epoch)
            assert [(batch["x"][:, 0] / 3).int().tolist() for batch in loader] == expected[epoch]


def test_workers_that_know_no_epoch_say_so_instead_of_serving_the_first_one_again(data: str) -> None:
    torch = pytest.importorskip("torch")
    batches = ledger.batches(data, batch_size=8, as_torch=True)
    with pytest.raises(LedgerError, match="cannot know which epoch it is"):
        list(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1))
    kept = ledger.batches(data, batch_size=8, as_torch=True)
    kept.set_epoch(0)
    loader = torch.utils.data.DataLoader(kept, batch_size=None, num_workers=1, persistent_workers=True)
    first, second = ([batch["x"][:, 0].tolist() for batch in loader] for _ in range(2))
    assert first != second


def load_epochs(batches: Batches, loader: Iterable[object]) -> None:
    for epoch in range(100):
        batches.set_epoch(epoch)
        list(loader)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_notice_that_the_data_are_not_the_version(method: str, data: str, cli: Cli) -> None:
    torch = pytest.importorskip("torch")
    assert cli("dataset", "add", "numbers", data, "--version", "v1", "--role", "train").code == 0
    np.save(Path(data) / "label.npy", np.zeros(ROWS))
    batches = ledger.batches("numbers@v1", path=data, batch_size=8, as_torch=True)
    loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1, multiprocessing_context=method)
    with pytest.raises(LedgerError, match="the data are not those of numbers@v1"):
        load_epochs(batches, loader)


def first_column(sample: dict[str, Any], table: list[float]) -> dict[str, Any]:
    return {"x": sample["x"][:1] + table[0]}


def test_code_that_cannot_be_hashed_is_unknown_and_stops_nothing(data: str) -> None:
    transform = partial(first_column, table=[float(number) for number in range(20_000)])
    batches = ledger.batches(data, batch_size=8, transform=transform)
    assert next(iter(batches))["x"].shape == (8, 1)
    feed = batches.feed()
    assert feed.code is None
    assert feed.code_unknown is not None
    assert ("code of samples", f"unknown: {feed.code_unknown}") in list(feed_facts(feed, None))


def test_a_rank_without_a_number_of_ranks_is_none(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    assert taken(ledger.batches(data, batch_size=8)) == taken(ledger.batches(data, batch_size=8, rank=0, world=1))


def test_reading_ahead_is_bounded_and_brings_errors_to_the_reader() -> None:
    made: list[int] = []

    def values() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number
        raise ValueError("the end")

    ahead = Prefetch(values(), lambda _: 10, 3, 100)
    reader = iter(ahead)
    assert next(reader) == 0
    threading.Event().wait(0.2)
    assert len(made) <= 5  # one read, three that wait, one in the hand
    with pytest.raises(ValueError, match="the end"):
        list(reader)
    wide = Prefetch(iter(range(5)), lambda _: 1000, 3, 100)
    assert list(wide) == list(range(5))  # each is larger than all that may wait
    ahead.stop()


def test_waits_know_their_percentiles() -> None:
    waits = Waits()
    assert waits.percentile(0.5) is None
    for number in range(1, 101):
        waits.add(number / 1000)
    assert waits.percentile(0.5) == pytest.approx(0.050, rel=0.06)
    assert waits.percentile(0.99) == pytest.approx(0.099, rel=0.06)
    assert waits.seconds == pytest.approx(5.05)


def test_of_thousands_of_stretches_the_first_and_last_are_kept() -> None:
    served = Served(10)
    for epoch in range(1000):
        served.begin()
        served.add(epoch, 0, np.arange(2), np.arange(2))
    stretches = served.stretches()
    assert len(stretches) + served.left_out == 1000
    assert [stretches[0].epoch, stretches[-1].epoch] == [0, 999]
    assert served.batches == 1000
    assert all(one.digest for one in stretches)
