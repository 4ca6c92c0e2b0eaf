"""Documents to bytes and back: the same bytes every time, old formats for ever, errors that name the field."""

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.commands.reading.schema import KINDS
from ledger.errors import InvalidDocument
from ledger.model.boxes.inputs import Params
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.document import FORMATS, UPGRADES, dump, load
from ledger.model.record import BOXES, RECORD_FORMAT, Record
from ledger.model.schema import field_docs, json_schema
from ledger.model.values import ParamValue, number
from tests.conftest import ROOT, examples
from tests.minimal import minimal_record
from tests.samples import sample_ledger

FROZEN = Path(__file__).parent / "frozen"


def test_the_frozen_record_of_format_1_is_read_for_ever() -> None:
    data = (FROZEN / "record-1.json").read_bytes()
    record = load(data, Record, source="record-1.json")
    assert record.id == "20261120-194812-x7k2qf"
    assert record.params.values == {"lr": 0.001, "optimizer.name": "adam", "widths": [32, 64]}
    assert record.results.metrics[1].number != record.results.metrics[1].number
    assert record.headline is not None
    assert record.headline.number == 0.9722
    assert all(box.known or box.unknown["all"] for box in record.boxes().values())


def test_the_frozen_record_is_canonical() -> None:
    data = (FROZEN / "record-1.json").read_bytes()
    assert dump(load(data, Record, source="x")) == data


values = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.none(),
    st.lists(st.one_of(st.integers(-9, 9), st.text(max_size=5), st.none()), max_size=3),
)


@settings(max_examples=examples(100), deadline=None)
@given(params=st.dictionaries(st.text(), values), metric=st.floats(), note=st.text())
def test_load_is_the_inverse_of_dump(params: dict[str, ParamValue], metric: float, note: str) -> None:
    measured = Metric(name="m", value=number(metric), split="validation")
    record = msgspec.structs.replace(
        minimal_record(),
        params=Params(values=params),
        results=Results(metrics=[measured]),
        note=note.encode("utf-8", "ignore").decode(),
    )
    data = dump(record)
    again = load(data, Record, source="x")
    assert dump(again) == data
    assert again.results == record.results
    assert data.endswith(b"}\n")
    json.loads(data, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_the_order_in_which_params_were_given_does_not_matter() -> None:
    one = msgspec.structs.replace(minimal_record(), params=Params(values={"b": 1, "a": 2}))
    other = msgspec.structs.replace(minimal_record(), params=Params(values={"a": 2, "b": 1}))
    assert dump(one) == dump(other)


def test_a_wrong_field_is_named() -> None:
    broken = dump(minimal_record()).replace(b'"status": "finished"', b'"status": "fine"')
    with pytest.raises(InvalidDocument, match=r"record\.json: status: invalid enum value 'fine'"):
        load(broken, Record, source="record.json")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"format": "1"}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_document_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(InvalidDocument, match=r"^record\.json: "):
        load(data, Record, source="record.json")


def test_a_newer_format_is_refused_with_advice() -> None:
    newer = dump(minimal_record()).replace(b'"format": 1', b'"format": 99')
    with pytest.raises(InvalidDocument, match=r"^record\.json: format: `99` is newer") as caught:
        load(newer, Record, source="record.json")
    assert "upgrade" in str(caught.value.hint)


def test_old_formats_climb_the_chain_step_by_step() -> None:
    old = json.loads(dump(minimal_record()))
    old["title"] = old.pop("experiment")
    chain = {
        1: lambda document: {**document, "name": document.pop("title")},
        2: lambda document: {**document, "experiment": document.pop("name")},
    }
    record = load(json.dumps(old).encode(), Record, source="x", upgrades=chain, current=3)
    assert (record.experiment, record.format) == ("x", 3)
    with pytest.raises(InvalidDocument, match=r"^x: format: unknown format: `2`"):
        load(json.dumps(old).encode(), Record, source="x", upgrades={1: chain[1]}, current=3)


def test_every_format_below_the_current_one_has_an_upgrade_and_a_frozen_sample() -> None:
    for kind, current in FORMATS.items():
        assert set(UPGRADES[kind]) == set(range(1, current))
    assert {path.name for path in FROZEN.glob("record-*.json")} == {
        f"record-{version}.json" for version in range(1, RECORD_FORMAT + 1)
    }


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=lambda kind: kind.__name__)
def test_the_schema_describes_every_field(kind: type[msgspec.Struct]) -> None:
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, definition in schema["$defs"].items():
        for field, described in definition.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"


def test_real_records_satisfy_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(json_schema(Record))
    for run in sample_ledger()[0].runs:
        validator.validate(json.loads(dump(run.record)))
    bad = json.loads(dump(minimal_record())) | {"status": "fine"}
    assert not validator.is_valid(bad)


def test_every_document_of_the_branch_has_a_schema() -> None:
    assert set(FORMATS) <= set(KINDS.values())


def test_the_policy_that_comes_with_a_new_ledger_satisfies_its_schema() -> None:
    text = (ROOT / "templates/policy.yaml").read_text("utf-8")
    stated = yaml.safe_load(re.sub(r"^# (?![A-Z])", "", text, flags=re.MULTILINE))  # prose begins with a capital
    validator = jsonschema.Draft202012Validator(json_schema(KINDS["policy"]))
    validator.validate(stated)
    assert not validator.is_valid({"budgets": {}})


def test_every_field_of_the_model_has_its_line() -> None:
    docs = field_docs()
    assert len(docs) > 20
    for name, fields in docs.items():
        for field, text in fields.items():
            assert text.strip(), f"{name}.{field}"
            assert len(text) <= 120, f"{name}.{field}"
            assert text.endswith("."), f"{name}.{field}"


def test_there_are_ten_boxes() -> None:
    assert len(BOXES) == 10
    assert set(minimal_record().boxes()) == set(BOXES)
    assert not minimal_record().code.known


@pytest.mark.parametrize(("text", "shown"), [("\udcc3\udca9", "é"), ("\ud800", "\\ud800")])
def test_lone_surrogates_become_the_text_they_stand_for_or_their_number(text: str, shown: str) -> None:
    assert load(dump(msgspec.structs.replace(minimal_record(), note=text)), Record, source="x").note == shown


def test_text_that_is_not_utf_8_is_written_as_it_is_shown() -> None:
    odd = msgspec.structs.replace(minimal_record(), folder="d\udcff", command=["a\udcff"], redactions={"k\udcff": 1})
    back = load(dump(odd), Record, source="x")
    assert (back.folder, back.command, back.redactions) == ("d\\xff", ["a\\xff"], {"k\\xff": 1})
    assert list(json.loads(dump(odd))) == list(json.loads(dump(back)))


def test_of_one_metric_at_several_steps_the_last_speaks_for_the_run() -> None:
    metrics = [Metric(name="accuracy", value=step / 10, split="validation", step=step) for step in range(3)]
    results = Results(headline="validation/accuracy", metrics=metrics)
    headline = msgspec.structs.replace(minimal_record(), results=results).headline
    assert headline is not None
    assert headline.value == 0.2
