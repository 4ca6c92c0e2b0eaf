"""A run that only logged curves has results: the last values, marked, and never ranked with what was said."""

from pathlib import Path

import msgspec
import pytest

from ledger.analysis.comparing.comparable import leaderboards
from ledger.analysis.data.curves import Point, gather
from ledger.analysis.query.row import line_of
from ledger.capture.outputs.metrics import LAST_VALUE
from ledger.model.boxes.outputs import Metric
from ledger.recorder.record.draft import Dataset
from ledger.store.branch.branch import Branch
from tests.recorder.record.test_record import add, draft

POINTS = [
    Point(step=1, values={"train/loss": 0.9, "val/loss": 0.8, "lr": 0.1}),
    Point(step=2, values={"train/loss": 0.5, "val/loss": 0.6, "lr": 0.1}),
    Point(step=3, values={"train/loss": 0.4, "lr": 0.1}),
]


@pytest.fixture
def folder(repo: Path) -> str:
    (repo / "data").mkdir()
    (repo / "data" / "a.txt").write_text("1")
    return str(repo / "data")


def test_the_last_values_stand_in_for_metrics_that_nobody_said(ledger: Branch, folder: str) -> None:
    made = draft(curves=gather(POINTS), datasets=[Dataset(role="validation", path=folder, name="v", version="v1")])
    results = add(ledger, made).record.results
    assert [(one.key, one.value, one.step, one.origin, one.dataset) for one in results.metrics] == [
        ("train/loss", 0.4, 3, "curve", None),
        ("validation/loss", 0.6, 2, "curve", "v@v1"),
    ]
    assert {one.evaluator for one in results.metrics} == {LAST_VALUE}
    assert results.headline == "validation/loss"
    assert results.unknown["metrics"] == "no metric was given; those here are the last values of the curves"
    (run,) = ledger.contents().runs
    assert "0.6 validation/loss (from the curve)" in line_of(run)[2]


def test_what_was_said_wins(ledger: Branch) -> None:
    said = Metric(name="loss", value=0.7, split="validation")
    assert add(ledger, draft(curves=gather(POINTS), metrics=[said])).record.results.metrics == [said]


def test_what_is_from_the_curve_never_ranks_with_what_was_said(ledger: Branch, folder: str) -> None:
    datasets = [Dataset(role="validation", path=folder, name="v", version="v1")]
    add(ledger, draft(1, curves=gather(POINTS), datasets=datasets))
    said = Metric(name="loss", value=0.7, split="validation", direction="lower")
    add(ledger, draft(2, metrics=[said], datasets=datasets))
    boards = [board for board in leaderboards(ledger.contents().runs) if board.group.known]
    assert sorted(board.group.label for board in boards) == [
        "validation/loss on v@v1",
        f"validation/loss on v@v1, evaluator {LAST_VALUE}",
    ]


def test_series_of_which_nobody_knows_what_is_better_and_broken_ones_give_no_metric(ledger: Branch) -> None:
    points = [Point(step=1, values={"lr": 0.1, "loss": float("nan"), "grad": 3.0})]
    results = add(ledger, draft(curves=gather(points))).record.results
    assert results.metrics == []
    assert results.unknown["metrics"] == "no metric was given"


def test_folds_and_their_deviation_are_kept(ledger: Branch) -> None:
    folds = Metric(name="accuracy", value=0.91, folds=[0.9, 0.92, 0.91])
    (kept,) = add(ledger, draft(metrics=[folds])).record.results.metrics
    assert kept.folds == [0.9, 0.92, 0.91]
    assert kept.deviation == pytest.approx(0.01)
    assert msgspec.structs.replace(kept, folds=[0.9]).deviation is None
