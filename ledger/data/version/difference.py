"""Differences between two versions of a dataset, by file, from their manifests alone. Pure functions."""

from collections.abc import Iterable

import msgspec

from ledger.data.version.listing import Manifest, manifest_of
from ledger.model.entries import ManifestLine
from ledger.model.values import Document

_SHORT, _LONG = 1 << 12, 1 << 20
"""Bytes of two listings compared at once: few near a difference, more the longer they agree."""


class VersionDifference(Document, frozen=True, kw_only=True):
    """The difference between two versions; every list is sorted by path."""

    added: list[ManifestLine] = []
    """Files that only the new version has."""
    removed: list[ManifestLine] = []
    """Files that only the old version has."""
    changed: list[tuple[ManifestLine, ManifestLine]] = []
    """Files with the same path and other content: the old line and the new."""

    @property
    def empty(self) -> bool:
        """Whether both are equal."""
        return not (self.added or self.removed or self.changed)


def diff_manifests(old: Manifest, new: Manifest) -> VersionDifference:
    """Return how `new` differs from `old`; the cost grows with what differs, beside one comparison of their bytes."""
    one, other = map(_Reader, (old.lines.text, new.lines.text))
    gone: list[ManifestLine] = []
    come: list[ManifestLine] = []
    while True:
        _skip_equal(one, other)
        before, after = one.line(), other.line()
        if before is None and after is None:
            return diff_lines(gone, come)
        if before is not None and (after is None or before.path <= after.path):
            gone.append(before)
            one.advance()
        if after is not None and (before is None or after.path <= before.path):
            come.append(after)
            other.advance()


def diff_lines(old: Iterable[ManifestLine], new: Iterable[ManifestLine]) -> VersionDifference:
    """Return the difference between two sets of lines; paths may be in any order, and each occurs once per set."""
    before = {line.path: line for line in old}
    after = {line.path: line for line in new}
    return VersionDifference(
        added=[after[path] for path in sorted(after.keys() - before.keys())],
        removed=[before[path] for path in sorted(before.keys() - after.keys())],
        changed=[
            (before[path], after[path]) for path in sorted(before.keys() & after.keys()) if before[path] != after[path]
        ],
    )


def apply_difference(manifest: Manifest, difference: VersionDifference) -> Manifest:
    """Return a manifest with a difference applied: `apply_difference(old, diff_manifests(old, new)) == new`.

    Raises:
        LedgerError: an added file exists already.
    """
    gone = {line.path for line in difference.removed} | {line.path for line, _ in difference.changed}
    kept = (line for line in manifest.lines if line.path not in gone)
    return manifest_of([*kept, *difference.added, *(line for _, line in difference.changed)])


def alike_but_for_case(manifest: Manifest) -> list[tuple[str, str]]:
    """Return pairs of paths that differ only in letter case: many systems can hold only one of the two."""
    # Hashes instead of folded paths: a tenth of the memory; the few that agree are compared in full.
    seen: set[int] = set()
    suspects: set[int] = set()
    for line in manifest.lines:
        folded = hash(line.path.casefold())
        (suspects if folded in seen else seen).add(folded)
    first: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for line in manifest.lines if suspects else ():
        alike = line.path.casefold()
        if hash(alike) in suspects and first.setdefault(alike, line.path) != line.path:
            pairs.append((first[alike], line.path))
    return pairs


class _Reader:
    """A listing with a read position."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0

    def line(self) -> ManifestLine | None:
        return _LINE.decode(self.text[self.at : self._end()]) if self.at < len(self.text) else None

    def advance(self) -> None:
        self.at = self._end()

    def _end(self) -> int:
        return self.text.find(b"\n", self.at) + 1 or len(self.text)


_LINE = msgspec.json.Decoder(ManifestLine)


def _skip_equal(one: _Reader, other: _Reader) -> None:
    """Advance both readers over equal lines: in long strides, then in short ones, then line by line."""
    stride = _SHORT
    while one.at < len(one.text):
        end = (one.text.rfind(b"\n", one.at, one.at + stride) if stride else one.text.find(b"\n", one.at)) + 1
        size = end - one.at
        if size > 0 and one.text[one.at : end] == other.text[other.at : other.at + size]:
            one.at, other.at = end, other.at + size
            stride = min(stride * 2, _LONG)
        elif stride:
            stride = _SHORT if stride > _SHORT else 0
        else:
            return
