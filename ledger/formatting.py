"""The written form of numbers, durations, money, sizes, shares and times, in the terminal and on every page.

Plain ASCII; `typeset` converts it for a page. `site/docs/assets/ledger/formatting.js` writes the same, and
`tests/formatting.json` holds both to one table of cases. Halves are rounded away from zero, as in ECMA-262.
"""

import math
import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

DIGITS = 5
"""Significant digits of a measured number, enough to tell two runs apart; `--json` has all digits."""
_WHOLE = 1e15
"""Whole numbers below it are written in full; floats are exact up to 9e15 (IEEE 754)."""
_LARGEST, _SMALLEST = 1e7, 1e-4
"""Bounds between which a number is written without an exponent."""
_DECIMALS = 10
"""Most decimals of a value, however small its uncertainty is."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LEAST_SECONDS = 0.05
"""Shorter times are written in milliseconds."""
_MOST_HOURS = 48
"""Longer times are written in days."""

_LEAST_AMOUNT = 0.001
"""Smaller amounts of money are written as less than this."""
_TWO_DECIMALS = 0.1
"""From here on two decimals are at least two significant digits."""

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_UNIT = 1000
"""Factor between one unit and the next (SI)."""
_TICK_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_LEAST_WITH_UNIT, _LEAST_TICK = 1e4, 1e-3

_GROUPS = re.compile(r"(?<![\d.])\d{4,}(?![\dA-Za-z])")
_THREE = re.compile(r"\B(?=(?:\d{3})+$)")

_CONTEXTS = {digits: Context(prec=digits, rounding=ROUND_HALF_UP) for digits in range(1, 8)}


def number(value: float | str, digits: int = DIGITS) -> str:
    """Return a measured number with this many significant digits; whole numbers in full, and 1 for nothing less.

    Args:
        value: the number, or one of the names that documents use where JSON has no number.
        digits: significant digits.
    """
    value = float(value)
    if not math.isfinite(value):
        return _not_finite(value)
    if value == int(value) and abs(value) < _WHOLE:
        return str(int(value))
    rounded = _CONTEXTS[digits].create_decimal_from_float(value)
    while abs(rounded) == 1 and abs(value) < 1:  # what is not all is never 1
        digits += 1
        rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal_from_float(value)
    if _SMALLEST <= abs(value) < _LARGEST:
        text = f"{rounded:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return _scientific(rounded)


def measured(value: float, deviation: float | None) -> tuple[str, str]:
    """Return a value and its uncertainty, both to the second digit of the uncertainty, which is empty when unknown.

    Source: JCGM 100:2008 (GUM), 7.2.6: an uncertainty is given to two digits, and the estimate is rounded to it.
    """
    if deviation is None:
        return number(value), ""
    if not (math.isfinite(value) and math.isfinite(deviation) and deviation > 0):
        return number(value), number(deviation, 2)
    rounded = _CONTEXTS[2].create_decimal_from_float(deviation)
    places = 1 - rounded.adjusted()
    if not 0 <= places <= _DECIMALS or abs(value) >= _LARGEST:
        return number(value), number(deviation, 2)
    shown = _fixed(value, places)
    return number(value) if abs(value) < 1 == abs(float(shown)) else shown, _fixed(float(rounded), places)


def change(value: float, digits: int = 3) -> str:
    """Return a difference with its sign; zero has no sign."""
    text = number(value, digits)
    return f"+{text}" if value > 0 else text


def exact_number(value: float) -> str:
    """Return every digit of a number."""
    return repr(float(value))


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units; `unknown` when it was not measured."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < _LEAST_SECONDS:
        return f"{_fixed(seconds * 1000, 0)} ms" if seconds > 0 else "0 s"
    if seconds < _MINUTE - 0.05:
        return f"{_fixed(seconds, 1)} s"
    if seconds >= _WHOLE:  # nobody trained so long, but a record may say so
        return f"{number(seconds / _DAY)} d"
    whole = int(_fixed(seconds, 0))
    minutes, hours = whole // _MINUTE, whole // _HOUR
    if hours >= _MOST_HOURS:
        return f"{whole // _DAY} d {hours % 24} h"
    return f"{hours} h {minutes % _MINUTE} min" if hours else f"{minutes} min {whole % _MINUTE} s"


def latency(seconds: float | None) -> str:
    """Return the time of a single step in one unit, to three digits: µs, ms or s; `unknown` where unmeasured."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    for unit, size in (("µs", 1e-6), ("ms", 1e-3)):
        if seconds < size * 1000:
            return f"{number(seconds / size, 3)} {unit}"
    return f"{number(seconds, 3)} s" if seconds < _MINUTE else duration(seconds)


