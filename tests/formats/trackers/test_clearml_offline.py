"""Offline sessions of ClearML are read point for point, with a word on the zeros that may be none."""

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.clearml_offline import is_clearml_offline, read_clearml_offline
from ledger.formats.trackers.foreign_run import ForeignRun
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.make_clearml import LONG, VALUES

Store = Callable[[str], Path]


@pytest.fixture
def folder(store: Store) -> Path:
    return store("clearml_offline") / "offline"


def runs_of(path: Path) -> dict[str | None, ForeignRun]:
    return {run.name: run for run in read_clearml_offline(path)}


def test_every_point_and_word_of_an_archive_is_read(folder: Path, later: None) -> None:
    assert is_clearml_offline(folder)
    assert is_clearml_offline(folder.parent)
    runs = runs_of(folder)
    assert set(runs) == {"full task", "failed task", "killed task"}
    run = runs["full task"]
    kept = [(step, value if math.isfinite(value) else 0.0) for step, value in enumerate(VALUES)]
    assert [(point.tag, point.step, point.value) for point in run.scalars] == [
        *(("train/loss", *point) for point in kept), ("acc", 3, 0.9), ("acc", 3, 0.8),
    ]  # fmt: skip
    assert run.params == {
        "lr": 1e-3, "opt.name": "adam", "opt.nesterov": True, "long": LONG, "имя": "Größe", "none": None,
        "Data.batch": 32,
    }  # fmt: skip
    assert (run.experiment, run.status, run.note) == ("digits", "finished", "first\nnote")
    assert (sorted(run.tags), run.metrics, run.command) == (["a", "ß"], {"final": 0.93}, ["train.py"])
    assert run.started_at is not None
    assert all(point.time is not None and point.time >= run.started_at.timestamp() for point in run.scalars)
    assert run.losses == [
        "`train/loss`: 3 values of 0, which ClearML also writes for NaN and infinity", "`plot`: 1 event",
        "its code, which was in no repository", "how it ended, which ClearML does not keep offline",
    ]  # fmt: skip


def test_a_killed_task_is_a_folder_without_an_archive(folder: Path, later: None) -> None:
    runs = runs_of(folder)
    killed = runs["killed task"]
    assert killed.status == "lost"
    assert len(killed.scalars) == len(VALUES) + 2
    assert len(runs_of(folder / killed.id)) == 1


def test_an_archive_and_its_folder_say_the_same(folder: Path) -> None:
    (archive,) = [path for path in folder.glob("*.zip") if "full task" in runs_of(path)]
    assert repr(runs_of(archive)) == repr(runs_of(archive.with_suffix("")))


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.formats.trackers.clearml_offline.MOST_BYTES", 1 << 20)
    path = tmp_path / "offline-a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("task.json", json.dumps({"id": "a", "offline_folder": "x"}))
        archive.writestr("metrics.jsonl", b" " * (200 << 20))
        archive.writestr("../../log.jsonl", "")
    (run,) = read_clearml_offline(path)
    assert run.losses[:2] == [
        "metrics.jsonl in the archive is larger than 1,048,576 bytes: `offline-a.zip`",
        "the archive holds no log.jsonl: `offline-a.zip`",
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("task.json", b"[" * (200 << 20))
    assert isinstance(outcome(read_clearml_offline, path), LedgerError)


def test_other_files_and_folders_are_none_of_clearml(tmp_path: Path) -> None:
    other = tmp_path / "offline-x.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("task.json", "{}")
    for path in (other, tmp_path, tmp_path / "none"):
        assert not is_clearml_offline(path)
        assert isinstance(outcome(read_clearml_offline, path), LedgerError)


@pytest.mark.parametrize("name", ["task.json", "metrics.jsonl", "log.jsonl"])
def test_a_damaged_folder_gives_what_is_left_or_one_error(folder: Path, name: str) -> None:
    session = folder / runs_of(folder)["killed task"].id
    assert endure(read_clearml_offline, session, session / name, rounds=30) == []


def test_a_damaged_archive_gives_what_is_left_or_one_error(folder: Path) -> None:
    archive = next(folder.glob("*.zip"))
    assert endure(read_clearml_offline, archive, archive) == []
