"""The record: what it shares with what is said of a run before there is one."""

import inspect
import re

import msgspec
import pytest

from ledger.model.boxes.box import Box
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.record import BOXES, Record, RunFields, fields_of
from ledger.recorder.record.draft import Draft
from ledger.recorder.record.options import Given
from ledger.session.spool.events import Start, StatementEvent
from tests.minimal import minimal_record

NAMES = RunFields.__struct_fields__


def declared(kind: type[msgspec.Struct]) -> dict[str, tuple[object, object, str]]:
    """Return type, default and docstring of the fields that people state."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    docs = dict(re.findall(r'^    (\w+): [^\n]+\n    """([^\n]+)"""', inspect.getsource(kind), re.MULTILINE))
    return {name: (fields[name].type, fields[name].default, docs[name]) for name in NAMES}


def test_a_record_declares_what_people_say_as_they_say_it() -> None:
    assert declared(Record) == declared(RunFields)


@pytest.mark.parametrize("kind", [Draft, Given, Start, StatementEvent])
def test_whatever_is_said_of_a_run_has_the_same_fields(kind: type[RunFields]) -> None:
    assert issubclass(kind, RunFields)
    assert set(NAMES) <= set(kind.__struct_fields__)


def test_what_was_said_is_handed_on_whole() -> None:
    said = StatementEvent(tags=["a"], note="why", seed=0, parent="p", baseline="b", log="train.log")
    assert fields_of(said) == {"tags": ["a"], "note": "why", "seed": 0, "parent": "p", "baseline": "b", "links": []}


def test_the_ten_boxes_are_the_boxes_of_a_record_in_its_order() -> None:
    record = minimal_record()
    own = [name for name in Record.__struct_fields__ if isinstance(getattr(record, name), Box)]
    assert own == list(BOXES) == list(record.boxes())
    assert all(record.boxes()[name] is getattr(record, name) for name in BOXES)


def test_of_a_metric_that_was_measured_again_the_last_value_counts() -> None:
    metrics = [Metric(name="f1", split="test", value=value) for value in (0.1, 0.2)]
    metrics.append(Metric(name="f1", value=0.3))
    record = minimal_record(results=Results(metrics=metrics, headline="test/f1"))
    for key, value in {"test/f1": 0.2, "f1": 0.3}.items():
        found = record.metric(key)
        assert found is not None
        assert found.value == value
    assert record.metric("test/F1") is None
    assert record.headline == metrics[1]


@pytest.mark.parametrize("field", ["started_at", "ended_at", "recorded_at"])
def test_a_time_without_a_zone_is_no_time_of_a_record(field: str) -> None:
    told = msgspec.to_builtins(minimal_record())
    told["timing"][field] = "2026-11-20T19:48:12"
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.convert(told, Record)


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "finshed"), ("seed", "1"), ("seed", 1.5), ("tags", "a"), ("links", [{"title": "x"}])],
)
def test_a_value_of_another_type_is_refused_and_a_field_of_a_newer_tool_is_not(field: str, value: object) -> None:
    told = {**msgspec.to_builtins(minimal_record()), "of_tomorrow": {"x": 1}}
    assert msgspec.convert(told, Record) == minimal_record()
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**told, field: value}, Record)
