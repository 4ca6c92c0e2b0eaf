"""All that is wrong with a document is said, each with its field."""

import msgspec
import pytest

from ledger.model.document import dump
from ledger.model.entries import DatasetVersion, Note
from ledger.model.problems import MOST, problems_in
from ledger.model.record import Record
from tests.samples import sample_datasets, sample_ledger


def test_a_good_document_has_no_problem() -> None:
    for run in sample_ledger()[0].runs:
        assert problems_in(dump(run.record), Record) == []
    for version in sample_datasets():
        assert problems_in(dump(version), DatasetVersion) == []


def test_every_field_that_is_wrong_is_named() -> None:
    record = msgspec.to_builtins(sample_ledger()[0].runs[0].record)
    del record["author"]
    record["seed"] = "seven"
    record["timing"]["started_at"] = "2026-11-20T10:00:00"
    record["results"]["metrics"][1]["value"] = [1]
    record["params"]["values"]["lr"] = {}
    found = problems_in(msgspec.json.encode(record), Record)
    assert {problem.partition(":")[0] for problem in found} == {
        "author", "seed", "timing.started_at", "params.values.lr", "results.metrics[1].value",
    }  # fmt: skip


def test_what_no_single_field_says_is_said_of_the_whole() -> None:
    note = {"format": 1, "id": "x", "kind": "comment", "stage": 3, "text": "x", "tool": "x", "run": "x",
            "author": {"name": "a", "email": "b"}, "noted_at": "2026-11-20T10:00:00Z"}  # fmt: skip
    assert problems_in(msgspec.json.encode(note), Note) == ["a milestone has a stage, and no other note has one"]


def test_of_very_many_problems_the_first_are_told() -> None:
    data = b'{"tags": [' + b",".join([b"1"] * 1000) + b"]}"
    assert len(problems_in(data, Record)) == MOST + 1


@pytest.mark.parametrize("data", [b"", b"[" * 100_000, b'{"a":' * 100_000, b"[]", b"\xff", b"NaN", b'"\\ud800"'])
def test_bytes_that_are_no_document_are_one_problem(data: bytes) -> None:
    (problem,) = problems_in(data, Record)
    assert "\n" not in problem


class Part(msgspec.Struct):
    """What stands in lists and mappings."""

    size: int


class Whole(msgspec.Struct):
    """A document of every form of field."""

    name: str
    parts: list[Part] = []
    named: dict[str, Part] = {}
    best: Part | None = None
    either: int | str = 0


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ('{"name": "a", "best": null}', []),
        ('{"name": "a", "unheard of": 1}', []),
        ('{"name": "a", "best": {"size": "1"}}', ["best.size: expected `int`, got `str`"]),
        ('{"name": "a", "parts": [{"size": 1}, {}, 3]}',
         ["parts[1].size: missing", "parts[2]: expected `object`, got `int`"]),
        ('{"name": "a", "parts": {}}', ["parts: expected `array`, got `object`"]),
        ('{"name": "a", "named": {"x\\u202e": {}}}', ["named.x\\u202e.size: missing"]),
        ('{"name": "a", "either": 1.5}', ["either: expected `int | str`, got `float`"]),
        ('{"best": 1}', ["name: missing", "best: expected `object | null`, got `int`"]),
    ],
)  # fmt: skip
def test_the_place_of_a_problem_is_said_in_every_form_of_field(text: str, problems: list[str]) -> None:
    assert problems_in(text.encode(), Whole) == problems


def test_the_name_of_a_mapping_is_cut_where_a_problem_shows_it() -> None:
    (problem,) = problems_in(msgspec.json.encode({"name": "a", "named": {"n" * 500: {}}}), Whole)
    assert problem == f"named.{'n' * 80}.size: missing"
