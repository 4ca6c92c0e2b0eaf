"""Runs in MLflow's SQLite store, read without MLflow.

Format: `mlflow/store/tracking/dbmodels/models.py` (https://github.com/mlflow/mlflow), seen in 3.17. NaN is 0 with
`is_nan`; the infinities are the largest floats. Deleted runs and experiments stay in their tables.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_database import Row, StoreDatabase, id_batches, open_store_database, tables_of
from ledger.formats.stores.store_values import moment_of, number_of, param_in, status_of_open, step_of, text_of
from ledger.formats.trackers.foreign_run import ForeignDataset, ForeignRun
from ledger.model.values import Status, counted

_TABLES = {"experiments", "runs", "metrics", "params", "tags"}
_STATUSES: dict[object, Status] = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}
_INFINITE = sys.float_info.max
_RUN = (
    "run_uuid", "experiment_id", "name", "status", "start_time", "end_time", "lifecycle_stage", "user_id",
    "source_name", "source_version",
)  # fmt: skip
_EXPERIMENT = ("experiment_id", "name", "lifecycle_stage")
_INPUT = ("RUN", "DATASET")
"""Types of the two ends of an input."""
_POINT = ("run_uuid", "key", "step", "timestamp", "value", "is_nan")
_OWN = "mlflow."
_MILLISECONDS = 1000

TAG_NAMES = {
    "name": "mlflow.runName", "user": "mlflow.user", "note": "mlflow.note.content", "parent": "mlflow.parentRunId",
    "commit": "mlflow.source.git.commit", "source": "mlflow.source.name", "context": "mlflow.data.context",
}  # fmt: skip
"""Tags of MLflow itself; they are the same in both of its stores."""


def is_mlflow_database(path: Path) -> bool:
    """Return whether a file is a database of MLflow."""
    return tables_of(path) >= _TABLES


def read_mlflow_database(path: Path) -> Iterator[ForeignRun]:
    """Yield the runs of a database of MLflow, by their start; a parent starts before its children.

    Raises:
        LedgerError: it is no database of MLflow, is damaged, or is locked by a writer.
    """
    with open_store_database(path) as database:
        if missing := sorted(table for table in _TABLES if not database.columns(table)):
            raise LedgerError(
                f"it is no database of MLflow, as it has no table `{missing[0]}`: `{path}`",
                hint="name the file in MLFLOW_TRACKING_URI, without `sqlite:///`",
            )
        experiments = {
            row[0]: row for row in database.rows("experiments", ("experiment_id", "name", "lifecycle_stage"))
        }
        rows: dict[object, Row] = {row[0]: row for row in database.rows("runs", _RUN, order="start_time run_uuid")}
        for batch in id_batches(rows, database.counts("metrics", "run_uuid")):
            values = _BatchValues(database, batch)
            for id_ in batch:
                yield values.run(rows[id_], experiments.get(rows[id_][1], (None, None, None)))


class _BatchValues:
    """Values of some runs, by run.

    Args:
        database: the store.
        runs: ids of the runs.
    """

    def __init__(self, database: StoreDatabase, runs: Sequence[object]) -> None:
        self._database = database
        self._params = self._texts("params", runs)
        self._tags = self._texts("tags", runs)
        self._points = self._series(runs)
        self._datasets = self._inputs(runs)

    def run(self, row: Row, experiment: Row) -> ForeignRun:
        """Return the run of a row of `runs`."""
        id_, _, name, status, start, end, stage, user, source, version = row
        tags = self._tags.get(id_, {})
        points = self._points.get(id_, [])
        scalars = [scalar for point in points if (scalar := _scalar(point))]
        started = moment_in_milliseconds(start)
        return ForeignRun(
            id=str(id_),
            name=tags.get(TAG_NAMES["name"]) or text_of(name),
            experiment=text_of(experiment[1]),
            status=_STATUSES.get(status) or status_of_open(last_seen(started, scalars)),
            started_at=started,
            ended_at=moment_in_milliseconds(end),
            author=tags.get(TAG_NAMES["user"]) or text_of(user),
            params={key: param_in(value) for key, value in self._params.get(id_, {}).items()},
            scalars=scalars,
            metrics=final_values(scalars),
            datasets=self._datasets.get(id_, []),
            tags=free_tags(tags),
            note=tags.get(TAG_NAMES["note"]) or None,
            parent=tags.get(TAG_NAMES["parent"]) or None,
            commit=tags.get(TAG_NAMES["commit"]) or text_of(version),
            command=[found] if (found := tags.get(TAG_NAMES["source"]) or text_of(source)) else [],
            deleted="deleted" in (stage, experiment[2]),
            losses=_losses(len(points) - len(scalars)),
        )

    def _texts(self, table: str, runs: Sequence[object]) -> dict[object, dict[str, str]]:
        found: dict[object, dict[str, str]] = defaultdict(dict)
        for run, key, value in self._database.rows_of(table, ("run_uuid", "key", "value"), runs):
            if isinstance(key, str) and isinstance(value, str):
                found[run][key] = value
        return found

    def _series(self, runs: Sequence[object]) -> dict[object, list[Row]]:
        rows = self._database.rows_of("metrics", _POINT, runs, "run_uuid key timestamp step")
        found: dict[object, list[Row]] = defaultdict(list)
        for row in rows:
            found[row[0]].append(row)
        return found

    def _inputs(self, runs: Sequence[object]) -> dict[object, list[ForeignDataset]]:
        columns = ("destination_id", "source_id", "input_uuid", "destination_type", "source_type")
        inputs = [row for row in self._database.rows_of("inputs", columns, runs) if row[3:] == _INPUT]
        rows = self._of("datasets", ("dataset_uuid", "name", "digest"), [row[1] for row in inputs])
        datasets = {id_: (name, digest) for id_, name, digest in rows}
        labels = self._of("input_tags", ("input_uuid", "name", "value"), [row[2] for row in inputs])
        contexts = {id_: value for id_, name, value in labels if name == TAG_NAMES["context"]}
        found: dict[object, list[ForeignDataset]] = defaultdict(list)
        for run, dataset, label, *_ in inputs:
            name, digest = datasets.get(dataset, (None, None))
            if isinstance(name, str):
                found[run].append(
                    ForeignDataset(name=name, digest=text_of(digest), context=text_of(contexts.get(label)))
                )
        return found

    def _of(self, table: str, columns: Sequence[str], ids: Iterable[object]) -> Iterator[Row]:
        """Yield the rows of a table whose first column is one of the ids."""
        for part in id_batches(dict.fromkeys(ids), {}):
            yield from self._database.rows_of(table, columns, part)


def final_values(scalars: Iterable[Scalar]) -> dict[str, float]:
    """Return the last values of series with one step, which is how MLflow is told a final value."""
    found: dict[str, float] = {}
    steps: dict[str, set[int]] = defaultdict(set)
    for scalar in scalars:
        found[scalar.tag] = scalar.value
        steps[scalar.tag].add(scalar.step)
    return {tag: value for tag, value in found.items() if len(steps[tag]) == 1}


def free_tags(tags: dict[str, str]) -> list[str]:
    """Return the tags that people gave, with their values."""
    return [f"{key}={value}" if value else key for key, value in tags.items() if not key.startswith(_OWN)]


def _scalar(point: Row) -> Scalar | None:
    _, tag, step, time, value, is_nan = point
    number = math.nan if is_nan == 1 else number_of(value)
    step = 0 if step is None else step_of(step)
    if not isinstance(tag, str) or number is None or not isinstance(step, int):
        return None
    if abs(number) == _INFINITE:
        number = math.copysign(math.inf, number)
    seconds = number_of(time)
    return Scalar(tag, step, None if seconds is None else seconds / _MILLISECONDS, number)


def _losses(broken: int) -> list[str]:
    return [f"{counted(broken, 'point')} of no number"] if broken else []


def moment_in_milliseconds(milliseconds: object) -> datetime | None:
    """Return a time that MLflow counts in milliseconds, in UTC; none where it is none."""
    value = number_of(milliseconds)
    return None if value is None else moment_of(value / _MILLISECONDS)


def last_seen(started: datetime | None, scalars: Iterable[Scalar]) -> datetime | None:
    """Return the last time that a run is known to have lived."""
    latest = max((scalar.time for scalar in scalars if scalar.time is not None), default=None)
    return max((moment for moment in (started, moment_of(latest)) if moment), default=None)
