"""The encoding of a text: UTF-8, or one that its first bytes show."""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16, so it comes first."""
_LOOKED_AT = 4096
_FEW = 4
"""Fewest bytes for a guess."""


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text with this beginning.

    Without a byte order mark it is UTF-16 where every other byte is zero for the most part, as in Latin text;
    PowerShell writes such files.
    """
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    head = start[:_LOOKED_AT]
    if len(head) < _FEW:
        return "utf-8"
    even, odd = head[0::2], head[1::2]
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if 10 * zeros.count(0) > 7 * len(zeros) and 10 * others.count(0) < len(others):
            return name
    return "utf-8"


def decode(data: bytes) -> str:
    """Return bytes as text, without a byte order mark.

    Raises:
        UnicodeDecodeError: they are not text in the detected encoding.
    """
    return data.decode(encoding_of(data))
