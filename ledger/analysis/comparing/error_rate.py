"""Metrics that are shares of right or wrong answers: their error, and its standard error."""

import math
import re
from collections.abc import Mapping, Sequence

from ledger.model.boxes.outputs import Metric
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.values import Document

_ERROR_WORDS = {"error", "errors", "err"}
"""Words in names of shares of wrong answers: a loss is lower-is-better, too, but no share."""
_MEASURED_WORDS = {"squared", "square", "absolute", "mean", "log", "relative", "percentage", "standard"}
"""Words that make an error a distance (`mean_squared_error`), not a share."""


_BY_NAME = {
    "accuracy", "acc", "precision", "recall", "f1", "auc", "auroc", "auprc", "iou", "miou", "dice", "specificity",
    "sensitivity",
}  # fmt: skip
"""Words in names of metrics that lie between 0 and 1 by definition."""
_PERCENT = 100.0
_NO_PART_OF_ONE = 0.01
"""Part of a sample within which an error is a whole number of them: a 32-bit float is exact to 6e-8 of its value."""
_MANY = 3
"""Fewest values that establish a range, where the metric's name does not."""
_ABOUT = 2.0
"""Tolerance of a factor of a hundred between two values that are the same in two units."""


class Share(Document, frozen=True, kw_only=True):
    """An error with its standard error."""

    error: float
    """Share of the answers that are wrong, 0 to 1."""
    noise: float
    """Standard error of that share, given the number of samples."""


def share_of(run: StoredRun, key: str, versions: Mapping[str, DatasetVersion]) -> Share | None:
    """Return the error behind a metric of a run; none where it is no share, or the number of samples is unknown.

    Args:
        run: the run.
        key: metric and split.
        versions: dataset version by content hash, for the number of samples.
    """
    metric = run.record.metric(key)
    if metric is None or why_no_share(metric) is not None:
        return None
    samples = _samples(run, metric, versions)
    if not samples:
        return None
    error = 1 - metric.number if metric.direction == "higher" else metric.number
    wrong = round(error * samples)
    if abs(error * samples - wrong) < _NO_PART_OF_ONE:
        error = wrong / samples
    # A share of 0 or 1 would have no spread: as if half a sample more had gone the other way.
    safe = min(max(error, 0.5 / samples), 1 - 0.5 / samples)
    return Share(error=error, noise=math.sqrt(safe * (1 - safe) / samples))


def why_no_share(metric: Metric) -> str | None:
    """Return why a metric is no share of right or wrong answers; none where it is one."""
    if metric.direction is None:
        return "no direction is recorded: set it under `directions` in policy.yaml"
    if not 0 <= metric.number <= 1:
        return "its value is not between 0 and 1"
    words = set(re.split(r"[^a-z]+", metric.name.lower()))
    if metric.direction == "lower" and (not words & _ERROR_WORDS or words & _MEASURED_WORDS):
        return "lower is better, but its name is not that of a share of the answers, such as `error_rate`"
    return None


def is_share_by_name(name: str) -> bool:
    """Return whether a metric lies between 0 and 1 by definition, as `accuracy` and `top1_acc` do."""
    return not _BY_NAME.isdisjoint(re.split(r"[^a-z0-9]+", name.lower()))


def outside_range(key: str, values: Sequence[float], direction: str | None) -> list[bool]:
    """Return for each value whether it is outside of the range of the others: 93.1 beside 0.92.

    The range is that of the larger part, between 0 and 1 or above; where both parts are equal, the one that the name
    implies. A metric that is no share by its name may well exceed 1: only a value of about a hundred times the others
    is outside then, and only where there are several of them.

    Args:
        key: metric and split.
        values: comparable values, one for each run.
        direction: which are better.
    """
    inside = [0 <= value <= 1 for value in values]
    beyond = [math.isfinite(value) and not kept for value, kept in zip(values, inside, strict=True)]
    if not any(inside) or not any(beyond):
        return [False] * len(values)
    small, large = ([v for v, chosen in zip(values, which, strict=True) if chosen] for which in (inside, beyond))
    share = is_share_by_name(key.rpartition("/")[2])
    if not share and (direction != "higher" or max(len(small), len(large)) < _MANY):
        return [False] * len(values)
    if len(small) >= len(large):
        middle = sorted(small)[len(small) // 2]
        return [one and (share or _in_percent(middle, value)) for value, one in zip(values, beyond, strict=True)]
    middle = sorted(large)[len(large) // 2]
    return [one and _in_percent(value, middle) for value, one in zip(values, inside, strict=True)]


def _in_percent(small: float, large: float) -> bool:
    return small > 0 and large <= _PERCENT and _PERCENT / _ABOUT < large / small < _PERCENT * _ABOUT


def why_silent(run: StoredRun, name: str) -> str | None:
    """Return why the errors of a run in a metric are unknown; none where they are known.

    Args:
        run: the run.
        name: the metric, without its split.
    """
    measured = [metric for metric in run.record.results.metrics if metric.name == name]
    if not measured:
        return f"the run has no such metric: `{name}`"
    return next((f"`{metric.key}`: {why}" for metric in measured if (why := why_no_share(metric))), None)


def _samples(run: StoredRun, metric: Metric, versions: Mapping[str, DatasetVersion]) -> int | None:
    for use in run.record.datasets.used:
        if use.hash is not None and (use.hash == metric.dataset_hash or use.split == metric.split):
            version = versions.get(use.hash)
            return (version.samples if version else None) or use.samples
    return None
