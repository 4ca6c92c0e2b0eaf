"""A manifest as a value: every file of a dataset version in order, and its content hash.

Stored as the text of its own file, one JSON line per file: a million of them take 130 MB this way, and 280 as objects.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import overload

import msgspec

from ledger.errors import InvalidDocument, LedgerError
from ledger.hashing import hash_bytes
from ledger.model.entries import ManifestLine
from ledger.model.values import Document

_HASH = re.compile(r"(?:blake3|sha256):[0-9a-f]{64}|md5:[0-9a-f]{32}")
"""A BLAKE3 hash, or another tool's proof of content; the prefix distinguishes them."""
_SHOWN = 20
_AT_ONCE = 1 << 16
"""Bytes of a listing decoded at once."""


class Lines(Sequence[ManifestLine]):
    """The lines of a manifest, decoded on demand.

    Args:
        text: one JSON line per file, in the order of the paths.
    """

    __slots__ = ("_count", "_starts", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._count = text.count(b"\n")
        self._starts: array[int] | None = None

    @classmethod
    def of(cls, lines: Iterable[ManifestLine]) -> "Lines":
        """Return the manifest lines of these, which are sorted."""
        return cls(_concatenate(map(render_line, lines)))

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and rendered line of each file, in order."""
        start = 0
        while start < len(self.text):
            end = self.text.find(b"\n", start + _AT_ONCE) + 1 or len(self.text)
            for text in self.text[start:end].splitlines(keepends=True):
                yield path_of(text), text
            start = end

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ManifestLine]:
        start = 0
        while start < len(self.text):
            end = self.text.find(b"\n", start + _AT_ONCE) + 1 or len(self.text)
            yield from _LINES.decode_lines(self.text[start:end])
            start = end

    @overload
    def __getitem__(self, position: int) -> ManifestLine: ...

    @overload
    def __getitem__(self, position: slice) -> list[ManifestLine]: ...

    def __getitem__(self, position: int | slice) -> ManifestLine | list[ManifestLine]:
        if isinstance(position, slice):
            return [self[at] for at in range(*position.indices(self._count))]
        if self._starts is None:
            self._starts = array("Q", (0, *(match.end() for match in re.finditer(b"\n", self.text))))
        at = range(self._count)[position]
        return _LINES.decode(self.text[self._starts[at] : self._starts[at + 1]])

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Lines) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Lines({self._count} files)"


class _Named(msgspec.Struct, gc=False):
    """Only the path of a line: half the cost of decoding all of it."""

    path: str


_LINES = msgspec.json.Decoder(ManifestLine)
_PATH = msgspec.json.Decoder(_Named)


class Manifest(Document, frozen=True, kw_only=True):
    """Every file of a dataset version, with totals."""

    lines: Lines
    """One line per file, in the byte order of the paths."""
    hash: str
    """Content hash of the dataset version: the hash of its rendered manifest."""
    files: int
    """Number of files."""
    bytes: int
    """Size of all files in bytes."""


def manifest_of(lines: Iterable[ManifestLine]) -> Manifest:
    """Return the manifest of these lines, in canonical order.

    Raises:
        LedgerError: two lines have one path.
    """
    # Python orders text by code point, which is the byte order of its UTF-8.
    ordered = sorted(lines, key=_path)
    for before, line in pairwise(ordered):
        if before.path == line.path:
            raise LedgerError(f"the dataset holds two files with one path: `{ascii(line.path)[1:-1]}`")
    size = sum(line.bytes for line in ordered)
    return manifest_of_text(Lines.of(ordered).text, size)


def manifest_of_text(text: bytes, size: int) -> Manifest:
    """Return the manifest with these rendered lines.

    Args:
        text: lines in canonical order.
        size: size of all files in bytes.
    """
    lines = Lines(text)
    return Manifest(lines=lines, hash=hash_bytes(text), files=len(lines), bytes=size)


def render_line(line: ManifestLine) -> bytes:
    """Return one line of a listing, with its line feed."""
    return msgspec.json.encode(line) + b"\n"


def render_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as JSON lines; its hash is the hash of these bytes."""
    return manifest.lines.text


def load_manifest(data: bytes, source: str) -> Manifest:
    """Return the manifest in JSON lines.

    Args:
        data: the lines.
        source: their origin, for messages.

    Raises:
        InvalidDocument: a line is malformed, or the lines are out of order; every problem is named.
    """
    problems: list[str] = []
    rendered: list[bytes] = []
    last: str | None = None
    size = 0
    for position, text in enumerate(data.splitlines(), start=1):
        try:
            line = _LINES.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(f"line {position}: {str(error)[:1].lower()}{str(error)[1:]}")
        else:
            problems += [f"line {position}: {problem}" for problem in problems_of(line, last)]
            last = line.path
            size += line.bytes
            rendered.append(render_line(line))
        if len(problems) >= _SHOWN:
            break
    if problems or not rendered:
        raise InvalidDocument(source, problems or ["it lists no files"])
    return manifest_of_text(b"".join(rendered), size)


def load_lines(data: bytes, source: str) -> list[ManifestLine]:
    """Return the lines of a part of a manifest, in the order of their paths.

    Raises:
        InvalidDocument: one is malformed or out of order; every problem is named.
    """
    return list(load_manifest(data, source).lines)


def path_of(text: bytes) -> str:
    """Return the path of a rendered line."""
    return _PATH.decode(text).path


def problems_of(line: ManifestLine, last: str | None) -> Iterator[str]:
    """Yield what is wrong with a line from another source; `last` is the path before it."""
    shown = ascii(line.path)[1:-1][:80]
    parts = line.path.split("/")
    if not line.path or any(part in {"", ".", ".."} for part in parts) or "\0" in line.path or "\\" in parts[0][:1]:
        yield f"path: leads out of the dataset: `{shown}`"
    if line.bytes < 0:
        yield f"bytes: must not be negative: `{line.bytes}`"
    if not _HASH.fullmatch(line.hash):
        yield f"hash: not a hash: `{ascii(line.hash)[1:-1][:80]}`"
    if last is not None and last >= line.path:
        yield f"path: out of order: `{shown}`"


def _path(line: ManifestLine) -> str:
    return line.path


def _concatenate(parts: Iterable[bytes]) -> bytes:
    """Return the parts as one text, without holding all of them and the result in memory at once."""
    from io import BytesIO

    whole = BytesIO()
    for part in parts:
        whole.write(part)
    return whole.getvalue()
