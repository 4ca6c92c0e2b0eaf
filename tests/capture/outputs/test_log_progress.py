"""The lines that report progress are kept, whatever prints them; written down as these tools print them."""

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ledger.capture.outputs.log_progress import PROGRESS_LINES, ProgressLines
from ledger.capture.outputs.logs import summarise_log
from ledger.capture.secrets.redactor import Redactor

EPOCHS = 60


def pytorch(epoch: int) -> Iterator[str]:
    """The MNIST example: batches, then a line for the test set."""
    for batch in range(0, 938, 40):
        yield f"Train Epoch: {epoch} [{batch * 64}/60000 ({100 * batch / 938:.0f}%)]\tLoss: {1 / (batch + epoch):.6f}"
    yield ""
    yield f"Test set: Average loss: {1 / epoch:.4f}, Accuracy: {9000 + epoch}/10000 (90%)"


def imagenet(epoch: int) -> Iterator[str]:
    """The ImageNet example: averages in brackets, and one line of totals."""
    for batch in range(0, 5005, 500):
        yield f"Epoch: [{epoch}][{batch:4}/5005]\tTime  0.21 (  0.30)\tLoss 6.9{batch:04}e+00 (6.9)\tAcc@1 0.39 (0.5)"
    yield f" *   Acc@1 {epoch}.250 Acc@5 {epoch}.750"


def lightning(epoch: int) -> Iterator[str]:
    """A bar that returns to its beginning, and a line of the checkpoint callback."""
    bar = (
        f"Epoch {epoch}: {batch * 2:3}%|{'█' * (batch // 5):<10}| {batch}/50 [00:0{batch // 10}<00:01, 9.8it/s]"
        for batch in range(0, 51, 10)
    )
    yield "\r".join(bar)
    yield f"Epoch {epoch}, global step {epoch * 50}: 'val_loss' reached {1 / epoch:.5f}, saving model as top 1"


def keras(epoch: int) -> Iterator[str]:
    """A title for each epoch, and a coloured bar."""
    yield f"Epoch {epoch}/{EPOCHS}"
    yield (
        "\x1b[1m  1/938\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m1:02\x1b[0m 66ms/step\r"
        "\x1b[1m938/938\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m2s\x1b[0m 2ms/step - "
        f"accuracy: 0.9{epoch} - loss: 0.3 - val_accuracy: 0.9 - val_loss: {1 / epoch:.4f}"
    )


def transformers(epoch: int) -> Iterator[str]:
    """Dictionaries: many of training, one of evaluation."""
    for part in range(1, 21):
        at = epoch - 1 + part / 20
        yield f"{{'loss': {1 / at:.4f}, 'grad_norm': {at:.3f}, 'learning_rate': {5e-5 / at:.3g}, 'epoch': {at:.2f}}}"
    yield f"{{'eval_loss': {1 / epoch:.4f}, 'eval_accuracy': 0.9, 'eval_runtime': 3.1, 'epoch': {epoch:.1f}}}"


def nanogpt(epoch: int) -> Iterator[str]:
    """Iterations, and now and then an evaluation."""
    yield f"step {epoch * 250}: train loss {4 / epoch:.4f}, val loss {4.1 / epoch:.4f}"
    for step in range(20):
        yield f"iter {epoch * 250 + step}: loss {4 / epoch:.4f}, time {20 + step}.12ms, mfu {step}.33%"


def ultralytics(epoch: int) -> Iterator[str]:
    """Tables whose rows of scores name no word of a training."""
    yield "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size"
    yield f"     {epoch:3}/{EPOCHS}      2.59G      1.{epoch:03}      2.1     640: 100%|████| 63/63 [00:10<00:00]"
    yield "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|████| 32/32"
    yield f"                   all       4000       8000      0.{epoch:03}      0.61      0.64      0.4{epoch:02}"


