"""Storages of Optuna are read trial for trial: params as they were chosen, values as they were reported."""

import json
import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.optuna_storage import is_optuna_storage, read_optuna_storage
from tests.formats.trackers.damage import endure, outcome

Store = Callable[[str], Path]

KINDS = ("study.db", "journal.log")
POINTS = [(0, 1.0), (1, 0.5), (2, math.inf), (3, -math.inf), (4, 1e-320)]
WORKER = "0-0"


def runs_of(path: Path) -> dict[str, ForeignRun]:
    return {run.id: run for run in read_optuna_storage(path)}


def journal(folder: Path, *changes: dict[str, object]) -> Path:
    path = folder / "j.log"
    path.write_text("".join(json.dumps(change | {"worker_id": WORKER}) + "\n" for change in changes))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_trial_is_read_with_its_params_and_values(store: Store, later: None, kind: str) -> None:
    path = store("optuna_storage") / kind
    assert is_optuna_storage(path)
    runs = runs_of(path)
    kept = {id_: run for id_, run in runs.items() if not run.deleted}
    assert list(kept) == ["digits/0", "digits/1", "digits/2", "digits/3", "zwei/0", "killed/0"]
    assert [run.status for run in kept.values()] == ["finished", "pruned", "failed", "finished", "finished", "lost"]
    first, pruned, failed, infinite, two, killed = kept.values()
    assert first.params == {"lr": 0.01, "layers": 3, "opt": None, "momentum": 0.5}
    assert isinstance(first.params["layers"], int)
    assert pruned.params["opt"] in {"adam", "sgd", None, True, 3, 0.5}
    for run in (first, failed, infinite):
        assert [(point.tag, point.step, point.value) for point in run.scalars] == [
            ("value", *point) for point in POINTS
        ]
    assert [point.step for point in pruned.scalars] == [0, 1, 2, 3, 4, 9]
    assert math.isnan(pruned.scalars[-1].value)
    assert (first.metrics, pruned.metrics, infinite.metrics) == ({"value": 0.25}, {}, {"value": math.inf})
    assert first.directions == {"value": "higher"}
    assert (two.metrics, two.directions) == ({"loss": 0.5, "acc": -math.inf}, {"loss": "lower", "acc": "higher"})
    assert first.tags == ["team=vision", "имя=Größe"]
    assert "attribute `nested`" in first.losses
    assert ([point.value for point in killed.scalars], killed.ended_at) == ([0.125], None)
    assert first.started_at is not None
    assert first.ended_at is not None
    assert timedelta() < first.ended_at - first.started_at < timedelta(seconds=10)


def test_a_deleted_study_remains_in_a_journal(store: Store) -> None:
    runs = runs_of(store("optuna_storage") / "journal.log")
    assert [run.id for run in runs.values() if run.deleted] == ["gone/0"]


def test_times_of_a_database_are_local(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store("optuna_storage") / "study.db"
    before = runs_of(path)["digits/0"].started_at
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        after = runs_of(path)["digits/0"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert before is not None
    assert after.started_at == before - timedelta(hours=9)
    assert "the time zone of its times, which was taken from this machine" in after.losses


def test_a_param_that_is_none_of_its_distribution_is_named(store: Store) -> None:
    path = store("optuna_storage") / "study.db"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE trial_params SET param_value = 17 WHERE param_name = 'opt'")
        base.execute("UPDATE trial_params SET distribution_json = '[' WHERE param_name = 'lr'")
    run = runs_of(path)["digits/0"]
    assert run.params == {"layers": 3, "momentum": 0.5}
    assert len([loss for loss in run.losses if loss.endswith("whose value is none of its distribution")]) == 2


def test_workers_of_one_journal_join_a_study_and_a_change_after_the_end_is_refused(tmp_path: Path) -> None:
    path = journal(
        tmp_path,
        {"op_code": 0, "study_name": "a", "directions": [1]},
        {"op_code": 0, "study_name": "a", "directions": [1]},
        {"op_code": 4, "study_id": 0, "datetime_start": None},
        {"op_code": 6, "trial_id": 0, "state": 1, "values": [1.0]},
        {"op_code": 7, "trial_id": 0, "step": 1, "intermediate_value": 2.0},
        {"op_code": 6, "trial_id": 0, "state": 3, "values": None},
        {"op_code": 1, "study_id": 0},
        {"op_code": 0, "study_name": "a", "directions": [2]},
        {
            "op_code": 4,
            "study_id": 1,
            "datetime_start": None,
            "state": 1,
            "value": 3.0,
            "intermediate_values": {"5": 7},
        },
    )
    runs = runs_of(path)
    assert [(run.id, run.metrics, run.deleted) for run in runs.values()] == [
        ("a/0", {"value": 1.0}, True), ("a#2/0", {"value": 3.0}, False),
    ]  # fmt: skip
    assert (runs["a/0"].scalars, runs["a#2/0"].scalars[0].step) == ([], 5)


@pytest.mark.parametrize("line", ["{", '{"op_code": 4, "study_id": 9}', '{"op_code": 5, "trial_id": -1}', "[1]"])
def test_nothing_behind_a_broken_line_is_read(store: Store, later: None, line: str) -> None:
    path = store("optuna_storage") / "journal.log"
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:20], line, *lines[20:]]))
    runs = runs_of(path)
    assert list(runs) == ["digits/0", "digits/1"]
    assert all("the journal from line 21 on" in run.losses for run in runs.values())
    path.write_text("\n".join([*lines[:20], line]))
    last = "the end of the journal, which was not written whole"
    assert [last in run.losses for run in runs_of(path).values()] == [False, True]


def test_other_files_are_no_storage(tmp_path: Path) -> None:
    other = tmp_path / "x.log"
    other.write_text('{"a": 1}\n')
    for path in (other, tmp_path, tmp_path / "none"):
        assert not is_optuna_storage(path)
        assert isinstance(outcome(read_optuna_storage, path), LedgerError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_storage_gives_what_is_left_or_one_error(store: Store, kind: str) -> None:
    path = store("optuna_storage") / kind
    assert endure(read_optuna_storage, path, path) == []
