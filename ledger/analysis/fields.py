"""Fields of a run by name, as filters, sorting, columns and comparisons name them."""

from collections.abc import Callable, Iterable
from datetime import datetime

from ledger.errors import UsageError
from ledger.model.boxes import Metric
from ledger.model.entries import Run
from ledger.model.values import ParamValue

Value = ParamValue | datetime
"""What a field can hold; none when the run does not have it."""

_FIELDS: dict[str, Callable[[Run], Value]] = {
    "id": lambda run: run.record.id,
    "status": lambda run: run.record.status,
    "experiment": lambda run: run.record.experiment,
    "author": lambda run: run.record.author.name,
    "note": lambda run: run.record.note,
    "tags": lambda run: list[bool | int | float | str | None](run.tags),
    "seed": lambda run: run.record.seed,
    "started": lambda run: run.record.timing.started_at,
    "ended": lambda run: run.record.timing.ended_at,
    "duration": lambda run: run.record.timing.duration_seconds,
    "cost": lambda run: run.record.cost.amount,
    "commit": lambda run: (run.record.code.commit or "").removeprefix("git:") or None,
    "branch": lambda run: run.record.code.branch,
    "dirty": lambda run: run.record.code.dirty,
    "dataset": lambda run: [use.label for use in run.record.datasets.used],
    "host": lambda run: run.record.hardware.host,
    "parameters": lambda run: run.record.model.parameters,
    "baseline": lambda run: run.record.baseline,
    "parent": lambda run: run.record.parent,
    "retracted": lambda run: run.retraction is not None,
}
"""Fields that every run has; `params.NAME` and `metrics.SPLIT/NAME` come on top."""


def field_value(run: Run, name: str) -> Value:
    """Return a field of a run, none when this run does not have it.

    Raises:
        UsageError: no run could have a field of that name.
    """
    kind, dot, rest = name.partition(".")
    if dot and kind == "params":
        return run.record.params.values.get(rest)
    if key := metric_key(name):
        metric = run_metric(run, key)
        return metric.number if metric else None
    return _FIELDS[canonical_field(name)](run)


def canonical_field(name: str) -> str:
    """Return the one name of a field: `validation/accuracy` alone is `metrics.validation/accuracy`.

    Raises:
        UsageError: no run could have a field of that name.
    """
    kind, dot, rest = name.partition(".")
    if name in _FIELDS or (dot and rest and kind == "params"):
        return name
    if key := metric_key(name):
        return f"metrics.{key}"
    from difflib import get_close_matches

    known = [*_FIELDS, "params.NAME", "metrics.SPLIT/NAME"]
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"one of {', '.join(known)}"
    raise UsageError(f"no such field: `{name}`", hint=hint)


def fields_of(run: Run) -> dict[str, Value]:
    """Return every field that a run has, by its canonical name."""
    found = {name: read(run) for name, read in _FIELDS.items()}
    found |= {f"params.{name}": value for name, value in run.record.params.values.items()}
    found |= {f"metrics.{key}": metric.number for key, metric in metrics_of(run).items()}
    return {name: value for name, value in found.items() if value is not None}


def metrics_of(run: Run) -> dict[str, Metric]:
    """Return the measurement of each metric that `run_metric` gives, by its key."""
    latest = {metric.key: metric for metric in run.metrics()}
    return latest | {metric.key: metric for metric in run.record.results.metrics}


def metric_key(name: str) -> str | None:
    """Return the metric that a field names: `metrics.split/name`, or `split/name` alone; none for other fields."""
    if name.startswith("metrics."):
        return name.removeprefix("metrics.")
    return name if "/" in name else None


def run_metric(run: Run, key: str) -> Metric | None:
    """Return a run's measurement of that key: the one of its own record, else the latest evaluation."""
    own = run.record.metric(key)
    if own is not None:
        return own
    return next((metric for metric in reversed(run.metrics()) if metric.key == key), None)


def params_that_differ(runs: Iterable[Run]) -> list[str]:
    """Return the names of params that are not the same in all runs, in order of their names."""
    values = [run.record.params.values for run in runs]
    names = sorted({name for params in values for name in params})
    missing = object()
    return [name for name in names if len({repr(params.get(name, missing)) for params in values}) > 1]


def show_value(value: Value) -> str:
    """Return a value as people read it in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(show_value(item) for item in value)
    return str(value)
