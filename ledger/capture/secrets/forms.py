"""Unwrapping of text before the search: escapes, URL-encoding, entities, invisible characters, base64.

A view is the unwrapped text with the origin of each part, so that a span in the view can be mapped to the
original. It contains only lines with something to unwrap.
"""

import base64
import binascii
import re
import string
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

_WRAPPED = re.compile(
    rb"%[0-9A-Fa-f]{2}"
    rb"|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xc2\xad|\xef\xbb\xbf|\xd8\x9c|\xe1\xa0\x8e"
    rb"|\\(?:\\{0,2}(?:[nrt\"'/]|u00[0-7][0-9A-Fa-f])|x[2-7][0-9A-Fa-f]|\r?\n[ \t+\-]{0,80})|=\r?\n"
    rb"|\x1b\[[0-9;]{0,16}[A-Za-z]"
    rb"|&(?:quot|amp|lt|gt|apos|#[0-9]{1,4}|#x[0-9A-Fa-f]{1,4});"
)
"""URL-encoding; invisible characters; escapes of JSON, of a shell, of a terminal; continued lines; entities."""
_SIGNS = (b"%", b"\\", b"\x1b[", b"&", b"=\n", b"=\r\n")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_ENTITIES = {b"quot": b'"', b"amp": b"&", b"lt": b"<", b"gt": b">", b"apos": b"'"}
_REACH = 2000
"""Bytes of a line on each side of something wrapped that are unwrapped with it."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-]{24,}={0,2}")
_FOLLOWS = re.compile(rb"\r?\n[ \t>|]{0,16}\+?[ \t]{0,16}")
_RUN = 24
"""Fewest characters of a run of base64."""
_LINE = 60
"""Characters from which a line may be part of a run of base64 over several lines."""
_HEAD = 16
"""Characters that show whether a run holds text."""
_MOST = 64 * 1024
"""Most characters of a run of base64 that are decoded."""
_PRINTABLE = string.printable.encode()
_DEPTH = 2
"""Most levels of base64 in base64 that are decoded."""


class View(NamedTuple):
    """Unwrapped text, and its origin."""

    data: bytes
    """The text."""
    here: list[int]
    """Start of each piece in the view."""
    there: list[int]
    """Start of each piece in the data."""
    ends: list[int]
    """End of each piece in the data."""

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the data from which a span of the view comes."""
        first, last = bisect_right(self.here, start) - 1, bisect_right(self.here, end - 1) - 1
        begin = min(self.there[first] + start - self.here[first], self.ends[first])
        if last + 1 < len(self.here) and end == self.here[last + 1]:
            return begin, self.ends[last]
        return begin, min(self.there[last] + end - self.here[last], self.ends[last])


def unwrap(data: bytes) -> View | None:
    """Return the lines with something wrapped, unwrapped; none where there are none."""
    if data.isascii() and not any(sign in data for sign in _SIGNS):
        return None
    pieces: list[bytes] = []
    view = View(b"", [], [], [])
    length = position = 0

    def add(text: bytes, start: int, end: int) -> None:
        nonlocal length
        if text:
            pieces.append(text)
            view.here.append(length)
            view.there.append(start)
            view.ends.append(end)
            length += len(text)

    reached = -1
    for match in _WRAPPED.finditer(data):
        start = match.start()
        if start >= reached:
            if reached > position:
                add(data[position:reached], position, reached)
            floor = max(position, reached, start - _REACH)
            position = max(data.rfind(b"\n", floor, start) + 1, floor)
            if pieces:
                add(b"\n", position, position)
        add(data[position:start], position, start)
        position = match.end()
        add(_plain(match[0]), start, position)
        line_end = data.find(b"\n", position, position + _REACH)
        reached = line_end if line_end >= 0 else min(len(data), position + _REACH)
    if not pieces:
        return None
    add(data[position:reached], position, reached)
    return view._replace(data=b"".join(pieces))


def _plain(wrapped: bytes) -> bytes:
    first = wrapped[:1]
    if first == b"%":
        return bytes([int(wrapped[1:], 16)])
    if first == b"&":
        name = wrapped[1:-1]
        if name in _ENTITIES:
            return _ENTITIES[name]
        number = int(name[1:].replace(b"x", b"0x", 1), 0)
        return chr(number).encode("utf-8", "replace")
    if first == b"\\" and not wrapped.lstrip(b"\\").startswith((b"\n", b"\r\n")):
        inner = wrapped.lstrip(b"\\")
        if inner[:1] in b"ux" and len(inner) > 1:
            return bytes([int(inner[-2:], 16)])
        return _ESCAPES.get(inner, inner)
    return b""


def encoded(data: bytes, words: Collection[bytes], depth: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """Yield each run of base64 that holds text, with that text; one over several lines is one run.

    Args:
        data: text to search.
        words: its long words.
        depth: number of times that it was decoded already.
    """
    # Base64 of text has letters of both cases; hashes have not.
    if depth >= _DEPTH or not any(len(word) >= _RUN and not word.islower() and not word.isupper() for word in words):
        return
    lines: list[re.Match[bytes]] = []
    for match in _BASE64.finditer(data):
        if lines and not _FOLLOWS.fullmatch(data, lines[-1].end(), match.start()):
            yield from _together(lines)
            lines = []
        if match.end() - match.start() >= _LINE or lines:
            lines.append(match)
        if match.end() - match.start() < _LINE:
            yield from _together(lines)
            lines = []
        text = _in_run(match[0])
        if text is not None:
            yield match.start(), match.end(), text
    yield from _together(lines)


def _together(lines: Sequence[re.Match[bytes]]) -> Iterator[tuple[int, int, bytes]]:
    """Yield the content of several lines as one run."""
    if len(lines) > 1:
        text = _decoded(b"".join(line[0].lstrip(b"+") for line in lines[: _MOST // _LINE]))
        if text is not None:
            yield lines[0].start(), lines[-1].end(), text


def _in_run(run: bytes) -> bytes | None:
    """Return the content of a run of base64 where that is text; a path or the sign of a patch may precede it."""
    text = _decoded(run[:_MOST])
    if text is None and b"/" in run[:64]:
        text = _decoded(run[run.rindex(b"/", 0, 64) + 1 :][:_MOST])
    if text is None and run[:1] in b"+-_":
        text = _decoded(run[1:][:_MOST])
    return text


def _decoded(run: bytes) -> bytes | None:
    """Return decoded base64 where that is text."""
    plain = run.rstrip(b"=")
    whole = len(plain) - (len(plain) % 4 == 1)
    if whole < _HEAD:
        return None
    try:
        # The first bytes show that it is no text, as with nearly all base64.
        if base64.b64decode(plain[:_HEAD], b"-_" if b"-" in plain or b"_" in plain else None).translate(
            None, _PRINTABLE
        ):
            return None
        padded = plain[:whole] + b"=" * (-whole % 4)
        text = base64.b64decode(padded, b"-_" if b"-" in plain or b"_" in plain else None)
    except (binascii.Error, ValueError):
        return None
    return None if text.translate(None, _PRINTABLE) else text
