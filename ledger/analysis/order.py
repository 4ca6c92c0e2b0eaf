"""The order of runs: by a field, and by a metric only within what is comparable."""

from collections.abc import Sequence

from ledger.analysis.comparable import Group, agreed_direction, counts, group_of, rank_key
from ledger.analysis.fields import field_value, run_metric
from ledger.analysis.query import Query, metrics_named
from ledger.analysis.ranking import metric_key, no_such_metric, warn_of, warn_of_filter
from ledger.analysis.sortable import sortable
from ledger.model.entries import Run
from ledger.model.values import Document


class Sorted(Document, frozen=True, kw_only=True):
    """Runs in order, and what there is to say about the order."""

    runs: tuple[Run, ...]
    """The runs."""
    warning: str | None = None
    """Why part of the order means nothing."""


def sort_runs(runs: Sequence[Run], name: str, *, reverse: bool = False) -> Sorted:
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


def warn_of_filters(query: Query, passing: Sequence[Run]) -> list[str]:
    """Return why numbers in a query mean less than they seem to, for the runs that pass it."""
    said = []
    for key in metrics_named(query):
        groups = [group_of(metric) for run in reversed(passing) if (metric := run_metric(run, key)) is not None]
        told = {(group.dataset_hash, group.evaluator): group for group in groups}
        names = [(group.dataset_hash, group.dataset, group.evaluator) for group in told.values()]
        said.append(warn_of_filter(key, names))
    return [warning for warning in said if warning]


def _sort_by_metric(runs: Sequence[Run], key: str, *, reverse: bool) -> Sorted:
    metrics = {run.record.id: metric for run in runs if (metric := run_metric(run, key)) is not None}
    groups: dict[tuple[bool, str, str], tuple[Group, list[Run]]] = {}
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
    ordered: list[Run] = []
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
