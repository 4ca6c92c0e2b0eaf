"""The record: what it shares with what is said of a run before there is one."""

import inspect
import re

import msgspec
import pytest

from ledger.model.record import Record, RunFields, fields_of
from ledger.recorder.record.draft import Draft
from ledger.recorder.record.options import Given
from ledger.session.spool.events import Start, StatementEvent

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
