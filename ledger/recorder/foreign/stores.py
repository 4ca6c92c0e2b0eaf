"""The kinds of stores that can be imported, each with how it is recognised and read."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ledger.errors import LedgerError, NotFound, UsageError
from ledger.formats.trackers.aim_export import is_aim_export, read_aim_export
from ledger.formats.trackers.clearml_offline import is_clearml_offline, read_clearml_offline
from ledger.formats.trackers.dvclive import is_dvclive, read_dvclive
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.mlflow_database import is_mlflow_database, read_mlflow_database
from ledger.formats.trackers.mlflow_files import is_mlflow_files, read_mlflow_files
from ledger.formats.trackers.neptune_export import is_neptune_export, read_neptune_export
from ledger.formats.trackers.optuna_storage import is_optuna_storage, read_optuna_storage
from ledger.formats.trackers.results_tsv import is_results_table, read_results_table
from ledger.formats.trackers.sacred_folder import is_sacred_folder, read_sacred_folder
from ledger.formats.trackers.table_file import ForeignColumns, ResultsTable, read_table_file
from ledger.formats.trackers.tensorboard_folder import is_tensorboard_folder, read_tensorboard_folder
from ledger.formats.trackers.trackio_database import is_trackio_database, read_trackio_database
from ledger.formats.trackers.wandb_file import is_wandb_file, read_wandb_file
from ledger.model.values import plain
from ledger.recorder.foreign.dvc_experiments import is_dvc_repository, read_dvc_experiments

TABLE = "table"
"""Kind of a table whose columns the user names."""


class Store(NamedTuple):
    """A store that was found."""

    tracker: str
    """Kind of the store."""
    runs: Iterable[ForeignRun]
    """Its runs; those of a database are read one after the other."""
    losses: list[str]
    """What of it is no run, such as torn rows."""


class StoreKind(NamedTuple):
    """A kind of store."""

    tracker: str
    """Name of the tracker, as people choose it."""
    matches: Callable[[Path], bool]
    """Whether a path is such a store."""
    read: Callable[[Path, ForeignColumns], Store]
    """Reads it."""


def _runs(tracker: str, read: Callable[[Path], Iterator[ForeignRun]]) -> Callable[[Path, ForeignColumns], Store]:
    def store(path: Path, columns: ForeignColumns) -> Store:
        if any(columns):
            raise UsageError("columns are those of a table", hint=f"--from {TABLE}")
        return Store(tracker, read(path), [])

    return store


def _results(path: Path, columns: ForeignColumns) -> Store:
    if columns.params or columns.id or columns.time or len(columns.metrics) > 1:
        raise UsageError("of a results.tsv only the metric can be chosen", hint=f"any table: --from {TABLE}")
    return _of_table("results", read_results_table(path, columns.metrics[0] if columns.metrics else None))


def _table(path: Path, columns: ForeignColumns) -> Store:
    return _of_table(TABLE, read_table_file(path, columns))


def _of_table(tracker: str, table: ResultsTable) -> Store:
    return Store(tracker, table.runs, table.losses)


STORES = (
    StoreKind("mlflow", is_mlflow_database, _runs("mlflow", read_mlflow_database)),
    StoreKind("mlflow", is_mlflow_files, _runs("mlflow", read_mlflow_files)),
    StoreKind("wandb", is_wandb_file, _runs("wandb", read_wandb_file)),
    StoreKind("trackio", is_trackio_database, _runs("trackio", read_trackio_database)),
    StoreKind("optuna", is_optuna_storage, _runs("optuna", read_optuna_storage)),
    StoreKind("dvclive", is_dvclive, _runs("dvclive", read_dvclive)),
    StoreKind("sacred", is_sacred_folder, _runs("sacred", read_sacred_folder)),
    StoreKind("clearml", is_clearml_offline, _runs("clearml", read_clearml_offline)),
    StoreKind("neptune", is_neptune_export, _runs("neptune", read_neptune_export)),
    StoreKind("aim", is_aim_export, _runs("aim", read_aim_export)),
    StoreKind("results", is_results_table, _results),
    StoreKind("dvc", is_dvc_repository, _runs("dvc", read_dvc_experiments)),
    StoreKind("tensorboard", is_tensorboard_folder, _runs("tensorboard", read_tensorboard_folder)),
    StoreKind(TABLE, lambda _: False, _table),
)
"""Every kind, those that are recognised for certain first; nothing is taken for a table by itself."""

TRACKERS = tuple(dict.fromkeys(kind.tracker for kind in STORES))
"""Names that can be chosen."""


def open_store(path: Path, tracker: str | None = None, columns: ForeignColumns | None = None) -> Store:
    """Return the store at a path.

    Args:
        path: file or folder.
        tracker: kind that it must be; what lies there decides by default.
        columns: what the columns of a table mean.

    Raises:
        NotFound: there is nothing.
        LedgerError: it is no store of a known kind, or cannot be read.
        UsageError: columns are named and it is no table.
    """
    if not path.exists():
        raise NotFound(f"there is no store: `{plain(str(path))}`", hint="name the file or folder of the other tracker")
    kinds = [kind for kind in STORES if tracker in {None, kind.tracker}]
    found = kinds[:1] if tracker and len(kinds) == 1 else [kind for kind in kinds if kind.matches(path)]
    if not found:
        what = f"of {tracker}" if tracker else "of a known tracker"
        raise LedgerError(
            f"this is no store {what}: `{plain(str(path))}`",
            hint=f"known are {', '.join(TRACKERS)}; any table: ledger import FILE --from {TABLE} --metric COLUMN",
        )
    return found[0].read(path, columns or ForeignColumns())
