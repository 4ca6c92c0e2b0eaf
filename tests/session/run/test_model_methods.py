"""What a run records of its model: the layers of a forward pass, and what such a pass costs."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import ledger as api
from ledger.errors import LedgerError
from ledger.model.entries import StoredRun
from ledger.model.tables import load_cells
from ledger.store.branch.branch import Branch
from tests.conftest import Cli


def only_run(repo: Path) -> StoredRun:
    (run,) = Branch.open(repo).contents().runs
    return run


def layers_in(repo: Path, run: StoredRun) -> list[list[str]]:
    (table,) = run.record.statistics.tables
    assert table.kind == "layers"
    return load_cells(Branch.open(repo).read_blob(run.files[table.file]), table.file).rows


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.capture.outputs.forward_cost.MOST_SECONDS", 0.2)


class Classifier(nn.Module):
    def __init__(self, inside: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
        self.head = nn.Linear(inside, 4)

    def forward(self, x: torch.Tensor) -> Any:
        return self.head(self.body(x))


def test_a_profile_fills_the_model_box_and_a_table(repo: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    with api.run("profiled") as run:
        run.profile(Classifier(), torch.zeros(2, 8))
    stored = only_run(repo)
    model = stored.record.model
    assert (model.flops, model.parameters, model.input_shapes) == (2 * 2 * 8 * 16 + 2 * 2 * 16 * 4, 212, ["(2, 8)"])
    assert model.flops_counter is not None
    assert "matrix products" in model.flops_counter
    assert model.latency_seconds is not None
    assert (model.device, model.threads) == ("cpu", torch.get_num_threads())
    assert model.unknown["hash"] == "no model was given"
    assert model.unknown["pass_memory_bytes"] == "only CUDA tells the peak memory of a pass"
    assert layers_in(repo, stored) == [
        ["(model)", "Classifier", "(2, 8)", "(2, 4)", "1", "0", "768", ""],
        ["body", "Sequential", "(2, 8)", "(2, 16)", "1", "0", "512", ""],
        ["body.0", "Linear", "(2, 8)", "(2, 16)", "1", "144", "512", ""],
        ["body.1", "ReLU", "(2, 16)", "(2, 16)", "1", "0", "0", ""],
        ["head", "Linear", "(2, 16)", "(2, 4)", "1", "68", "256", ""],
    ]
    shown = cli("show", run.id).out
    assert "768 a forward pass (torch.utils.flop_counter" in shown
    assert f"on cpu, {torch.get_num_threads()} thread" in shown


def test_a_profile_joins_what_is_known_of_the_file(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    model = Classifier().requires_grad_(requires_grad=False)
    with api.run() as run:
        run.profile(model, x=torch.zeros(2, 8))
        torch.save(model.state_dict(), "model.pt")
        run.model("model.pt", model)
    box = only_run(repo).record.model
    assert (box.format, box.parameters, box.trainable, box.flops) == ("torch", 212, 0, 768)
    assert box.input_shapes == ["x=(2, 8)"]
    assert "parameters" not in box.unknown


def test_a_profile_raises_nothing_into_the_training(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    with api.run() as run:
        run.profile("no model", 3)
        run.profile(Classifier(12), torch.zeros(2, 8))
    record = only_run(repo).record
    assert record.status == "finished"
    assert record.model.unknown["profile"] == "only a torch module has a shape trace, not: `str`"
    assert record.model.unknown["latency_seconds"] == "the pass in eval mode and without gradients failed: RuntimeError"
    assert layers_in(repo, only_run(repo))[-1][-1] == "failed here"


def test_shapes_inside_of_a_run_are_its_table_though_it_dies_afterwards(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo)
    model, given = Classifier(12), torch.zeros(2, 8)

    def train() -> None:
        with api.run():
            assert api.shapes(model, given).failing == "head"
            model(given)

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        train()
    stored = only_run(repo)
    assert stored.record.status == "failed"
    assert [row[-1] for row in layers_in(repo, stored)] == ["failed inside", "", "", "", "failed here"]


def test_a_model_that_works_by_a_hook_is_not_recorded_as_failing(
    repo: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo)
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(1, 2))
    model[0].register_forward_hook(lambda _, __, made: made[:, :1])
    with api.run() as run:
        run.profile(model, torch.zeros(2, 3))
    stored = only_run(repo)
    assert [row[-1] for row in layers_in(repo, stored)] == ["not to its end", "", "not to its end"]
    assert stored.record.model.unknown["flops"] == "the pass fails without hooks that were not run"
    assert "hooks a forward hook of `0` was not run" in " ".join(cli("show", run.id).out.split())


def test_shapes_outside_of_a_run_need_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(api.shapes(Classifier(), torch.zeros(2, 8))).startswith("layer    kind        input")
    with pytest.raises(LedgerError, match="only a torch module"):
        api.shapes(None)