def plain(epoch: int) -> Iterator[str]:
    """A logger with times, between lines that say nothing."""
    for number in range(15):
        yield f"2026-11-20 19:{epoch % 60:02}:{number:02},250 DEBUG reader: opened shard {epoch} of part {number}"
    yield f"[2026-11-20 19:{epoch % 60:02}:16] step {epoch * 500} | val_loss {1 / epoch:.3e}"


def progress_in(folder: Path, lines: list[str]) -> list[str]:
    (folder / "train.log").write_text("\n".join(lines) + "\n")
    text = summarise_log(folder / "train.log", Redactor())[1].decode()
    section = text.partition("== progress: ")[2].partition("\n… ")[0]
    return section.splitlines()[1:]


@pytest.mark.parametrize(
    ("tool", "sign"),
    [
        (pytorch, "Test set: Average loss"),
        (imagenet, " *   Acc@1 "),
        (lightning, "global step"),
        (keras, "val_loss: "),
        (transformers, "'eval_loss'"),
        (nanogpt, "val loss"),
        (ultralytics, "                   all"),
        (plain, "| val_loss"),
    ],
)
def test_each_evaluation_is_kept(tmp_path: Path, tool: Callable[[int], Iterator[str]], sign: str) -> None:
    lines = [line for epoch in range(1, EPOCHS + 1) for line in tool(epoch)]
    kept = progress_in(tmp_path, [*["begin"] * 100, *lines, *["end"] * 200])
    assert len([line for line in kept if sign in line]) == EPOCHS
    assert len(kept) <= PROGRESS_LINES
    assert not any("opened shard" in line for line in kept)


def test_of_batches_that_name_their_epoch_the_last_one_is_kept(tmp_path: Path) -> None:
    lines = [line for epoch in range(1, EPOCHS + 1) for line in imagenet(epoch)]
    kept = progress_in(tmp_path, [*["begin"] * 100, *lines, *["end"] * 200])
    batches = [line for line in kept if line.startswith("Epoch")]
    assert len(batches) == EPOCHS
    assert all("[5000/5005]" in line for line in batches)


def test_of_one_epoch_the_batches_are_thinned_evenly_and_the_newest_stays() -> None:
    progress = ProgressLines()
    for step in range(100_000):
        progress.add(f"epoch 0 step {step} loss 0.5".encode())
    steps = [int(line.split()[3]) for line in progress.lines()]
    gaps = [later - earlier for earlier, later in pairwise(steps)]
    assert len(steps) == PROGRESS_LINES
    assert steps[-1] == 99_999
    assert max(gaps) <= 2 * min(gaps[:-1])


def test_what_recurs_without_naming_progress_is_left_out(tmp_path: Path) -> None:
    lines = [f"opened shard {number} of part {number % 7}" for number in range(1000)]
    assert progress_in(tmp_path, lines) == []


def test_a_line_that_does_not_recur_is_left_out() -> None:
    progress = ProgressLines()
    for word in ("alpha", "beta", "gamma"):
        progress.add(f"loss of {word}: 0.5".encode())
    progress.add(b"loss of alpha: 0.6")
    assert progress.lines() == []


def test_epochs_are_found_between_thousands_of_lines_that_are_all_different() -> None:
    progress = ProgressLines()
    for epoch in range(1, 31):
        progress.add(f"epoch {epoch} val_loss 0.{epoch}".encode())
        for number in range(900):
            letters = "".join(chr(97 + ((900 * epoch + number) // 26**place) % 26) for place in range(4))
            progress.add(f"step over {letters} {number}".encode())
    assert len([line for line in progress.lines() if line.startswith(b"epoch")]) == 30


def test_many_forms_of_long_lines_take_little_memory() -> None:
    tracemalloc.start()
    progress = ProgressLines()
    for number in range(200_000):
        word = chr(97 + number % 26) + chr(97 + number // 26 % 26)
        progress.add(f"loss {word} {number} {'x' * 400}".encode())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000
    assert len(progress.lines()) <= PROGRESS_LINES
