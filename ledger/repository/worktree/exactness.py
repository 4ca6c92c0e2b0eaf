"""Content that a patch would not restore exactly, because of filters, line ends and encodings."""

import filecmp
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ledger.repository.worktree.omissions import FileOmission
from ledger.repository.worktree.work_index import WorkIndex

_MASKED = 500
"""Most unchanged files behind a filter that are checked: a clean filter can hide an edit from git."""


def masked_files(index: WorkIndex, top: Path, attributes: Sequence[str], changed: Sequence[str]) -> list[str]:
    """Return unchanged files behind a filter: git would not see an edit that the filter removes."""
    if not has_attribute(top, attributes, b"filter="):
        return []
    candidates = sorted(set(index.names()) - set(changed))
    filtered = index.filters_of(candidates)
    kept = [path for path, name in filtered.items() if name != "lfs" and (top / path).is_file()]
    return kept[:_MASKED]


def named_filters(
    index: WorkIndex, top: Path, attributes: Sequence[str], left_out: Sequence[FileOmission]
) -> list[FileOmission]:
    """Return the omitted files, each with its filter where it has one."""
    if not left_out or not has_attribute(top, attributes, b"filter="):
        return list(left_out)
    filters = index.filters_of([one.path for one in left_out])
    return [
        FileOmission(
            path=one.path, why=f"{one.why}; its filter is `{filters[one.path]}`", code=one.code, exact=one.exact
        )
        if one.path in filters
        else one
        for one in left_out
    ]


def has_attribute(top: Path, attributes: Sequence[str], wanted: bytes) -> bool:
    """Return whether any file has an attribute, such as `filter=`, by the text of the attribute files."""
    return any(wanted in _content(top / path) for path in attributes)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def differing_files(index: WorkIndex, top: Path, paths: Sequence[str]) -> list[FileOmission]:
    """Check out what the patch restores in another folder, and return the files that differ there."""
    files = [path for path in paths if (top / path).is_file() and not (top / path).is_symlink()]
    if not files:
        return []
    with tempfile.TemporaryDirectory(prefix="ledger-") as scratch:
        index.check_out(files, Path(scratch))
        differing = [path for path in files if not _is_same(Path(scratch, path), top / path)]
    if not differing:
        return []
    filters = index.filters_of(differing)
    return [FileOmission(path=path, why=_why_not_same(filters.get(path)), exact=False) for path in differing]


def _is_same(restored: Path, seen: Path) -> bool:
    try:
        return filecmp.cmp(restored, seen, shallow=False)
    except OSError:
        return False


def _why_not_same(name: str | None) -> str:
    if name == "lfs":
        return "git-lfs keeps its content: the patch has only its pointer, and the content may exist only here"
    return f"its filter `{name}` changes it" if name else "git changes its line ends or its encoding"
