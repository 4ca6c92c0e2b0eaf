"""Recognition of numbers in text: one rule for params, metrics, curves and tables.

A text becomes a number only if the number holds all of it: the same decimal value, no leading zeros, no
overflow, no underscores. What else looks like one is an id, a version or a date, and stays text.
"""

import math
import re
from decimal import Decimal
from typing import NamedTuple

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_REAL = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")
_LIKE_AN_ID = re.compile(r"[0-9]{2,}[eE][0-9]+|[0-9]+[eE]0[0-9]*")
"""Digits around an `e`, with neither a point nor a sign, which may be a short commit id."""
_SHORTEST_ID = 7
"""Fewest characters of a short commit id of git; `100e6` and `1e5` are numbers, `1234e56` may be an id."""
_WORDS = {
    "nan": math.nan, "+nan": math.nan, "-nan": math.nan, ".nan": math.nan,
    "inf": math.inf, "+inf": math.inf, "-inf": -math.inf, ".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf,
    "infinity": math.inf, "+infinity": math.inf, "-infinity": -math.inf,
}  # fmt: skip
_NOTHING = {"", "-", "--", "n/a", "na", "none", "null", "nil", "<na>", "nat", "#n/a", "missing", "?", "???"}
"""How loggers and spreadsheets write a missing value."""
_PRINTED = re.compile(
    r"(?:tensor|array|jnp\.array|np\.float\d+|numpy\.float\d+|float)\(\s*\[?\s*(?P<value>[^\s,()\[\]]+?)\.?\s*\]?"
    r"(?:\s*,\s*\w+\s*=\s*(?:'[^']*'|<[^<>]*>|[\w.]+))*\s*\)"
)
"""The printed form of a number of torch, numpy and JAX: `tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)`."""
_UNIT = re.compile(
    r"(?P<value>[^\s%]+?)\s*(?P<unit>%|ms|us|µs|ns|s|sec|min|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB|it/s|samples/s|tokens/s|tok/s"
    r"|img/s|images/s|steps/s|Hz|kHz|MHz|GHz|W|kWh|J|dB|px|mm|cm|km|°C)"
)
_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+(?:[eE][-+]?[0-9]{1,3})?")
_MAY_BE_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}")
_POINT_IN_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+\.[0-9]+|[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}")
_COMMA_IN_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+")


def exact_number(text: str) -> int | float | None:
    """Return the number that is exactly a text's value, none for other text; `nan` and infinities are words here."""
    if _WHOLE.fullmatch(text):
        whole = int(text)
        return whole if -(1 << 63) <= whole < 1 << 63 else None
    if not _REAL.fullmatch(text) or (len(text) >= _SHORTEST_ID and _LIKE_AN_ID.fullmatch(text)):
        return None
    value = _finite(text)
    # A value that a float cannot hold was never a float: an id with a point, a price with twenty digits.
    return value if value is not None and Decimal(repr(value)) == Decimal(text) else None


def nearest_number(text: str) -> float | None:
    """Return the float nearest to a measured decimal number, however many digits it has."""
    if (exact := exact_number(text)) is not None:
        return float(exact)
    return _finite(text) if _REAL.fullmatch(text) and "." in text else None


class NumberText(NamedTuple):
    """A measured value in a text."""

    value: float | None
    """The number; none where the text has none."""
    unit: str = ""
    """Unit after the number, such as `ms`; for a per cent, `value` is divided by 100."""
    doubtful: bool = False
    """Whether a comma in it may separate thousands or decimals; `value` assumes decimals."""
    comma: bool = False
    """Whether a comma certainly separates its decimals."""


NOTHING = NumberText(None)


def is_nothing(text: str) -> bool:
    """Return whether a text means a missing value: `N/A`, `None`, `-`."""
    return text.strip().lower() in _NOTHING


def read_measured(text: str) -> NumberText:
    """Return the number in a text where a number is expected, as in a column of values."""
    text = text.strip()
    said = _without_unit(text)
    if said.value is not None or not (unit := _UNIT.fullmatch(text)):
        return said
    said = _without_unit(unit["value"])  # once: `5sss…` is no number of seconds of seconds
    if said.value is None or said.unit:
        return NOTHING
    value = float(Decimal(str(said.value)) / 100) if unit["unit"] == "%" and math.isfinite(said.value) else said.value
    return NumberText(value, unit["unit"], said.doubtful, said.comma)


def _without_unit(text: str) -> NumberText:
    if text.lower() in _WORDS:
        return NumberText(_WORDS[text.lower()])
    if (value := exact_number(text)) is not None:
        return NumberText(_as_float(value, text))
    near = nearest_number(text)  # a measured value may have more digits than a float keeps
    if printed := _PRINTED.fullmatch(text):
        return read_measured(printed["value"])
    return _with_comma(text) if near is None else NumberText(near)


def _with_comma(text: str) -> NumberText:
    if _POINT_IN_THOUSANDS.fullmatch(text):
        return NumberText(_finite(text.replace(",", "")))
    if _COMMA_IN_THOUSANDS.fullmatch(text):
        return NumberText(_finite(text.replace(".", "").replace(",", ".")), comma=True)
    if _COMMA.fullmatch(text):
        value = exact_number(text.replace(",", "."))
        doubtful = _MAY_BE_THOUSANDS.fullmatch(text) is not None
        return NumberText(
            None if value is None else float(value), doubtful=doubtful, comma=not doubtful and value is not None
        )
    return NOTHING


def _as_float(value: float, text: str) -> float | None:
    """Return a number as a float; none where that would be another integer."""
    found = float(value)
    return found if "." in text or "e" in text.lower() or Decimal(found) == Decimal(text) else None


def _finite(text: str) -> float | None:
    value = float(text)
    if not math.isfinite(value):
        return None
    # A number too small for a float would be written back as zero.
    return value if value or not re.search(r"[1-9]", re.split("[eE]", text)[0]) else None
