"""Curves are thinned out without losing what matters, and survive their file."""

import math
import statistics
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.analysis.data.curves import Gatherer, Point, down_sample, gather, load_curves, render_curves, summarise
from ledger.errors import InvalidDocument, LedgerError
from ledger.model.values import is_plain_text

NAMES = st.sampled_from(["train/loss", "=1+1", "step", "'step", "a,b", 'q"', "-x", "@y", "é"]) | st.text(
    min_size=1, max_size=20
).filter(lambda text: bool(text.strip()) and is_plain_text(text))
POINTS = st.lists(
    st.builds(
        Point,
        step=st.none() | st.integers(-(10**17), 10**17),
        epoch=st.none() | st.floats(),
        seconds=st.none() | st.floats(),
        values=st.dictionaries(NAMES, st.floats(), max_size=3),
    ),
    max_size=8,
)


@given(POINTS)
def test_curves_survive_their_file(points: list[Point]) -> None:
    data = render_curves(points)
    again = load_curves(data, "curves.csv")
    assert repr(again) == repr([_sorted(point) for point in points])
    assert render_curves(again) == data


def _sorted(point: Point) -> Point:
    values = dict(sorted(point.values.items()))
    return Point(step=point.step, epoch=point.epoch, seconds=point.seconds, values=values)


def test_the_file_is_plain_csv() -> None:
    points = [Point(step=1, epoch=0.5, seconds=2.0, values={"b": math.nan, "=a": 1e-7}), Point(step=2, values={"b": 1})]
    assert render_curves(points) == b"step,epoch,seconds,'=a,b\n1,0.5,2.0,1e-07,NaN\n2,,,,1.0\n"


def test_a_series_that_cannot_be_shown_is_refused() -> None:
    with pytest.raises(LedgerError, match="control"):
        render_curves([Point(values={"a\n=cmd": 1.0})])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "must begin with"),
        (b"a,b\n", "must begin with"),
        (b"step,epoch,seconds,a\n1,2\n", "line 2: 4 columns"),
        (b"step,epoch,seconds,a\n1,2,3,=x()\n", "line 2: not a number"),
        (b"step,epoch,seconds,a\n1.5,,,\n", "line 2: not a number"),
        (b"step,epoch,seconds,a,a\n", "appears twice"),
        (b"step,epoch,seconds,\xff\n", "utf-8"),
        (b'step,epoch,seconds,a\n"1,2,3,4\n', ""),
    ],
)
def test_a_damaged_file_is_told_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(InvalidDocument) as error:
        load_curves(data, "curves.csv")
    assert said in str(error.value)


def test_thinning_out_keeps_ends_extremes_and_the_first_nan() -> None:
    points = [
        Point(step=step, values={"loss": math.sin(step), "rare": 1.0} if step % 7 else {"loss": 0.0})
        for step in range(9000)
    ]
    points[4321] = Point(step=4321, values={"loss": 99.0})
    points[1234] = Point(step=1234, values={"loss": -99.0})
    points[7777] = Point(step=7777, values={"loss": math.nan})
    thin = down_sample(points, 500)
    assert 400 < len(thin) <= 500
    assert thin == down_sample(points, 500)
    steps = [point.step for point in thin]
    assert steps == sorted(steps, key=lambda step: step or 0)
    assert {0, 1234, 4321, 7777, 8999} <= set(steps)


@given(POINTS, st.integers(1, 10))
def test_thinning_out_never_adds_or_reorders(points: list[Point], limit: int) -> None:
    places = [next(i for i, point in enumerate(points) if point is kept) for kept in down_sample(points, limit)]
    assert places == sorted(places)
    if points:
        assert (places[0], places[-1]) == (0, len(points) - 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_the_numbers_are_those_of_the_textbook(values: list[float]) -> None:
    series = summarise([Point(step=step, values={"a": value}) for step, value in enumerate(values)]).series["a"]
    assert (series.count, series.first, series.last) == (len(values), values[0], values[-1])
    assert (series.min, series.max) == (min(values), max(values))
    assert float(series.mean) == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert float(series.stdev) == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("value", [867373.7356810302, 0.1, 1e300, -3.7e-9])
@pytest.mark.parametrize("count", [2, 3, 9000])
def test_a_constant_series_has_no_spread(value: float, count: int) -> None:
    series = summarise([Point(values={"a": value})] * count).series["a"]
    assert float(series.stdev) == pytest.approx(0, abs=abs(value) * 1e-14)
    assert float(series.mean) == pytest.approx(value, rel=1e-15)


def test_many_values_have_the_numbers_of_the_textbook_too() -> None:
    values = [1e9 + math.sin(step) for step in range(4321)]
    points = [Point(step=step, values={"a": value, "b": -value}) for step, value in enumerate(values)]
    points.insert(2000, Point(step=2000, values={"a": math.nan}))
    series = summarise(points).series
    for name, sign in (("a", 1), ("b", -1)):
        assert float(series[name].mean) == pytest.approx(sign * statistics.fmean(values), rel=1e-12)
        assert float(series[name].stdev) == pytest.approx(statistics.stdev(values), rel=1e-6)
    assert (series["a"].count, series["a"].not_finite, series["b"].count) == (4322, 1, 4321)


def test_values_whose_sum_or_square_is_too_large_for_a_number_are_summed_up_all_the_same() -> None:
    found = summarise([Point(values={"a": 1.6e308, "b": 1e200 * step}) for step in range(3)]).series
    assert float(found["a"].mean) == pytest.approx(1.6e308)
    assert float(found["b"].mean) == pytest.approx(1e200)
    assert (found["a"].max, found["b"].max) == (1.6e308, 2e200)


def test_values_that_are_not_finite_are_counted_apart() -> None:
    found = summarise(
        [Point(step=1, epoch=0.5, values={"a": math.inf}), Point(values={"a": 3.0}), Point(values={"b": math.nan})]
    )
    assert (found.steps, found.epochs) == (1, 0.5)
    assert (found.series["a"].first, found.series["a"].mean, found.series["a"].not_finite) == ("Infinity", 3.0, 1)
    assert found.series["b"].min == "NaN"


def test_a_very_long_history_is_held_in_bounded_memory_and_summed_up_whole() -> None:
    count = 3 * Gatherer.HELD

    def points() -> Iterator[Point]:
        for step in range(count):
            yield Point(step=step, values={"loss": -1.0 if step == 12_345 else float(step % 7)})

    gathered = gather(points())
    assert gathered is not None
    assert len(gathered.points) <= Gatherer.HELD
    assert gathered.logged == gathered.statistics.series["loss"].count == count
    assert (gathered.points[0].step, gathered.points[-1].step) == (0, count - 1)
    # What a picture must show survives every thinning.
    assert min(point.values["loss"] for point in gathered.points) == gathered.statistics.series["loss"].min == -1.0
    assert gather([]) is None


def test_a_short_history_is_kept_as_it_is() -> None:
    points = [Point(step=step, values={"loss": float(step)}) for step in range(1000)]
    gathered = gather(points)
    assert gathered is not None
    assert gathered.points == points
    assert gathered.statistics == summarise(points)
