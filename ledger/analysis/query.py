"""Filters and sorting of runs: `params.lr < 0.01`, `status = failed`, `tags = baseline`."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from ledger.analysis.comparable import Group, agreed_direction, group_of, rank_key
from ledger.analysis.fields import Value, field_value, metric_key, run_metric
from ledger.errors import UsageError
from ledger.model.entries import Run
from ledger.model.values import Direction, Document

_CONDITION = re.compile(r"\s*([^\s<>=!~]+)\s*(<=|>=|!=|=|<|>|~)\s*(.*?)\s*", re.DOTALL)

Condition = Callable[[Run], bool]
"""Says whether a run passes."""


def parse_condition(text: str) -> Condition:
    """Return the test that `FIELD OPERATOR VALUE` states; operators are = != < <= > >= and ~ (contains).

    A run that does not have the field passes `!=` only. A list passes when one of its items does.

    Raises:
        UsageError: it has another shape.
    """
    match = _CONDITION.fullmatch(text)
    if match is None or not match[3]:
        raise UsageError(
            f"not a filter: `{text}`", hint="write FIELD OPERATOR VALUE, such as 'params.lr < 0.01' or status=failed"
        )
    name, operator, wanted = match[1], match[2], match[3].strip("'\"")

    def passes(run: Run) -> bool:
        value = field_value(run, name)
        items: Sequence[Value] = value if isinstance(value, list) else [value]
        if operator == "!=":
            return all(item is None or not _holds(item, "=", wanted) for item in items)
        return any(item is not None and _holds(item, operator, wanted) for item in items)

    return passes


def _holds(value: Value, operator: str, wanted: str) -> bool:
    if operator == "~":
        return wanted.lower() in str(value).lower()
    if isinstance(value, bool):
        order = 0 if wanted.lower() == str(value).lower() else 1
    elif isinstance(value, int | float):
        try:
            number = float(wanted)
        except ValueError:
            return False
        if value != value or number != number:  # noqa: PLR0124  # NaN is ordered against nothing
            return False
        order = (value > number) - (value < number)
    else:
        # Ids and ISO times sort as text; a shorter time, such as a day, names all of it.
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        text = text[: len(wanted)] if isinstance(value, datetime) else text
        order = (text > wanted) - (text < wanted)
    return {"=": order == 0, "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[operator]


class Sorted(Document, frozen=True, kw_only=True):
    """Runs in order, and what there is to say about the order."""

    runs: tuple[Run, ...]
    """The runs."""
    warning: str | None = None
    """Why part of the order means nothing."""


def sort_runs(runs: Sequence[Run], name: str, *, reverse: bool = False) -> Sorted:
    """Sort runs by a field; runs without it come last.

    A metric is sorted best first within each comparable group, the group with the newest run first:
    numbers measured on different dataset versions are never put into one order.

    Raises:
        UsageError: there is no such field.
    """
    if key := metric_key(name):
        return _sort_by_metric(runs, key, reverse=reverse)
    having = [run for run in runs if field_value(run, name) is not None]
    lacking = [run for run in runs if field_value(run, name) is None]
    having.sort(key=lambda run: _order(field_value(run, name)), reverse=reverse)
    return Sorted(runs=(*having, *lacking))


def _sort_by_metric(runs: Sequence[Run], key: str, *, reverse: bool) -> Sorted:
    metrics = {run.record.id: metric for run in runs if (metric := run_metric(run, key)) is not None}
    having = [run for run in runs if run.record.id in metrics]
    if not having:
        raise UsageError(f"no run here has this metric: `{key}`")
    groups: dict[tuple[str, str], tuple[Group, list[Run]]] = {}
    for run in having:
        group = group_of(metrics[run.record.id])
        groups.setdefault((group.dataset_hash, group.evaluator), (group, []))[1].append(run)
    direction: Direction | None = agreed_direction(metrics.values())
    ordered: list[Run] = []
    newest_first = sorted(groups.values(), key=lambda pair: pair[1][-1].record.id, reverse=True)
    for _, members in newest_first:
        members.sort(key=lambda run: rank_key(metrics[run.record.id], direction or "higher", run.record.id))
        ordered += reversed(members) if reverse else members
    lacking = [run for run in runs if run.record.id not in metrics]
    return Sorted(runs=(*ordered, *lacking), warning=_warn(key, [group for group, _ in newest_first], direction))


def _warn(key: str, groups: Sequence[Group], direction: Direction | None) -> str | None:
    if len(groups) > 1:
        named = ", ".join(group.dataset for group in groups)
        return f"{key} was measured on different data ({named}): sorted within each, not across"
    if not groups[0].known:
        return f"{key}: the dataset version is unknown, so the order means little; name it with --dataset"
    if direction is None:
        return f"{key}: nobody said which values are better; shown largest first (set `directions` in policy.yaml)"
    return None


def _order(value: Value) -> tuple[int, float | str]:
    """Order numbers before text, so that a field of mixed kinds sorts at all."""
    if isinstance(value, int | float):
        return (0, float(value))
    return (1, value.isoformat() if isinstance(value, datetime) else str(value))
