"""Learning curves in what trainings print: the shapes of sixty frameworks and examples, and what is no value."""

import json
from pathlib import Path

import pytest

from ledger.capture.harvest.log_curves import LogCurves, read_log_curves
from ledger.errors import LedgerError, NotFound

Points = list[tuple[int | None, float | None, dict[str, float]]]
"""Step, epoch and values of each point."""

SHAPES = json.loads((Path(__file__).parent / "log_shapes.json").read_text("utf-8"))
LOG_SHAPES: dict[str, tuple[str, Points]] = {
    name: ("".join(shape["lines"]), [(step, epoch, values) for step, epoch, values in shape["points"]])
    for name, shape in SHAPES.items()
}
"""Lines that trainings print, as each framework or example has them, and the points that they mean."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def read(log: Path, text: str) -> LogCurves:
    log.write_text(text, "utf-8")
    return read_log_curves(log)


def points_of(found: LogCurves) -> Points:
    return [(point.step, point.epoch, point.values) for point in found.points]


def test_there_are_enough_shapes() -> None:
    assert len(LOG_SHAPES) >= 60
    assert sum(bool(points) for _, points in LOG_SHAPES.values()) >= 45


@pytest.mark.parametrize("name", LOG_SHAPES)
def test_the_lines_of_a_framework_give_their_points(log: Path, name: str) -> None:
    text, expected = LOG_SHAPES[name]
    assert points_of(read(log, text)) == expected


@pytest.mark.parametrize("name", LOG_SHAPES)
def test_line_feeds_of_other_systems_and_colours_change_nothing(log: Path, name: str) -> None:
    text, expected = LOG_SHAPES[name]
    coloured = text.replace("loss", "\x1b[31mloss\x1b[0m")
    assert points_of(read(log, coloured.replace("\n", "\r\n"))) == expected


def test_of_a_bar_that_was_drawn_over_only_the_last_state_counts(log: Path) -> None:
    bar = "".join(f"\r{n}/4 ━━━━ 0s 3ms/step - loss: 0.{9 - n}" for n in range(1, 5))
    found = read(log, f"Epoch 1/2\n{bar}\nEpoch 2/2\n{bar.replace('0.5', '0.4')}\n")
    assert points_of(found) == [(None, 1.0, {"loss": 0.5}), (None, 2.0, {"loss": 0.4})]


def test_a_bar_that_was_killed_ends_where_it_stood(log: Path) -> None:
    assert points_of(read(log, "Epoch 1/2\n2/4 ━━ 0s 3ms/step - loss: 0.7")) == [(None, 1.0, {"loss": 0.7})]


def test_numbers_that_are_none_come_through(log: Path) -> None:
    found = read(log, "step 1: loss nan\nstep 2: loss inf\nstep 3: loss -1.5e-3\nstep 4: loss 1,234.5\n")
    assert [repr(point.values["loss"]) for point in found.points] == ["nan", "inf", "-0.0015", "1234.5"]


def test_two_values_of_one_name_in_a_line_are_none(log: Path) -> None:
    assert points_of(read(log, "epoch 1 loss: 0.5 loss: 0.4 acc: 0.9\n")) == [(None, 1.0, {"acc": 0.9})]


def test_a_log_of_several_trainings_gives_no_curve_and_says_why(log: Path) -> None:
    found = read(log, LOG_SHAPES["k-fold"][0])
    assert found.points == []
    assert found.notice == "the log goes back to its beginning 1 time, as of several trainings: no value was taken"


def test_a_training_that_was_resumed_in_its_middle_is_one(log: Path) -> None:
    found = read(log, "".join(f"step {step}: loss 0.5\n" for step in (1, 2, 3, 2, 3, 4)))
    assert [point.step for point in found.points] == [1, 2, 3, 2, 3, 4]


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "no values\n", "loss\n", "loss: \n", "x" * 3000, "{" * 5000 + "\n", "step 1: " + "a 1 " * 5000 + "\n"],
)
def test_lines_without_values_give_nothing(log: Path, text: str) -> None:
    assert read(log, text) == LogCurves([])


def test_bytes_that_are_no_text_give_nothing(log: Path) -> None:
    log.write_bytes(bytes(range(256)) * 100 + b"\nstep 1: loss 0.5\n")
    assert points_of(read_log_curves(log)) == [(1, None, {"loss": 0.5})]


def test_a_log_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no log file"):
        read_log_curves(tmp_path / "none")
    with pytest.raises(LedgerError, match="cannot be read"):
        read_log_curves(tmp_path)


def test_a_log_without_end_is_read_to_a_limit(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.capture.harvest.log_curves._MOST_POINTS", 100)
    found = read(log, "".join(f"step {step}: loss 0.5\n" for step in range(1000)))
    assert len(found.points) == 100
    assert found.notice == "only the first 100 lines were read for values"
