"""Folders of Sacred are read point for point; a run whose heart stopped is lost."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.sacred_folder import is_sacred_folder, read_sacred_folder
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.make_sacred import LONG, VALUES

Store = Callable[[str], Path]


@pytest.fixture
def folder(store: Store) -> Path:
    return store("sacred_folder") / "runs"


def runs_of(path: Path) -> dict[str, ForeignRun]:
    return {run.id: run for run in read_sacred_folder(path)}


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_every_point_and_word_of_a_folder_is_read(folder: Path) -> None:
    assert is_sacred_folder(folder)
    runs = runs_of(folder)
    assert list(runs) == ["1", "2", "3"]
    run = runs["1"]
    points = [(point.tag, point.step, point.value) for point in run.scalars]
    assert repr(points) == repr([
        ("acc", 3, 0.9), ("acc", 3, 0.8), *(("train.loss", step, float(value)) for step, value in enumerate(VALUES)),
    ])  # fmt: skip
    times = [point.time for point in run.scalars if point.tag == "train.loss" and point.time]
    assert len(times) == len(VALUES)
    assert times == sorted(times)
    assert run.params == {
        "lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "long": LONG, "имя": "Größe", "none": None,
        "seed": 7,
    }  # fmt: skip
    assert (run.experiment, run.status, run.note, run.metrics) == ("digits", "finished", "a note", {"result": 0.93})
    assert run.command == ["train.py", "main"]
    assert run.started_at is not None
    assert run.ended_at is not None
    assert datetime(2026, 1, 1, tzinfo=UTC) < run.started_at < run.ended_at
    assert run.started_at.timestamp() <= times[0] <= run.ended_at.timestamp()
    assert run.losses == ["`info.words`: a final value without a number"]


def test_a_run_that_failed_says_its_error(folder: Path) -> None:
    run = runs_of(folder)["2"]
    assert (run.status, run.reason, run.metrics) == ("failed", "ValueError: boom", {})


def test_a_killed_run_is_lost_when_its_heart_has_stopped(folder: Path, later: None) -> None:
    run = runs_of(folder)["3"]
    assert (run.status, run.ended_at, len(run.scalars)) == ("lost", None, len(VALUES) + 2)
    change(folder / "3" / "run.json", heartbeat="2030-12-31T23:00:00")
    assert runs_of(folder)["3"].status == "running"


def test_code_and_files_of_a_run_are_named(folder: Path) -> None:
    one = folder / "1"
    experiment = {"name": "e", "repositories": [{"url": "u", "commit": "c" * 40, "dirty": True}]}
    change(one / "run.json", experiment=experiment, artifacts=["a", "b"], resources=[["x", "y"]], result={"f1": 0.5})
    (one / "config.json").write_text('{"t": {"py/tuple": [1, {"py/set": [2]}]}, "o": {"py/object": "a.B"}}')
    run = runs_of(folder)["1"]
    assert (run.commit, run.metrics) == ("c" * 40, {"result.f1": 0.5})
    assert run.params == {"t": [1, [2]], "o": {"py/object": "a.B"}}
    assert run.losses == [
        "changes of its code that were not committed", "`info.words`: a final value without a number",
        "artifacts: 2 files", "resources: 1 file",
    ]  # fmt: skip


def test_one_run_can_be_named_and_other_folders_are_none(folder: Path, tmp_path: Path) -> None:
    assert list(runs_of(folder / "2")) == ["2"]
    for path in (folder / "_sources", tmp_path / "none", folder / "1" / "run.json"):
        assert not is_sacred_folder(path)
        assert isinstance(outcome(read_sacred_folder, path), LedgerError)


def test_series_of_unequal_lists_give_the_points_that_are_whole(folder: Path) -> None:
    series = {"steps": [1, 2, "x"], "timestamps": ["2026-01-01T00:00:00"], "values": [1, 2, 3, "y"]}
    (folder / "1" / "metrics.json").write_text(json.dumps({"a": series, "b": [1], "c": {"values": {}}}))
    run = runs_of(folder)["1"]
    assert [(point.step, point.value, point.time is None) for point in run.scalars] == [(1, 1, False), (2, 2, True)]
    assert run.losses[:3] == [
        "`a`: 2 values without a number", "`b`: 1 value without a number", "`c`: 1 value without a number",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["run.json", "config.json", "metrics.json", "info.json"])
def test_a_damaged_folder_gives_what_is_left_or_one_error(folder: Path, name: str) -> None:
    assert endure(read_sacred_folder, folder, folder / "1" / name, rounds=30) == []
