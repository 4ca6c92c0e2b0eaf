"""JSON Schemas and the glossary, made from the types and the docstring of every field."""

import ast
import inspect
import sys
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any

import msgspec

from ledger.model import datasets, entries, hosts, record, statistics
from ledger.model.boxes import box, code, cost, inputs, machine, outputs
from ledger.model.boxes.box import Box

_MODULES = (record, box, code, inputs, machine, cost, outputs, entries, hosts, datasets, statistics)


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
    """Return a document type and all the types in its fields, at any depth."""
    found: set[type[msgspec.Struct]] = set()
    open_types: list[object] = [msgspec.inspect.type_info(kind)]
    while open_types:
        one = open_types.pop()
        if isinstance(one, msgspec.inspect.StructType):
            if one.cls in found:
                continue
            found.add(one.cls)
            open_types += [field.type for field in one.fields]
        else:  # the element types of a list, a mapping or a union
            inner = [getattr(one, name, ()) for name in ("item_type", "item_types", "key_type", "value_type", "types")]
            open_types += [part for held in inner for part in (held if isinstance(held, tuple) else (held,))]
    return found


def _docs_with_bases(kind: type) -> dict[str, str]:
    """Return the docstring of each field of a type, those of its base classes included."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, msgspec.Struct) and base.__module__.partition(".")[0] == "ledger":
            found |= class_docs(base)
    return found


@cache
def field_docs() -> dict[str, dict[str, str]]:
    """Return the one-line docstring of each field, by class name and field name."""
    docs: dict[str, dict[str, str]] = {}
    boxed = []
    for module in _MODULES:
        for node in ast.parse(inspect.getsource(sys.modules[module.__name__])).body:
            if isinstance(node, ast.ClassDef):
                docs[node.name] = _docs_of(node.body)
                if issubclass(getattr(module, node.name), Box):
                    boxed.append(node.name)
    return docs | {name: {**docs["Box"], **docs[name]} for name in boxed}


def class_docs(kind: type) -> dict[str, str]:
    """Return the one-line docstring of each field of a class."""
    (node,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(node, ast.ClassDef)  # noqa: S101  # for the type checker
    return _docs_of(node.body)


def constant_docs(module: ModuleType) -> dict[str, str]:
    """Return the docstring of each constant of a module, by name."""
    return _docs_of(ast.parse(inspect.getsource(module)).body)


def _docs_of(body: Sequence[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in pairwise(body):
        name = field.targets[0] if isinstance(field, ast.Assign) else getattr(field, "target", None)
        if isinstance(field, ast.Assign | ast.AnnAssign) and isinstance(name, ast.Name):
            documented = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            found[name.id] = str(text.value.value) if documented else ""  # type: ignore[attr-defined]
    return found
