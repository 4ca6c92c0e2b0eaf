"""Curves and scatter charts of an experiment: settings with bands, metrics before schedules, what is left out."""

import re
from datetime import timedelta

import msgspec
import pytest

from ledger.analysis.comparing.comparable import Group
from ledger.model.entries import StoredRun
from ledger.publish.charts.charts import LINKS_SHOWN
from ledger.publish.pages.parts import experiment_scatters
from ledger.publish.pages.parts.experiment_curves import series_in_order
from ledger.publish.pages.parts.experiment_scatters import experiment_scatters as scatters_of
from ledger.publish.pages.parts.experiment_scatters import headline_values
from tests.publish.pages.test_page_limits import atlas_of, experiment, one_run
from tests.sample_boxes import START, V1_HASH

HEADLINE = Group(key="validation/accuracy", dataset="d@v1", dataset_hash=V1_HASH, evaluator="")


def logging(*series: str) -> StoredRun:
    run = one_run()
    curves = run.record.results.curves
    assert curves is not None
    results = msgspec.structs.replace(run.record.results, curves=msgspec.structs.replace(curves, series=list(series)))
    return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, results=results))


@pytest.mark.parametrize(
    ("logged", "first"),
    [
        (["lr", "train/loss", "validation/accuracy"], "validation/accuracy"),
        (["lr", "train/accuracy", "validation/loss", "test/accuracy"], "test/accuracy"),
        (["lr", "optimizer/lr-Adam", "train/loss", "validation/loss"], "validation/loss"),
        (["lr", "grad_norm"], "grad_norm"),
        (["lr"], "lr"),
    ],
)
def test_the_series_nearest_to_the_headline_comes_first_and_a_schedule_last(logged: list[str], first: str) -> None:
    runs = [logging(*logged)] * 3
    order = series_in_order(runs, HEADLINE)
    assert order[0] == first
    assert set(order) == set(logged)
    if len(logged) > 1:
        assert "lr" in order[-1]


def test_seeds_of_one_setting_are_one_line_with_a_band_and_the_best_setting_comes_first() -> None:
    runs = [
        one_run(at, 0.8 + 0.01 * at, params={"lr": lr, "seed": at}, started=START + timedelta(hours=at))
        for at, lr in enumerate([0.1, 0.1, 0.2, 0.3])
    ]
    page = experiment(runs)
    drawn = page.attributes("g", "data-lg-runs")
    charts = len(page.attributes("div", "data-lg-name"))
    assert drawn[:3] == ["0 1", "2", "3"], "the best is drawn last, so that it lies in front"
    assert sum("lg-band" in (one or "") for one in page.attributes("path", "class")) == charts, "one band a chart"
    assert "bands reach from the smallest to the largest of them" in page.text
    assert re.search(r"lr 0\.3 0\.83 1 run\W+lr 0\.2 0\.82 1 run\W+lr 0\.1 0\.805 mean of 2", page.text)


def test_where_nothing_was_repeated_no_band_is_spoken_of() -> None:
    text = experiment([one_run(at, 0.8 + 0.01 * at) for at in range(3)]).text
    assert "Each line is one run: no setting was repeated, so there is no band." in text


def test_a_run_that_did_not_finish_is_counted_and_drawn_only_where_no_other_is() -> None:
    runs = [one_run(at, 0.8, status="failed" if at else "finished") for at in range(3)]
    text = experiment(runs).text
    assert "2 runs that did not finish, or do not count, are not drawn." in text
    assert "are not drawn" not in experiment(runs[1:]).text.partition("Learning curves")[2].partition("Runs")[0]
    assert experiment(runs[1:]).attributes("g", "data-lg-runs")


def test_many_runs_are_one_path_and_what_is_not_drawn_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [one_run(at, 0.5 + 0.001 * at, params={"lr": at}) for at in range(LINKS_SHOWN + 2)]
    runs[0] = one_run(0, 0.5, params={"lr": 0}, status="failed")
    group = next(board.group for board in atlas_of(runs).boards if board.group.key == "validation/accuracy")
    (chart,) = scatters_of(runs, ["lr"], group, headline_values(runs, group))
    assert "<a " not in chart.svg
    assert chart.svg.count("M", chart.svg.index("lg-many")) == LINKS_SHOWN + 1
    assert chart.says == "121 of 122 runs are drawn: those that finished and have both values on this data."
    monkeypatch.setattr(experiment_scatters, "DOTS_SHOWN", 50)
    (chart,) = scatters_of(runs, ["lr"], group, headline_values(runs, group))
    assert chart.says == "50 of 122 runs are drawn: the newest of those with both values on this data."
    assert chart.svg.count("<a ") == 50
    assert f'data-lg-run="{LINKS_SHOWN + 1}"' in chart.svg
    assert 'data-lg-run="0"' not in chart.svg
