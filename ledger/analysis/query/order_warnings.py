"""Sorting by a metric, and warnings about its meaning; as light to import as `table.py`."""

from collections.abc import Iterable, Sequence

from ledger.errors import UsageError


def metric_key(name: str) -> str | None:
    """Return the metric that a field names: `metrics.split/name`; none for other fields."""
    return name.removeprefix("metrics.") if name.startswith("metrics.") else None


def no_such_metric(key: str) -> UsageError:
    """Return the error for sorting by a metric that no run has."""
    return UsageError(f"no run here has this metric: `{key}`")


def warn_of(
    key: str, groups: Sequence[tuple[str, str, str]], *, direction: str | None, aside: bool = False
) -> str | None:
    """Return why an order by a metric is only partly a ranking; none when it is one.

    Args:
        key: the metric.
        groups: content hash, dataset version and evaluator of each comparable group, in their order; at least one.
        direction: which values are better.
        aside: whether there are runs that do not count, below all that do.
    """
    apart = list(
        {(content, evaluator): (content, label, evaluator) for content, label, evaluator in reversed(groups)}.values()
    )
    said = [_warn_of_order(key, apart[::-1], direction), f"{key}: {ASIDE}" if aside else None]
    return "; ".join(filter(None, said)) or None


ASIDE = "runs that did not finish, or were retracted or continued, are listed below the others"
"""Warning for an order that sets some runs aside."""


def _warn_of_order(key: str, groups: Sequence[tuple[str, str, str]], direction: str | None) -> str | None:
    if len(groups) > 1:
        evaluators = len({evaluator for _, _, evaluator in groups}) > 1
        named = ", ".join(f"{label} by {who or 'unknown'}" if evaluators else label for _, label, who in groups)
        how = "on different data" if len({content for content, _, _ in groups}) > 1 else "by different evaluators"
        remedy = measure_command(label for _, label, _ in groups)
        advice = f"; to compare them: {remedy}" if remedy else ""
        return f"{key} was measured {how} ({named}): sorted within each, not across{advice}"
    if not groups[0][0]:
        return f"{key}: the dataset version is unknown, so runs are listed newest first; name it with --dataset"
    if direction is None:
        return f"{key}: no direction is recorded, so the largest is shown first (set `directions` in policy.yaml)"
    return None


def warn_of_filter(key: str, groups: Sequence[tuple[str, str, str]]) -> str | None:
    """Return why one number cannot be compared with every value of a metric; none when it can.

    Args:
        key: metric that a filter names.
        groups: content hash, dataset version and evaluator of each comparable group that passed.
    """
    if len({(content, evaluator) for content, _, evaluator in groups}) < 2:  # noqa: PLR2004  # one group is no other
        return None
    named = ", ".join(dict.fromkeys(f"{label} by {who}" if who else label for _, label, who in groups))
    remedy = measure_command(label for _, label, _ in groups)
    advice = f"; to compare them: {remedy}" if remedy else ""
    return f"{key}: the filter compares values that are not comparable with one number ({named}){advice}"


def measure_command(labels: Iterable[str]) -> str | None:
    """Return the command that measures other models on the first of these dataset versions whose name is safe.

    None where there is none: a label comes from a record, and must not become anything else in a shell.
    """
    for label in labels:
        name, _, version = label.partition("@")
        if all(part[:1].isalnum() and part.isascii() and not set(part) - _IN_A_SLUG for part in (name, version)):
            return f"ledger reevaluate {label} -- COMMAND {{model}}"
    return None


_IN_A_SLUG = set("abcdefghijklmnopqrstuvwxyz0123456789._-")
"""Characters of names and labels of dataset versions: see `model/values.py`."""
