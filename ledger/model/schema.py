"""JSON Schemas and the glossary, both made from the types and the docstring of every field."""

import ast
import inspect
import sys
import textwrap
from functools import cache
from typing import Any, cast

import msgspec

from ledger.model import boxes, datasets, entries, record, statistics

_MODULES = (record, boxes, entries, datasets, statistics)


def json_schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document type, each field with its description."""
    (reference,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    docs = {struct.__name__: _docs_with_bases(struct) for struct in _structs_in(kind)}
    for name, component in components.items():
        for field, schema in component.get("properties", {}).items():
            if text := docs.get(name, {}).get(field):
                schema["description"] = text
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **reference, "$defs": components}


def _structs_in(kind: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """Return a document type and those that stand in its fields, however deep."""
    found: set[type[msgspec.Struct]] = set()
    open_types: list[object] = [msgspec.inspect.type_info(kind)]
    while open_types:
        one = open_types.pop()
        if isinstance(one, msgspec.inspect.StructType):
            if one.cls in found:
                continue
            found.add(one.cls)
            open_types += [field.type for field in one.fields]
        else:  # what a list, a mapping or a union holds
            inner = [getattr(one, name, ()) for name in ("item_type", "item_types", "key_type", "value_type", "types")]
            open_types += [part for held in inner for part in (held if isinstance(held, tuple) else (held,))]
    return found


def _docs_with_bases(kind: type) -> dict[str, str]:
    """Return field name to its line, of a type and of what it inherits from."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, msgspec.Struct) and base.__module__.partition(".")[0] == "ledger":
            (node,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            found |= _docs_of(cast(ast.ClassDef, node))
    return found


@cache
def field_docs() -> dict[str, dict[str, str]]:
    """Return class name to field name to the one line that stands below the field."""
    docs: dict[str, dict[str, str]] = {}
    for module in _MODULES:
        for node in ast.parse(inspect.getsource(sys.modules[module.__name__])).body:
            if isinstance(node, ast.ClassDef):
                docs[node.name] = _docs_of(node)
    for name, fields in docs.items():
        if name in vars(boxes) and issubclass(getattr(boxes, name), boxes.Box):
            docs[name] = {**docs["Box"], **fields}
    return docs


def _docs_of(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            documented = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            found[field.target.id] = str(text.value.value) if documented else ""  # type: ignore[attr-defined]
    return found
