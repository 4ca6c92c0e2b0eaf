"""What a leaderboard shows of production."""

from datetime import timedelta

import msgspec

from ledger.analysis.comparing.comparable import Leaderboard
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Contents
from ledger.publish.pages.board_page import render_board
from ledger.publish.site.site_data import Atlas, survey
from tests.samples import START, sample_run

WEEKS = ("2026-11-01/2026-11-07", "2026-11-08/2026-11-14")


def clicks(value: float, period: str) -> Metric:
    label = f"production {period}"
    return Metric(
        name="click_accuracy", split="online", value=value, direction="higher", period=period, dataset=label,
        dataset_hash=label,
    )  # fmt: skip


def atlas_of(count: int) -> Atlas:
    runs = []
    for at in range(count):
        started = START + timedelta(minutes=at)
        run = sample_run({}, at, experiment="study", params={"lr": at}, accuracy=0.5 + at / 100, started=started)
        (metric, *_) = run.record.results.metrics
        both = [metric, *(clicks(0.1 + at / 100 + week, period) for week, period in enumerate(WEEKS))]
        results = msgspec.structs.replace(run.record.results, metrics=both, headline=metric.key)
        runs.append(msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, results=results)))
    return survey(Contents(tip="1" * 40, runs=tuple(runs)), [], None)


def page_of(atlas: Atlas, key: str) -> str:
    board: Leaderboard = next(board for board in atlas.boards if board.group.key == key)
    return render_board(board, atlas).content


def test_the_board_of_an_offline_metric_says_whether_production_agrees() -> None:
    page = page_of(atlas_of(7), "validation/accuracy")
    assert page.count("they agree") == len(WEEKS)
    assert page.count("lg-scatter") == len(WEEKS)
    assert "1 (" in page
    assert "Over time" not in page


def test_few_runs_are_said_to_be_few() -> None:
    page = page_of(atlas_of(3), "validation/accuracy")
    assert "not enough runs: 3 runs with both" in page
    assert "they agree" not in page


def test_an_online_metric_has_a_stretch_of_dots_for_each_period_and_no_line() -> None:
    page = page_of(atlas_of(4), "online/click_accuracy")
    assert "<polyline" not in page
    assert page.partition("<h2>Over time</h2>")[2].count("<circle") == 4 * len(WEEKS)
    assert "other days have other users" in page
    assert "a harder validation set" not in page
    assert page.count("lg-break") == len(WEEKS) - 1
    assert all(f">{week}<" in page for week in WEEKS)
    assert "In production" not in page
