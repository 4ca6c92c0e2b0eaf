"""Metrics of a run that logged curves and stated none: the last values, marked with their origin."""

import math

from ledger.analysis.data.curves import Gathered
from ledger.capture.outputs.metrics import LAST_VALUE
from ledger.model.boxes.outputs import Metric
from ledger.model.directions import known_direction
from ledger.store.branch.policy import Policy

_MOST = 50
"""Most series that become metrics; a run that logs more has none that represents it."""


def metrics_of_curves(curves: Gathered | None, policy: Policy) -> list[Metric]:
    """Return the last value of each series whose direction is known, as a metric with origin `curve`.

    Their evaluator names this rule, so that they are compared with each other and never with stated metrics.
    """
    made: list[Metric] = []
    for name, series in (curves.statistics.series if curves else {}).items():
        split, slash, bare = name.partition("/")
        direction = policy.directions.get(name) or policy.directions.get(bare) or known_direction(bare or name)
        if direction is None or not math.isfinite(float(series.last)):
            continue
        step, epoch = _where(curves, name, float(series.last))
        made.append(
            Metric(
                name=bare if slash and bare else name,
                value=series.last,
                split=split if slash and bare else None,
                direction=direction,
                evaluator=LAST_VALUE,
                origin="curve",
                step=step,
                epoch=epoch,
            )
        )
    return made if len(made) <= _MOST else []


def _where(curves: Gathered | None, name: str, last: float) -> tuple[int | None, float | None]:
    """Return step and epoch of the last value of a series, where that point was kept."""
    for point in reversed(curves.points if curves else []):
        if name in point.values:
            return (point.step, point.epoch) if point.values[name] == last else (None, None)
    return None, None
