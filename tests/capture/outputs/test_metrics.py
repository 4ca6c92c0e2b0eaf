"""Metrics from Python, from the command line and from files."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ledger.capture.outputs.metrics import known_direction, metric, parse_metric, read_metrics
from ledger.errors import InvalidDocument, LedgerError, UsageError


def read(folder: Path, text: str, name: str = "m.json") -> list[tuple[str, object]]:
    (folder / name).write_text(text)
    return [(found.key, found.value) for found in read_metrics(folder / name).metrics]


@pytest.mark.parametrize(
    "text",
    [
        '{"validation": {"accuracy": 0.9}}',
        '{"validation/accuracy": 0.9}',
        '{"metrics": [{"name": "accuracy", "split": "validation", "value": 0.9}]}',
    ],
)
def test_all_three_forms_say_the_same(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == [("validation/accuracy", 0.9)]


def test_what_is_not_finite_is_kept(tmp_path: Path) -> None:
    assert read(tmp_path, '{"a": NaN, "b": -Infinity, "c": "Infinity"}') == [
        ("a", "NaN"),
        ("b", "-Infinity"),
        ("c", "Infinity"),
    ]
    assert read(tmp_path, "a: .nan\nb: 1e-3\n", "m.yaml") == [("a", "NaN"), ("b", 0.001)]


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"a": "high", "b": true, "c": ["x"], "e": null, "f\\ng": 1}')
    with pytest.raises(InvalidDocument) as error:
        read_metrics(tmp_path / "m.json")
    assert len(error.value.problems) == 5
    assert "`a` (a text)" in str(error.value)
    assert "`b` (true or false)" in str(error.value)
    assert "\n" not in str(error.value)


def test_numbers_are_taken_and_the_rest_is_named_with_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        '{"model": "resnet18", "validation": {"accuracy": 0.9, "auc": null, "ok": true}, "deep": {"a": {"b": "x"}}}'
    )
    found = read_metrics(tmp_path / "m.json")
    assert [(made.key, made.value) for made in found.metrics] == [("validation/accuracy", 0.9)]
    assert found.notice == (
        "left out: `model` (a text), `validation/auc` (nothing), `validation/ok` (true or false), `deep/a/b` (a text)"
    )


def test_an_unknown_key_is_answered_by_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        '{"metrics": [{"name": "a", "valeu": 1}, 3, {"name": "b", "value": 1, "step": 1.5}]}'
    )
    with pytest.raises(InvalidDocument) as error:
        read_metrics(tmp_path / "m.json")
    assert "unknown key `valeu`, did you mean `value`?" in str(error.value)
    assert "metrics[1]: a mapping expected" in str(error.value)
    assert "whole number" in str(error.value)


def test_one_wrong_metric_of_the_long_form_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"metrics": [{"name": "a", "value": null}, {"name": "b", "value": 1}]}')
    found = read_metrics(tmp_path / "m.json")
    assert [made.key for made in found.metrics] == ["b"]
    assert found.notice == "left out: metrics[0]: `a` must be a number, not nothing"


def test_of_a_metric_that_stands_twice_the_first_is_kept_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"a/b": 1, "a": {"b": 2}}')
    found = read_metrics(tmp_path / "m.json")
    assert [(made.key, made.value) for made in found.metrics] == [("a/b", 1.0)]
    assert found.notice == "left out: `a/b` appears twice"


def test_a_file_of_fifty_megabytes_is_sent_to_curves(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(LedgerError) as error:
        read_metrics(path)
    assert "--curves" in str(error.value.hint)


def test_the_command_line_gives_split_name_and_value() -> None:
    found = parse_metric("validation/accuracy=0.93")
    assert (found.split, found.name, found.value, found.direction) == ("validation", "accuracy", 0.93, "higher")
    assert parse_metric("loss=nan").value == "NaN"
    assert parse_metric("loss=-inf").value == "-Infinity"


@pytest.mark.parametrize(("text", "value"), [("a=93.1%", 0.931), ("a=0,93", 0.93), ("a=tensor(0.5)", 0.5)])
def test_a_number_that_is_written_in_another_way_is_taken_where_it_is_certain(text: str, value: float) -> None:
    assert parse_metric(text).value == value


@pytest.mark.parametrize("text", ["a=1,234", "a=1e999", "a=1_000", "a=007", "a=61e9540"])
def test_a_number_that_is_not_certain_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"thousands|no number"):
        parse_metric(text)


@pytest.mark.parametrize("text", ["accuracy", "=1", "a=b", "a=", "/=1", "a\nb=1"])
def test_a_malformed_metric_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="split/name=number"):
        parse_metric(text)


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("loss", "lower"),
        ("val_loss", "lower"),
        ("error_rate", "lower"),
        ("top-5 accuracy", "higher"),
        ("map@50", "higher"),
        ("f1_macro", "higher"),
        ("mean_squared_error", "lower"),
        ("mAP50(B)", "higher"),
        ("mAP50-95(B)", "higher"),
        ("precision(B)", "higher"),
        ("recall(M)", "higher"),
        ("metrics/mAP50(B)", "higher"),
        ("acc,none", "higher"),
        ("loss(reg)", "lower"),
        ("neg_mse", None),
        ("loss_scale", None),
        ("accuracy_drop", None),
        ("precision_loss", None),
        ("learning_rate", None),
        ("glossary", None),
    ],
)
def test_a_direction_is_known_only_where_the_name_is_certain(name: str, direction: str | None) -> None:
    assert known_direction(name) == direction


def test_scalars_of_numpy_and_torch_are_taken() -> None:
    assert metric("a", np.float32(0.5)).value == 0.5
    assert metric("a", torch.tensor(2)).value == 2.0
    assert math.isnan(metric("a", float("nan")).number)


@pytest.mark.parametrize("value", [True, "0.5", None, [1], np.zeros(2), object(), np.bool_(True)])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(LedgerError, match="must be a number"):
        metric("a", value)


def test_names_that_cannot_be_shown_are_refused() -> None:
    with pytest.raises(LedgerError, match="control"):
        metric("a\x1b", 1)
    with pytest.raises(LedgerError, match="split"):
        metric("a", 1, split="x/y")
    with pytest.raises(LedgerError, match="direction"):
        metric("a", 1, direction="up")  # type: ignore[arg-type]  # the point of the test
