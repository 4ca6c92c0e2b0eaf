"""Metrics from Python, from the command line and from files."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ledger.capture.metrics import known_direction, metric, parse_metric, read_metrics
from ledger.errors import InvalidDocument, LedgerError, UsageError


def read(folder: Path, text: str, name: str = "m.json") -> list[tuple[str, object]]:
    (folder / name).write_text(text)
    return [(found.key, found.value) for found in read_metrics(folder / name)]


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
    (tmp_path / "m.json").write_text('{"a": "high", "b": true, "c": [1], "d": 0.5, "e": null, "f\\ng": 1}')
    with pytest.raises(InvalidDocument) as error:
        read_metrics(tmp_path / "m.json")
    assert len(error.value.problems) == 5
    assert "`a` must be a number, not a text" in str(error.value)
    assert "`b` must be a number, not true or false" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_key_is_answered_by_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        '{"metrics": [{"name": "a", "valeu": 1}, 3, {"name": "b", "value": 1, "step": 1.5}]}'
    )
    with pytest.raises(InvalidDocument) as error:
        read_metrics(tmp_path / "m.json")
    assert "unknown key `valeu`, did you mean `value`?" in str(error.value)
    assert "metrics[1]: a mapping expected" in str(error.value)
    assert "whole number" in str(error.value)


def test_a_metric_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="stands twice"):
        read(tmp_path, '{"a/b": 1, "a": {"b": 2}}')


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
