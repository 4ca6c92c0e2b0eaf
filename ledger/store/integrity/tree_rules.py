"""The raw form of git trees: names and modes that no listing of git shows.

Git lists a name with a slash in it as a path, a duplicate name as if there were one, and mode 100664 as 100644.
Only what differs from a tree that is known to be good is read, level by level.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from ledger.repository.repository import Repository

_FOLDER = b"40000"
_WRITTEN = {b"100644", b"100755", b"120000", b"160000", _FOLDER}
"""Modes that git writes; all but the first and the last are refused by `path_rules.wrong_mode`."""
_DEEPEST = 64
"""Levels that are searched; an entry has seven, and deeper paths are refused anyway."""

Raw = tuple[bytes, bytes, bytes]
"""Mode, name and object id in their raw form."""


class OddEntry(NamedTuple):
    """An entry of a tree that git would not write."""

    path: str
    """Its path; that of the folder where the whole tree is odd."""
    why: str
    """What is wrong."""


def odd_entries(repository: Repository, tip: str, since: str | None) -> Iterator[OddEntry]:
    """Yield what is odd in the trees of a commit but not in those of a commit known to be good.

    Raises:
        LedgerError: git fails.
    """
    wide = len(tip) // 2
    level: list[tuple[bytes, str, str | None]] = [(b"", f"{tip}^{{tree}}", f"{since}^{{tree}}" if since else None)]
    for _ in range(_DEEPEST):
        if not level:
            return
        names = [name for _, new, old in level for name in (new, old) if name]
        read = dict(zip(names, repository.read_objects(names), strict=True))
        following: list[tuple[bytes, str, str | None]] = []
        for folder, new, old in level:
            entries = _entries(read[new] or b"", wide)
            known = _entries((read[old] if old else None) or b"", wide) or []
            if entries is None:
                yield OddEntry(_path(folder.rstrip(b"/")), _MALFORMED)
                continue
            before = {name: (mode, oid) for mode, name, oid in known}
            news = [one for one in entries if before.get(one[1]) != (one[0], one[2])]
            yield from (odd for odd in map(_odd, [folder] * len(news), news) if odd)
            for mode, name, oid in news:
                if mode.lstrip(b"0") == _FOLDER:
                    stood = before.get(name)
                    following.append(
                        (folder + name + b"/", oid.hex(), stood[1].hex() if stood and stood[0] == mode else None)
                    )
        level = following


_MALFORMED = "the tree is malformed: a name in it is empty, holds a slash, appears twice or is out of order"


@cache
def _one(wide: int) -> re.Pattern[bytes]:
    """Return what one entry of a tree looks like."""
    return re.compile(rb"([^\0 ]*) ([^\0/]+)\0(.{%d})" % wide, re.DOTALL)


def _entries(tree: bytes, wide: int) -> list[Raw] | None:
    """Return the entries of a tree in their order; none where git would not write such a tree."""
    found: list[Raw] = _one(wide).findall(tree)
    if sum(len(mode) + len(name) for mode, name, _ in found) + len(found) * (wide + 2) != len(tree):
        return None
    keys = [name + b"/" if mode.lstrip(b"0") == _FOLDER else name for mode, name, _ in found]
    if len(found) > 1 and (keys != sorted(keys) or len({name for _, name, _ in found}) < len(found)):
        return None
    return found


def _odd(folder: bytes, entry: Raw) -> OddEntry | None:
    mode, name, _ = entry
    if mode in _WRITTEN:
        return None
    shown = mode.decode("ascii", "backslashreplace")
    return OddEntry(
        _path(folder + name), f"a file mode that git never writes, and shows as another: {ascii(shown)[1:-1]}"
    )


def _path(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
