"""Files of W&B are read point for point, up to where a killed run stopped."""

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.wandb_file import is_wandb_file, read_wandb_file
from tests.formats.trackers.damage import endure, outcome
from tests.formats.trackers.make_wandb import LONG, VALUES

Store = Callable[[str], Path]

HEAD = b":W&B\xe1\xbe\x00"


@pytest.fixture
def folder(store: Store) -> Path:
    return store("wandb_file") / "wandb"


def runs_of(path: Path) -> dict[str | None, ForeignRun]:
    return {run.name: run for run in read_wandb_file(path)}


def file_of(folder: Path, name: str) -> Path:
    return next(folder.glob(f"*/run-{runs_of(folder)[name].id}.wandb"))


def field(number: int, value: bytes | int | str) -> bytes:
    """Return a field of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    data = b""
    while value > 127:
        data += bytes([value & 127 | 128])
        value >>= 7
    return data + bytes([value])


def log(*records: bytes) -> bytes:
    """Return a file with these records, each of which fits in the first block."""
    return HEAD + b"".join(
        struct.pack("<IHB", zlib.crc32(b"\x01" + record), len(record), 1) + record for record in records
    )


def row(*items: bytes) -> bytes:
    return field(2, b"".join(field(1, item) for item in items))


def item(name: str, value: object) -> bytes:
    return field(1, name) + field(16, json.dumps(value))


def run_of(folder: Path, *records: bytes) -> ForeignRun:
    path = folder / "run-abc.wandb"
    path.write_bytes(log(*records))
    (run,) = read_wandb_file(path)
    return run


def test_every_point_and_word_of_a_run_is_read(folder: Path) -> None:
    run = runs_of(folder)["full run"]
    series = {tag: [(point.step, point.value) for point in run.scalars if point.tag == tag] for tag in
              {point.tag for point in run.scalars}}  # fmt: skip
    steps = range(len(VALUES))
    assert repr(series.pop("train/loss")) == repr([(step, float(VALUES[step])) for step in steps])
    assert series == {
        "acc": [(step, 1 - abs(step - 5) / 10) for step in steps],
        "nested.a": [(step, float(step)) for step in steps],
        "nested.b.c": [(step, 0.5) for step in steps],
        "val/err": [(10, 0.5)],
        "epoch": [(10, 1.0)],
        "точность": [(10, 1.0)],
    }
    assert run.params == {
        "lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "big": 2**60, "long": LONG, "имя": "Größe",
        "none": None, "flag": True, "later": 5,
    }  # fmt: skip
    assert run.metrics == {"acc.max": 1.0, "val/err.min": 0.5, "final": 0.93}
    assert (run.experiment, run.status, run.author, run.note) == ("digits", "finished", "ana", "first\nnote")
    assert run.tags == ["a", "ß", "group=sweep", "job_type=train"]
    assert run.command[0].endswith("/train.py")
    assert run.command[1:] == ["run", "--lr", "1"]
    assert run.started_at is not None
    assert run.ended_at is not None
    assert timedelta() < run.ended_at - run.started_at < timedelta(minutes=1)
    times = [point.time for point in run.scalars if point.time is not None]
    assert times == sorted(times)
    assert run.losses == [
        "`text`: 1 value without a number", "`flag`: 1 value without a number", "`histogram`: 1 histogram",
        "measurements of the machine", "`bad`: a final value without a number",
        "`words`: a final value without a number",
    ]  # fmt: skip


def test_a_run_that_failed_says_its_exit_code(folder: Path) -> None:
    run = runs_of(folder)["failed"]
    assert (run.status, run.reason, run.scalars[0].value) == ("failed", "exit code 3", 3.0)


def test_a_killed_run_is_read_to_where_it_was_written(folder: Path, later: None) -> None:
    run = runs_of(folder)["killed"]
    assert (run.status, run.ended_at, run.metrics) == ("lost", None, {})
    assert run.losses[0] == "the end of its file, which was not written whole"
    assert len(run.scalars) > 1000
    assert [(point.tag, point.step, point.value) for point in run.scalars] == [
        ("loss", step, step / 8) for step in range(len(run.scalars))
    ]


def test_a_file_a_run_and_all_runs_can_be_named(folder: Path) -> None:
    file = file_of(folder, "failed")
    for path, count in ((file, 1), (file.parent, 1), (folder, 3), (folder.parent, 3)):
        assert is_wandb_file(path)
        assert len(list(read_wandb_file(path))) == count
    (folder / "latest-run").symlink_to(file.parent)
    assert len(list(read_wandb_file(folder))) == 3


def test_a_damaged_block_costs_its_records_and_no_others(folder: Path) -> None:
    file = file_of(folder, "killed")
    data = bytearray(file.read_bytes())
    data[5 * 32768 + 1000] ^= 1
    file.write_bytes(data)
    run = runs_of(folder)["killed"]
    assert 1500 < len(run.scalars) < 1912
    assert all(point.value == point.step / 8 for point in run.scalars)
    assert "1 damaged place of its file" in run.losses


def test_typed_values_are_read_too(tmp_path: Path) -> None:
    numbers = [
        field(1, "none") + field(3, 0), field(1, "yes") + field(4, 1), field(1, "whole") + field(5, 5),
        field(1, "real") + varint(6 << 3 | 1) + struct.pack("<d", 0.5), field(1, "text") + field(7, "NaN"),
        field(2, "a") + field(2, "b") + field(8, '{"c": 2}'),
    ]  # fmt: skip
    run = run_of(tmp_path, row(*numbers) + b"")
    assert run.id == "abc"
    assert repr(run.scalars) == repr([
        Scalar("whole", 0, None, -3.0), Scalar("real", 0, None, 0.5), Scalar("text", 0, None, float("nan")),
        Scalar("a.b.c", 0, None, 2.0),
    ])  # fmt: skip
    assert run.losses == ["`none`: 1 value without a number", "`yes`: 1 value without a number"]


def test_goals_of_older_versions_are_directions_also_of_patterns(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        field(12, field(1, "acc") + field(8, 2)),
        field(12, field(2, "val/*") + field(8, 1)),
        field(12, field(1, "plain")),
        row(item("acc", 1), item("val/loss", 2), item("plain", 3)),
    )
    assert run.directions == {"acc": "higher", "val/loss": "lower"}


def test_steps_of_a_row_are_its_own_or_those_of_its_record(tmp_path: Path) -> None:
    run = run_of(
        tmp_path, row(item("a", 1), item("_step", 7)), field(2, field(1, item("a", 2)) + field(2, field(1, 9)))
    )
    assert [point.step for point in run.scalars] == [7, 9]


def test_values_that_were_taken_away_are_gone(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        field(5, field(1, item("a", 1)) + field(1, item("b", {"c": 1}))),
        field(5, field(2, item("a", 1))),
        field(3, field(1, item("x", 1)) + field(1, field(2, "y") + field(2, "z") + field(16, "2"))),
        field(3, field(2, field(1, "y")) + field(1, item("x", 3))),
    )
    assert (run.params, run.metrics) == ({"b": {"c": 1}}, {"x": 3.0})


def test_hundreds_of_series_and_histograms_are_read_in_a_moment(tmp_path: Path) -> None:
    names = [f"layer.{number}" for number in range(400)]
    drawn = [
        field(2, name) + field(2, part) + field(16, text)
        for name in names
        for part, text in (("_type", '"histogram"'), ("bins", "[1]"), ("values", "[2]"))
    ]
    small = [item(f"loss{number}", number) for number in range(400)]
    run = run_of(tmp_path, *[row(*drawn[:900]), row(*small)], field(3, b"".join(field(1, one) for one in small)))
    assert len(run.scalars) == 400
    assert len([loss for loss in run.losses if loss.endswith("1 histogram")]) == 300
    assert run.metrics == {}


def test_a_path_without_end_is_no_value(tmp_path: Path) -> None:
    deep = b"".join(field(2, "a") for _ in range(1000)) + field(16, "1")
    run = run_of(tmp_path, row(deep), field(3, field(1, deep)), field(5, field(1, deep)))
    assert run.losses == ["3 damaged records"]


def test_a_preempted_run_is_no_failed_one(tmp_path: Path) -> None:
    assert run_of(tmp_path, field(23, b""), field(18, field(1, 1))).status == "preempted"
    assert run_of(tmp_path, field(23, b""), field(18, b"")).status == "finished"


def test_records_that_are_none_are_counted(tmp_path: Path) -> None:
    deep = "[" * 500 + "]" * 500
    run = run_of(tmp_path, b"\xff" * 20, row(field(1, "a") + field(16, "{")), row(field(1, "a") + field(16, deep)))
    assert run.losses == ["3 damaged records"]


def test_other_files_and_folders_are_none_of_wandb(tmp_path: Path) -> None:
    other = tmp_path / "x.wandb"
    other.write_bytes(b"something else")
    for path in (other, tmp_path, tmp_path / "none"):
        assert not is_wandb_file(path)
        assert isinstance(outcome(read_wandb_file, path), LedgerError)


@pytest.mark.parametrize("name", ["full run", "killed"])
def test_a_damaged_file_gives_what_is_left_or_one_error(folder: Path, name: str) -> None:
    file = file_of(folder, name)

    def read(store: Path) -> Iterator[ForeignRun]:
        return read_wandb_file(store)

    assert endure(read, file, file, rounds=60 if name == "full run" else 8) == []
