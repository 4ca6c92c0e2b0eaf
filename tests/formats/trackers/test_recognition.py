"""Each store is recognised by its own reader, and by no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.formats.trackers.aim_export import is_aim_export
from ledger.formats.trackers.clearml_offline import is_clearml_offline
from ledger.formats.trackers.dvclive import is_dvclive
from ledger.formats.trackers.mlflow_database import is_mlflow_database
from ledger.formats.trackers.mlflow_files import is_mlflow_files
from ledger.formats.trackers.neptune_export import is_neptune_export
from ledger.formats.trackers.optuna_storage import is_optuna_storage
from ledger.formats.trackers.results_tsv import is_results_table
from ledger.formats.trackers.sacred_folder import is_sacred_folder
from ledger.formats.trackers.trackio_database import is_trackio_database
from ledger.formats.trackers.wandb_file import is_wandb_file

PREDICATES = (
    is_aim_export, is_clearml_offline, is_dvclive, is_mlflow_database, is_mlflow_files, is_neptune_export,
    is_optuna_storage, is_results_table, is_sacred_folder, is_trackio_database, is_wandb_file,
)  # fmt: skip
STORES = (
    ("aim_export", ".", is_aim_export),
    ("aim_export", "runs.csv", is_aim_export),
    ("clearml_offline", "offline", is_clearml_offline),
    ("dvclive", "dvclive", is_dvclive),
    ("dvclive", ".", is_dvclive),
    ("mlflow_database", "mlflow.db", is_mlflow_database),
    ("mlflow_files", "mlruns", is_mlflow_files),
    ("mlflow_files", ".", is_mlflow_files),
    ("optuna_storage", "study.db", is_optuna_storage),
    ("optuna_storage", "journal.log", is_optuna_storage),
    ("sacred_folder", "runs", is_sacred_folder),
    ("trackio_database", "trackio", is_trackio_database),
    ("trackio_database", "trackio/digits.db", is_trackio_database),
    ("wandb_file", "wandb", is_wandb_file),
    ("wandb_file", ".", is_wandb_file),
)


@pytest.mark.parametrize(("name", "place", "own"), STORES, ids=[f"{name}/{place}" for name, place, _ in STORES])
def test_a_store_is_recognised_by_its_own_reader_only(
    store: Callable[[str], Path], name: str, place: str, own: Callable[[Path], bool]
) -> None:
    path = store(name) / place
    assert [predicate for predicate in PREDICATES if predicate(path)] == [own]


def test_nothing_is_recognised_where_nothing_is(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for path in (tmp_path, empty, tmp_path / "none", Path("/dev/null"), Path("/proc/self")):
        assert not [predicate for predicate in PREDICATES if predicate(path)]
