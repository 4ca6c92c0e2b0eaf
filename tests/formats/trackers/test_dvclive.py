"""A folder of DVCLive is one run, read point for point."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.dvclive import is_dvclive, read_dvclive
from ledger.formats.trackers.foreign_run import ForeignRun
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.make_dvclive import LONG, VALUES

Store = Callable[[str], Path]


@pytest.fixture
def folder(store: Store) -> Path:
    return store("dvclive") / "dvclive"


def run_of(path: Path) -> ForeignRun:
    (run,) = read_dvclive(path)
    return run


def test_every_point_and_word_of_a_folder_is_read(folder: Path) -> None:
    assert is_dvclive(folder)
    run = run_of(folder)
    assert repr([(point.tag, point.step, point.value) for point in run.scalars]) == repr([
        ("stamped", 8, 0.25),
        *(("точность", step, 0.5) for step in range(len(VALUES))),
        *(("train/loss", step, float(value)) for step, value in enumerate(VALUES)),
        ("val/acc/top1", 8, 0.9), ("val/acc/top1", 8, 0.8),
    ])  # fmt: skip
    assert [point.tag for point in run.scalars if point.time] == ["stamped"]
    assert run.params == {
        "lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "long": LONG, "имя": "Größe", "none": "None",
    }  # fmt: skip
    assert run.metrics == {"final": 0.93, "said": 0.125}
    assert (run.id, run.status) == ("dvclive", "finished")
    assert run.losses == ["plots: sklearn", "when it ran and how it ended, which DVCLive does not keep"]


def test_its_parent_can_be_named_and_other_folders_are_none(folder: Path, tmp_path: Path) -> None:
    assert is_dvclive(folder.parent)
    assert run_of(folder.parent).id == "dvclive"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "metrics.json").write_text('{"acc": 1}')
    for path in (tmp_path / "other", tmp_path / "none", folder / "metrics.json"):
        assert not is_dvclive(path)
        assert isinstance(outcome(read_dvclive, path), LedgerError)


def test_a_line_that_is_torn_or_strange_is_no_point(folder: Path) -> None:
    path = folder / "plots" / "metrics" / "stamped.tsv"
    path.write_text("step\tstamped\n1\t0.5\nx\t1\n2\t1_0\n3\n4\t0.123")
    run = run_of(folder)
    assert [(point.step, point.value) for point in run.scalars if point.tag == "stamped"] == [(1, 0.5)]
    assert run.losses[0] == "`stamped`: 4 lines without a point"


def test_words_for_what_is_no_number_are_numbers(folder: Path) -> None:
    (folder / "metrics.json").write_text('{"a": "nan", "b": {"c": "-inf"}, "d": "x", "step": 1}')
    run = run_of(folder)
    assert repr(run.metrics) == "{'a': nan, 'b/c': -inf}"
    assert run.losses[0] == "`d`: a final value without a number"


@pytest.mark.parametrize("name", ["metrics.json", "params.yaml", "plots/metrics/train/loss.tsv"])
def test_a_damaged_folder_gives_what_is_left_or_one_error(folder: Path, name: str) -> None:
    assert endure(read_dvclive, folder, folder / name, rounds=30) == []
