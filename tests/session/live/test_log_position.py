"""How far a run is by what it prints, whoever prints it."""

from pathlib import Path

import pytest

from ledger.session.live.log_position import LogPosition, log_position


@pytest.mark.parametrize(
    ("text", "said", "done"),
    [
        ("Epoch 3/10\n", (3, 10, None, None), (0.2, 0.3)),
        ("epoch: 3 of 10, loss 0.5\n", (3, 10, None, None), (0.2, 0.3)),
        ("Epoch [3/10], Step [50/100], Loss: 0.5\n", (3, 10, 50, 100), (0.25, 0.25)),
        ("Epoch 3/10\nstep 50/100 loss 0.5\n", (3, 10, 50, 100), (0.25, 0.25)),
        ("Epoch 2/10\nstep 100/100\nEpoch 3/10\n", (3, 10, None, None), (0.2, 0.3)),
        ("\rEpoch 3/10:  45%|####5     | 45/100 [00:12<00:15,  3.6it/s]", (3, 10, 45, 100), (0.245, 0.245)),
        (" 37%|###7      | 370/1000 [01:23<02:20, 4.5it/s]\r", (None, None, 370, 1000), (0.37, 0.37)),
        ("\x1b[32mIteration 5 / 20\x1b[0m\n", (None, None, 5, 20), (0.25, 0.25)),
        ("Epoch 0/10\n", (0, 10, None, None), (0.0, 0.0)),
    ],
)
def test_forms_that_count(text: str, said: tuple[int | None, ...], done: tuple[float, float], tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(text)
    found = log_position(tmp_path / "log.txt")
    assert found == LogPosition(epoch=said[0], epochs=said[1], step=said[2], steps=said[3])
    assert found.done == pytest.approx(done)


@pytest.mark.parametrize(
    "text",
    ["", "loss 0.5\n", "epoch 3\n", "read 12/31/2025\n", "Epoch 11/10\n", "step 3/0\n", f"{'x' * 700} step 3/10\n"],
)
def test_other_lines_say_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(text)
    assert log_position(tmp_path / "log.txt") is None


def test_no_log_says_nothing(tmp_path: Path) -> None:
    assert log_position(tmp_path / "log.txt") is None


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("Epoch 1/9\n" + "loss 0.5\n" * 100_000 + "Epoch 2/9\n" + "loss 0.4\n" * 100)
    found = log_position(tmp_path / "log.txt")
    assert found is not None
    assert found.epoch == 2
