"""What passes a query and in which order, said once more in plain Python: the index is held against it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from ledger.analysis.comparing.comparable import Group, agreed_direction, counts, group_of, rank_key
from ledger.analysis.query.fields import Value, field_value, run_metric
from ledger.analysis.query.fulltext import spoken
from ledger.analysis.query.language import Condition, Every, Not, Phrase, Query, Some, metrics_named
from ledger.analysis.query.names import Names
from ledger.analysis.query.order_warnings import metric_key, no_such_metric, warn_of, warn_of_filter
from ledger.analysis.query.sort_keys import as_float, number_of, readable, sortable
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import SPLITS
from ledger.store.index.selection import Selection

_Ordered = TypeVar("_Ordered", float, str)


def names_of(runs: Sequence[StoredRun], splits: Mapping[str, str] = SPLITS) -> Names:
    """Return the names that runs hold."""
    params = {f"params.{name}" for run in runs for name, value in run.record.params.values.items() if value is not None}
    return Names(params | {f"metrics.{metric.key}" for run in runs for metric in run.metrics()}, splits)


def passes(query: Query, run: StoredRun) -> bool:
    """Say whether a run passes.

    A run that does not have a field passes `!=` only. A list passes when one of its items does, `!=` when none is.
    """
    match query:
        case Condition():
            return _compare(field_value(run, query.field), query.operator, query.value)
        case Phrase():
            return find_phrase(query.words, spoken(run).split())
        case Every():
            return all(passes(part, run) for part in query.parts)
        case Some():
            return any(passes(part, run) for part in query.parts)
        case Not():
            return not passes(query.part, run)


def find_phrase(phrase: Sequence[str], words: Sequence[str]) -> bool:
    """Say whether the words of a phrase follow each other in `words`; its last may be the start of one."""
    *whole, start = phrase
    return any(
        words[at].startswith(start) and list(words[at - len(whole) : at]) == whole
        for at in range(len(whole), len(words))
    )


def _compare(value: Value, operator: str, wanted: str) -> bool:
    items: Sequence[Value] = value if isinstance(value, list) else [value]
    if operator == "!=":
        return all(item is None or not _holds(item, "=", wanted) for item in items)
    return any(item is not None and _holds(item, operator, wanted) for item in items)


def _holds(value: Value, operator: str, wanted: str) -> bool:
    if operator == "~":
        return wanted.lower() in readable(value).lower()
    if isinstance(value, bool):
        return operator == "=" and wanted.lower() == readable(value)
    if isinstance(value, int | float):
        number = number_of(wanted)
        return number is not None and _ordered(as_float(value), operator, number)
    text = readable(value)
    # Ids and ISO times sort as text; a shorter time, such as a day, names all of it.
    return _ordered(text[: len(wanted)] if isinstance(value, datetime) else text, operator, wanted)


def _ordered(ours: _Ordered, operator: str, theirs: _Ordered) -> bool:
    return {
        "=": ours == theirs,
        "<": ours < theirs,
        ">": ours > theirs,
        "<=": ours <= theirs,
        ">=": ours >= theirs,
    }[operator]


class Sorted(Document, frozen=True, kw_only=True):
    """Runs in order, and what there is to say about the order."""

    runs: tuple[StoredRun, ...]
    """The runs."""
    warning: str | None = None
    """Why part of the order means nothing."""


def sort_runs(runs: Sequence[StoredRun], name: str, *, reverse: bool = False) -> Sorted:
    """Sort runs (given oldest first) by a field; runs without it come last.

    A metric is sorted best first within each comparable group, the group with the newest run first:
    numbers measured on different dataset versions are never put into one order, and those of unknown
    data into that of time. Runs that do not count come after all that do, in the same order.

    Raises:
        UsageError: there is no such field.
    """
    if key := metric_key(name):
        return _sort_by_metric(runs, key, reverse=reverse)
    keys = {run.record.id: sortable(field_value(run, name)) for run in runs}
    having = [run for run in runs if keys[run.record.id] is not None]
    having.sort(key=lambda run: keys[run.record.id] or "", reverse=reverse)
    return Sorted(runs=(*having, *(run for run in runs if keys[run.record.id] is None)))


def warn_of_filters(query: Query, passing: Sequence[StoredRun]) -> list[str]:
    """Return why numbers in a query mean less than they seem to, for the runs that pass it."""
    said = []
    for key in metrics_named(query):
        groups = [group_of(metric) for run in reversed(passing) if (metric := run_metric(run, key)) is not None]
        told = {(group.dataset_hash, group.evaluator): group for group in groups}
        names = [(group.dataset_hash, group.dataset, group.evaluator) for group in told.values()]
        said.append(warn_of_filter(key, names))
    return [warning for warning in said if warning]


def _sort_by_metric(runs: Sequence[StoredRun], key: str, *, reverse: bool) -> Sorted:
    metrics = {run.record.id: metric for run in runs if (metric := run_metric(run, key)) is not None}
    groups: dict[tuple[bool, str, str], tuple[Group, list[StoredRun]]] = {}
    for run in (run for run in runs if run.record.id in metrics):
        group = group_of(metrics[run.record.id])
        identity = counts(run), group.dataset_hash, group.evaluator
        _, members = groups.setdefault(identity, (group, []))
        members.append(run)
    if not groups:
        raise no_such_metric(key)
    direction = agreed_direction(metrics.values())
    place = {run.record.id: number for number, run in enumerate(runs)}
    newest_first = sorted(groups.items(), key=lambda item: (item[0][0], place[item[1][1][-1].record.id]), reverse=True)
    ordered: list[StoredRun] = []
    for _, (group, members) in newest_first:
        if group.known:
            members.sort(key=lambda run: rank_key(metrics[run.record.id], direction or "higher", run.record.id))
        else:
            members.reverse()  # on unknown data none is better than another: newest first
        ordered += reversed(members) if reverse else members
    lacking = [run for run in runs if run.record.id not in metrics]
    told = [(group.dataset_hash, group.dataset, group.evaluator) for _, (group, _) in newest_first]
    aside = len({counted for (counted, *_), _ in newest_first}) > 1
    warning = warn_of(key, told, direction=direction, aside=aside)
    return Sorted(runs=(*ordered, *lacking), warning=warning)


def read_all(
    ledger: Branch,
    query: Query | None = None,
    *,
    sort: str | None = None,
    reverse: bool = False,
    limit: int | None = None,
) -> Selection:
    """Return what `select_runs` returns, by reading every record."""
    contents = ledger.contents()
    names = names_of(contents.runs, ledger.policy.splits)
    filtering: list[str] = []
    runs: Sequence[StoredRun] = contents.runs
    if query and runs:
        query, filtering = names.resolve(query)
        runs = [run for run in runs if passes(query, run)]
        filtering += warn_of_filters(query, runs)
    warning = None
    if sort is None:
        runs = runs if reverse else runs[::-1]
    elif contents.runs:
        reading = names.read(sort)
        if runs:
            ordered = sort_runs(runs, reading.field, reverse=reverse)
            runs, warning = ordered.runs, ordered.warning
        warning = "; ".join(filter(None, (reading.warning, warning))) or None
    return Selection(
        runs=tuple(runs[:limit]),
        warnings=(*filtering, *([warning] if warning else [])),
        problems=contents.problems,
        empty=not contents.runs,
    )
