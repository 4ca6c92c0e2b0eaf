"""Learning curves in what trainings print: the shapes of sixty frameworks and examples, and what is no value."""

import json
from pathlib import Path
from time import process_time

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
    ("text", "expected"),
    [
        ("step 1,000 loss 1,234.5\nstep 2,000/9,000 loss 0.5\n", [(1000, {"loss": 1234.5}), (2000, {"loss": 0.5})]),
        ("step 1: loss 0,123 acc 93,1\nstep 2: loss 1,234\n", []),
        ("step 1: loss 0.5-0.7\nstep 2: ppl 1,234,567\n", [(2, {"ppl": 1234567.0})]),
    ],
)
def test_a_comma_that_may_be_of_thousands_or_of_decimals_gives_no_value(
    log: Path, text: str, expected: list[tuple[int, dict[str, float]]]
) -> None:
    assert [(step, values) for step, _, values in points_of(read(log, text))] == expected


@pytest.mark.parametrize(
    "text",
    [
        "epoch 1 val_acc 0.5\nepoch 1 val_acc 0.9\n",
        "Epoch 1: fold 1 val_acc 0.5\nEpoch 1: fold 2 val_acc 0.9\nEpoch 2: fold 1 val_acc 0.6\n",
        "step 1 val_acc 0.1\nstep 1 val_acc 0.2\nstep 2 val_acc 0.9\nstep 2 val_acc 0.8\n",
        '{"epoch": 1, "model": "old", "val_acc": 0.9}\n{"epoch": 1, "model": "new", "val_acc": 0.5}\n',
    ],
)
def test_several_values_at_one_place_are_left_out_and_named(log: Path, text: str) -> None:
    found = read(log, text)
    assert found.points == []
    assert found.notice is not None
    assert found.notice.endswith("are left out: val_acc")


def test_a_value_that_is_printed_again_in_other_digits_counts_once(log: Path) -> None:
    found = read(log, "epoch 1 val_acc 0.51\nepoch 1 val_acc 0.5123\n")
    assert points_of(found) == [(None, 1.0, {"val_acc": 0.5123})]


def test_of_batches_of_held_out_data_only_the_average_of_all_counts(log: Path) -> None:
    lines = "Epoch: [0][10/10] Loss 3.0 (4.0)\nTest: [1/2] Loss 2.5 (2.5)\nTest: [2/2] Loss 2.1 (2.3)\n"
    assert points_of(read(log, lines)) == [(None, 1.0, {"loss": 3.0, "test/loss": 2.3})]
    assert points_of(read(log, lines.replace("Test: [2/2]", "Test: [2/3]"))) == [(None, 1.0, {"loss": 3.0})]


def test_lines_of_other_ranks_do_not_count(log: Path) -> None:
    found = read(log, "[rank0]: step 1 loss 1\n[rank1]: step 1 loss 2\n[default3]:step 1 loss 4\n")
    assert points_of(found) == [(1, None, {"loss": 1.0})]


@pytest.mark.parametrize(
    "line",
    [
        "Finished: lowest at epoch 2, val_loss 0.1",
        "Restoring best checkpoint from epoch 1 with val_loss 0.1",
        "Resuming from epoch 9 (val_loss 0.1)",
        "Loaded checkpoint 'x.pth' (epoch 9) val_loss 0.1",
        "Early stopping at epoch 9, best epoch 3, val_loss 0.1",
        "target_loss: 0.1, baseline_acc: 0.3, paper accuracy: 0.9, best_val_loss 0.1",
        "Baseline: accuracy 0.9",
        "dog: acc 0.3",
    ],
)
def test_values_of_another_moment_model_or_part_do_not_count(log: Path, line: str) -> None:
    found = read(log, f"epoch 1 val_loss 0.5\nepoch 2 val_loss 0.3\nepoch 3 val_loss 0.4\n{line}\n")
    assert points_of(found)[-1] == (None, 3.0, {"val_loss": 0.4})


def test_a_place_that_is_no_number_is_none(log: Path) -> None:
    text = '{"step": NaN, "loss": 1}\n{"step": 1e400, "loss": 1}\n' + f"step {'9' * 400} loss 1\nstep 1 loss 2\n"
    assert points_of(read(log, text)) == [(1, None, {"loss": 2.0})]


@pytest.mark.parametrize("unit", [" ", "1", "1,", "1/", "a ", "a/", "[ ", "- ", "is ", "step ", "epoch 1/", "INFO "])
def test_no_line_takes_more_than_a_few_milliseconds(log: Path, unit: str) -> None:
    lines = [f"{start}{unit * 2000}"[:1990] + end for start in ("loss", "step 1 loss") for end in ("", "x")] * 5
    began = process_time()
    read(log, "\n".join(lines))
    assert process_time() - began < 2  # rows of blanks took minutes


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
