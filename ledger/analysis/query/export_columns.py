"""Runs as one flat table: a row for each run, a column for each field, param and metric."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ledger.analysis.query.fields import FIELDS, Value, metrics_of, own_fields
from ledger.model.entries import StoredRun

Cell = bool | int | float | str | datetime | None
"""Content of a cell; none where the run does not have it."""

_FIELDS = tuple(name for name in FIELDS if name != "dataset")
"""Fields of every run; datasets are beside each metric, `currency` is beside the cost, params and metrics follow."""


def flat_columns(runs: Sequence[StoredRun]) -> dict[str, list[Cell]]:
    """Return the columns of a table of runs, by name; each column has values of one type, or none.

    Beside each `metrics.KEY` are `dataset.KEY`, `dataset_hash.KEY` and `evaluator.KEY`: values are comparable
    where the last two agree. Durations are seconds, times UTC; lists are texts, separated by `, `.
    """
    return {name: one_kind(cells) for name, cells in plain_columns(runs).items()}


def plain_columns(runs: Sequence[StoredRun]) -> dict[str, list[Cell]]:
    """Return the columns of `flat_columns` with values as they are: those of one column may have several types."""
    own = [own_fields(run) for run in runs]
    columns: dict[str, list[Cell]] = {name: [_cell(fields[name]) for fields in own] for name in _FIELDS}
    columns["currency"] = [run.record.cost.currency for run in runs]
    for name in sorted({name for run in runs for name in run.record.params.values}):
        columns[f"params.{name}"] = [_cell(run.record.params.values.get(name)) for run in runs]
    measured = [metrics_of(run) for run in runs]
    for key in sorted({key for metrics in measured for key in metrics}):
        found = [metrics.get(key) for metrics in measured]
        columns[f"metrics.{key}"] = [metric.number if metric else None for metric in found]
        columns[f"dataset.{key}"] = [metric.dataset if metric else None for metric in found]
        columns[f"dataset_hash.{key}"] = [metric.dataset_hash if metric else None for metric in found]
        columns[f"evaluator.{key}"] = [metric.evaluator if metric else None for metric in found]
    return columns


def in_order(names: Iterable[str]) -> list[str]:
    """Return the names of columns of several tables in the order that one table of all their runs has."""
    given = set(names)
    own = [*_FIELDS, "currency"]
    params = sorted(name for name in given - {*own} if name.startswith("params."))
    keys = sorted(name.removeprefix("metrics.") for name in given if name.startswith("metrics."))
    beside = ("metrics", "dataset", "dataset_hash", "evaluator")
    return [*own, *params, *(f"{column}.{key}" for key in keys for column in beside)]


_LARGEST = 2**63
"""Largest 64-bit integers; a column with larger ones holds floats."""


def is_large(cell: Cell) -> bool:
    """Return whether a cell is an integer that 64 bits do not hold."""
    return isinstance(cell, int) and abs(cell) >= _LARGEST


def one_kind(cells: list[Cell]) -> list[Cell]:
    """Return cells of one type: numbers become floats where they differ, and anything else becomes text."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float} and (len(kinds) > 1 or any(map(is_large, cells))):
        return [float(cell) if isinstance(cell, int | float) else None for cell in cells]
    return cells if len(kinds) < 2 else [None if cell is None else str(cell) for cell in cells]  # noqa: PLR2004  # one type


def _cell(value: Value) -> Cell:
    if isinstance(value, list):
        return ", ".join("" if item is None else str(item) for item in value)
    return value
