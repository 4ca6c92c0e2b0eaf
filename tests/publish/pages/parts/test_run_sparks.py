"""Small curves in the table of an experiment: what they say, how many points and nodes they have, and when none."""

import re

import pytest

from ledger.analysis.data.curves import Point
from ledger.model.values import Direction
from ledger.publish.pages.parts import run_sparks as module
from ledger.publish.pages.parts.run_sparks import POINTS_DRAWN, run_sparks
from tests.publish.pages.test_page_limits import experiment, one_run

SERIES = "validation/accuracy"


def spark(values: list[float], direction: Direction | None = "higher") -> str:
    run = one_run()
    points = [Point(step=step, values={SERIES: value, "lr": 0.1}) for step, value in enumerate(values)]
    found = run_sparks([run], SERIES, direction, {run.record.id: points}.__getitem__)
    return "" if found is None else str(found.by_run[run.record.id])


def label(svg: str) -> str:
    return svg.partition('aria-label="')[2].partition('"')[0]


def test_it_says_the_first_the_last_and_the_best_value_where_somebody_said_what_better_is() -> None:
    assert label(spark([0.5, 0.9, 0.75])) == f"{SERIES}: 0.5 → 0.75, best 0.9"
    assert label(spark([0.5, 0.9, 0.75], "lower")) == f"{SERIES}: 0.5 → 0.75, best 0.5"
    assert label(spark([0.5, 0.9, 0.75], None)) == f"{SERIES}: 0.5 → 0.75"


def test_it_is_two_nodes_with_few_points_and_keeps_the_best_one() -> None:
    svg = spark([0.5] * 400 + [0.9] + [0.5] * 400)
    assert re.findall(r"<(\w+)", svg) == ["svg", "path"]
    assert len(re.findall(r"[ML][\d.]+ [\d.]+", svg)) <= POINTS_DRAWN
    assert label(svg).endswith("best 0.9")
    assert len(svg) < 1500


def test_one_point_is_a_dot_a_gap_breaks_it_and_nothing_finite_is_no_curve() -> None:
    assert re.search(r'd="M[\d.]+ [\d.]+h.1"', spark([0.5]))
    assert spark([0.5, 0.6, float("nan"), 0.7, 0.8]).count("M") == 2
    assert spark([float("nan")] * 3) == ""


def test_the_table_of_an_experiment_has_a_curve_for_each_run_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [one_run(at, 0.5 + 0.01 * at) for at in range(4)]
    page = experiment(runs)
    named = [given["aria-label"] or "" for tag, given in page.tags if "lg-run-spark" in (given.get("class") or "")]
    assert len(named) == 4
    assert all(one.startswith(f"{SERIES}: ") and ", best " in one for one in named)
    monkeypatch.setattr(module, "ROWS_DRAWN", 3)
    assert "lg-run-spark" not in str(experiment(runs).tags)


def test_an_experiment_of_many_runs_stays_small() -> None:
    page = experiment(one_run(at, 0.5 + 0.0001 * at) for at in range(2500))
    assert len(page.tags) < 3000
