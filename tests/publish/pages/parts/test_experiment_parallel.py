"""When the page of an experiment draws parallel coordinates, and what is said below them."""

import pytest

from ledger.model.entries import StoredRun
from ledger.model.values import Direction
from ledger.publish.pages.parts import experiment_parallel
from ledger.publish.pages.parts.experiment_parallel import ParallelChart
from ledger.publish.pages.parts.experiment_scatters import headline_values
from tests.publish.pages.test_page_limits import atlas_of, one_run


def chart_of(runs: list[StoredRun], *ranked: str, direction: Direction | None = "higher") -> ParallelChart | None:
    group = next(board.group for board in atlas_of(runs).boards if board.group.key == "validation/accuracy")
    values = headline_values(runs, group)
    return experiment_parallel.experiment_parallel(runs, ranked, group, values, direction)


def sweep(count: int) -> list[StoredRun]:
    return [
        one_run(at, 0.5 + 0.01 * at, params={"lr": 0.1 * (at % 3), "optimizer": "ab"[at % 2], "seed": at})
        for at in range(count)
    ]


def test_two_params_and_five_runs_have_a_chart_and_less_has_none() -> None:
    assert chart_of(sweep(8), "lr", "optimizer", "seed") is not None
    assert chart_of(sweep(8), "lr", "seed") is None
    assert chart_of(sweep(4), "lr", "optimizer") is None


def test_the_best_quarter_has_the_strongest_colour_whichever_way_is_better() -> None:
    for direction, best in (
        ("higher", 'lg-strand-3" data-lg-runs="6 7"'),
        ("lower", 'lg-strand-3" data-lg-runs="0 1"'),
    ):
        chart = chart_of(sweep(8), "lr", "optimizer", direction=direction)  # type: ignore[arg-type]  # one of two
        assert chart is not None
        assert best in chart.svg
        assert "the better its quarter" in chart.says
    unknown = chart_of(sweep(8), "lr", "optimizer", direction=None)
    assert unknown is not None
    assert "the higher its quarter" in unknown.says


def test_however_many_are_as_good_the_best_have_the_strongest_colour() -> None:
    runs = [
        one_run(at, min(0.9, round(0.7 + 0.1 * at, 3)), params={"lr": 0.1 * (at % 3), "b": at % 2}) for at in range(8)
    ]
    chart = chart_of(runs, "lr", "b")
    assert chart is not None
    assert 'lg-strand-3" data-lg-runs="2 3 4 5 6 7"' in chart.svg


def test_runs_that_are_not_drawn_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = sweep(8)
    runs[3] = one_run(3, 0.5, params={"lr": 0.1}, status="failed")
    chart = chart_of(runs, "lr", "optimizer")
    assert chart is not None
    assert chart.says.endswith("7 of 8 runs are drawn: those that finished and have all values on this data.")
    monkeypatch.setattr(experiment_parallel, "LINES_SHOWN", 5)
    chart = chart_of(runs, "lr", "optimizer")
    assert chart is not None
    assert chart.says.endswith("5 of 8 runs are drawn: the newest of those that have all values on this data.")
