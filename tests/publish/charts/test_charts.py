"""Charts draw what was measured and nothing between: gaps stay gaps, versions stay apart, names stay text."""

import math
import re
from datetime import date
from itertools import pairwise

import pytest

from ledger.publish.charts.axes import frame_of
from ledger.publish.charts.charts import (
    COLOURS,
    Dot,
    Line,
    Stretch,
    path_data,
    render_calendar,
    render_history,
    render_lines,
    render_scatter,
)

FRAME = frame_of([0, 4], [0, 1], width=400, height=200)


def dot(x: float, y: float, title: str = "run", url: str = "r.html", slot: int = 0) -> Dot:
    return Dot(x=x, y=y, title=title, url=url, slot=slot)


@pytest.mark.parametrize(
    ("ys", "commands"),
    [
        ([0, 1, 0], "MLL"),
        ([0, math.nan, 1, 0], "MhML"),
        ([math.inf, 0, 1, math.nan], "ML"),
        ([0, 1, math.nan, math.nan, 1], "MLMh"),
        ([math.nan, 1, math.nan], "Mh"),
        ([math.nan, -math.inf], ""),
        ([], ""),
    ],
)
def test_a_line_breaks_where_a_value_is_not_finite_and_a_lone_point_is_a_dot(ys: list[float], commands: str) -> None:
    assert re.sub(r"[^A-Za-z]", "", path_data(FRAME, list(range(len(ys))), ys)) == commands


def test_points_of_a_line_stand_where_the_scales_put_them() -> None:
    assert path_data(FRAME, [1, 2], [0.5, 0.25]) == (
        f"M{FRAME.x.place(1):.1f} {FRAME.y.place(0.5):.1f}L{FRAME.x.place(2):.1f} {FRAME.y.place(0.25):.1f}"
    )


def lines(*all_ys: list[float], name: str = "loss") -> str:
    made = [Line(name=f"{name} {number}", xs=list(range(len(ys))), ys=ys) for number, ys in enumerate(all_ys)]
    return render_lines(made, title="Curves", x_label="step", y_label="loss")


def test_there_is_no_picture_of_nothing() -> None:
    assert lines() == ""
    assert lines([math.nan], [math.inf, -math.inf]) == ""


def test_a_line_without_a_value_keeps_its_colour_and_draws_nothing() -> None:
    picture = lines([1, 2], [math.nan, math.nan], [3, 4])
    assert re.findall(r"lg-line lg-c(\d)", picture) == ["0", "2"]
    assert 'aria-label="Curves: loss 0, loss 1, loss 2"' in picture


def test_colours_come_again_with_another_dash() -> None:
    picture = lines(*[[1.0, 2.0]] * (COLOURS * 3 + 1))
    styles = re.findall(r"lg-c(\d) lg-d(\d)", picture)
    assert len(set(styles)) == COLOURS * 3
    assert styles[COLOURS * 3] == styles[0]


def test_names_of_lines_and_runs_are_text() -> None:
    hostile = "<script>\"'&"
    assert "<script>" not in lines([1, 2], name=hostile)
    picture = render_scatter([dot(1, 2, hostile, 'a"onload=x.html'), dot(2, 3)], x_label=hostile, y_label=hostile)
    assert "<script>" not in picture
    assert 'href="a"' not in picture


@pytest.mark.parametrize(
    ("xs", "log"), [([1, 50], True), ([1, 49], False), ([0, 1000], False), ([-1, 100], False), ([0.001, 0.1], True)]
)
def test_a_param_that_spans_decades_is_spread_by_logarithm_and_says_so(xs: list[float], log: bool) -> None:  # noqa: FBT001  # of pytest
    picture = render_scatter([dot(x, 1) for x in xs], x_label="lr", y_label="loss")
    assert ("lr (log)" in picture) == log
    assert picture.count("<circle") == len(xs)


def test_one_run_is_one_point_in_the_picture() -> None:
    picture = render_scatter([dot(3, 0)], x_label="lr", y_label="loss")
    (place,) = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', picture)
    assert 56 < float(place[0]) < 406
    assert 'aria-label="loss by lr, 1 runs"' in picture


def history(*ys: list[float], direction: str | None = "higher", joined: bool = True) -> str:
    stretches = [
        Stretch(label=f"v{number}", dots=[dot(at, y) for at, y in enumerate(values)])
        for number, values in enumerate(ys)
    ]
    return render_history(stretches, title="History", y_label="accuracy", direction=direction, joined=joined)


