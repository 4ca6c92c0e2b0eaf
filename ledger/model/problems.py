"""All problems of a document at once, so that people can fix them in one go."""

import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

MOST = 50
"""Most problems that are reported for one document."""
_DEEPEST = 50
"""Levels of nesting that are searched; no document of this project has ten."""


def problems_in(data: bytes, kind: type[msgspec.Struct]) -> list[str]:
    """Return why JSON bytes are not a document, one line per problem with the field first; empty when they are one."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return [_lowered(error)]
    found: list[str] = []
    for problem in _wrong(value, kind, "", 0):
        if len(found) == MOST:
            found.append("and more")
            break
        found.append(problem)
    return found


# `Any`: any JSON value, against any type annotation.
def _wrong(value: Any, kind: Any, field: str, depth: int) -> Iterator[str]:  # noqa: ANN401
    if depth > _DEEPEST:
        yield f"{field}: nested too deep"
        return
    plain = _without_none(kind)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct) and isinstance(value, Mapping):
        yield from _of_struct(value, plain, field, depth)
    elif get_origin(plain) is list and isinstance(value, list):
        for position, item in enumerate(value):
            yield from _wrong(item, get_args(plain)[0], f"{field}[{position}]", depth + 1)
    elif get_origin(plain) is dict and isinstance(value, Mapping):
        for name, item in value.items():
            yield from _wrong(item, get_args(plain)[1], f"{field}.{_name_text(name)}", depth + 1)
    else:
        yield from _of_value(value, kind, field)


def _of_struct(value: Mapping[str, Any], kind: type[msgspec.Struct], field: str, depth: int) -> Iterator[str]:
    hints = get_type_hints(kind, include_extras=True)
    found = False
    for one in msgspec.structs.fields(kind):
        name = f"{field}.{one.name}" if field else one.name
        if one.name in value:
            for problem in _wrong(value[one.name], hints[one.name], name, depth + 1):
                found = True
                yield problem
        elif one.required:
            found = True
            yield f"{name}: missing"
    if not found:
        yield from _of_value(value, kind, field)


def _of_value(value: Any, kind: Any, field: str) -> Iterator[str]:  # noqa: ANN401  # as above
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        said = _lowered(error).partition(" - at ")[0]
        yield f"{field}: {said}" if field else said


def _without_none(kind: Any) -> Any:  # noqa: ANN401  # as above
    if get_origin(kind) in {Union, types.UnionType}:
        others = [one for one in get_args(kind) if one is not type(None)]
        return others[0] if len(others) == 1 else kind
    return kind


def _name_text(name: object) -> str:
    return ascii(str(name)[:80])[1:-1]


def _lowered(error: Exception) -> str:
    said = str(error)
    return said[:1].lower() + said[1:]
