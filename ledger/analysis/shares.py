"""Metrics that are a share of right or wrong answers: the error behind them, and how far samples can show it."""

import math
import re
from collections.abc import Mapping

from ledger.model.boxes import Metric
from ledger.model.entries import DatasetVersion, Run
from ledger.model.values import Document

_ERROR_WORDS = {"error", "errors", "err"}
"""What the name of a share of wrong answers says: a loss is lower-is-better too, and is no share."""
_MEASURED_WORDS = {"squared", "square", "absolute", "mean", "log", "relative", "percentage", "standard"}
"""With these an error is a distance (`mean_squared_error`), not a share."""


class Share(Document, frozen=True, kw_only=True):
    """An error with its standard error."""

    error: float
    """Part of the answers that are wrong, 0 to 1."""
    noise: float
    """Standard error of a part that was counted on so many samples."""


def share_of(run: Run, key: str, versions: Mapping[str, DatasetVersion]) -> Share | None:
    """Return the error behind a metric of a run; none where it is no share, or nobody knows of how many samples.

    Args:
        run: the run.
        key: metric and split.
        versions: content hash to dataset version: how many samples each has.
    """
    metric = run.record.metric(key)
    if metric is None or why_no_share(metric) is not None:
        return None
    samples = _samples(run, metric, versions)
    if not samples:
        return None
    error = 1 - metric.number if metric.direction == "higher" else metric.number
    # A part of none or all has no spread of its own: as if half a sample more had gone the other way.
    safe = min(max(error, 0.5 / samples), 1 - 0.5 / samples)
    return Share(error=error, noise=math.sqrt(safe * (1 - safe) / samples))


def why_no_share(metric: Metric) -> str | None:
    """Return why a metric is no share of right or wrong answers; none where it is one."""
    if metric.direction is None:
        return "nobody said which values are better: state it in policy.yaml, under directions"
    if not 0 <= metric.number <= 1:
        return "it does not lie between 0 and 1"
    words = set(re.split(r"[^a-z]+", metric.name.lower()))
    if metric.direction == "lower" and (not words & _ERROR_WORDS or words & _MEASURED_WORDS):
        return "lower is better, and its name does not say that it is a part of the answers, such as `error_rate`"
    return None


def why_silent(run: Run, name: str) -> str | None:
    """Return why nothing can be said of the errors of a run in a metric, or none where something can.

    Args:
        run: the run.
        name: the metric, without its split.
    """
    measured = [metric for metric in run.record.results.metrics if metric.name == name]
    if not measured:
        return f"the run has no such metric: `{name}`"
    return next((f"`{metric.key}`: {why}" for metric in measured if (why := why_no_share(metric))), None)


def _samples(run: Run, metric: Metric, versions: Mapping[str, DatasetVersion]) -> int | None:
    for use in run.record.datasets.used:
        if use.hash is not None and (use.hash == metric.dataset_hash or use.split == metric.split):
            version = versions.get(use.hash)
            return (version.samples if version else None) or use.samples
    return None
