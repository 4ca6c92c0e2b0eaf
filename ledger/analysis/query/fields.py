"""Fields of a run by name, for filters, sorting, columns and comparisons."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ledger.analysis.query.order_warnings import metric_key
from ledger.formatting import minute, number
from ledger.model.boxes import Metric
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue

Value = ParamValue | datetime
"""Value of a field; none when the run does not have it."""

FIELDS = (
    *("id", "status", "experiment", "author", "note", "tags", "seed", "started", "ended", "duration", "cost"),
    *("commit", "branch", "dirty", "dataset", "host", "parameters", "baseline", "parent", "retracted"),
)
"""Fields that every run has; `params.NAME` and `metrics.SPLIT/NAME` come in addition."""


def own_fields(run: StoredRun) -> dict[str, Value]:
    """Return the fields that every run has; none where a value is not stated.

    In one expression: an index needs all of them for a hundred thousand runs.
    """
    record = run.record
    timing, code = record.timing, record.code
    return {
        "id": record.id,
        "status": record.status,
        "experiment": record.experiment,
        "author": record.author.name,
        "note": record.note,
        "tags": [*run.tags],
        "seed": record.seed,
        "started": _utc(timing.started_at),
        "ended": _utc(timing.ended_at),
        "duration": timing.took,
        "cost": record.cost.amount,
        "commit": (code.commit or "").removeprefix("git:") or None,
        "branch": code.branch,
        "dirty": code.dirty,
        "dataset": [use.label for use in record.datasets.used],
        "host": record.hardware.host,
        "parameters": record.model.parameters,
        "baseline": record.baseline,
        "parent": record.parent,
        "retracted": run.retraction is not None,
    }


def _utc(time: datetime | None) -> datetime | None:
    return time if time is None or time.tzinfo is UTC else time.astimezone(UTC)


def field_value(run: StoredRun, name: str) -> Value:
    """Return a field of a run; none when this run does not have it.

    Args:
        run: the run.
        name: one of `FIELDS`, `params.NAME` or `metrics.KEY`.
    """
    kind, dot, rest = name.partition(".")
    if dot and kind == "params":
        return run.record.params.values.get(rest)
    if key := metric_key(name):
        metric = run_metric(run, key)
        return metric.number if metric else None
    return own_fields(run)[name]


def metrics_of(run: StoredRun) -> dict[str, Metric]:
    """Return the measurement of each metric that `run_metric` would return, by its key."""
    own = {metric.key: metric for metric in run.record.results.metrics}
    if not run.evaluations:
        return own
    return {metric.key: metric for evaluation in run.evaluations for metric in evaluation.metrics} | own


def run_metric(run: StoredRun, key: str) -> Metric | None:
    """Return a run's measurement of that key: the one of its own record, else the latest evaluation."""
    own = run.record.metric(key)
    if own is not None:
        return own
    return next((metric for metric in reversed(run.metrics()) if metric.key == key), None)


def params_that_differ(runs: Iterable[StoredRun]) -> list[str]:
    """Return the names of params that differ between runs, sorted by name."""
    values = [run.record.params.values for run in runs]
    names = sorted({name for params in values for name in params})
    missing = object()
    return [name for name in names if len({repr(params.get(name, missing)) for params in values}) > 1]


def show_value(value: Value) -> str:
    """Return a value for people, as shown in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, datetime):
        return minute(value)
    if isinstance(value, list):
        return ", ".join(show_value(item) for item in value)
    return str(value)
