"""History of a metric: each run as a point in time, and the best so far, which starts again with each version."""

import math
from collections.abc import Iterable
from datetime import datetime

from ledger.analysis.comparing.leaderboard import SettingBoard, latest_metrics
from ledger.model.entries import StoredRun
from ledger.model.values import Document


class HistoryPoint(Document, frozen=True, kw_only=True):
    """One run in time."""

    at: datetime
    """Time at which it started."""
    value: float
    """Its value."""
    best: float
    """The best so far on the same version; the value itself where nobody said which values are better."""
    run: str
    """Run id."""


def best_so_far(board: SettingBoard, runs: Iterable[StoredRun]) -> list[HistoryPoint]:
    """Return the runs of a board in order of time; those without a finite value are left out."""
    counted = {name for place in board.places for name in place.runs}
    points: list[HistoryPoint] = []
    better = min if board.direction == "lower" else max
    best: float | None = None
    for run in sorted(runs, key=lambda run: (run.record.timing.started_at, run.record.id)):
        metric = latest_metrics(run).get(board.group.id)
        if run.record.id not in counted or metric is None or not math.isfinite(metric.number):
            continue
        value = metric.number
        best = value if best is None or board.direction is None else better(best, value)
        points.append(HistoryPoint(at=run.record.timing.started_at, value=value, best=best, run=run.record.id))
    return points
