"""Fields of a run by name, for filters, sorting, columns and comparisons."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from ledger.analysis.query.order_warnings import metric_key
from ledger.formatting import minute, number
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue

Value = ParamValue | datetime
"""Value of a field; none when the run does not have it."""


class RunField(NamedTuple):
    """A field that every run has, for filters, order, columns, comparisons, export and the site."""

    name: str
    """Name that people type."""
    kind: str
    """Type of its values: `text`, `number`, `time`, `yes or no` or `texts`."""
    meaning: str
    """Its meaning, for the handbook."""
    value: Callable[[StoredRun], Value]
    """Reads the value from a run; none where there is none."""
    unit: str = ""
    """Unit of a number."""
    compared: bool = False
    """Whether `ledger compare` shows it where runs differ."""


OWN_FIELDS = (
    RunField("id", "text", "Id of the run.", lambda run: run.record.id),
    RunField("status", "text", "How it ended.", lambda run: run.record.status, compared=True),
    RunField(
        "experiment",
        "text",
        "Group of runs it belongs to.",
        lambda run: run.record.experiment,
        compared=True,
    ),
    RunField("author", "text", "Who ran it.", lambda run: run.record.author.name, compared=True),
    RunField(
        "started",
        "time",
        "Start, in UTC.",
        lambda run: _utc(run.record.timing.started_at),
        compared=True,
    ),
    RunField("ended", "time", "End, in UTC.", lambda run: _utc(run.record.timing.ended_at)),
    RunField(
        "duration",
        "number",
        "How long it took.",
        lambda run: run.record.timing.took,
        unit="s",
        compared=True,
    ),
    RunField(
        "cost",
        "number",
        "What its hardware cost.",
        lambda run: run.record.cost.amount,
        unit="the currency of the record",
        compared=True,
    ),
    RunField("seed", "number", "Random seed.", lambda run: run.record.seed, compared=True),
    RunField("tags", "texts", "Its tags as they are now, later changes included.", lambda run: [*run.tags]),
    RunField("note", "text", "What the author wanted to say.", lambda run: run.record.note),
    RunField(
        "commit",
        "text",
        "Commit that was checked out.",
        lambda run: (run.record.code.commit or "").removeprefix("git:") or None,
        compared=True,
    ),
    RunField("branch", "text", "Branch that was checked out.", lambda run: run.record.code.branch),
    RunField(
        "dirty",
        "yes or no",
        "Whether there were uncommitted changes.",
        lambda run: run.record.code.dirty,
        compared=True,
    ),
    RunField(
        "dataset",
        "texts",
        "Dataset versions that it used, as `name@version`.",
        lambda run: [use.label for use in run.record.datasets.used],
        compared=True,
    ),
    RunField(
        "chain",
        "texts",
        "Names of its steps around the model, such as `augment`; their params are `params.augment.NAME`.",
        lambda run: [step.name for step in run.record.params.chain],
        compared=True,
    ),
    RunField("host", "text", "Machine it ran on.", lambda run: run.record.hardware.host, compared=True),
    RunField("parameters", "number", "Parameters of the model.", lambda run: run.record.model.parameters),
    RunField("baseline", "text", "Run it wants to be compared with.", lambda run: run.record.baseline),
    RunField("parent", "text", "Run it continues, or was started in.", lambda run: run.record.parent),
    RunField("retracted", "yes or no", "Whether it was withdrawn.", lambda run: run.retraction is not None),
)
"""Every field once; `params.NAME` and `metrics.SPLIT/NAME` come in addition."""

FIELDS = tuple(field.name for field in OWN_FIELDS)
"""Their names."""


def own_fields(run: StoredRun) -> dict[str, Value]:
    """Return the fields that every run has; none where a value is not stated."""
    return {field.name: field.value(run) for field in OWN_FIELDS}


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
    return _BY_NAME[name].value(run)


_BY_NAME = {field.name: field for field in OWN_FIELDS}


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
