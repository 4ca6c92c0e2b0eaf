"""Params: the inputs of a person or a sweep, flattened to dotted names and plain values.

Any Python value becomes a param; one without a plain form becomes its `repr`. Nothing is imported
to recognise a library's types: arrays and tensors are recognised by `item` and `tolist`.
"""

import datetime as dt
import enum
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ledger.capture.inputs.config_files import load_json_value, read_mapping
from ledger.errors import LedgerError, UsageError
from ledger.formats.yaml_file import plain_scalar
from ledger.model.values import ParamValue, is_plain_text, number

_DEPTH = 20
"""Most levels of nesting that are followed; deeper values, and cyclic ones, become text."""
_TEXT_LIMIT = 10_000
"""Most characters of a value: a record has a few KB, and a param is no document."""
_ITEMS = 1_000
"""Most elements of an array that are kept as a list."""
_WHY = 200
"""Most characters of the reason why a value cannot be read."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

Scalar = bool | int | float | str | None


def read_params(path: Path) -> dict[str, ParamValue]:
    """Return the params in a YAML, JSON or TOML file, by dotted name, in the file's order.

    Raises:
        NotFound: there is no such file.
        LedgerError: it is malformed (with the line), holds no mapping, is over 5 MB, or gives a name twice.
    """
    values = read_mapping(path, "params", advice="params are inputs; name data with --dataset, curves with --curves")
    params: dict[str, ParamValue] = {}
    for name, value in _pairs("", values, 0):
        if name in params:
            raise LedgerError(f"{path}: two params have one dotted name: `{name}`", hint="rename one of them")
        if isinstance(value, _Unreadable):
            continue  # a plain value always has one
        if not name.strip(". ") or not is_plain_text(name):
            raise LedgerError(f"{path}: a param's name is empty or holds control characters: `{ascii(name)[1:-1]}`")
        params[name] = value
    return params


def flatten(values: Mapping[str, object]) -> dict[str, ParamValue]:
    """Return Python values as params: nested ones by dotted name, anything unknown as its `repr`.

    Takes mappings, dataclasses, `argparse.Namespace`, enums, paths, dates, and scalars of numpy and torch.
    Never raises; a name that comes twice is kept twice, the later one numbered. What cannot be read is left out.
    """
    return flatten_known(values)[0]


def flatten_known(values: Mapping[str, object]) -> tuple[dict[str, ParamValue], dict[str, str]]:
    """Return Python values as params, and those without a value with the reason, such as `???` of OmegaConf."""
    params: dict[str, ParamValue] = {}
    unknown: dict[str, str] = {}
    for name, value in _pairs("", values, 0):
        label = name if is_plain_text(name) else ascii(name)[1:-1]
        if isinstance(value, _Unreadable):
            unknown[label or "unnamed"] = value.why
            continue
        unique, count = label or "unnamed", 1
        while unique in params:
            count += 1
            unique = f"{label} ({count})"
        params[unique] = value
    return params, unknown


def parse_assignment(text: str) -> tuple[str, ParamValue]:
    """Return name and value of `name=value`: JSON scalars and lists are parsed, all else is text.

    Raises:
        UsageError: there is no `=`, or no name before it.
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name or not is_plain_text(name):
        raise UsageError(f"a param must be given as name=value: `{ascii(text)[1:-1]}`", hint="such as --param lr=1e-3")
    return name, _parse_value(value)


def _parse_value(text: str) -> ParamValue:
    stripped = text.strip()
    if stripped.startswith(("[", '"')):
        try:
            return _leaf(load_json_value(stripped), 0)
        except (ValueError, RecursionError):
            return _text(text)
    if stripped in {"NaN", "Infinity", "-Infinity"}:
        return stripped
    value = plain_scalar(stripped) if stripped not in {"", "~"} else text
    if isinstance(value, bool) or value is None:
        return value if stripped in {"true", "false", "null"} else text
    return _leaf(value, 0) if isinstance(value, int | float) else _text(text)


class _Unreadable(NamedTuple):
    why: str


