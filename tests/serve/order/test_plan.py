"""The order of samples is a pure function of its plan: the same everywhere, every sample once, and well shuffled."""

from collections.abc import Sequence

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ledger.errors import LedgerError
from ledger.model.feed import FeedPlan, FeedStage, FeedStretch, SkippedBatches, Tail
from ledger.serve.order.mixing import keys_of, mixed
from ledger.serve.order.permutation import Permutation
from ledger.serve.order.plan import BatchPlan, digest_of

HASH = "blake3:" + "0" * 64
MASK = (1 << 64) - 1


def plan(
    samples: int,
    size: int,
    *,
    seed: int = 0,
    tail: Tail = "drop",
    skip: Sequence[SkippedBatches] = (),
    stage: FeedStage | None = None,
) -> BatchPlan:
    stages = [stage or FeedStage(samples=samples)]
    return BatchPlan(
        FeedPlan(dataset_hash=HASH, seed=seed, global_batch_size=size, tail=tail, skip=list(skip), stages=stages)
    )


def epoch_of(made: BatchPlan, epoch: int = 0) -> list[int]:
    return [row for number in made.numbers(epoch) for row in made.rows(epoch, number).tolist()]


def keys_by_the_page(*words: str) -> list[int]:
    """Return the key as `.github/decisions/feeding.md` says, in plain integers."""
    digest = blake3("".join(f"{word}\n" for word in words).encode()).digest(length=128)
    return [int.from_bytes(digest[at : at + 8], "little") for at in range(0, 128, 8)]


def mixed_by_the_page(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def row_by_the_page(position: int, rows: int, keys: Sequence[int]) -> int:
    if rows <= 1024:
        words = [mixed_by_the_page(((at + 1) * 0x9E3779B97F4A7C15 + keys[8]) & MASK) for at in range(rows)]
        return sorted(range(rows), key=lambda at: (words[at], at))[position]
    bits = max(2, (rows - 1).bit_length())
    low, high = bits // 2, bits - bits // 2
    while True:
        left, right = position >> low, position & ((1 << low) - 1)
        for number in range(8):
            half, width = (right, high) if number % 2 == 0 else (left, low)
            word = ((half + keys[number]) * 0x9E3779B97F4A7C15) & MASK
            word = ((word ^ (word >> 32)) * 0xD6E8FEB86659FD93) & MASK
            if number % 2 == 0:
                left ^= word >> (64 - width)
            else:
                right ^= word >> (64 - width)
        position = left << low | right
        if position < rows:
            return position


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 1024, 1025, 5000, 1 << 20, (1 << 20) + 1, 10**9])
def test_the_order_is_that_of_the_page_bit_by_bit(rows: int) -> None:
    words = ("ledger order 1", HASH, "7", "3")
    assert keys_of(*words).tolist() == keys_by_the_page(*words)
    positions = np.unique(np.linspace(0, rows - 1, 50).astype(np.int64))
    found = Permutation(rows, keys_of(*words)).at(positions)
    assert found.tolist() == [row_by_the_page(at, rows, keys_by_the_page(*words)) for at in positions.tolist()]


def test_the_first_rows_of_some_plans_stay_what_they_are() -> None:
    assert plan(10, 5).rows(0, 0).tolist() == [3, 7, 5, 2, 8]
    assert plan(5000, 5).rows(0, 0).tolist() == [1979, 1261, 2378, 4455, 1156]
    blocked = FeedStage(samples=5000, order="blocked", block=50)
    assert plan(5000, 5, stage=blocked).rows(0, 0).tolist() == [401, 1671, 400, 2332, 2824]


