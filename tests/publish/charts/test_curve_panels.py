import json
from collections.abc import Callable

import pytest

from ledger.analysis.data.curves import Point, render_curves
from ledger.model.entries import StoredRun
from ledger.publish.charts.curve_panels import (
    PANELS_SHOWN,
    POINTS_SHOWN,
    axis_of,
    encode_curves,
    line_of,
    panels_of,
    read_points,
    try_points,
)
from tests.samples import sample_ledger

NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture(scope="module")
def run() -> StoredRun:
    return next(run for run in sample_ledger()[0].runs if run.record.results.curves)


def giving(data: bytes) -> Callable[[str], bytes]:
    return lambda _: data


def content(run: StoredRun, points: list[Point]) -> dict[str, dict[str, list[object]]]:
    """What the script hands to the page."""
    found: dict[str, dict[str, list[object]]] = json.loads(encode_curves(run, points))
    return found


def test_where_the_training_broke_the_page_gets_the_word_and_where_nothing_was_logged_null(run: StoredRun) -> None:
    values: list[dict[str, float]] = [{"loss": 1.0}, {"loss": NAN}, {"lr": 0.1}, {"loss": -INFINITY}]
    points = [Point(step=step, values=each) for step, each in enumerate(values)]
    assert content(run, points)["series"]["loss"] == [1.0, "NaN", None, "-Infinity"]


def test_the_page_gets_five_digits_and_only_axes_that_every_point_has(run: StoredRun) -> None:
    points = [Point(step=1, epoch=0.5, values={"a": 0.123456789}), Point(step=2, values={"a": 1234567.0})]
    found = content(run, points)
    assert found["series"]["a"] == [0.12346, 1234600.0]
    assert found["x"] == {"step": [1, 2]}


def test_a_hostile_name_of_a_series_stays_text_in_the_script(run: StoredRun) -> None:
    name = 'a"); alert(1); ("\N{RIGHT-TO-LEFT OVERRIDE}'
    (shown,) = content(run, [Point(step=1, values={name: 1.0})])["series"]
    assert shown == name.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "⟨U+202E⟩")


def test_a_long_history_is_thinned_and_a_short_one_is_whole(run: StoredRun) -> None:
    long = [Point(step=step, values={"loss": 1 / (step + 1)}) for step in range(1000)]
    assert len(read_points(run, giving(render_curves(long)))) <= POINTS_SHOWN
    assert read_points(run, giving(render_curves(long[:50]))) == long[:50]


def test_a_damaged_file_costs_the_page_its_curves_and_says_why(run: StoredRun) -> None:
    points, why = try_points(run, giving(b"step,epoch\n1"))
    assert points == []
    assert why is not None
    assert "curves.csv" in why


@pytest.mark.parametrize(
    ("points", "axis"),
    [
        ([Point(step=1, epoch=1, values={}), Point(step=2, epoch=2, values={})], ("step", [1.0, 2.0])),
        ([Point(step=1, epoch=1, values={}), Point(epoch=2, values={})], ("epoch", [1.0, 2.0])),
        ([Point(seconds=0.5, values={})], ("seconds", [0.5])),
        ([Point(values={}), Point(step=2, values={})], ("point", [0.0, 1.0])),
        ([], ("point", [])),
    ],
)
def test_the_axis_is_the_first_that_every_point_has(points: list[Point], axis: tuple[str, list[float]]) -> None:
    assert axis_of(points) == axis


def test_a_line_has_the_points_at_which_its_series_was_logged() -> None:
    points = [Point(step=1, values={"a": 1.0}), Point(step=2, values={"b": 2.0}), Point(step=3, values={"a": 3.0})]
    line = line_of(points, [1.0, 2.0, 3.0], "a")
    assert (line.name, line.xs, line.ys) == ("a", [1.0, 3.0], [1.0, 3.0])


def test_one_metric_on_several_splits_shares_a_chart_and_the_headline_comes_first() -> None:
    values = {"train/f1": 0.1, "validation/f1": 0.2, "train/loss": 1.0, "lr": 0.1, "accuracy": 0.5}
    points = [Point(step=step, values=values) for step in range(2)]
    panels = panels_of(points, "validation/f1")
    assert [panel.title for panel in panels] == ["f1", "loss", "accuracy", "lr"]
    assert panels[0].names == ("train/f1", "validation/f1")
    assert [panel.title for panel in panels_of(points, None)][:2] == ["loss", "accuracy"]


def test_a_series_without_a_number_gets_no_chart_and_hundreds_of_series_not_hundreds_of_charts() -> None:
    assert panels_of([Point(step=1, values={"loss": NAN})], None) == []
    many = [Point(step=1, values={f"s{index:03}": 1.0 for index in range(200)})]
    assert len(panels_of(many, None)) == PANELS_SHOWN
