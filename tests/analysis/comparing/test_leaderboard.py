"""Runs of one setting merged, ties shared, retracted ones set apart, and nothing ranked across groups."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.analysis.comparing.comparable import Group
from ledger.analysis.comparing.leaderboard import Score, SettingBoard, setting_board
from ledger.model.values import Direction

GROUP = Group(key="validation/accuracy", dataset="d@v1", dataset_hash="blake3:1", evaluator="")


def board(*scores: tuple[str, float], direction: Direction | None = "higher", group: Group = GROUP) -> SettingBoard:
    named = [Score(run=f"run-{index:02d}", setting=name, value=value) for index, (name, value) in enumerate(scores)]
    return setting_board(group, direction, named)


def test_runs_of_one_setting_are_one_place() -> None:
    found = board(("a", 0.8), ("b", 0.95), ("a", 0.9))
    first, second = found.places
    assert (first.rank, first.runs, first.deviation) == (1, ("run-01",), None)
    assert (second.rank, second.runs) == (2, ("run-02", "run-00"))
    assert second.spread is not None
    assert second.spread.count == 2
    assert second.spread.mean == pytest.approx(0.85)
    assert second.deviation == pytest.approx(math.sqrt(0.005))
    assert found.runs == 3


def test_ties_share_a_rank_and_the_next_one_is_counted_on() -> None:
    found = board(("a", 0.5), ("b", 0.9), ("c", 0.9), ("d", 0.1), ("e", 0.9))
    assert [(place.rank, place.tied) for place in found.places] == [
        (1, True),
        (1, True),
        (1, True),
        (4, False),
        (5, False),
    ]


def test_means_that_differ_by_rounding_alone_are_a_tie() -> None:
    found = board(("a", 0.1), ("a", 0.2), ("a", 0.3), ("b", 0.2))
    assert [place.rank for place in found.places] == [1, 1]


def test_ties_stand_in_the_order_of_their_best_runs() -> None:
    found = board(("a", 0.4), ("b", 0.6), ("b", 0.4), ("a", 0.6))
    assert [place.runs for place in found.places] == [("run-01", "run-02"), ("run-03", "run-00")]


def test_lower_is_better_where_it_is_said() -> None:
    assert [place.runs for place in board(("a", 0.5), ("b", 0.1), direction="lower").places] == [
        ("run-01",),
        ("run-00",),
    ]


def test_the_possible_best_are_marked_and_the_others_are_not() -> None:
    near = [("a", 0.90), ("a", 0.92), ("b", 0.91), ("b", 0.93), ("far", 0.5), ("far", 0.52)]
    found = board(*near)
    assert [place.leading for place in found.places] == [True, True, False]
    assert found.leading == 2
    assert found.noise == pytest.approx(math.sqrt(2e-4))
    upside_down = board(*((name, 1 - value) for name, value in near), direction="lower")
    assert [place.leading for place in upside_down.places] == [True, True, False]


def test_without_repeats_none_is_marked_and_it_is_said() -> None:
    found = board(("a", 0.9), ("b", 0.1))
    assert found.leading == 0
    assert "no setting was repeated" in str(found.unmarked)


@pytest.mark.parametrize(
    ("direction", "group", "why"),
    [
        (None, GROUP, "no direction is recorded"),
        ("higher", Group(key="k", dataset="unknown", dataset_hash="", evaluator=""), "dataset version is unknown"),
    ],
)
def test_what_cannot_be_ranked_has_no_ranks(direction: Direction | None, group: Group, why: str) -> None:
    found = board(("a", 0.9), ("a", 0.8), ("b", 0.1), direction=direction, group=group)
    assert {place.rank for place in found.places} == {None}
    assert len(found.places) == (2 if group.known else 3), "there is no mean over unknown data"
    assert not found.leading
    assert why in str(found.refused)


def test_retracted_runs_stand_apart() -> None:
    scores = [
        Score(run="good", setting="a", value=0.8),
        Score(run="bad", setting="a", value=0.99, unranked="retracted"),
    ]
    found = setting_board(GROUP, "higher", scores)
    assert [place.runs for place in found.places] == [("good",)]
    assert [(one.run, one.value) for one in found.withdrawn] == [("bad", 0.99)]


def test_what_was_retracted_counts_never_and_what_did_not_finish_where_it_is_asked_for() -> None:
    scores = [
        Score(run="bad", setting="a", value=0.9, unranked="retracted"),
        Score(run="cut", setting="a", value=0.8, unranked="killed"),
        Score(run="good", setting="a", value=0.7),
    ]
    found = setting_board(GROUP, "higher", scores, {"retracted", "killed"})
    assert [place.runs for place in found.places] == [("cut", "good")]
    assert [(one.run, one.why) for one in found.withdrawn] == [("bad", "retracted")]


def test_values_that_are_not_finite_come_last_and_count_for_no_mean() -> None:
    found = board(("a", math.nan), ("b", 0.5), ("b", math.inf), ("c", 1e308), ("c", 1.7e308))
    assert [place.rank for place in found.places] == [1, 2, None]
    one = found.places[1]
    assert one.spread is not None
    assert (one.spread.mean, one.runs) == (0.5, ("run-01", "run-02"))
    assert found.places[2].spread is None


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats()), max_size=25), st.sampled_from(["higher", "lower", None])
)
def test_every_run_stands_once_and_better_means_stand_higher(
    scores: list[tuple[str, float]], direction: Direction | None
) -> None:
    found = board(*scores, direction=direction)
    outside = {one.run for one in found.outside}
    standing = [run for place in found.places for run in place.runs]
    assert sorted([*standing, *outside]) == [f"run-{n:02d}" for n in range(len(scores))]
    assert len(found.places) == len({name for n, (name, _) in enumerate(scores) if f"run-{n:02d}" not in outside})
    ranked = [(place.rank, place.spread.mean) for place in found.places if place.rank and place.spread]
    assert not ranked or direction
    for (rank, mean), (after, worse) in pairwise(ranked):
        assert rank <= after
        assert mean == pytest.approx(worse, rel=1e-9) or (mean > worse) == (direction == "higher")
