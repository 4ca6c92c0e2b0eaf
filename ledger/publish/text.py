"""How values are written for people. Everything from a record passes here before it meets a page.

Characters that could hide or reorder text are made visible; markup of our own is made elsewhere.
"""
# ruff: noqa: PLR2004  # the limits between units stand where they are used

import math
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from urllib.parse import urlsplit

from ledger.model.values import ParamValue

_KEPT = {"\n", "\t"}
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that are not seen or that reorder what is seen: control, format, surrogate, separators."""

_SAFE_SCHEMES = {"http", "https", "mailto"}

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")

_SMALLEST_AMOUNT = 0.001
"""Amounts of money below it are shown as below it, on the command line too."""


def visible(text: str) -> str:
    """Return `text` with every control, format and bidi character replaced by something that can be seen."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text.replace("\r\n", "\n"))


def _shown(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _HIDDEN:
        return character
    return f"⟨U+{ord(character):04X}⟩"


def escaped(text: str) -> str:
    """Return `text`, visible, as HTML for content or a quoted attribute."""
    return escape(visible(text))


def one_line(text: str, limit: int = 160) -> str:
    """Return the start of `text` as one visible line of at most `limit` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def safe_url(url: str) -> str | None:
    """Return `url` when a page may link to it (http, https, mailto), else none."""
    if not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in _SAFE_SCHEMES:
        return None
    return url if parts.netloc or parts.scheme.lower() == "mailto" else None


_CURRENCY_LENGTH = 8
"""Characters of a currency that are shown: amounts never break, and records from before a limit may say anything."""


def short_number(value: float | str) -> str:
    """Return a number with four significant digits, so that a column lines up; whole numbers as they are, grouped."""
    number = float(value)
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else ("∞" if number > 0 else "\N{MINUS SIGN}∞")
    if number == int(number) and abs(number) < 1e7:
        return f"{int(number):,}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace("-", "\N{MINUS SIGN}")
    text = f"{number:#.4g}" if abs(number) < 1e4 else f"{number:.5g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "\N{MINUS SIGN}", number < 0)


def exact_number(value: float | str) -> str:
    """Return every digit of a number."""
    return repr(float(value))


def param_text(value: ParamValue) -> str:
    """Return a param as one would type it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(param_text(item) for item in value)}]"
    return value if isinstance(value, str) else repr(value)


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units; nothing takes no time at all, so zero was not measured."""
    if seconds is None or seconds <= 0:
        return "unknown"
    if seconds < 0.05:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def byte_size(size: float) -> str:
    """Return a size in decimal units."""
    unit = 0
    while size >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.0f} {_BYTE_UNITS[unit]}" if unit == 0 or size >= 99.5 else f"{size:.3g} {_BYTE_UNITS[unit]}"


def percent(fraction: float) -> str:
    """Return a fraction (0..1) as a percentage."""
    return f"{fraction * 100:.3g} %"


def money(amount: float, currency: str | None) -> str:
    """Return an amount with its currency as the command line shows it: nobody decides by less than a thousandth."""
    if 0 < amount < _SMALLEST_AMOUNT:
        shown = f"<{_SMALLEST_AMOUNT}"
    elif 0 < amount < 1:
        shown = f"{amount:.2g}"
    else:
        shown = f"{amount:,.2f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{shown} {short_currency(currency)}".strip()


def short_currency(currency: str | None) -> str:
    """Return a currency as pages show it: three letters (ISO 4217), or the beginning of whatever a record says."""
    said = currency or ""
    return said if len(said) <= _CURRENCY_LENGTH else f"{said[:_CURRENCY_LENGTH]}…"


def exact_money(amount: float, currency: str | None) -> str:
    """Return every digit of an amount, without an exponent, with its currency."""
    return f"{Decimal(repr(float(amount))):f} {short_currency(currency)}".strip()


def minute(time: datetime) -> str:
    """Return a time to the minute, in UTC, without saying so: `2026-11-20 19:48`."""
    return f"{utc(time):%Y-%m-%d %H:%M}"


def iso(time: datetime) -> str:
    """Return a time as machines read it."""
    return f"{utc(time):%Y-%m-%dT%H:%M:%SZ}"


def day(time: datetime) -> str:
    """Return the day of a time, in UTC."""
    return f"{utc(time):%Y-%m-%d}"


def utc(time: datetime) -> datetime:
    """Return the time in UTC; one without a zone is UTC already, as every time of the ledger is."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def short_hash(content_hash: str, digits: int = 12) -> str:
    """Return a hash as people read it: its algorithm and first digits."""
    algorithm, colon, rest = content_hash.partition(":")
    return f"{algorithm}:{rest[:digits]}" if colon else content_hash[:digits]
