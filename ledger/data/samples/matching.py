"""Matching of names to samples: one method for labels from any source, exact or refused.

A source of labels (a table, a COCO file, a folder of YOLO files) names samples by keys. A key is the end of a sample's
path, or the inside of the dataset is the end of the key; endings may be missing, and numbers may lack their zeros.
One way holds for all keys of a source. A key that means two samples, and two keys that say different things of one
sample, are never decided here: `Match.problem` names them.
"""

import unicodedata
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

_SHOWN = 3
"""Most samples that an example names."""
_ZEROS = "0"


@dataclass(frozen=True, kw_only=True)
class Match:
    """The result of matching."""

    keys: list[int | None]
    """Position of the key of each sample; none where no key names it."""
    strength: int = 0
    """How the keys name: 4 by path, 3 by a path of which the dataset holds the end, 2 and 1 the same without endings,
    0 by number."""
    named: int = 0
    """Number of samples with a key."""
    strangers: list[int] | None = None
    """Keys without a sample."""
    problem: str | None = None
    """Why the match is not exact, with an example; none where it is."""


def match_keys(
    keys: Sequence[str | None],
    names: Sequence[str],
    *,
    root: Path,
    says: Callable[[int], Hashable],
    numbers: bool = False,
    endings: bool = True,
) -> Match:
    """Return the key of each sample, by the method that matches most of them; the stricter method in a tie.

    Args:
        keys: names of samples in the source; none where it has none.
        names: path of each sample inside the dataset.
        root: path of the dataset: a key may begin above it.
        says: value of each key: two keys of one sample must have equal values.
        numbers: whether a key may be a number without its leading zeros.
        endings: whether names have suffixes, which keys may lack.
    """
    asked = [None if key is None else _composed(key) for key in keys]
    best = Match(keys=[None] * len(names))
    for whole in (True, False) if endings else (True,):
        index = _Names(names, root, whole=whole)
        for find, strength in ((index.ending_with, 4), (index.within, 3)):
            found = _match(asked, len(names), find, strength - (0 if index.whole else 2))
            if found.named > best.named:
                best = _checked(found, asked, names, says)
        if best.named == len(names) and best.problem is None:
            return best
    if numbers:
        found = _match(asked, len(names), _Numbers(names).equal_to, 0)
        if found.named > best.named:
            best = _checked(found, asked, names, says)
    return best


@dataclass(frozen=True)
class _Found:
    """The samples that each key names, by one method."""

    samples: list[list[int]]
    """Samples of each key."""
    strength: int
    named: int


def _match(keys: Sequence[str | None], count: int, find: Callable[[str], list[int]], strength: int) -> _Found:
    samples = [find(key) if key else [] for key in keys]
    named = bytearray(count)
    for places in samples:
        for place in places:
            named[place] = 1
    return _Found(samples, strength, sum(named))


def _checked(found: _Found, keys: Sequence[str | None], names: Sequence[str], says: Callable[[int], Hashable]) -> Match:
    """Return a method's result with the first problem that makes it inexact."""
    chosen: list[int | None] = [None] * len(names)
    problem = None
    strangers = []
    for position, places in enumerate(found.samples):
        if not places and keys[position]:
            strangers.append(position)
        if len(places) > 1 and problem is None:
            shown = " and ".join(f"`{ascii(names[place])[1:-1]}`" for place in islice(places, _SHOWN))
            problem = f"`{ascii(keys[position])[1:-1]}` means {len(places)} samples, such as {shown}"
        for place in places:
            before = chosen[place]
            if before is None:
                chosen[place] = position
            elif problem is None and says(before) != says(position):
                told = f"{_label_text(says(before))} by `{ascii(keys[before])[1:-1]}`"
                other = f"{_label_text(says(position))} by `{ascii(keys[position])[1:-1]}`"
                problem = f"`{ascii(names[place])[1:-1]}` is said to be {told} and {other}"
    return Match(keys=chosen, strength=found.strength, named=found.named, strangers=strangers, problem=problem)


def _label_text(said: Hashable) -> str:
    parts = said if isinstance(said, tuple) else (said,)
    return ascii(" + ".join(str(part) for part in parts if part is not None) or "nothing")[1:-1]


class _Names:
    """The samples of a dataset, by file name.

    Args:
        names: path of each inside the dataset.
        root: path of the dataset.
        whole: whether names keep their suffixes.
    """

    def __init__(self, names: Sequence[str], root: Path, *, whole: bool) -> None:
        self.whole = whole
        self._names = names if whole else [without_ending(name) for name in names]
        above = root.absolute() if root.is_dir() else root.absolute().parent
        self._above = f"{above.as_posix()}/"
        self._by_last: dict[str, list[int]] = {}
        for position, name in enumerate(self._names):
            self._by_last.setdefault(name.rpartition("/")[2], []).append(position)

    def ending_with(self, key: str) -> list[int]:
        """Return the samples whose path ends with a key; an exact path in the dataset takes precedence."""
        places = [
            place
            for place in self._by_last.get(key.rpartition("/")[2], ())
            if _ends(self._names[place], key) or f"{self._above}{self._names[place]}".endswith(f"/{key}")
        ]
        if len(places) > 1:
            places = [place for place in places if self._names[place] == key] or places
        return places

    def within(self, key: str) -> list[int]:
        """Return the samples whose path is the end of a key, which begins in a folder outside of the dataset."""
        places = [place for place in self._by_last.get(key.rpartition("/")[2], ()) if _ends(key, self._names[place])]
        longest = max((len(self._names[place]) for place in places), default=0)
        return [place for place in places if len(self._names[place]) == longest]


class _Numbers:
    """The samples whose file names are numbers."""

    def __init__(self, names: Sequence[str]) -> None:
        self._by_number: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            stem = without_ending(name).rpartition("/")[2]
            if stem.isascii() and stem.isdigit():
                self._by_number.setdefault(stem.lstrip(_ZEROS), []).append(position)

    def equal_to(self, key: str) -> list[int]:
        """Return the samples with this number, ignoring leading zeros."""
        return self._by_number.get(key.lstrip(_ZEROS), []) if key.isascii() and key.isdigit() else []


def _ends(path: str, end: str) -> bool:
    return path == end or path.endswith(f"/{end}")


def without_ending(name: str) -> str:
    """Return a path without the suffix of its file."""
    folder, slash, last = name.rpartition("/")
    stem, dot, _ = last.rpartition(".")
    return f"{folder}{slash}{stem}" if dot and stem else name


def _composed(key: str) -> str:
    """Return a key in the form of manifest paths: `/` between names, no `./` in front, Unicode's composed form."""
    text = key.strip()
    if "/" not in text:
        text = text.replace("\\", "/")
    while text.startswith("./"):
        text = text[2:]
    return text if text.isascii() else unicodedata.normalize("NFC", text)
