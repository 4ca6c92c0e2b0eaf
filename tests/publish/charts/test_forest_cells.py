"""Settings on one scale: where the mean, the interval and the runs stand, and what lies beyond the axis."""

import re
from collections.abc import Sequence

import pytest

from ledger.publish.charts.forest_cells import Cell, Forest, render_forest


def cell(*values: float, interval: tuple[float, float] | None = None, leading: bool = False) -> Cell:
    return Cell(values=values, mean=sum(values) / len(values), interval=interval, leading=leading)


def forest(cells: Sequence[Cell], *, higher: bool = True) -> Forest:
    made = render_forest(cells, higher=higher)
    assert made is not None
    return made


def mean_of(svg: str) -> float:
    found = re.search(r'lg-forest-mean" d="M([\d.]+) ', svg)
    assert found, svg
    return float(found[1])


def test_cells_share_one_scale_and_the_dotted_line_is_the_best_mean() -> None:
    made = forest([cell(0.9, 0.92), cell(0.8), cell(0.7)])
    places = [mean_of(svg) for svg in made.cells]
    assert places == sorted(places, reverse=True)
    assert (places[0] - places[1]) / (places[1] - places[2]) == pytest.approx(1.1, rel=0.01)
    best = {re.search(r'lg-forest-best" d="M([\d.]+) ', svg)[1] for svg in made.cells}  # type: ignore[index]
    assert {float(place) for place in best} == {places[0]}
    assert [svg.count("lg-forest-run") for svg in made.cells] == [2, 0, 0], "a lone run is its mean"
    lower = forest([cell(0.1), cell(0.2)], higher=False)
    assert float(re.search(r'lg-forest-best" d="M([\d.]+) ', lower.cells[1])[1]) == mean_of(lower.cells[0])  # type: ignore[index]


def test_an_interval_is_a_line_around_the_mean_and_is_cut_far_beyond_the_runs() -> None:
    made = forest([cell(0.9, interval=(0.88, 0.92)), cell(0.8, interval=(-50.0, 50.0))])
    low, high = map(float, re.findall(r'lg-forest-line" d="M([\d.]+) 8.0H([\d.]+)"', made.cells[0])[0])
    assert low < mean_of(made.cells[0]) < high
    assert "-50" in made.cells[1] or "\u221250" in made.cells[1], "its true ends are told in words"
    wide = re.findall(r'lg-forest-line" d="M([\d.]+) 8.0H([\d.]+)"', made.cells[1])[0]
    assert [float(end) for end in wide] == [2.0, 258.0]
    assert mean_of(made.cells[0]) - mean_of(made.cells[1]) > 60, "it presses the others not together"


def test_a_setting_that_learned_nothing_is_an_arrow_at_the_edge() -> None:
    made = forest([cell(0.95), cell(0.94), cell(0.93), cell(0.92), cell(0.1)])
    assert made.off == 1
    assert ["lg-forest-off" in svg for svg in made.cells] == [False] * 4 + [True]
    assert "mean 0.1 of 1 run, no interval" in made.cells[4]


@pytest.mark.parametrize("cells", [[], [cell(0.9), cell(0.9)], [cell(-1.7e308), cell(1.7e308)], [cell(1e308), cell(1)]])
def test_where_no_axis_shows_the_values_there_is_no_picture(cells: list[Cell]) -> None:
    assert render_forest(cells, higher=True) is None


def test_those_that_may_be_best_look_so() -> None:
    made = forest([cell(0.9, leading=True), cell(0.8)])
    assert ["lg-forest-lead" in svg for svg in made.cells] == [True, False]