def corners_of(picture: str) -> list[list[tuple[float, float]]]:
    """Return the corners of each line: a path of steps, or straight from point to point."""
    found = []
    for path in re.findall(r'class="lg-line[^"]*" d="([^"]+)"', picture):
        corners: list[tuple[float, float]] = []
        for kind, numbers in re.findall(r"([MHV])([\d. ]+)", path):
            x, y = corners[-1] if corners else (0.0, 0.0)
            values = [float(value) for value in numbers.split()]
            corners.append((values[0], values[1]) if kind == "M" else (values[0], y) if kind == "H" else (x, values[0]))
        found.append(corners)
    joined = re.findall(r'points="([^"]+)"', picture)
    return [*found, *([(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", one)] for one in joined)]


def test_a_line_never_leaves_its_version() -> None:
    picture = history([1, 2], [3], [2, 5, 4])
    places = [float(x) for x in re.findall(r'cx="([\d.]+)"', picture)]
    # one measurement has no line
    assert [(line[0][0], line[-1][0]) for line in corners_of(picture)] == [
        (places[0], places[1]),
        (places[3], places[5]),
    ]
    assert picture.count("lg-break") == 2
    assert picture.count("<circle") == 6
    assert re.findall(r'lg-stretch"[^>]*>(v\d)', picture) == ["v0", "v1", "v2"]


def test_where_a_direction_is_known_the_line_is_the_best_so_far_in_steps() -> None:
    picture = history([1, 3, 2])
    first, second, third = ((float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', picture))
    corner = (second[0], first[1])
    assert corners_of(picture) == [[first, corner, second, (third[0], second[1])]]
    (lower,), (nobody,) = (corners_of(history([1, 3, 2], direction=direction)) for direction in ("lower", None))
    assert {y for _, y in lower} == {first[1]}
    assert nobody == [first, second, third]


def test_the_best_of_a_stretch_is_named_and_its_days_stand_below() -> None:
    day = 86_400.0
    dots = [
        Dot(x=at * day, y=y, title="t", url="u", name=name) for at, (y, name) in enumerate([(1.0, "a"), (3.0, "b <i>")])
    ]
    picture = render_history([Stretch(label="v1", dots=dots)], title="t", y_label="y", direction="higher")
    assert re.findall(r'lg-leader"[^>]*>([^<]*)<', picture) == ["b &lt;i&gt;"]
    assert re.findall(r'lg-day-name"[^>]*>([^<]*)<', picture) == ["1970-01-01", "1970-01-02"]
    assert "lg-day-name" not in history([1, 3, 2], joined=False), "their places are no times"


def test_names_and_days_of_a_history_stand_within_it_and_on_nothing_else() -> None:
    day = 86_400.0

    def dots(start: int, *values: float) -> list[Dot]:
        return [Dot(x=(start + at) * day, y=y, title="t", url="u", name="a run by name") for at, y in enumerate(values)]

    stretches = [Stretch(label="v1", dots=dots(0, *[0.9, 0.99] * 30)), Stretch(label="v2", dots=dots(99, 0.9))]
    stretches.append(Stretch(label="v3 by a program", dots=dots(200, 0.8)))
    picture = render_history(stretches, title="t", y_label="accuracy", direction="higher")
    texts = re.findall(r'<text class="([\w-]+)" x="(\d+)" y="(\d+)" text-anchor="(\w+)">([^<]*)', picture)
    placed = [
        (css, float(x) - (len(text) * 3.3 if anchor == "middle" else 0), float(y), text)
        for css, x, y, anchor, text in texts
    ]
    days = [(x, text) for css, x, _, text in placed if css == "lg-day-name"]
    assert all(x + len(text) * 6.6 <= 760 for _, x, _, text in placed), "nothing is cut at the right"
    assert all(later - (x + 66) >= 0 for (x, _), (later, _) in pairwise(days)), "no day lies on another"
    title, leader = (next(y for css, _, y, _ in placed if css == name) for name in ("lg-name", "lg-leader"))
    assert leader - title >= 14, "a line of text lies between"
    lower = render_history(stretches[:1], title="t", y_label="loss", direction="lower")
    bottom = max(float(y) for y in re.findall(r'cy="([\d.]+)"', lower))
    assert float(re.findall(r'lg-leader" x="\d+" y="(\d+)"', lower)[0]) > bottom + 10, "below the best, where no dot is"


def test_what_cannot_be_joined_has_points_and_no_line() -> None:
    picture = history([1, 3, 2], joined=False)
    assert corners_of(picture) == []
    assert picture.count("<circle") == 3


@pytest.mark.parametrize("ys", [[[1.0]], [[1.0], [2.0]], [[0.0, 0.0]]])
def test_few_measurements_stand_within_the_picture(ys: list[list[float]]) -> None:
    places = [float(x) for x in re.findall(r'cx="([\d.]+)"', history(*ys))]
    assert len(places) == sum(map(len, ys))
    assert all(56 <= x <= 746 for x in places)
    assert len(set(places)) == len(places)


def test_the_calendar_counts_the_days_of_its_year_and_shades_them() -> None:
    counts = {"2026-11-20": (1, 0), "2026-11-19": (40, 3), "2020-01-01": (9, 9)}
    picture = render_calendar(counts, date(2026, 11, 20))
    assert "up to 2026-11-20: 41 runs" in picture
    assert "<title>2026-11-20: 1 run</title>" in picture
    assert "<title>2026-11-19: 40 runs, 3 not finished</title>" in picture
    assert picture.count("<rect") == 52 * 7 + date(2026, 11, 20).weekday() + 1
    levels = dict(re.findall(r'lg-l(\d)"[^>]*><title>([\d-]+)', picture)[::-1])
    assert {day: level for level, day in levels.items()} == {"2026-11-20": "1", "2026-11-19": "4"}


def test_a_calendar_of_no_runs_is_a_year_of_empty_days() -> None:
    picture = render_calendar({}, date(2026, 1, 1))
    assert "0 runs" in picture
    assert set(re.findall(r"lg-l(\d)", picture)) == {"0"}
