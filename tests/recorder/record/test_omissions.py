"""What is no number takes nothing else with it: the record holds the rest, and names what was left out."""

import json
from pathlib import Path

import pytest

from ledger.commands.reading.box_lines import model_lines, params_lines
from ledger.errors import InvalidDocument
from ledger.model.boxes.outputs import Model
from ledger.recorder.record.draft import CaptureProblem
from ledger.recorder.record.options import Given, read_given
from ledger.store.branch.branch import Branch
from tests.recorder.record.test_record import add, draft


@pytest.mark.parametrize("strict", [True, False])
def test_one_null_in_a_metrics_file_loses_no_other_metric(ledger: Branch, repo: Path, strict: bool) -> None:  # noqa: FBT001  # of pytest
    (repo / "m.json").write_text(json.dumps({"model": "resnet18", "validation": {"accuracy": 0.9, "auc": None}}))
    made = read_given(Given(metrics_files=["m.json"]), draft(), strict=strict)
    results = add(ledger, made).record.results
    assert [(metric.key, metric.value) for metric in results.metrics] == [("validation/accuracy", 0.9)]
    assert results.unknown == {"metrics.m.json": "left out: `model` (a text), `validation/auc` (nothing)"}


def test_a_metrics_file_of_which_nothing_can_be_taken_is_refused_or_noted(ledger: Branch, repo: Path) -> None:
    (repo / "m.json").write_text('{"model": "resnet18"}')
    with pytest.raises(InvalidDocument, match=r"`model` \(a text\)"):
        read_given(Given(metrics_files=["m.json"]), draft())
    results = add(ledger, read_given(Given(metrics_files=["m.json"]), draft(), strict=False)).record.results
    assert "`model` (a text)" in results.unknown["metrics.m.json"]


def test_series_left_out_of_curves_stand_in_the_record(ledger: Branch, repo: Path) -> None:
    (repo / "c.csv").write_text("step,phase,loss\n1,fit,0.5\n2,fit,0.4\n")
    results = add(ledger, read_given(Given(curves=["c.csv"]), draft())).record.results
    assert results.curves is not None
    assert results.curves.series == ["loss"]
    assert results.unknown["curves.c.csv"] == "left out: `phase` (text)"


def test_a_param_without_a_value_is_unknown_and_the_others_are_kept(ledger: Branch) -> None:
    missing = [CaptureProblem(field="params.ckpt", message="it has no value (Missing)")]
    params = add(ledger, draft(1, params={"lr": 0.1, "wd": None}, problems=missing)).record.params
    assert params.values == {"lr": 0.1, "wd": None}
    assert params.unknown == {"ckpt": "it has no value (Missing)"}
    lost = add(ledger, draft(2, problems=missing)).record.params
    assert lost.unknown == {"all": "ckpt: it has no value (Missing)"}
    assert add(ledger, draft(3)).record.params.unknown == {"all": "no params were given"}


def test_params_that_are_null_are_shown_and_a_missing_model_has_no_size(ledger: Branch) -> None:
    record = add(ledger, draft(params={"wd": None, "name": "", "lr": 0.1}, model=Model(path="nope.pt"))).record
    assert dict(params_lines(record)) == {"wd": "null", "name": '""', "lr": "0.1"}
    assert dict(model_lines(record))["file"] == "nope.pt"
