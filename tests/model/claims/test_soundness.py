"""The quick look at a document's bytes lets nothing pass that a rule would have told of."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from ledger.model.claims.facts import Facts
from ledger.model.claims.rules import OF_SINGLE_VALUES, claims_in
from ledger.model.claims.soundness import is_sound
from ledger.model.document import dump, load
from ledger.model.entries import Evaluation, Note
from ledger.model.record import Record
from tests.samples import sample_ledger

ODD: tuple[object, ...] = (
    *(-1, -0.5, 1 << 63, -(1 << 63) - 1, 10**30),
    *(
        "",
        " ",
        "  ",
        "\u3164",
        "a\u202eb",
        "a\x7fb",
        "a\nb",
        "a\tb",
        "w" * 201,
        "v\u0430l",
        "e\u0301",
        "\ufe0f",
        "é\u0301",
    ),
    *("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2026-11-20T10:00:00+02:00", "0001-01-01T00:00:00Z"),
    *("zzzz", "main", "git:HEAD", "git:" + "0" * 39, "blake3:" + "A" * 64, "declared:", "md5:" + "0" * 33),
)

SAMPLES = sample_ledger()[0]
RECORD = max((run.record for run in SAMPLES.runs), key=lambda record: len(dump(record)))
OTHERS = [*SAMPLES.datasets[:2], *[one for run in SAMPLES.runs for one in (*run.evaluations, *run.notes)][:4]]


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:  # `Any`: whatever JSON holds
    """Yield what holds each value that is no list or mapping, and its place."""
    for key, held in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(held, dict | list):
            yield from leaves(held)
        else:
            yield value, key


def told(document: object) -> list[tuple[str, str]]:
    facts = Facts(document)
    return [one for find in OF_SINGLE_VALUES for one in find(facts)]


@pytest.mark.parametrize("document", [RECORD, *OTHERS], ids=lambda one: type(one).__name__)
def test_what_the_quick_look_takes_breaks_no_rule_of_single_values(document: msgspec.Struct) -> None:
    known = msgspec.to_builtins(document)
    tried = refused = 0
    for holder, key in leaves(known):
        kept = holder[key]
        for odd in ODD:
            holder[key] = odd
            try:
                changed = msgspec.convert(known, type(document))
            except msgspec.ValidationError:
                continue
            tried += 1
            if is_sound(dump(changed), type(document)):
                assert told(changed) == [], f"{key}: {odd!r}"
            else:
                refused += 1
        holder[key] = kept
    assert tried > 50
    assert refused > 10


def test_what_people_record_is_sound_at_a_look() -> None:
    records = [run.record for run in SAMPLES.runs]
    assert sum(is_sound(dump(record), Record) for record in records) > 0.8 * len(records)
    evaluations = [one for run in SAMPLES.runs for one in run.evaluations]
    assert all(is_sound(dump(one), Evaluation) for one in evaluations)


def test_a_note_is_always_looked_at_by_the_rules() -> None:
    note = next(one for run in SAMPLES.runs for one in run.notes)
    assert not is_sound(dump(note), Note)


def test_a_sound_document_is_told_of_what_no_single_value_shows() -> None:
    metrics = [*RECORD.results.metrics, msgspec.structs.replace(RECORD.results.metrics[0], value=0.1)]
    record = msgspec.structs.replace(RECORD, results=msgspec.structs.replace(RECORD.results, metrics=metrics))
    data = dump(record)
    assert is_sound(data, Record) == is_sound(dump(RECORD), Record)
    found = list(claims_in(load(data, Record, source="record"), sound=True))
    assert any("stated twice" in one.message for one in found)


@pytest.mark.parametrize("unseen", ["\x1b", "\x7f", "\u202e", "\u200b", "\U000e0041", "\ufffd\u200d"])
def test_a_document_with_a_character_that_is_not_seen_is_not_sound(unseen: str) -> None:
    assert not is_sound(dump(msgspec.structs.replace(RECORD, command=[f"train{unseen}.py"])), Record)
