"""The kind of a value by its form: a placeholder, code, a number, a word, something random."""

import base64
import binascii
import re

_NOT_A_VALUE = re.compile(
    rb"(?i)\$.*|\{.*|<.*>|%[({a-z].*|\*+|x{3,}|\.\.\.|none|null|nil|true|false|yes|no|undefined|unknown|optional|empty"
    rb"|str|int|float|bool|bytes|any|object|string|self|n/a|changeme|inherit|redacted|hidden|\[redacted.*"
)
_CODE = re.compile(rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+[.:]?|[A-Z][a-z]+(?:[A-Z][a-z]*)+[.:]?")
"""An attribute or a class: right of `=` and `:` in code, not in configuration."""
_WORD = re.compile(rb"[A-Za-z_\-.]+")
_NUMBER = re.compile(rb"[-+]?[0-9][0-9_.,:%eE+\-]*[a-z]{0,2}")
_DIGIT = re.compile(rb"[0-9]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-]{8,400}={0,2}")
_PAIR = re.compile(rb"[!-9;-~]{1,100}:[!-~]{2,200}")
_RANDOM_LENGTH = 8


def never_a_value(value: bytes) -> bool:
    """Return whether it stands for an absent value: a variable, a placeholder, a type."""
    return _NOT_A_VALUE.fullmatch(value) is not None


def is_code(value: bytes) -> bool:
    """Return whether it is an attribute or a class."""
    return _CODE.fullmatch(value) is not None


def is_word(value: bytes) -> bool:
    """Return whether it has only letters, hyphens, dots and underscores."""
    return _WORD.fullmatch(value) is not None


def is_number(value: bytes) -> bool:
    """Return whether it is a number, a date or a time."""
    return _NUMBER.fullmatch(value) is not None


def looks_random(value: bytes) -> bool:
    """Return whether a value of a weak name is more than a word: `auth: basic` and `token: the` are not."""
    return len(value) >= _RANDOM_LENGTH and bool(_DIGIT.search(value))


def is_basic_auth(value: bytes) -> bool:
    """Return whether it is base64 of `user:password`, as in files of Docker and npm."""
    if not _BASE64.fullmatch(value) or len(value) % 4:
        return False
    try:
        return _PAIR.fullmatch(base64.b64decode(value, validate=True)) is not None
    except (binascii.Error, ValueError):
        return False
