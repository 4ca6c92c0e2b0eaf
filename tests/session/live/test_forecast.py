"""The time that is left is right on the whole, and its interval as often as it claims."""

import random

import pytest

from ledger.session.live.forecast import Move, forecast, recent_moves, speed


def steady(count: int, every: float = 0.5) -> list[Move]:
    return [(every * step, float(step)) for step in range(count)]


def test_a_steady_run_is_done_when_its_steps_are() -> None:
    left = forecast(steady(101), 400, now=50.0)
    assert left is not None
    assert (left.seconds, left.low, left.high) == pytest.approx((150.0, 150.0, 150.0))


def test_the_time_since_the_last_step_has_passed() -> None:
    left = forecast(steady(101), 400, now=60.0)
    assert left is not None
    assert left.seconds == pytest.approx(140.0)
    late = forecast(steady(101), 102, now=900.0)
    assert late is not None
    assert late.seconds == 0.0


def test_what_is_past_counts_no_more_than_what_is_recent() -> None:
    slow = [(10.0 * step, float(step)) for step in range(20)]
    quick = [(190.0 + step, 19.0 + step) for step in range(1, 400)]
    assert speed(recent_moves([*slow, *quick])) == pytest.approx(1.0)


def test_a_second_phase_counts_from_its_own_start() -> None:
    again = [(100.0 + step, float(step)) for step in range(50)]
    assert recent_moves([*steady(100), *again]) == again


def test_two_points_at_one_step_are_one_move() -> None:
    assert recent_moves([(1.0, 1.0), (1.5, 1.0), (2.0, 2.0)]) == [(1.0, 1.0), (2.0, 2.0)]


@pytest.mark.parametrize("moves", [[], [(1.0, 5.0)], [(1.0, 5.0), (1.0, 6.0)]])
def test_nothing_is_forecast_without_a_speed(moves: list[Move]) -> None:
    assert speed(moves) is None
    assert forecast(moves, 100, now=1.0) is None


def test_of_few_steps_nobody_says_how_sure_it_is() -> None:
    left = forecast(steady(4), 100, now=1.5)
    assert left is not None
    assert (left.low, left.high) == (None, None)


@pytest.mark.parametrize(("shape", "seen", "total"), [(0.5, 40, 120), (2.0, 60, 200), (1.0, 500, 800)])
def test_the_interval_holds_the_truth_as_often_as_it_claims(shape: float, seen: int, total: int) -> None:
    chance = random.Random(7)  # noqa: S311  # a simulation
    held = 0
    for _ in range(300):
        seconds, moves = 0.0, [(0.0, 0.0)]
        for step in range(1, total + 1):
            seconds += chance.gammavariate(shape, 1.0)
            moves.append((seconds, float(step)))
        past = recent_moves(moves[: seen + 1])
        left = forecast(past, total, now=past[-1][0])
        assert left is not None
        assert left.low is not None
        assert left.high is not None
        held += left.low <= moves[-1][0] - past[-1][0] <= left.high
    assert 0.89 <= held / 300 <= 0.99


def test_epochs_that_each_end_with_a_long_evaluation_make_it_less_sure() -> None:
    seconds, moves = 0.0, [(0.0, 0.0)]
    for step in range(1, 301):
        seconds += 1.0 + 30.0 * (step % 100 == 0)
        moves.append((seconds, float(step)))
    even = forecast([(1.3 * step, float(step)) for step in range(301)], 1000, now=390.0)
    uneven = forecast(moves, 1000, now=seconds)
    assert even is not None
    assert uneven is not None
    assert uneven.low is not None
    assert uneven.high is not None
    assert even.high == pytest.approx(even.seconds)
    assert uneven.low < 910.0 < uneven.high