def _pairs(prefix: str, value: object, depth: int) -> Iterator[tuple[str, ParamValue | _Unreadable]]:
    nested = _nested(value) if depth < _DEPTH else None
    if nested:
        for name, inner in nested.items():
            yield from _pairs(f"{prefix}.{name}" if prefix else str(name), inner, depth + 1)
    elif prefix:
        yield prefix, value if isinstance(value, _Unreadable) else _leaf(value, depth)


def _nested(value: object) -> dict[object, object] | None:
    """Return the names and values inside `value`; none when it is a single value."""
    try:
        if isinstance(value, Mapping):
            return {name: _read(value.__getitem__, name) for name in list(value)}
        # Such a value exists only where its module was imported; all others need not pay 3 ms for both.
        argparse = sys.modules.get("argparse")
        if argparse is not None and isinstance(value, argparse.Namespace):
            return dict(vars(value).items())
        dataclasses = sys.modules.get("dataclasses")
        if dataclasses is not None and dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: _read(partial(getattr, value), field.name) for field in dataclasses.fields(value)}
    except Exception:  # noqa: BLE001  # a foreign mapping may raise anything when it is read
        return None
    return None


def _read(ask: Callable[[Any], object], name: object) -> object:
    """Return one value of a foreign mapping, or that it has none: one `???` must not remove the others."""
    try:
        return ask(name)
    except Exception as error:  # noqa: BLE001  # it may raise anything when it is read
        said = " ".join(str(error).split())[:_WHY]
        return _Unreadable(f"it has no value ({type(error).__name__}{f': {said}' if said else ''})")


def _leaf(value: object, depth: int) -> ParamValue:
    plain = _plain(value)
    if isinstance(plain, list | tuple | range):
        return [_scalar(item, depth) for item in plain]
    if isinstance(plain, AbstractSet):
        return sorted((_scalar(item, depth) for item in plain), key=repr)
    return _scalar(plain, depth)


def _scalar(value: object, depth: int) -> Scalar:
    value = _plain(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # JSON numbers beyond 64 bits are lost in other readers, and in msgspec
        return int(value) if -(1 << 63) <= value < 1 << 63 else _text(_repr(value))
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return _text(value)
    if _is_json(value, depth):
        return _text(json.dumps(value, ensure_ascii=False))
    return _text(_repr(value))


def _plain(value: object) -> object:
    """Return the plain form of a wrapped value: enums, paths, dates, arrays of numpy and torch."""
    if value is None or type(value) in {bool, int, float, str, list, tuple, dict}:
        return value
    try:
        if isinstance(value, enum.Enum):
            return value.value if isinstance(value.value, str | int | float) else value.name
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if isinstance(value, dt.date | dt.time):
            return value.isoformat()
        return _array(value)
    except Exception:  # noqa: BLE001  # a foreign object may raise anything when it is read
        return _repr(value)


def _array(value: object) -> object:
    """Return the content of an array or tensor with one number or a short list; else `value` itself."""
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, type) or not hasattr(value, "item") or not hasattr(value, "tolist"):
        return value
    if len(shape) == 0:
        return value.item()
    return value.tolist() if math.prod(shape) <= _ITEMS else _repr(value)


def _is_json(value: object, depth: int) -> bool:
    """Return whether JSON can hold `value` exactly, nested within the limit."""
    if depth > _DEPTH:
        return False
    if isinstance(value, list | tuple):
        return all(_is_json(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(item, depth + 1) for name, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def _repr(value: object) -> str:
    """Return `repr` without addresses, which differ from run to run."""
    try:
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            return f"{getattr(value, '__module__', '')}.{value.__qualname__}".lstrip(".")
        return _ADDRESS.sub("", repr(value))
    except Exception:  # noqa: BLE001  # the repr of a foreign object may raise anything
        return f"<{type(value).__name__}>"


def _text(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    if len(clean) <= _TEXT_LIMIT:
        return clean
    return f"{clean[:_TEXT_LIMIT]}… ({len(clean) - _TEXT_LIMIT} more characters)"