def test_the_random_words_are_those_of_splitmix() -> None:
    # The first outputs of SplitMix64 with seed 1234567, as its reference implementation gives them.
    state, words = 1234567, []
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        words.append(state)
    found = mixed(np.array(words, dtype=np.uint64)).tolist()
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(st.integers(1, 6000), st.integers(0, 5), st.sampled_from(["shuffle", "sequential", "blocked"]), st.data())
def test_every_sample_stands_in_an_epoch_once(rows: int, epoch: int, order: str, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, rows))
    block = data.draw(st.integers(1, rows)) if order == "blocked" else None
    stage = FeedStage(samples=rows, order=order, block=block)  # type: ignore[arg-type]  # one of its words
    made = plan(rows, size, tail="short", stage=stage)
    assert sorted(epoch_of(made, epoch)) == list(range(rows))
    assert made.length(epoch) == -(-rows // size)
    dropped = epoch_of(plan(rows, size, stage=stage), epoch)
    assert dropped == epoch_of(made, epoch)[: rows // size * size]


@given(st.integers(2, 3000), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_batches_are_the_same_for_every_number_of_ranks(rows: int, world: int) -> None:
    made = plan(rows, 12, tail="pad")
    assert made.share_size(world) == 12 // world
    for number in made.numbers(0):
        whole = made.rows(0, number)
        shares = [whole[rank::world] for rank in range(world)]
        assert {len(share) for share in shares} == {12 // world}
        assert np.stack(shares, axis=1).reshape(-1).tolist() == whole.tolist()


def test_a_batch_is_found_without_the_ones_before_it() -> None:
    made = plan(10**9, 64)
    assert made.end(0) == 10**9 // 64
    last = made.rows(5, made.end(5) - 1)
    assert len(set(last.tolist())) == 64
    assert last.max() < 10**9


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    orders = [tuple(epoch_of(plan(500, 10, seed=seed), epoch)) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9


def correlation(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    return abs(float(np.corrcoef(one, other)[0, 1]))


@pytest.mark.parametrize("rows", [1500, 10_000, 100_000])
def test_neighbours_in_a_shuffled_epoch_have_nothing_in_common(rows: int) -> None:
    # Of independent numbers, 4 standard errors hold 99.99 of 100 correlations; ten epochs are looked at.
    bound = 4 / rows**0.5
    for epoch in range(10):
        order = np.array(epoch_of(plan(rows, rows), epoch))
        labels = order * 10 // rows  # a dataset that is sorted by its labels
        assert correlation(order[:-1], order[1:]) < bound
        assert correlation(order, np.arange(rows)) < bound
        assert correlation(labels[:-1], labels[1:]) < bound


def test_each_row_is_as_likely_at_each_position() -> None:
    # Chi-square with 99 degrees of freedom is below 161 in 9,999 of 10,000 cases (its inverse distribution).
    rows, epochs = 10, 4000
    counts = np.zeros((rows, rows))
    for epoch in range(epochs):
        counts[np.arange(rows), epoch_of(plan(rows, rows), epoch)] += 1
    expected = epochs / rows
    assert ((counts - expected) ** 2 / expected).sum() < 161


def test_weights_decide_how_often_a_label_is_drawn() -> None:
    stage = FeedStage(
        samples=300, order="weighted", weights={"rare": 3.0, "usual": 1.0}, groups={"rare": 100, "usual": 200}
    )
    made = plan(300, 10, stage=stage)
    drawn = np.array([row for epoch in range(200) for row in epoch_of(made, epoch)])
    share = (drawn < 100).mean()
    assert abs(share - 0.75) < 4 * (0.75 * 0.25 / len(drawn)) ** 0.5
    assert len(set(drawn.tolist())) == 300


def test_blocks_keep_reads_together_and_still_mix_them() -> None:
    rows, block = 64_000, 100
    order = np.array(epoch_of(plan(rows, rows, stage=FeedStage(samples=rows, order="blocked", block=block))))
    window = np.sort(order[: 16 * block])
    assert (np.diff(window) > 1).sum() <= 16  # so many stretches of the file, one more where its end is in one
    assert correlation(order, np.arange(rows)) < 0.15
    assert correlation(order[:-1], order[1:]) < 0.15


def test_padding_takes_from_the_start_of_the_epoch() -> None:
    made = plan(10, 4, tail="pad")
    order = epoch_of(made)
    assert order[10:] == order[:2]
    assert [made.padding(0, number) for number in made.numbers(0)] == [0, 0, 2]


def test_skipped_batches_keep_the_numbers_of_the_others() -> None:
    whole = plan(100, 10)
    made = plan(100, 10, skip=[SkippedBatches(epoch=1, first=3, last=5), SkippedBatches(epoch=1, first=9, last=40)])
    assert list(made.numbers(1)) == [0, 1, 2, 6, 7, 8]
    assert made.length(1) == 6
    assert list(made.numbers(0)) == list(range(10))
    assert made.rows(1, 6).tolist() == whole.rows(1, 6).tolist()


def test_a_curriculum_changes_what_is_drawn_from_an_epoch_on() -> None:
    stages = [FeedStage(samples=20), FeedStage(from_epoch=2, samples=50, order="sequential")]
    made = BatchPlan(FeedPlan(dataset_hash=HASH, seed=0, global_batch_size=10, stages=stages))
    assert [made.length(epoch) for epoch in range(4)] == [2, 2, 5, 5]
    assert made.rows(2, 0).tolist() == list(range(10))


def test_what_cannot_be_shared_or_has_no_batch_is_refused() -> None:
    with pytest.raises(LedgerError, match="cannot be shared by 3 ranks"):
        plan(100, 64).share_size(3)
    with pytest.raises(LedgerError, match="last batch of 5 samples cannot be shared by 2"):
        plan(105, 10, tail="short").share_size(2)
    with pytest.raises(LedgerError, match="fewer samples than a batch"):
        plan(5, 10)
    with pytest.raises(LedgerError, match="no sample"):
        plan(0, 10)
    with pytest.raises(LedgerError, match="needs a weight above 0"):
        plan(3, 1, stage=FeedStage(samples=3, order="weighted", weights={"a": 0.0}, groups={"a": 3}))
    with pytest.raises(LedgerError, match="begin with epoch 0"):
        plan(3, 1, stage=FeedStage(samples=3, from_epoch=1))


def test_the_digest_is_of_plan_and_numbers_alone() -> None:
    made = plan(100, 10, skip=[SkippedBatches(epoch=0, first=4, last=4)])
    stretch = FeedStretch(epoch=0, first=2, last=7, batches=5, samples=50, digest="")
    by_hand = blake3()
    for number in (2, 3, 5, 6, 7):
        by_hand.update(number.to_bytes(8, "little"))
        for row in made.rows(0, number).tolist():
            by_hand.update(row.to_bytes(8, "little"))
    assert digest_of(made, stretch) == f"blake3:{by_hand.hexdigest()}"


def test_plans_that_differ_have_digests_of_their_own() -> None:
    made = [plan(100, 10), plan(100, 20), plan(100, 10, seed=1), plan(100, 10, tail="pad"), plan(99, 10)]
    assert len({one.digest for one in made}) == len(made)
