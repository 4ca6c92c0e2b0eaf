"""Event files of TensorBoard, written by torch's own writer: every point, of files that are whole, torn and resumed."""

import math
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.capture.outputs.curves import CurvesFile, read_curves
from ledger.errors import LedgerError, NotFound
from ledger.store.branch.branch import Branch
from tests.conftest import Cli

tensorboard = pytest.importorskip("torch.utils.tensorboard")


def write(folder: Path, *points: tuple[str, float, int], **options: Any) -> Path:  # options of `add_scalar`
    before = set(folder.glob("*"))
    writer = tensorboard.SummaryWriter(str(folder))
    for tag, value, step in points:
        writer.add_scalar(tag, value, step, **options)
    writer.add_text("config", "lr = 0.1", 0)
    writer.add_histogram("weights", np.arange(100.0), 1)
    writer.close()
    (made,) = set(folder.glob("*")) - before
    return made


def plain(found: CurvesFile) -> list[tuple[int | None, dict[str, float]]]:
    return [(point.step, point.values) for point in found.points]


@pytest.mark.parametrize("options", [{}, {"new_style": True}, {"new_style": True, "double_precision": True}])
def test_every_point_of_both_generations_of_writers_is_read(tmp_path: Path, options: dict[str, bool]) -> None:
    points = [(tag, value / 8, value) for value in range(3000) for tag in ("train/loss", "val/accuracy")]
    file = write(tmp_path / "run", *points, **options)
    expected = [(step, {"train/loss": step / 8, "val/accuracy": step / 8}) for step in range(3000)]
    for place in (file, tmp_path / "run"):
        found = read_curves(place)
        assert plain(found) == expected
        assert found.notice is None
        seconds = [point.seconds or 0.0 for point in found.points]
        assert seconds[0] == 0
        assert seconds == sorted(seconds)


def test_numbers_at_the_edges_come_through(tmp_path: Path) -> None:
    values = [math.inf, -math.inf, math.nan, -0.0, 1e-45, 3.4e38]
    write(tmp_path, *((f"tag {'x' * place}", value, place * 1_000_000_007) for place, value in enumerate(values)))
    write(tmp_path / "long", ("t" * 200, 0.5, -1), ("\x15byte", 0.25, 2))
    found = read_curves(tmp_path)
    assert [point.step for point in found.points] == [place * 1_000_000_007 for place in range(6)]
    read = [next(iter(point.values.values())) for point in found.points]
    assert np.array(read, np.float32).tobytes() == np.array(values, np.float32).tobytes()
    (only,) = read_curves(tmp_path / "long").points
    assert (only.step, only.values) == (-1, {"t" * 200: 0.5})
    assert "a series is left out" in str(read_curves(tmp_path / "long").notice)


def test_of_a_resumed_training_the_later_points_stand(tmp_path: Path) -> None:
    write(tmp_path, *(("loss", 1.0, step) for step in range(10)))
    time.sleep(1.1)  # the name of a file has the second it was made in
    write(tmp_path, *(("loss", 2.0, step) for step in range(6, 12)))
    found = read_curves(tmp_path)
    assert [point.values["loss"] for point in found.points] == [1.0] * 6 + [2.0] * 6
    assert "resumed" in str(found.notice)


def test_under_ledger_run_the_files_of_earlier_runs_in_the_folder_do_not_count(repo: Path, cli: Cli) -> None:
    old = write(repo / "runs", *(("loss", 9.0, step) for step in range(30)))
    os.utime(old, (time.time() - 3600,) * 2)
    (repo / "fit.py").write_text(
        "from torch.utils.tensorboard import SummaryWriter\n"
        "with SummaryWriter('runs') as writer:\n"
        "    for step in range(4):\n"
        "        writer.add_scalar('loss', 1.0, step)\n"
    )
    done = cli("run", "--curves", "runs", "--", sys.executable, "fit.py")
    assert done.code == 0, done.err
    (run,) = Branch.open(repo).contents().runs
    series = run.record.statistics.series["loss"]
    assert (series.count, float(series.max or 0)) == (4, 1.0)
    assert "1 event file left out, older than the run" in done.err + str(run.record.results.unknown)
    with pytest.raises(LedgerError, match="all event files are older than the run"):
        read_curves(repo / "runs", time.time() + 3600)


def cut(data: bytes) -> bytes:
    return data[:-7]


def overwritten(data: bytes) -> bytes:
    return data[:1500] + b"\xff" * 200 + data[1700:]


@pytest.mark.parametrize("damage", [cut, overwritten])
def test_what_stands_before_a_damage_is_read_and_the_rest_is_named(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file = write(tmp_path, *(("loss", 1.0, step) for step in range(100)))
    file.write_bytes(damage(file.read_bytes()))
    found = read_curves(file)
    assert len(found.points) > 20
    assert [point.step for point in found.points] == list(range(len(found.points)))
    assert f"{file.name} is read to where it is damaged or still being written" in str(found.notice)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04 some other program wrote this", "a length is no length"),
        (struct.pack("<Q", 1 << 60) + b"\0" * 40, "a length is no length"),
        (b"", "no scalar is in the event files"),
    ],
)
def test_a_file_of_another_program_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(data)
    with pytest.raises(LedgerError, match=said):
        read_curves(tmp_path)


def test_a_folder_without_event_files_says_where_some_are(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no event file lies in the folder"):
        read_curves(tmp_path)
    write(tmp_path / "run1", ("loss", 1.0, 1))
    with pytest.raises(NotFound) as error:
        read_curves(tmp_path)
    assert str(tmp_path / "run1") in str(error.value.hint)


def test_a_record_has_the_curves_of_a_folder_of_event_files(repo: Path, cli: Cli) -> None:
    write(repo / "runs" / "exp", *(("train/loss", 1 / (step + 1), step) for step in range(50)))
    done = cli("record", "--curves", "runs/exp")
    assert done.code == 0, done.err
    (run,) = Branch.open(repo).contents().runs
    series = run.record.statistics.series["train/loss"]
    assert (series.count, float(series.first)) == (50, 1.0)
