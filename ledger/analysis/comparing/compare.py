"""Comparison of runs side by side: what differs, and which numbers may be ranked."""

from collections.abc import Sequence

from ledger.analysis.comparing.comparable import agreed_direction, counts, rank_key, why_not_comparable, why_uncounted
from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.settings import setting_key
from ledger.analysis.query.fields import OWN_FIELDS, Value, field_value, params_that_differ
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import StoredRun
from ledger.model.values import Document, ParamValue

_COMPARED = tuple(field.name for field in OWN_FIELDS if field.compared)


class ParamRow(Document, frozen=True, kw_only=True):
    """A param that differs between the runs."""

    name: str
    """Dotted name."""
    values: list[ParamValue]
    """One value per run; none where a run does not have it."""


class FactRow(Document, frozen=True, kw_only=True):
    """Another field that differs between the runs."""

    name: str
    """Field name."""
    values: list[Value]
    """One value per run."""


class MetricRow(Document, frozen=True, kw_only=True):
    """One metric of all runs."""

    key: str
    """Metric and split."""
    metrics: list[Metric | None]
    """One measurement per run; none where a run does not have it."""
    best: int | None = None
    """Position of the run with the best value, which noise may explain; none where that is unknown."""
    refused: str | None = None
    """Why the values are not ranked."""


class Comparison(Document, frozen=True, kw_only=True):
    """Several runs side by side."""

    runs: list[str]
    """Run ids, as given."""
    facts: list[FactRow]
    """Other fields that differ."""
    params: list[ParamRow]
    """Params that differ."""
    metrics: list[MetricRow]
    """Every metric of any run, one row per metric and dataset version where versions are shared."""


def compare(runs: Sequence[StoredRun]) -> Comparison:
    """Return runs side by side; values that are not comparable are shown, never ranked."""
    keys = sorted({metric.key for run in runs for metric in run.metrics()})
    facts = [FactRow(name=name, values=[field_value(run, name) for run in runs]) for name in _COMPARED]
    facts += _step_rows(runs)
    return Comparison(
        runs=[run.record.id for run in runs],
        facts=[row for row in facts if len({repr(value) for value in row.values}) > 1],
        params=[
            ParamRow(name=name, values=[run.record.params.values.get(name) for run in runs])
            for name in params_that_differ(runs)
        ],
        metrics=[_metric_row(key, runs) for key in keys],
    )


def _step_rows(runs: Sequence[StoredRun]) -> list[FactRow]:
    """Return the code of each step of any run, as its short hash."""
    codes = [{step.name: step.code for step in run.record.params.chain} for run in runs]
    names = dict.fromkeys(name for steps in codes for name in steps)
    return [
        FactRow(name=f"code of {name}", values=[code[:_HASH] if (code := one.get(name)) else None for one in codes])
        for name in names
    ]


_HASH = len("blake3:") + 12
"""Characters of a hash that are shown."""


def _metric_row(key: str, runs: Sequence[StoredRun]) -> MetricRow:
    """Return measurements on data that all runs share where there is such data; else each run's own."""
    measured = [[metric for metric in run.metrics() if metric.key == key] for run in runs]
    having = [metrics for metrics in measured if metrics]
    shared = set.intersection(*({metric.group_id for metric in metrics} for metrics in having))
    # The last version that all were measured on: evaluations come after the record's own metrics.
    wanted = next((m.group_id for m in reversed(having[0]) if m.group_id in shared and m.dataset_hash), None)
    chosen = [_choose(metrics, wanted) for metrics in measured]
    there = [metric for metric in chosen if metric is not None]
    if len(there) < 2:  # noqa: PLR2004  # a comparison needs two
        return MetricRow(key=key, metrics=chosen, refused="only one run has it")
    refused = next((why for metric in there[1:] if (why := why_not_comparable(there[0], metric))), None)
    direction = agreed_direction(there)
    if refused is None and direction is None:
        refused = "no direction is recorded"
    if refused is not None or direction is None:
        return MetricRow(key=key, metrics=chosen, refused=refused)
    places = [index for index, metric in enumerate(chosen) if metric is not None and counts(runs[index])]
    if refused := _why_no_best(runs, [index for index, metric in enumerate(chosen) if metric is not None], places):
        return MetricRow(key=key, metrics=chosen, refused=refused)
    ranked = sorted(places, key=lambda index: rank_key(chosen[index] or there[0], direction, ""))
    first, second = chosen[ranked[0]], chosen[ranked[1]]
    tie = first is not None and second is not None and first.number == second.number
    if tie:
        return MetricRow(key=key, metrics=chosen, refused="a tie")
    values = [metric.number for index in places if (metric := chosen[index]) is not None]
    if any(outside_range(key, values, direction)):
        return MetricRow(key=key, metrics=chosen, refused="they look like one metric in two units: 0.93 and 93")
    return MetricRow(key=key, metrics=chosen, best=ranked[0])


def _why_no_best(runs: Sequence[StoredRun], measured: Sequence[int], counted: Sequence[int]) -> str | None:
    """Return why none of the runs that were measured alike is the best; none where one may be."""
    if len(counted) < 2:  # noqa: PLR2004  # a comparison needs two
        out = [f"{runs[at].record.id} {why_uncounted(runs[at])}" for at in measured if at not in counted]
        return ", ".join(out)
    if len({setting_key(runs[at]) for at in counted}) == 1:
        return SAME_SETTING
    return None


SAME_SETTING = "they are the same setting and differ by seed only, so neither can be better"
"""Why repeats are not ranked."""


def _choose(metrics: Sequence[Metric], wanted: GroupId | None) -> Metric | None:
    if not metrics:
        return None
    return next((metric for metric in reversed(metrics) if metric.group_id == wanted), metrics[0])
