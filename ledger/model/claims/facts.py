"""The numbers, times, hashes and names of a document, extracted once for all the rules of `rules.py`."""

import types
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from msgspec import Struct

from ledger.model.claims.labels import labels_of

T = TypeVar("T")

SIGNED = frozenset(
    [
        *("exit_code", "seed", "step", "steps", "epoch", "epochs", "value", "folds", "duration_seconds", "labels"),
        *("first", "last", "min", "max", "mean", "means", "quantiles", "edges", "expected"),
    ]
)
"""Fields whose numbers may be negative; for a duration, another rule says that it ended before it started."""
HASHES = frozenset({"hash", "dataset_hash", "reference_hash"})
COMMITS = frozenset({"commit", "tree"})
FREE = {"values", "params", "variables"}
"""Fields with values that people choose freely."""


class Stated(NamedTuple):
    """One value in a document."""

    field: str
    """Its full path: `hardware.gpus[0].energy_kwh`."""
    name: str
    """The last name of that path."""
    value: Any
    """The value: a number, a time or a hash."""


class Facts:
    """A document and the values extracted from it.

    Args:
        document: which one.
    """

    def __init__(self, document: object) -> None:
        self.document = document
        self._found: dict[Callable[[object], Iterable[Any]], list[Any]] = {}

    def once(self, find: Callable[[object], Iterable[T]]) -> list[T]:
        """Return what `find` extracts from the document, computed once for all the rules that ask for it."""
        if find not in self._found:
            self._found[find] = list(find(self.document))
        return self._found[find]

    @cached_property
    def stated(self) -> list[Stated]:
        """Every number, time, hash and commit that a rule may refuse; values that people choose freely are left out."""
        found: list[Stated] = []
        if isinstance(self.document, Struct):
            _walk(self.document, "", "", found)
        return found

    @cached_property
    def labels(self) -> list[tuple[str, str]]:
        """The field and text of every name."""
        return list(labels_of(self.document))


def _walk(value: object, field: str, name: str, found: list[Stated]) -> None:
    if isinstance(value, Struct):
        start = f"{field}." if field else ""
        for inner, leaf in _plan(type(value)):
            held = getattr(value, inner)
            if held is None:
                continue
            if leaf:
                found.append(Stated(start + inner, inner, held))
            elif held:
                _walk(held, start + inner, inner, found)
    elif isinstance(value, list):
        for position, held in enumerate(value):
            _walk(held, f"{field}[{position}]", name, found)
    elif isinstance(value, dict):
        for key, held in value.items():
            _walk(held, f"{field}.{ascii(str(key)[:80])[1:-1]}", name, found)
    else:
        found.append(Stated(field, name, value))


@cache
def _plan(kind: type[Struct]) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a type that rules look at, each with whether it is a single value."""
    hints = hints_of(kind)
    looked = (
        (name, _rule_asks(hints[name], name)) for name in kind.__struct_fields__ if not is_free(hints[name], name)
    )
    return tuple((name, leaf) for name, leaf in looked if leaf is not None)


def is_free(hint: Any, name: str) -> bool:  # noqa: ANN401  # an annotation can be any object
    """Return whether a field holds values that people choose freely; a box named `params` holds other fields, too."""
    return name in FREE and not (isinstance(hint, type) and issubclass(hint, Struct))


def hints_of(kind: type[Struct]) -> dict[str, Any]:  # `Any`: an annotation can be any object
    """Return the type of each field, by its name."""
    # Not `typing.get_type_hints`, which costs a record 8 ms: no document names a type that is defined below it.
    return {name: hint for one in reversed(kind.__mro__) for name, hint in getattr(one, "__annotations__", {}).items()}


def _rule_asks(hint: Any, name: str) -> bool | None:  # noqa: ANN401  # an annotation can be any object
    """Return whether a type is a single value that rules look at, or contains some; none where it does neither."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _rule_asks(get_args(hint)[0], name)
    if origin in {Union, types.UnionType}:
        found = [leaf for part in get_args(hint) if (leaf := _rule_asks(part, name)) is not None]
        return all(found) if found else None
    if origin in {list, dict, Mapping}:
        return None if _rule_asks(get_args(hint)[-1], name) is None else False
    if not isinstance(hint, type):
        return None
    if issubclass(hint, Struct):
        return False if _plan(hint) else None
    asked = (hint is int) or (hint is float and name not in SIGNED) or hint is datetime
    return True if asked or (hint is str and name in HASHES | COMMITS) else None
