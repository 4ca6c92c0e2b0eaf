"""Texts in pictures: those of an SVG, and the chunks of a PNG that hold no pixels."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ledger.capture.secrets.redactor import Redactor

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA sRGB sBIT bKGD hIST pHYs sPLT tIME acTL fcTL fdAT cICP mDCV cLLI".split()
)
"""Chunks that hold no text (PNG, third edition, section 11; https://www.w3.org/TR/png-3/)."""
_MOST = 1 << 20
"""Most bytes of one decompressed text."""


class _Chunk(NamedTuple):
    start: int
    end: int
    kind: bytes
    data: bytes


def redact_png(picture: bytes, redactor: Redactor) -> bytes:
    """Return a PNG without the chunks whose text contains a secret, and without data after its end; pixels remain."""
    kept = [picture[:8]]
    end = 8
    for chunk in _chunks(picture):
        end = chunk.end
        if chunk.kind in _PIXELS or not _holds_secret(chunk, redactor):
            kept.append(picture[chunk.start : chunk.end])
    if _changes(picture[end:], redactor):
        return b"".join(kept)
    return b"".join([*kept, picture[end:]])


def redact_svg(picture: bytes, redactor: Redactor) -> bytes | None:
    """Return an SVG without the secrets of its text; none where it would not be XML any more."""
    redacted = redactor.content(picture)
    if redacted == picture or not _is_xml(picture) or _is_xml(redacted):
        return redacted
    return None


def _is_xml(text: bytes) -> bool:
    from xml.parsers import expat  # only where something was replaced

    try:
        expat.ParserCreate().Parse(text, True)  # positional in the standard library
    except expat.ExpatError:
        return False
    return True


def _chunks(picture: bytes) -> Iterator[_Chunk]:
    position = len(_SIGNATURE)
    while position + 12 <= len(picture):
        (length,) = struct.unpack_from(">I", picture, position)
        end = position + 12 + length
        if end > len(picture):
            return
        kind = picture[position + 4 : position + 8]
        yield _Chunk(position, end, kind, picture[position + 8 : end - 4])
        position = end
        if kind == b"IEND":
            return


def _holds_secret(chunk: _Chunk, redactor: Redactor) -> bool:
    found = [_changes(text, redactor) for text in _texts(chunk)]
    return any(found)


def _changes(text: bytes, redactor: Redactor) -> bool:
    return redactor.content(text) != text


def _texts(chunk: _Chunk) -> Iterator[bytes]:
    """Yield the texts of a chunk, compressed text decompressed; the keyword before it may be its name."""
    keyword, _, rest = chunk.data.partition(b"\0")
    if chunk.kind == b"tEXt":
        yield keyword + b": " + rest
    elif chunk.kind == b"zTXt":
        yield keyword + b": " + _unpacked(rest[1:])
    elif chunk.kind == b"iTXt":
        packed, (_, _, text) = rest[:1] == b"\1", (*rest[2:].split(b"\0", 2), b"", b"", b"")[:3]
        yield keyword + b": " + (_unpacked(text) if packed else text)
    elif chunk.kind == b"iCCP":
        yield _unpacked(rest[1:])
    else:
        yield chunk.data


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST)
    except zlib.error:
        return data
