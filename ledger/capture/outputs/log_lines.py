"""The lines of a training log as a terminal would leave them: one by one, clean, in bounded memory."""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ledger.formats.encoding import encoding_of
from ledger.hashing import StreamHash

_CHUNK = 1 << 20
_LINE_BYTES = 64 * 1024
"""Bytes of one line that are kept while it is read; what follows, to the line feed, is only counted and hashed."""
LINE_CHARACTERS = 2_000
"""Characters of one line that are shown."""
_BEFORE_REDACTION = 2 * LINE_CHARACTERS
"""Characters looked at for secrets: a secret that the cut would divide must be whole when it is looked for."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)"
    r"|[PX^_][^\x1b]{0,2048}\x1b\\|[ -/]{0,4}[0-~])"
)
"""Control sequences of ECMA-48: CSI, OSC, string commands, and the short ones."""
_CONTROL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control and format characters (Unicode categories Cc, Cf, Zl, Zp, Cs) but the tab: they hide or turn text."""
_REPLACED = "\ufffd"
_STRANGE = 0.2
"""Share of a line from which bytes that are no UTF-8 are binary data, not letters of another encoding."""
_BOUNDARY = re.compile(r"[^A-Za-z0-9_\-.+/=:@]")


class LogStream:
    """Reads a log to its end, counting and hashing all of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = StreamHash()
        self.bytes = 0
        """Bytes read so far."""
        self.lines = 0
        """Lines read so far."""

    @property
    def hash(self) -> str:
        """Hash of every byte read so far."""
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
    """Return what makes UTF-8 of a log in another encoding, as PowerShell writes it, chunk by chunk; else none."""
    encoding = encoding_of(start)
    if encoding == "utf-8":
        return None
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return lambda chunk: decoder.decode(chunk).encode("utf-8", "replace")


def _bounded(unfinished: bytes) -> bytes:
    """Return what must be remembered of a line that is not finished."""
    if len(unfinished) <= _LINE_BYTES:
        return unfinished
    start = unfinished.rfind(b"\r", 0, len(unfinished) - 1)
    return unfinished[start + 1 :][:_LINE_BYTES] if start >= 0 else unfinished[:_LINE_BYTES]


def _last_state(line: bytes) -> bytes:
    """Return what a terminal shows of a line that returns to its beginning again and again."""
    if b"\r" not in line:
        return line[:_LINE_BYTES]
    states = line.rstrip(b"\r")
    return states[states.rfind(b"\r") + 1 :][:_LINE_BYTES]


def clean(line: bytes) -> str:
    """Return a line as text: no escape sequences, no control characters, invalid UTF-8 replaced, cut for redaction."""
    text = _decode(line)
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if not text.isprintable():
        text = _CONTROL.sub("", text)
    return text.rstrip() if len(text) <= _BEFORE_REDACTION else _cut_at_boundary(text)


def _decode(line: bytes) -> str:
    """Return a line as text: UTF-8, or what can only be Western Windows; other encodings cannot be told apart."""
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
    """Cut a long line between two words, so that no part of a secret is left without its beginning or end."""
    kept = text[:_BEFORE_REDACTION]
    for position in range(len(kept) - 1, -1, -1):
        if _BOUNDARY.match(kept[position]):
            return f"{kept[:position]} … ({len(text) - position:,} more characters)"
    return f"… (one word of {len(text):,} characters)"


def shorten(line: str) -> str:
    """Return a redacted line at the length that is shown."""
    if len(line) <= LINE_CHARACTERS:
        return line
    return f"{line[:LINE_CHARACTERS]}… ({len(line) - LINE_CHARACTERS:,} more characters)"
