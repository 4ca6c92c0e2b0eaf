"""The writer of TensorBoard: scalars are curves, hyperparameters params, figures figures."""

from pathlib import Path

import pytest

import ledger
from ledger.compat import nothing
from ledger.compat.tensorboard import SummaryWriter
from ledger.model.record import Record
from ledger.store.branch.branch import Branch


@pytest.fixture(autouse=True)
def _fresh(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nothing, "_TOLD", set())


def recorded() -> Record:
    (run,) = Branch.open(Path()).contents().runs
    return run.record


def test_a_writer_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    np = pytest.importorskip("numpy")
    writer = SummaryWriter("runs/one", flush_secs=10)
    for step in range(3):
        writer.add_scalar("loss/train", 1 / (step + 1), step)
        writer.add_scalars("accuracy", {"train": 0.5, "validation": 0.4}, step)
        writer.add_graph(object())
    writer.add_hparams({"lr": 0.1}, {"hparam/accuracy": 0.9})
    writer.add_image("digit", np.zeros((1, 4, 4)), 2)
    writer.add_histogram("weights", np.array([1.0, 2.0]), 1)
    writer.add_text("why", "a wider one")
    writer.flush()
    writer.close()
    writer.add_scalar("loss/train", 9, 9)
    record = recorded()
    assert record.statistics.series["loss/train"].count == 3
    assert {"accuracy/train", "accuracy/validation"} <= set(record.statistics.series)
    assert record.params.values == {"lr": 0.1}
    assert [(one.key, one.number) for one in record.results.metrics] == [("accuracy", 0.9)]
    assert (len(record.results.figures), record.note) == (1, "why: a wider one")
    assert caplog.text.count("SummaryWriter.add_graph does nothing here") == 1
    assert not Path("runs").exists()
    with pytest.raises(AttributeError):
        _ = writer.file_writer


def test_two_writers_that_are_open_at_once_are_one_run() -> None:
    train, validation = SummaryWriter("runs/x/train"), SummaryWriter("runs/x/val")
    train.add_scalar("loss", 1.0, 0)
    train.close()
    validation.add_scalar("loss", 2.0, 0)
    validation.close()
    assert set(recorded().statistics.series) == {"train/loss", "val/loss"}


def test_writers_one_after_the_other_are_runs() -> None:
    for folder in ("runs/a", "runs/b"):
        with SummaryWriter(folder) as writer:
            writer.add_scalar("loss", 1.0, 0)
    assert len(Branch.open(Path()).contents().runs) == 2


def test_a_block_that_raises_has_failed() -> None:
    with pytest.raises(ValueError, match="boom"), SummaryWriter():
        raise ValueError("boom")
    assert recorded().status == "failed"


def test_a_run_around_the_writer_is_joined() -> None:
    with ledger.run("outer", output=False), SummaryWriter() as writer:
        writer.add_scalar("loss", 1.0, 0)
    assert recorded().experiment == "outer"
    assert recorded().statistics.series["loss"].count == 1


def test_what_is_no_scalar_raises_nothing() -> None:
    with SummaryWriter() as writer:
        writer.add_scalar("loss", None, 0)
        writer.add_scalars("loss", None, 0)  # type: ignore[arg-type]  # what a script does wrong
        writer.add_image("x", "no such file.png")
    assert recorded().status == "finished"
