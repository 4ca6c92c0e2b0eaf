"""Values as texts that sort as the values do, so that Python and a database agree on the order.

The first letter is the type: `b` booleans, `d` times, `n` numbers, `t` texts, `x` NaN. Numbers are
64-bit floats: their IEEE 754 bits, changed so that they sort as text. No such text contains a NUL.
"""

import math
import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.analysis.query.fields import Value

Range = tuple[str, str]
"""A half-open range of texts: from the first one included to the first one after."""

_LAST = "\U0010ffff"
_NEXT = "\x01"
"""Text that comes next after a text and this character appended: no text contains a smaller one."""
_DOUBLE = struct.Struct(">d")
_WITHOUT_SIGN, _WITH_SIGN = "01234567", "89abcdef"
"""First digits of positive and of negative numbers, before the change."""
_TURNED = str.maketrans("0123456789abcdef", "fedcba9876543210")
_NOT_A_NUMBER = "x"


def sortable(value: Value) -> str | None:
    """Return a value as sortable text; for a list, JSON of its items; none for none."""
    make = _MAKERS.get(type(value))
    if make is not None:
        return make(value)
    return msgspec.json.encode(sortable_items(value)).decode() if isinstance(value, list) else None


def sortable_items(values: Sequence[Value]) -> list[str]:
    """Return the items of a list as sortable texts; none becomes the empty text, which is in no range."""
    return ["" if value is None else _scalar(value) for value in values]


def _scalar(value: Value) -> str:
    return _MAKERS[type(value)](value)


def as_float(value: float) -> float:
    """Return a number as a 64-bit float; integers beyond its range become infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124  # NaN
        return _NOT_A_NUMBER
    bits = _DOUBLE.pack(value + 0.0).hex()  # -0.0 is 0.0
    sign = _WITHOUT_SIGN.find(bits[0])
    return f"n{_WITH_SIGN[sign]}{bits[1:]}" if sign >= 0 else f"n{bits.translate(_TURNED)}"


_MAKERS: dict[type, Callable[[Any], str]] = {  # each receives its own type of value
    str: lambda value: f"t{_escape(value)}",
    bool: lambda value: "b1" if value else "b0",
    int: lambda value: _number(as_float(value)),
    float: _number,
    datetime: lambda value: f"d{value.isoformat()}",
}
"""Converter by type of value: one lookup instead of a test for each type, at 50 values a run."""


def number_of(text: str) -> float | None:
    """Return the number in a text, none when it is not one; NaN has no order, so none, too.

    Only ASCII digits count, as in the scripts of the site.
    """
    try:
        number = float(text) if text.isascii() else math.nan
    except ValueError:
        return None
    return None if math.isnan(number) else number


def readable(value: Value) -> str:
    """Return a single value in the form that `~` searches: numbers in their shortest form, times in ISO form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(as_float(value) + 0.0).removesuffix(".0")  # -0.0 is 0.0
    return value.isoformat() if isinstance(value, datetime) else str(value)


def read_back(text: str) -> str:
    """Return `readable` of the value behind a sortable text."""
    kind, rest = text[:1], text[1:]
    if kind == "b":
        return "true" if rest == "1" else "false"
    if kind == "n":
        return readable(read_number(text))
    if kind == _NOT_A_NUMBER:
        return "nan"
    return rest.replace("\x01\x01", "\0").replace("\x01\x02", "\x01") if kind == "t" else rest


def read_number(text: str) -> float:
    """Return the number behind a sortable text, exact except for the sign of zero; NaN for any other."""
    if text[:1] != "n":
        return math.nan
    sign = _WITH_SIGN.find(text[1])
    bits = f"{_WITHOUT_SIGN[sign]}{text[2:]}" if sign >= 0 else text[1:].translate(_TURNED)
    value: float = _DOUBLE.unpack(bytes.fromhex(bits))[0]
    return value


def ranges(operator: str, wanted: str, *, time: bool) -> list[Range]:
    """Return the ranges of sortable texts that satisfy a comparison (`=`, `<`, `<=`, `>`, `>=`) with a written value.

    Args:
        operator: the comparison.
        wanted: written value.
        time: whether the field holds times, where a shorter one, such as a day, means all of it.
    """
    if time:
        return [_range(operator, "d", f"d{_escape(wanted)}", _LAST)]
    found = [_range(operator, "t", f"t{_escape(wanted)}", _NEXT)]
    number = number_of(wanted)
    if number is not None:
        found.append(_range(operator, "n", _number(number), _NEXT))
    if operator == "=" and wanted.lower() in {"true", "false"}:
        flag = "b1" if wanted.lower() == "true" else "b0"
        found.append((flag, flag + _NEXT))
    return found


def _range(operator: str, kind: str, at: str, after: str) -> Range:
    end = chr(ord(kind) + 1)
    return {
        "=": (at, at + after),
        "<": (kind, at),
        "<=": (kind, at + after),
        ">": (at + after, end),
        ">=": (at, end),
    }[operator]


def _escape(text: str) -> str:
    """Return a text without NUL in the same order; a database may end a text at a NUL."""
    if "\0" not in text and "\x01" not in text:
        return text
    return text.replace("\x01", "\x01\x02").replace("\0", "\x01\x01")
