"""`ledger run` on a machine with GPUs, through the whole path from NVML to the record."""

from pathlib import Path

import pytest

from ledger.model.record import Record
from ledger.store.branch.branch import Branch
from tests.capture.machine.fake_nvml import FakeCards, cards
from tests.conftest import Cli

__all__ = ["cards"]


def only_record() -> Record:
    (run,) = Branch.open(Path()).contents().runs
    return run.record


@pytest.mark.usefixtures("repo")
def test_cards_that_vanish_call_by_call_never_harm_the_run(cards: FakeCards, cli: Cli) -> None:
    cards.set(busy=0, **{"fail.nvmlDeviceGetPowerUsage": 3, "fail.nvmlDeviceGetTotalEnergyConsumption": 3})
    lose = "import os, pathlib, time; time.sleep(0.5); f = pathlib.Path(os.environ['FAKE_NVML']); time.sleep(0.2)"
    lost = f"{lose}; f.write_text(f.read_text() + 'lost.1=1\\n')"
    done = cli("run", "--experiment", "seen", "--", "python3", "-c", lost)
    assert done.code == 0, done.err
    record = only_record()
    first, second = record.hardware.gpus
    assert (first.name, second.name) == ("NVIDIA H100 80GB HBM3", "NVIDIA L4")
    assert first.gpu_idle_fraction == 1.0
    assert first.unknown["energy_kwh"] == "not supported by this card or driver"
    assert "lost" in second.unknown["memory_peak_bytes"]
    assert record.cost.amount is not None


@pytest.mark.usefixtures("repo")
def test_a_driver_that_does_not_answer_is_no_machine_without_gpus(cards: FakeCards, cli: Cli) -> None:
    cards.set(**{"fail.nvmlInitWithFlags": 9})
    assert cli("run", "--", "true").code == 0
    hardware = only_record().hardware
    assert hardware.gpus == []
    assert "NVML does not answer" in hardware.unknown["gpus"]


def test_ids_of_cards_name_the_machine_and_go_with_its_name(repo: Path, cards: FakeCards, cli: Cli) -> None:
    cards.set(busy=50)
    assert cli("run", "--", "true").code == 0
    assert [(gpu.uuid or "")[:4] for gpu in only_record().hardware.gpus] == ["GPU-", "GPU-"]
    assert cli("policy", "set", "privacy.host", "true").code == 0
    assert cli("run", "-e", "private", "--", "true").code == 0
    (hidden,) = [run.record for run in Branch.open(repo).contents().runs if run.record.experiment == "private"]
    assert len(hidden.hardware.gpus) == 2
    assert "GPU-0000" not in str(hidden)
