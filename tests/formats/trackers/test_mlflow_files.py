"""MLflow's folders are read point for point; what is torn or missing in them is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.mlflow_files import is_mlflow_files, read_mlflow_files
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.test_mlflow_database import check_runs, points

Store = Callable[[str], Path]


@pytest.fixture
def folder(store: Store) -> Path:
    return store("mlflow_files") / "mlruns"


def runs_of(path: Path) -> dict[str | None, ForeignRun]:
    return {run.name: run for run in read_mlflow_files(path)}


def folder_of(folder: Path, name: str) -> Path:
    run = runs_of(folder)[name]
    return next(folder.glob(f"*/{run.id}"))


def test_every_point_and_word_of_the_folders_is_read(folder: Path, later: None) -> None:
    assert is_mlflow_files(folder)
    assert is_mlflow_files(folder.parent)
    check_runs(runs_of(folder))
    assert runs_of(folder.parent) == runs_of(folder) or repr(runs_of(folder.parent)) == repr(runs_of(folder))


def test_a_line_that_was_not_ended_is_no_point(folder: Path) -> None:
    path = folder_of(folder, "parent") / "metrics" / "acc"
    path.write_bytes(path.read_bytes() + b"1700000000300 0.7123 1\n1700000000400 0.5")
    run = runs_of(folder)["parent"]
    assert [point[2] for point in points(run, "acc")] == [0.9, 0.8, 0.7123]
    assert run.losses == ["1 line of metrics/acc without a point"]


def test_points_come_in_the_order_of_time(folder: Path) -> None:
    path = folder_of(folder, "parent") / "metrics" / "acc"
    path.write_text("300 3 0\n100 1 0\n200 2 0\nx y z\n1 1_0 0\n")
    run = runs_of(folder)["parent"]
    assert [point[2] for point in points(run, "acc")] == [1, 2, 3]
    assert run.losses == ["2 lines of metrics/acc without a point"]


def test_a_run_without_its_meta_file_is_read_for_what_is_left(folder: Path, later: None) -> None:
    inner = folder_of(folder, "parent")
    (inner / "meta.yaml").unlink()
    run = runs_of(folder)["parent"]
    assert (run.id, run.status, run.started_at) == (inner.name, "lost", None)
    assert len(run.scalars) == 10
    assert len(run.losses) == 1
    assert "meta.yaml" in run.losses[0]


def test_folders_of_artifacts_of_a_database_are_no_runs(folder: Path) -> None:
    other = folder / "1" / ("a" * 32) / "artifacts"
    other.mkdir(parents=True)
    (other / "model.pkl").write_bytes(b"x")
    assert len(runs_of(folder)) == 6
    shutil.rmtree(folder)
    other.mkdir(parents=True)
    assert not is_mlflow_files(folder)
    assert isinstance(outcome(read_mlflow_files, folder), LedgerError)


def test_links_and_names_that_lead_out_of_the_store_are_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "meta.yaml").write_text("name: secret\ndigest: x\n")
    (secret / "key").write_text("value")
    inner = folder_of(folder, "child")
    (inner / "params").mkdir(exist_ok=True)
    (inner / "params" / "key").symlink_to(secret / "key")
    (inner / "tags" / "more").symlink_to(secret)
    (inner.parent / "linked").symlink_to(inner)
    given = next((inner / "inputs").glob("*/meta.yaml"))
    given.write_text("source_id: ../../../../secret\n")
    runs = list(read_mlflow_files(folder))
    child = next(run for run in runs if run.name == "child")
    assert (len(runs), child.params, child.tags, child.datasets) == (6, {}, [], [])


def test_tags_of_yaml_make_no_objects(folder: Path) -> None:
    inner = folder_of(folder, "parent")
    (inner / "meta.yaml").write_text("run_id: !!python/object/apply:os.system [exit 1]\nstatus: [3]\nstart_time: 5\n")
    run = runs_of(folder)["parent"]
    assert (run.id, run.started_at is not None) == (inner.name, True)


@pytest.mark.parametrize("name", ["meta.yaml", "metrics/acc", "params/lr", "tags/mlflow.runName"])
def test_a_damaged_folder_gives_what_is_left_or_one_error(folder: Path, name: str) -> None:
    assert endure(read_mlflow_files, folder, folder_of(folder, "parent") / name, rounds=20) == []


def test_a_damaged_experiment_gives_what_is_left_or_one_error(folder: Path) -> None:
    assert endure(read_mlflow_files, folder, folder_of(folder, "parent").parent / "meta.yaml", rounds=20) == []
