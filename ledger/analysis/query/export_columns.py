"""Runs as one flat table: a row for each run, a column for each field, param and metric."""

from collections.abc import Sequence
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
    own = [own_fields(run) for run in runs]
    columns: dict[str, list[Cell]] = {name: _one_kind([fields[name] for fields in own]) for name in _FIELDS}
    columns["currency"] = [run.record.cost.currency for run in runs]
    for name in sorted({name for run in runs for name in run.record.params.values}):
        columns[f"params.{name}"] = _one_kind([run.record.params.values.get(name) for run in runs])
    measured = [metrics_of(run) for run in runs]
    for key in sorted({key for metrics in measured for key in metrics}):
        found = [metrics.get(key) for metrics in measured]
        columns[f"metrics.{key}"] = [metric.number if metric else None for metric in found]
        columns[f"dataset.{key}"] = [metric.dataset if metric else None for metric in found]
        columns[f"dataset_hash.{key}"] = [metric.dataset_hash if metric else None for metric in found]
        columns[f"evaluator.{key}"] = [metric.evaluator if metric else None for metric in found]
    return columns


_LARGEST = 2**63
"""Largest 64-bit integers; a column with larger ones holds floats."""


def _one_kind(values: Sequence[Value]) -> list[Cell]:
    cells: list[Cell] = [_list_text(value) if isinstance(value, list) else value for value in values]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float} and (
        len(kinds) > 1 or any(isinstance(cell, int) and abs(cell) >= _LARGEST for cell in cells)
    ):
        return [float(cell) if isinstance(cell, int | float) else None for cell in cells]
    return cells if len(kinds) < 2 else [None if cell is None else str(cell) for cell in cells]  # noqa: PLR2004  # one type


def _list_text(value: list[bool | int | float | str | None]) -> str:
    return ", ".join("" if item is None else str(item) for item in value)
