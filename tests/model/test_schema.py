"""Schema and glossary are made of the types and of the line below each field."""

import sys
from typing import Annotated

from msgspec import Meta, Struct

from ledger.model.boxes import box, code, cost, inputs, machine, outputs
from ledger.model.boxes.box import Box
from ledger.model.schema import class_docs, constant_docs, field_docs, json_schema
from ledger.model.values import Document

LONGEST = 3
"""Parts of a name at most."""
BARE = 4


class Parted(Document, frozen=True, kw_only=True):
    """A document with fields of every form."""

    name: str
    """What it is called."""
    bare: int = 0
    number: Annotated[int, Meta(ge=1)] = 1
    """A number from 1 on."""

    @property
    def label(self) -> str:
        """How people name it."""
        return self.name


class Node(Struct):
    """A part that holds parts of its kind."""

    inner: "list[Node]" = []
    """Nodes inside it."""


def test_a_class_says_its_fields_and_an_empty_line_where_none_stands() -> None:
    assert class_docs(Parted) == {"name": "What it is called.", "bare": "", "number": "A number from 1 on."}


def test_the_constants_of_a_module_have_their_lines() -> None:
    docs = constant_docs(sys.modules[__name__])
    assert docs["LONGEST"] == "Parts of a name at most."
    assert docs["BARE"] == ""
    assert "name" not in docs  # a field of a class


def test_the_glossary_gives_every_box_the_field_that_all_boxes_have_and_nothing_else() -> None:
    docs = field_docs()
    for name, fields in docs.items():
        found = (getattr(module, name, None) for module in (box, code, inputs, machine, cost, outputs))
        kind = next((one for one in found if one is not None), None)
        is_box = isinstance(kind, type) and issubclass(kind, Box)
        assert (fields.get("unknown") == docs["Box"]["unknown"]) == is_box, name


def test_the_schema_of_a_type_that_holds_its_own_kind_ends() -> None:
    assert set(json_schema(Node)["$defs"]) == {"Node"}
