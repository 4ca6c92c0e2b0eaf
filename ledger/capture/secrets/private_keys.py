"""Private keys in PEM form: whole, cut off at either end, indented, or after the signs of a patch.

Every search is bounded by the longest possible line or key, so the time is linear in the data.
"""

import re
from collections.abc import Iterator

_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = re.compile(rb"[ \t>|+\-]{0,12}[A-Za-z0-9+/=]{16,128}[ \t]*\r?")
_LAST_LINE = re.compile(rb"[ \t>|+\-]{0,12}[A-Za-z0-9+/=]{1,128}[ \t]*\r?")
"""Part of a line that the end of the data may leave."""
_PUTTY = re.compile(rb"Private-Lines:[ \t]{1,4}[0-9]{1,3}[ \t]*\r?(?=\n)")
"""The line above the private part of a key of PuTTY."""
_SQUEEZED = re.compile(rb"(?:(?:\\{1,4}[nr]|[ \t\"',])*[A-Za-z0-9+/=]{16,})*(?:\\{1,4}[nr][A-Za-z0-9+/=]{1,15})?")
"""A key in one line, its lines parted by spaces or by escapes of line feeds, or by nothing."""
_HEADER = re.compile(
    rb"[ \t>|+\-]{0,12}(?:(?:Proc-Type|DEK-Info|Comment|Version|Subject|x-[a-z\-]{1,40}):[^\r\n]{0,150})?[ \t]*\r?"
)
"""A header line before the base64 of a key (RFC 1421)."""
_LINE_BYTES = 200
_KEY_LINES = 400
"""The longest line of a key, and the most lines."""
_KEY_BYTES = 20_000
"""Largest PEM block in bytes: an RSA key of 16,384 bits takes 12,800 bytes."""


def find_private_keys(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each private key, in order, with its first and last line."""
    if b"Private-Lines:" in data:
        yield from ((found.start(), _past_key_lines(data, found.end())) for found in _PUTTY.finditer(data))
    if b"PRIVATE KEY" not in data:
        return
    ends = [match.span() for match in _KEY_END.finditer(data)]
    position = 0
    covered = 0
    for begin in _KEY_BEGIN.finditer(data):
        if begin.start() < covered:
            continue
        while position < len(ends) and ends[position][0] < begin.end():
            if ends[position][0] >= covered:
                yield _orphan(data, *ends[position], covered)
            position += 1
        whole = position < len(ends) and ends[position][0] - begin.start() <= _KEY_BYTES
        covered = ends[position][1] if whole else _past_key_lines(data, begin.end())
        yield begin.start(), covered
    for start, end in ends[position:]:
        if start >= covered:
            yield _orphan(data, start, end, covered)
            covered = end


def _past_key_lines(data: bytes, position: int) -> int:
    """Return the end of the base64 lines after a key's first line, for a key whose last line is missing."""
    squeezed = _SQUEEZED.match(data, position, position + _KEY_BYTES)
    position = squeezed.end() if squeezed else position
    headers = True
    for _ in range(_KEY_LINES):
        line_end = data.find(b"\n", position, position + _LINE_BYTES)
        if line_end < 0:
            return position
        following = data.find(b"\n", line_end + 1, line_end + _LINE_BYTES)
        end = following if following >= 0 else min(len(data), line_end + _LINE_BYTES)
        if not (_KEY_LINE if following >= 0 else _LAST_LINE).fullmatch(data, line_end + 1, end):
            if not headers or following < 0 or not _HEADER.fullmatch(data, line_end + 1, end):
                return position
        else:
            headers = False
        position = end
    return position


def _orphan(data: bytes, start: int, end: int, floor: int) -> tuple[int, int]:
    """Return the span of a key whose first line is missing: its last line and the base64 lines above."""
    line_start = data.rfind(b"\n", max(floor, start - _LINE_BYTES), start) + 1
    begin = start
    for _ in range(_KEY_LINES):
        if line_start <= floor:
            break
        above = max(data.rfind(b"\n", max(floor, line_start - 1 - _LINE_BYTES), line_start - 1) + 1, floor)
        if not _KEY_LINE.fullmatch(data, above, line_start - 1):
            break
        begin = line_start = above
    return begin, end
