"""Sorting by a metric, as people name it and as they are told of it; loads as little as `usual` does."""

from collections.abc import Sequence

from ledger.errors import UsageError


def metric_key(name: str) -> str | None:
    """Return the metric that a field names: `metrics.split/name`, or `split/name` alone; none for other fields."""
    if name.startswith("metrics."):
        return name.removeprefix("metrics.")
    return name if "/" in name else None


def no_such_metric(key: str) -> UsageError:
    """Return the error of sorting by a metric that no run has."""
    return UsageError(f"no run here has this metric: `{key}`")


def warn_of(key: str, datasets: Sequence[str], *, known: bool, direction: str | None) -> str | None:
    """Return why an order by a metric means less than it seems to, none when it means all of it.

    Args:
        key: the metric.
        datasets: the dataset version of each comparable group of the runs, in their order; at least one.
        known: whether the version of the first is known at all.
        direction: which values are better.
    """
    if len(datasets) > 1:
        named = ", ".join(datasets)
        return f"{key} was measured on different data ({named}): sorted within each, not across"
    if not known:
        return f"{key}: the dataset version is unknown, so the order means little; name it with --dataset"
    if direction is None:
        return f"{key}: nobody said which values are better; shown largest first (set `directions` in policy.yaml)"
    return None
