"""The lines of a training log as a terminal would show them in the end: one by one, clean, in bounded memory."""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ledger.formats.encoding import encoding_of
from ledger.hashing import StreamHash

_CHUNK = 1 << 20
_LINE_BYTES = 64 * 1024
"""Most bytes of a line that are kept while it is read; the rest, up to the line feed, is only counted and hashed."""
LINE_CHARACTERS = 2_000
"""Most characters of a line that are shown."""
_BEFORE_REDACTION = 2 * LINE_CHARACTERS
"""Most characters of a line that are searched for secrets: one at the later cut must be whole for the search."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)"
    r"|[PX^_][^\x1b]{0,2048}\x1b\\|[ -/]{0,4}[0-~])"
)
"""Control sequences of ECMA-48: CSI, OSC, string commands, and the short ones."""
_CONTROL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control and format characters (Unicode categories Cc, Cf, Zl, Zp, Cs) except the tab: they hide or reorder text."""
_REPLACED = "\ufffd"
_STRANGE = 0.2
"""Share of non-UTF-8 bytes from which a line is binary data, not text in another encoding."""
_BOUNDARY = re.compile(r"[^A-Za-z0-9_\-.+/=:@]")


class LogStream:
    """Reads a log to its end, and counts and hashes all of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = StreamHash()
        self.bytes = 0
        """Bytes read so far."""
        self.lines = 0
        """Lines read so far."""

    @property
    def hash(self) -> str:
        """The hash of every byte read so far."""
        return self._hash.result()

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line without its line feed; of a progress bar only its last state."""
        rest = b""
        to_utf8: Callable[[bytes], bytes] | None = None
        while chunk := self._file.read(_CHUNK):
            if self.bytes == 0:
                to_utf8 = _converter(chunk)
            self.bytes += len(chunk)
            self._hash.update(chunk)
            if to_utf8 is not None:
                chunk = to_utf8(chunk)
            *whole, last = chunk.split(b"\n")
            for line in whole:
                self.lines += 1
                yield _last_state(rest + line) if line or rest else line
                rest = b""
            rest = _bounded(rest + last)
        if rest:
            self.lines += 1
            yield _last_state(rest)


def _converter(start: bytes) -> Callable[[bytes], bytes] | None:
    """Return a converter to UTF-8 for a log in another encoding, as PowerShell writes it, chunk by chunk; else none."""
    encoding = encoding_of(start)
    if encoding == "utf-8":
        return None
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return lambda chunk: decoder.decode(chunk).encode("utf-8", "replace")


def _bounded(unfinished: bytes) -> bytes:
    """Return the part of an unfinished line that must be remembered."""
    if len(unfinished) <= _LINE_BYTES:
        return unfinished
    start = unfinished.rfind(b"\r", 0, len(unfinished) - 1)
    return unfinished[start + 1 :][:_LINE_BYTES] if start >= 0 else unfinished[:_LINE_BYTES]


def _last_state(line: bytes) -> bytes:
    """Return what a terminal shows of a line that returns to its beginning repeatedly."""
    if b"\r" not in line:
        return line[:_LINE_BYTES]
    states = line.rstrip(b"\r")
    return states[states.rfind(b"\r") + 1 :][:_LINE_BYTES]


def clean(line: bytes) -> str:
    """Return a line as text: no escape sequences or control characters, invalid UTF-8 replaced, cut for redaction."""
    text = _decode(line)
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if not text.isprintable():
        text = _CONTROL.sub("", text)
    return text.rstrip() if len(text) <= _BEFORE_REDACTION else _cut_at_boundary(text)


def _decode(line: bytes) -> str:
    """Return a line as text, from UTF-8 or from what can only be Windows-1252; other encodings are not recognised."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        text = line.decode("utf-8", "replace")
        cut = len(line) >= _LINE_BYTES and error.start >= len(line) - 3
        strange = [character for character in text if not character.isascii()]
        if cut or set(strange) != {_REPLACED} or len(strange) > _STRANGE * len(text):
            return text
    try:
        western = line.decode("cp1252")
    except UnicodeDecodeError:
        return text
    return western if all(character.isprintable() or character in "\t\x1b" for character in western) else text


def _cut_at_boundary(text: str) -> str:
    """Return a long line, cut between two words, so that no secret is cut in two."""
    kept = text[:_BEFORE_REDACTION]
    for position in range(len(kept) - 1, -1, -1):
        if _BOUNDARY.match(kept[position]):
            return f"{kept[:position]} … ({len(text) - position:,} more characters)"
    return f"… (one word of {len(text):,} characters)"


def shorten(line: str) -> str:
    """Return a redacted line in the length that is shown."""
    if len(line) <= LINE_CHARACTERS:
        return line
    return f"{line[:LINE_CHARACTERS]}… ({len(line) - LINE_CHARACTERS:,} more characters)"
