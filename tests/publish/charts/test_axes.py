"""Scales put every value in its place, and ticks are round numbers that lie within them."""

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.publish.charts.axes import Scale, frame_of, name_at, picture, scale_of, tick_text


def test_a_linear_scale_is_even_and_may_run_upwards() -> None:
    scale = Scale(low=0, high=10, start=100, end=0)
    assert [scale.place(value) for value in (0, 5, 10)] == [100, 50, 0]


def test_equal_ratios_are_equal_distances_on_a_logarithmic_scale() -> None:
    scale = Scale(low=0.01, high=100, start=0, end=400, log=True)
    assert [round(scale.place(value), 6) for value in (0.01, 0.1, 1, 100)] == [0, 100, 200, 400]


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (0.13, 0.98, 4, [0.25, 0.5, 0.75]),
        (-3, 3, 3, [-2, 0, 2]),
        (1_000_000, 1_000_004, 4, [1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004]),
        (5e-324, 2e-323, 5, [5e-324]),
    ],
)
def test_ticks_are_round(low: float, high: float, count: int, ticks: list[float]) -> None:
    assert Scale(low=low, high=high, start=0, end=1).ticks(count) == pytest.approx(ticks, abs=0)


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (0.0009, 1.1, 6, [0.001, 0.01, 0.1, 1]),
        (1e-6, 1e6, 4, [1e-6, 1e-2, 1e2, 1e6]),
        (2, 9, 4, [2, 4, 6, 8]),
        (5, 20, 3, [5, 10, 15, 20]),
    ],
)
def test_ticks_of_a_logarithm_are_powers_where_there_are_two(
    low: float, high: float, count: int, ticks: list[float]
) -> None:
    assert Scale(low=low, high=high, start=0, end=1, log=True).ticks(count) == pytest.approx(ticks)


reals = st.floats(-1e300, 1e300)


@given(values=st.lists(reals, min_size=1, max_size=5), count=st.integers(2, 8))
def test_every_value_lies_on_its_scale_and_so_does_every_tick(values: list[float], count: int) -> None:
    assume(max(values) - min(values) > 1e-9 * max(map(abs, values)) or max(values) == min(values))
    scale = scale_of(values, 0, 100)
    assert scale.low < scale.high
    assert all(-1e-6 <= scale.place(value) <= 100 + 1e-6 for value in values)
    ticks = scale.ticks(count)
    assert ticks == sorted(ticks)
    assert len(ticks) <= 3 * count
    assert all(-1e-3 <= scale.place(tick) <= 100 + 1e-3 for tick in ticks)


@given(values=st.lists(st.floats(1e-300, 1e307), min_size=1, max_size=5))
def test_every_positive_value_lies_on_a_logarithmic_scale(values: list[float]) -> None:
    scale = scale_of(values, 0, 100, log=True)
    assert all(-1e-6 <= scale.place(value) <= 100 + 1e-6 for value in values)


@given(values=st.lists(st.floats(-1.7e308, 1.7e308), min_size=1, max_size=4))
def test_very_large_and_very_small_floats_break_no_picture(values: list[float]) -> None:
    for scale in (scale_of(values, 0, 100), scale_of([abs(value) or 1.0 for value in values], 0, 100, log=True)):
        assert all(math.isfinite(tick) for tick in scale.ticks(5))
    assert all(math.isfinite(scale_of(values, 0, 100).place(value)) for value in values)


@pytest.mark.parametrize(("value", "low", "high"), [(5.0, 4.5, 5.5), (-5.0, -5.5, -4.5), (0.0, -1.0, 1.0)])
def test_one_value_stands_in_the_middle(value: float, low: float, high: float) -> None:
    scale = scale_of([value, value], 0, 100)
    assert (scale.low, scale.high, scale.place(value)) == (low, high, 50)
    assert scale_of([4.0], 0, 100, log=True).place(4.0) == pytest.approx(50)


def test_labels_are_text_whatever_they_say() -> None:
    assert "<b>" not in name_at(1, 2, "<b>")
    assert "&lt;b&gt;" in name_at(1, 2, "<b>")
    frame = frame_of([1, 2], [0, 1], width=400, height=200)
    picture = frame.render('"><script>', frame.render_grid("<x>", "<y>"))
    assert not re.search(r"<script>|<x>|<y>|label=\"\"", picture)


def test_a_frame_leaves_room_for_its_labels_and_grows_downwards() -> None:
    frame = frame_of([1, 10], [0, 1], width=400, height=200)
    assert (frame.x.start, frame.x.end, frame.y.start, frame.y.end) == (56, 386, 156, 26)
    assert frame.y.place(1) < frame.y.place(0)
    assert frame_of([1, 1000], [0, 1], width=400, height=200, x_log=True).x.log


def test_a_tick_is_written_as_numbers_are_on_a_page() -> None:
    assert [tick_text(value) for value in (-1, 0.25, 20_000)] == ["\u22121", "0.25", "20k"]


def test_a_chart_with_links_is_no_image_which_would_hide_them_from_screen_readers() -> None:
    assert 'role="img"' in picture(10, 10, "plain", "<path/>")
    assert 'role="group"' in picture(10, 10, "linked", '<a href="x"><path/></a>')
