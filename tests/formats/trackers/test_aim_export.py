"""Tables that Aim's SDK made are read point for point, alone or together."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.aim_export import is_aim_export, read_aim_export
from ledger.formats.trackers.foreign_run import ForeignRun
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.make_aim import LONG, VALUES

Store = Callable[[str], Path]
ZONE = "the time zone of its points, which was taken from this machine"
PARAMS = {"lr": 1e-3, "opt.name": "adam", "opt.betas": [0.9, 0.999], "long": LONG, "имя": "Größe", "flag": True}


@pytest.fixture
def folder(store: Store) -> Path:
    return store("aim_export")


def runs_of(path: Path) -> list[ForeignRun]:
    return sorted(read_aim_export(path), key=lambda run: len(run.scalars) + len(run.params))


def test_every_point_and_word_of_both_tables_is_read(folder: Path, later: None) -> None:
    assert is_aim_export(folder)
    killed, run = runs_of(folder)
    points = {(point.tag, point.step): point.value for point in run.scalars}
    assert repr(sorted(points.items())) == repr(sorted({
        ("acc", 3): 0.7, **{("train/loss", step): value for step, value in enumerate(VALUES)}, ("val/loss", 3): 0.9,
    }.items()))  # fmt: skip
    assert len(run.scalars) == len(VALUES) + 2
    assert run.params == PARAMS
    assert (run.name, run.experiment, run.status, run.note) == ("full run", "digits", "finished", "first\nnote")
    assert (sorted(run.tags), run.deleted) == (["a", "ß"], False)
    assert run.started_at is not None
    assert run.ended_at is not None
    times = [point.time for point in run.scalars if point.time is not None]
    assert run.started_at.timestamp() <= min(times) <= max(times) <= run.ended_at.timestamp()
    assert run.losses == ["measurements of the machine", ZONE]
    assert (killed.name, killed.status, killed.ended_at) == (None, "lost", None)
    assert [point.value for point in killed.scalars] == [0.25]


def test_one_table_alone_is_read_for_what_it_says(folder: Path, later: None) -> None:
    _, points = runs_of(folder / "metrics.csv")
    assert (points.params, points.experiment, points.status, len(points.scalars)) == (PARAMS, None, "lost", 9)
    _, run = runs_of(folder / "runs.csv")
    assert (run.params, run.experiment, run.scalars) == (PARAMS, "digits", [])


def test_rows_that_are_no_points_are_named(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(
        "run.hash,metric.name,step,value,time\na,loss,1,2,\na,loss,x,2,\na,loss,1.5,2,\na,loss,2,,\n,x,1,1,\n"
    )
    (run,) = runs_of(path)
    assert repr([(point.step, point.value) for point in run.scalars]) == "[(1, 2.0), (2, nan)]"
    assert run.losses == ["2 rows without a point", ZONE]


def test_the_store_of_aim_itself_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / ".aim" / "meta").mkdir(parents=True)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for path in (tmp_path, tmp_path / ".aim", tmp_path / "other.csv", tmp_path / "none"):
        assert not is_aim_export(path)
        found = outcome(read_aim_export, path)
        assert isinstance(found, LedgerError)
        assert "aim storage reindex" in str(found.hint)


@pytest.mark.parametrize("name", ["runs.csv", "metrics.csv"])
def test_a_damaged_table_gives_what_is_left_or_one_error(folder: Path, name: str) -> None:
    assert endure(read_aim_export, folder, folder / name, rounds=30) == []
