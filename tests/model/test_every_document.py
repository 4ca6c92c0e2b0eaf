"""Every kind of document, by the same rules: canonical bytes, one clear error that names the field, newer formats."""

import json
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidDocument
from ledger.model.document import FORMATS, dump, encode, load
from ledger.model.entries import (
    Case,
    DatasetVersion,
    EnvironmentFile,
    Evaluation,
    Note,
    RedactedFile,
    Redaction,
)
from ledger.model.hosts import HostDay
from ledger.model.record import Author, Record
from tests.sample_boxes import sample_environment
from tests.sample_versions import sample_cases, sample_retirement
from tests.samples import START, sample_datasets, sample_host_day, sample_ledger

RUNS = sample_ledger()[0].runs
SAMPLES: dict[type, msgspec.Struct] = {
    Record: RUNS[0].record,
    DatasetVersion: sample_datasets()[-1],
    Evaluation: next(run.evaluations[0] for run in RUNS if run.evaluations),
    EnvironmentFile: sample_environment(),
    Note: sample_retirement(),
    Case: sample_cases()[0],
    HostDay: sample_host_day(),
    Redaction: Redaction(
        format=1,
        id="20261120-194812-abcdef",
        reason="a key in a log",
        files=[RedactedFile(path="runs/x/log.txt", before="1" * 40, after="2" * 40)],
        before="3" * 40,
        after="4" * 40,
        author=Author(name="Ada", email="ada@example.org"),
        redacted_at=START,
        tool="ledger 0.1.0",
    ),
}
KINDS = sorted(SAMPLES, key=lambda kind: kind.__name__)
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def content(kind: type) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dump(SAMPLES[kind]))
    return found


def refusal(kind: type, data: bytes) -> str:
    with pytest.raises(InvalidDocument) as caught:
        load(data, kind, source="here.json")
    assert "here.json" in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def as_bytes(document: object) -> bytes:
    return json.dumps(document).encode()


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(SAMPLES) == set(FORMATS)


@EVERY
def test_bytes_come_back_as_they_were_and_are_what_people_read(kind: type) -> None:
    data = dump(SAMPLES[kind])
    assert dump(load(data, kind, source="here.json")) == data
    assert load(data, kind, source="here.json") == SAMPLES[kind]
    assert data.endswith(b"}\n")
    assert data.count(b"\r") == 0
    assert data.decode("utf-8").splitlines()[1].startswith('  "')


@EVERY
def test_order_and_spaces_of_what_is_read_do_not_change_what_is_written(kind: type) -> None:
    found = content(kind)
    turned = dict(reversed(found.items()))
    for data in (as_bytes(turned), json.dumps(found, indent=7).encode(), b" \n\t" + as_bytes(found) + b"\r\n "):
        assert dump(load(data, kind, source="here.json")) == dump(SAMPLES[kind])


@EVERY
def test_a_field_that_is_missing_is_named(kind: type) -> None:
    needed = [field.name for field in msgspec.structs.fields(kind) if field.required]
    assert "format" in needed
    for name in needed:
        less = content(kind)
        del less[name]
        assert f"`{name}`" in refusal(kind, as_bytes(less)), name


@EVERY
def test_a_field_of_a_wrong_type_is_named(kind: type) -> None:
    plain = [field.name for field in msgspec.structs.fields(kind) if field.type in {str, int}]
    for name in set(plain) - {"format"}:
        assert refusal(kind, as_bytes(content(kind) | {name: {"no": 1}})).partition(": ")[2].startswith(name), name


@EVERY
def test_a_newer_format_is_refused_with_advice_and_an_unknown_one_by_its_number(kind: type) -> None:
    goal = FORMATS[kind]
    with pytest.raises(InvalidDocument) as caught:
        load(as_bytes(content(kind) | {"format": goal + 1}), kind, source="here.json")
    assert caught.value.hint == "pip install --upgrade git-ledger"
    assert f"`{goal + 1}`" in str(caught.value)
    for number in (0, -1, -(2**62)):
        assert f"unknown format: `{number}`" in refusal(kind, as_bytes(content(kind) | {"format": number}))
    for odd in ("1", 1.5, None, True, [1], 2**70):
        refusal(kind, as_bytes(content(kind) | {"format": odd}))


@EVERY
def test_a_newer_format_is_refused_as_such_whatever_else_it_changed(kind: type) -> None:
    said = refusal(kind, as_bytes({"format": FORMATS[kind] + 3, "everything": "else"}))
    assert "is newer than this version of ledger reads" in said


@EVERY
def test_a_field_of_a_later_tool_is_passed_over(kind: type) -> None:
    later = content(kind) | {"of_a_later_tool": {"deep": [1, {"x": None}]}}
    assert load(as_bytes(later), kind, source="here.json") == SAMPLES[kind]


@EVERY
def test_a_document_that_another_process_made_has_the_same_bytes(kind: type) -> None:
    sample = SAMPLES[kind]
    there = pickle.loads(pickle.dumps(sample))  # noqa: S301  # our own bytes
    assert there == sample
    assert dump(there) == dump(sample)


@EVERY
@pytest.mark.parametrize(
    "data",
    [
        b"", b" ", b"null", b"[]", b"{}", b"1", b'"format"', b"{", b'{"format": 1', b'{"format": }', b"\xff\xfe{}",
        b'{"format": NaN}', b'{"format": 1}{"format": 1}', b"\xef\xbb\xbf{}", b'{"format": "\xff"}', b"[" * 100_000,
        b'{"a":' * 50_000, b'{"format": 1e400}', b"\x00",
    ],
    ids=range(19),
)  # fmt: skip
def test_what_is_no_such_document_is_one_clear_error(kind: type, data: bytes) -> None:
    said = refusal(kind, data)
    assert "here.json" in said
    assert "\n" not in said


@EVERY
def test_a_document_of_another_kind_is_none_of_this(kind: type) -> None:
    needed = {field.name for field in msgspec.structs.fields(kind) if field.required}
    others = [other for other in KINDS if other is not kind and not needed <= set(content(other))]
    assert others
    for other in others:
        refusal(kind, dump(SAMPLES[other]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@EVERY
@given(data=st.data())
def test_whatever_stands_in_its_fields_it_is_read_or_refused(kind: type, data: st.DataObject) -> None:
    names = [field.name for field in msgspec.structs.fields(kind)]
    changed = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=4))
    document = as_bytes(content(kind) | changed)
    try:
        loaded: Any = load(document, kind, source="here.json")
    except InvalidDocument:
        return
    assert load(dump(loaded), kind, source="here.json") == loaded


@given(names=st.lists(st.text(max_size=6), max_size=6, unique=True), value=JSON)
def test_mappings_are_written_in_the_order_of_their_names_whatever_order_they_had(names: list[str], value: Any) -> None:
    forwards = dict.fromkeys(names, value)
    backwards = dict.fromkeys(reversed(names), value)
    assert encode(forwards) == encode(backwards)
    assert sorted(json.loads(encode(forwards))) == sorted(json.loads(encode(backwards)))
