"""The reference page of the keys of `policy.yaml`, from the types that read it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ledger.model.schema import class_docs
from ledger.model.values import Document
from ledger.store.branch.policy import Policy
from tests.handbook.markdown import code, definitions, page, text


def render_policy_keys() -> str:
    return page(
        "Every key of policy.yaml with its meaning and its default",
        "Policy keys",
        "What `policy.yaml` on the ledger branch may say; every key may be left out. [Policy](../policy.md) shows a "
        "whole file, and `ledger policy set KEY VALUE` writes one key.",
        _parts(),
    )


def _parts() -> Iterator[str]:
    docs = class_docs(Policy)
    for field in msgspec.structs.fields(Policy):
        default = _default(field)
        yield f"## {field.name}"
        if isinstance(default, Document):
            yield text(type(default).__doc__ or "")
            yield definitions(_fields(type(default), default, field.name))
        elif kind := next((one for one in getattr(field.type, "__args__", ()) if _is_document(one)), None):
            yield text(docs[field.name])
            listed = getattr(field.type, "__origin__", None) is list
            yield definitions(_fields(kind, None, f"{field.name}[]" if listed else f"{field.name}.NAME"))
        else:
            yield definitions([(_term(field.name, field.type), _meaning(docs[field.name], default))])


def _is_document(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Document)


def _fields(kind: type[Document], given: Document | None, above: str) -> Iterator[tuple[str, str]]:
    docs = class_docs(kind)
    for field in msgspec.structs.fields(kind):
        if (kind.__name__, field.name) in _COMPUTED:
            continue
        default = _default(field) if given is None else getattr(given, field.name)
        name = f"{above}.{_WRITTEN.get(field.name, field.name)}"
        inner = _document_in(field.type)
        if inner is None:
            yield _term(name, field.type), _meaning(docs[field.name], default)
            continue
        listed = isinstance(default, list)
        yield f"{code(name)} ({'list' if listed else 'section'})", text(docs[field.name])
        yield from _fields(inner, None, f"{name}[]" if listed else name)


_WRITTEN = {"valid_from": "from", "valid_to": "to"}
"""Keys that have another name in a record: `from` is a word of Python."""
_COMPUTED = {("Ownership", "energy_per_hour")}
"""Fields that follow from others, and are not written in a policy."""


def _document_in(kind: Any) -> type[Document] | None:  # `Any`: as above
    """Return the type of the section that a field is, or is a list of."""
    parts = [kind, *getattr(kind, "__args__", ())]
    return next((one for one in parts if _is_document(one)), None)


def _meaning(said: str, default: object) -> str:
    return " ".join(filter(None, (text(said), _default_text(default))))


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _default_text(default: object) -> str:
    if default is msgspec.NODEFAULT or default is None or isinstance(default, Document) or default in ([], {}, ""):
        return ""
    if isinstance(default, bool):
        default = str(default).lower()
    if isinstance(default, dict):
        default = ", ".join(f"{key}: {value}" for key, value in default.items())
    return f"Default: {code(str(default))}."


def _term(name: str, kind: Any) -> str:  # `Any`: as above
    return f"{code(name)} ({_named(msgspec.inspect.type_info(kind))})"


def _named(seen: msgspec.inspect.Type) -> str:  # noqa: PLR0911  # one return for each kind of type
    """Return in words what a value may be."""
    inspect = msgspec.inspect
    if isinstance(seen, inspect.Metadata):
        return _named(seen.type)
    if isinstance(seen, inspect.LiteralType):
        return " or ".join(code(str(value)) for value in seen.values)
    if isinstance(seen, inspect.ListType):
        return f"list of {_plural(_named(seen.item_type))}"
    if isinstance(seen, inspect.DictType):
        return f"{_named(seen.key_type)} to {_named(seen.value_type)}"
    if isinstance(seen, inspect.UnionType):
        return " or ".join(_named(one) for one in seen.types if not isinstance(one, inspect.NoneType))
    if isinstance(seen, inspect.IntType):
        bounds = [f"{word} {bound:,}" for word, bound in (("from", seen.ge), ("to", seen.le)) if bound is not None]
        return " ".join(["whole number", *bounds])
    words: dict[type, str] = {
        inspect.BoolType: "`true` or `false`",
        inspect.FloatType: "number",
        inspect.DateType: "day",
        inspect.StrType: "text",
    }
    return words[type(seen)]


def _plural(word: str) -> str:
    return {"text": "texts", "number": "numbers"}.get(word, word)
