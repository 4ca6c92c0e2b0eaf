"""JSON Schemas and the glossary, both made from the types and the docstring of every field."""

import ast
import inspect
import sys
from functools import cache
from typing import Any

import msgspec

from ledger.model import boxes, datasets, entries, record, statistics

_MODULES = (record, boxes, entries, datasets, statistics)


def json_schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document type, each field with its description."""
    (reference,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    docs = field_docs()
    for name, component in components.items():
        for field, schema in component.get("properties", {}).items():
            if text := docs.get(name, {}).get(field):
                schema["description"] = text
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **reference, "$defs": components}


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