def money(amount: float | None, currency: str | None) -> str:
    """Return an amount and its currency: two decimals, and two digits where it is small; nothing for none."""
    if amount is None:
        return ""
    if 0 < amount < _LEAST_AMOUNT:
        shown = f"<{_LEAST_AMOUNT}"
    elif 0 < amount < _TWO_DECIMALS:
        shown = number(amount, 2)
    else:
        shown = _fixed(amount, 2)
    return f"{shown} {currency or ''}".strip()


def exact_money(amount: float, currency: str | None) -> str:
    """Return every digit of an amount, without an exponent, with its currency."""
    return f"{Decimal(repr(float(amount))):f} {currency or ''}".strip()


def byte_size(size: float) -> str:
    """Return a number of bytes in decimal units."""
    unit = 0
    while size >= _UNIT - 0.5 and unit < len(_BYTE_UNITS) - 1:
        size /= _UNIT
        unit += 1
    shown = number(float(_CONTEXTS[3].create_decimal_from_float(size)), 3) if unit else _fixed(size, 0)
    return f"{shown} {_BYTE_UNITS[unit]}"


def share(fraction: float) -> str:
    """Return a share (0..1) as a percentage; only exactly one becomes `100 %`."""
    percentage = fraction * 100
    if 99.95 <= percentage < 100:  # noqa: PLR2004  # would be rounded to 1
        return ">99.9 %"
    return f"{number(percentage, 3)} %"


def tick(value: float) -> str:
    """Return the label of an axis tick."""
    size = abs(value)
    for limit, unit in _TICK_UNITS:
        if size >= _LEAST_WITH_UNIT and limit <= size < limit * 1000:
            return f"{number(value / limit, 4)}{unit}"
    if value == 0 or _LEAST_TICK <= size < _LEAST_WITH_UNIT:
        return number(value, 6)
    return _scientific(_CONTEXTS[3].create_decimal_from_float(value))


def moment(time: datetime) -> str:
    """Return a time to the minute, marked as UTC: `2026-11-20 19:48 UTC`."""
    return f"{minute(time)} UTC"


def minute(time: datetime) -> str:
    """Return a time to the minute, in UTC but unmarked: `2026-11-20 19:48`."""
    return f"{day(time)} {utc(time):%H:%M}"


def day(time: datetime) -> str:
    """Return the day of a time, in UTC."""
    return utc(time).date().isoformat()  # `%Y` writes the year 1 without zeros


def iso_week(day: date) -> str:
    """Return the week of a day as ISO 8601 writes it: `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def iso(time: datetime) -> str:
    """Return a time in ISO 8601."""
    return f"{day(time)}T{utc(time):%H:%M:%S}Z"


def utc(time: datetime) -> datetime:
    """Return the time in UTC; one without a zone is in UTC already, as every time on the ledger."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def typeset(text: str) -> str:
    """Return a number for a page: a real minus sign, an infinity sign, digits in groups of three."""
    if text[:1].isalpha() or text[:2] == "-i":
        return {"nan": "NaN", "inf": "∞", "-inf": "\N{MINUS SIGN}∞"}.get(text, text)
    text = _GROUPS.sub(lambda digits: _THREE.sub("\N{NARROW NO-BREAK SPACE}", digits[0]), text)
    return f"\N{MINUS SIGN}{text[1:]}" if text[:1] == "-" else text


def _scientific(rounded: Decimal) -> str:
    mantissa, _, exponent = f"{rounded:e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"


def _not_finite(value: float) -> str:
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _fixed(value: float, places: int) -> str:
    """Return a number with so many decimals, what is too large for them as `number` has it; zero has no sign."""
    if not abs(value) < _WHOLE:
        return number(value)
    text = f"{Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"
    return text[1:] if text[:1] == "-" and not text.strip("-0.") else text
