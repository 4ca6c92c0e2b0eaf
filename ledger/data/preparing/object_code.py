"""The hash of code that a script hands over: functions, classes, and objects with their state, such as transforms.

`step_code.py` hashes functions and classes of the project. An object adds its state, since the code of
`Crop(28)` and `Crop(32)` is the same. Of libraries only the name counts, as there.
"""

import enum
import functools
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from ledger.data.preparing.step_code import hash_function, is_ours
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes, hash_listing

_MOST = 10_000
"""Most values of an object that are looked at: a transform has tens, a dataset that was given by mistake millions."""
_NAME = 300
"""Most characters of the name of an object."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_RANDOM = ("random", "_random", "numpy.random", "torch._C")
"""Modules of random generators, whose state is no code and differs in every run."""


def hash_object(code: object) -> str:
    """Return the hash of functions, classes and objects: equal for equal code and equal state, in every process.

    Raises:
        LedgerError: the source of one cannot be read, or an object holds more than 10,000 values.
    """
    walk = _Walk()
    walk.add("", code)
    return hash_listing(walk.parts)


def object_name(code: object) -> str:
    """Return what people call it: `train.flip` of a function, `Crop(28)` of an object that says so."""
    if isinstance(code, list | tuple):
        return ", ".join(object_name(item) for item in code)[:_NAME]
    if isinstance(code, functools.partial):
        return object_name(code.func)
    code = inspect.unwrap(code) if callable(code) else code
    if isinstance(code, type | FunctionType | MethodType | BuiltinFunctionType):
        return _qualified(code)
    if type(code).__repr__ is object.__repr__:
        return _qualified(type(code))
    try:
        said = " ".join(_ADDRESS.sub("", repr(code)).split())
    except Exception:  # noqa: BLE001  # the repr of a foreign object may raise anything
        return _qualified(type(code))
    return said if len(said) <= _NAME else f"{said[:_NAME]}…"


class _Walk:
    """Gathers one line for each part of an object: where it is, and what."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._inside: dict[int, object] = {}
        """Objects seen so far, kept so that no other takes the same id."""

    def add(self, where: str, value: object) -> None:
        if len(self.parts) >= _MOST:
            raise LedgerError(
                "the object holds too much to be the code of a step", hint="give the function or class: code=augment"
            )
        if value is None or isinstance(value, bool | int | float | str):
            self.parts.append(f"{where} {json.dumps(value)}")
            return
        if isinstance(value, enum.Enum | PurePath | bytes | ModuleType):
            said = value.name if isinstance(value, enum.Enum) else getattr(value, "__name__", None) or repr(value)
            self.parts.append(f"{where} {_qualified(type(value))} {said}")
            return
        if id(value) in self._inside:
            self.parts.append(f"{where} again")
            return
        self._inside[id(value)] = value
        for name, held in self._inner(where, value):
            self.add(f"{where}.{name}" if where else name, held)

    def _inner(self, where: str, value: object) -> Iterator[tuple[str, object]]:
        """Note what a value is itself, and yield what it holds."""
        if callable(value) and (plain := inspect.unwrap(value)) is not value:
            yield "function", plain
        elif isinstance(value, functools.partial):
            yield from (("partial", value.func), ("arguments", value.args), ("keywords", value.keywords))
        elif isinstance(value, MethodType):
            yield from ((value.__func__.__qualname__, value.__func__), ("self", value.__self__))
        elif isinstance(value, type | FunctionType | BuiltinFunctionType):
            self._code(where, value)
        elif isinstance(value, list | tuple):
            yield from ((str(place), item) for place, item in enumerate(value))
        elif isinstance(value, Mapping):
            yield from sorted(((repr(key), item) for key, item in value.items()), key=lambda pair: pair[0])
        elif isinstance(value, AbstractSet):
            yield from ((str(place), item) for place, item in enumerate(sorted(value, key=repr)))
        elif hasattr(value, "tolist") and hasattr(value, "shape"):
            self.parts.append(f"{where} {_array(value)}")
        else:
            self._code(where, type(value))
            yield from _state(value)

    def _code(self, where: str, code: type | FunctionType | BuiltinFunctionType) -> None:
        hashed = hash_function(code) if is_ours(code) else ""
        self.parts.append(f"{where} {_qualified(code)} {hashed}")


def _state(value: object) -> Iterator[tuple[str, object]]:
    """Yield the attributes of an object that belong to what it does, by name."""
    if type(value).__module__.startswith(_RANDOM):
        return
    held: dict[str, object] = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name) and name not in {"__dict__", "__weakref__"}:
                held[name] = getattr(value, name)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):  # its hooks, and whether it trains, are no part of it
        held = {name: item for name, item in held.items() if not name.startswith("_") and name != "training"}
        held["modules"] = dict(value.named_children())
    yield from sorted(held.items())


def _array(value: object) -> str:
    """Return shape and content of an array or tensor."""
    content = value.tolist() if hasattr(value, "tolist") else None
    return f"{tuple(getattr(value, 'shape', ()))} {hash_bytes(repr(content).encode())}"


def _qualified(code: object) -> str:
    return f"{getattr(code, '__module__', '')}.{getattr(code, '__qualname__', type(code).__qualname__)}".lstrip(".")
