"""Texts of a record on a page. Everything from a record passes through here first.

Characters that could hide or reorder text are made visible; our own markup is made elsewhere.
"""

import re
import unicodedata
from html import escape
from urllib.parse import urlsplit

from ledger import formatting
from ledger.model.values import ParamValue

_KEPT = {"\n", "\t"}
_LAID_OUT = re.compile(r"[\n\t]")
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of invisible and reordering characters: control, format, surrogate, separators."""

_SAFE_SCHEMES = {"http", "https", "mailto"}


def visible(text: str) -> str:
    """Return `text` with every control, format and bidi character replaced by a visible one."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    if _LAID_OUT.sub("", text).isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character.isprintable() or character in _KEPT or unicodedata.category(character) not in _HIDDEN:
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
"""Most characters of a currency: amounts never break lines, and older records may hold any text."""


def short_number(value: float | str, digits: int = formatting.DIGITS) -> str:
    """Return a measured number in the form of pages."""
    return formatting.typeset(formatting.number(float(value), digits))


def measured(value: float, deviation: float | None) -> tuple[str, str]:
    """Return a value and its uncertainty in the form of pages, both to the second digit of the uncertainty."""
    shown, uncertainty = formatting.measured(value, deviation)
    return formatting.typeset(shown), formatting.typeset(uncertainty)


def param_text(value: ParamValue) -> str:
    """Return a param as one would type it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(param_text(item) for item in value)}]"
    return value if isinstance(value, str) else repr(value)


def money(amount: float, currency: str | None) -> str:
    """Return an amount with its currency in the form of pages."""
    return formatting.typeset(formatting.money(amount, short_currency(currency)))


def short_currency(currency: str | None) -> str:
    """Return a currency in the form of pages: three letters (ISO 4217), or the beginning of any other text."""
    said = currency or ""
    return said if len(said) <= _CURRENCY_LENGTH else f"{said[:_CURRENCY_LENGTH]}…"


def short_hash(content_hash: str, digits: int = 12) -> str:
    """Return a hash in short form: its algorithm and first digits."""
    algorithm, colon, rest = content_hash.partition(":")
    return f"{algorithm}:{rest[:digits]}" if colon else content_hash[:digits]
