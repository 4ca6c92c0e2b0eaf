"""What is stated wins over what params say, and that over the log; a refuted guess forecasts nothing."""

import pytest

from ledger.model.values import ParamValue
from ledger.session.live.log_position import LogPosition
from ledger.session.live.progress import RunProgress, read_progress
from ledger.session.spool.events import Logged


def points(count: int, *, epochs: bool = False, steps: bool = True) -> list[Logged]:
    return [
        Logged(seconds=2.0 * at, step=at if steps else None, epoch=at / 10 if epochs else None, values={"loss": 1.0})
        for at in range(1, count + 1)
    ]


def progress(
    seen: list[Logged],
    params: dict[str, ParamValue] | None = None,
    log: LogPosition | None = None,
    stated: int | None = None,
) -> RunProgress:
    return read_progress(seen, params or {}, log, stated=stated, now=seen[-1].seconds if seen else 60.0)


def test_what_a_run_states_wins() -> None:
    made = progress(points(50), {"max_steps": 500}, LogPosition(step=1, steps=9), stated=100)
    assert (made.total, made.unit, made.total_from, made.done) == (100, "step", "stated", 0.5)
    assert made.left is not None
    assert made.left.seconds == pytest.approx(100.0)


@pytest.mark.parametrize("name", ["max_steps", "optim.total_steps", "train.max_iters"])
def test_a_param_that_names_the_steps_is_named_as_the_source(name: str) -> None:
    made = progress(points(50), {name: 200, "batch_size": 32})
    assert (made.total_from, made.done, made.steps_per_second) == (f"params.{name}", 0.25, 0.5)
    assert (made.samples_per_second, made.samples_from) == (16.0, "batch_size")


def test_epochs_are_counted_where_points_have_them() -> None:
    made = progress(points(50, epochs=True), {"epochs": 10})
    assert (made.unit, made.total, made.done) == ("epoch", 10, 0.5)
    assert progress(points(50), {"epochs": 10}).left is None


@pytest.mark.parametrize("value", [-1, 0, "100", True, None, float("nan")])
def test_no_limit_is_no_number_of_steps(value: ParamValue) -> None:
    assert progress(points(50), {"max_steps": value}).total is None


def test_a_guess_that_is_refuted_forecasts_nothing() -> None:
    made = progress(points(50), {"max_steps": 20})
    assert (made.left, made.unknown) == (None, "step 50 is past params.max_steps, 20")


def test_a_log_gives_bounds_where_its_line_may_be_of_start_or_end() -> None:
    made = progress([], log=LogPosition(epoch=3, epochs=10))
    assert made.left is not None
    assert (made.total_from, made.epoch, made.done) == ("log", 3.0, 0.2)
    assert (made.left.low, made.left.high) == pytest.approx((60.0 * 0.7 / 0.3, 60.0 * 0.8 / 0.2))
    first = progress([], log=LogPosition(epoch=1, epochs=10))
    assert first.left is not None
    assert first.left.high is None


def test_where_nothing_counts_the_mend_is_named() -> None:
    assert progress(points(50)).unknown == "nothing says how many steps there are: ledger.run(total_steps=…)"
    assert progress([], {"epochs": 5}).left is None
