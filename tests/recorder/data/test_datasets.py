"""Datasets of a run: known content is its version, whoever named it or not, and what must differ differs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError, NotFound
from ledger.model.boxes.outputs import Metric
from ledger.model.record import Record
from ledger.recorder import Dataset, Draft, record
from ledger.recorder.data.dataset_versions import add_version, retire_version
from ledger.recorder.data.version_request import VersionRequest
from ledger.recorder.record.options import parse_dataset
from ledger.recorder.record.warnings import how_to_name, warn_of_datasets
from ledger.store.branch.branch import Branch
from ledger.store.branch.versions import read_retirements

NOW = datetime(2026, 11, 20, 19, 48, 12, tzinfo=UTC)


def recorded(ledger: Branch, *datasets: Dataset, strict: bool = True, number: int = 0) -> Record:
    metrics = [Metric(name="accuracy", value=0.9, split="validation")]
    draft = Draft(
        id=f"20261120-194812-{number:06d}",
        status="finished",
        experiment="digits",
        started_at=NOW,
        ended_at=NOW,
        duration_seconds=1.0,
        datasets=list(datasets),
        metrics=metrics,
    )
    return record(ledger, draft, state_dir=ledger.repository.state_dir, strict=strict).record


@pytest.fixture
def val(repo: Path, ledger: Branch) -> Path:
    folder = repo / "val"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.txt").write_text(f"sample {number}")
    add_version(ledger, VersionRequest(name="texts", path=str(folder), role="validation"))
    return folder


@pytest.mark.parametrize("name", [None, "texts"])
def test_known_content_is_its_version_even_if_nobody_named_it(ledger: Branch, val: Path, name: str | None) -> None:
    made = recorded(ledger, Dataset(role="validation", path=str(val), name=name))
    (use,) = made.datasets.used
    assert (use.label, use.samples, use.path) == ("texts@v1", 9, str(val))
    assert made.results.metrics[0].dataset == "texts@v1"
    assert how_to_name(made) is None


def test_known_content_under_another_name_is_not_what_was_named(ledger: Branch, val: Path) -> None:
    (use,) = recorded(ledger, Dataset(role="validation", path=str(val), name="mine")).datasets.used
    assert (use.name, use.version) == ("mine", None)


def test_a_version_is_used_by_its_name_without_its_data(ledger: Branch, val: Path) -> None:
    known = recorded(ledger, Dataset(role="validation", path=str(val))).datasets.used[0]
    for file in val.iterdir():
        file.unlink()
    named = parse_dataset("validation=texts@v1")
    (use,) = recorded(ledger, named, number=1).datasets.used
    assert (use.hash, use.files, use.bytes, use.path) == (known.hash, known.files, known.bytes, None)


def test_a_path_that_looks_like_a_version_is_a_path(repo: Path) -> None:
    (repo / "texts@v1").mkdir()
    assert parse_dataset("validation=texts@v1").path == "texts@v1"
    assert parse_dataset("validation=texts@v2").path == ""


def test_a_version_that_is_not_there_is_refused_or_said(ledger: Branch, val: Path) -> None:
    with pytest.raises(NotFound, match="`texts@v7`"):
        recorded(ledger, parse_dataset("validation=texts@v7"))
    made = recorded(ledger, parse_dataset("validation=texts@v7"), strict=False)
    assert made.datasets.unknown == {"used.texts@v7": "no such dataset version: `texts@v7`"}
    assert made.results.metrics[0].dataset_hash is None


def test_planted_leakage_within_a_run_stands_in_its_record(ledger: Branch, val: Path, repo: Path) -> None:
    (repo / "train").mkdir()
    for number in range(7, 30):
        (repo / "train" / f"other-{number}.txt").write_text(f"sample {number}")
    train = Dataset(role="train", path=str(repo / "train"))
    judged = Dataset(role="validation", path=str(val))
    for number, datasets in enumerate(
        [(train, judged), (judged, train), (train, parse_dataset("validation=texts@v1"))]
    ):
        made = recorded(ledger, *datasets, number=number)
        (leak,) = made.datasets.leaks
        assert (leak.within, leak.dataset, leak.files) == ("texts@v1", str(repo / "train"), 2)
        assert leak.examples == ["7.txt", "8.txt"]
        (warning,) = warn_of_datasets(ledger, made)
        assert warning == f"texts@v1: 2 files shared with {repo / 'train'} (train): 7.txt, 8.txt"


def test_without_leakage_nothing_is_said(ledger: Branch, val: Path, repo: Path) -> None:
    (repo / "train").mkdir()
    (repo / "train" / "0.txt").write_text("another sample")
    (repo / "train" / "empty.txt").touch()
    (val / "empty.txt").touch()
    made = recorded(ledger, Dataset(role="train", path="train"), Dataset(role="validation", path=str(val)))
    assert made.datasets.leaks == []
    assert warn_of_datasets(ledger, made) == []


def test_what_is_measured_on_a_retired_version_is_warned_about(ledger: Branch, val: Path) -> None:
    retire_version(ledger, "texts@v1", "half of the labels were wrong")
    made = recorded(ledger, Dataset(role="validation", path=str(val)))
    assert warn_of_datasets(ledger, made) == ["texts@v1 is retired: half of the labels were wrong"]


def test_what_is_remembered_of_retired_versions_keeps_up_and_may_be_damaged(
    ledger: Branch, val: Path, repo: Path
) -> None:
    assert read_retirements(ledger) == {}
    note = retire_version(ledger, "texts@v1", "why")
    assert read_retirements(ledger) == {"texts@v1": note}
    add_version(ledger, VersionRequest(name="scripts", path=str(repo / "train.py"), role="test"))
    other = retire_version(ledger, "scripts@v1", "why")
    expected = {"texts@v1": note, "scripts@v1": other}
    assert read_retirements(ledger) == expected
    for damage in (b"damaged", b'{"tip": "' + b"0" * 40 + b'", "retired": []}'):
        (ledger.repository.state_dir / "retired.json").write_bytes(damage)
        assert read_retirements(ledger) == expected


def test_data_without_a_name_is_told_how_to_get_one(ledger: Branch, repo: Path) -> None:
    (repo / "my val").mkdir()
    (repo / "my val" / "a.txt").write_text("a")
    made = recorded(ledger, Dataset(role="train", path="train.py"), Dataset(role="validation", path="my val"))
    assert how_to_name(made) == "ledger dataset add NAME 'my val' --role validation"
    assert how_to_name(recorded(ledger, Dataset(role="train", path="train.py"), number=1)) is None


def test_a_damaged_version_does_not_hide_the_others(ledger: Branch, val: Path) -> None:
    from ledger.repository.history.append import append_commit

    tip = ledger.tip()
    append_commit(
        ledger.repository,
        ledger.ref,
        parent=tip,
        files={"datasets/bad/v1/dataset.json": b"{}"},
        message="damage\n",
        author=ledger.repository.author(),
        now=NOW,
    )
    assert recorded(ledger, Dataset(role="validation", path=str(val))).datasets.used[0].label == "texts@v1"
    with pytest.raises(LedgerError):
        recorded(ledger, parse_dataset("validation=bad@v1"), number=1)
