"""List of the files that a patch leaves out: each with size and hash, many in one folder as one line."""

import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from ledger.data.version.stat_cache import Remembered, StatCache, facts_of, is_at_rest, unchanged
from ledger.hashing import hash_bytes, hash_file
from ledger.model.boxes.code import OmittedFile
from ledger.repository.worktree.omissions import FileOmission

_SINGLY = 20
"""Most files of one folder that are listed one by one."""
_FILES = 200
"""Most lines; code comes first, then large files."""
_BUDGET = 2 << 30
"""Most bytes that are newly hashed: a training must not wait for a disk full of data. 2 GB take 1.4 s of CPU."""
_HASHED = 1000
"""Most files of one folder that are hashed; beyond it, only number and size are given. Hashing 100,000 took 3 s."""
_SMALL = 1 << 25
"""Total bytes below which hashing anew costs less than opening the cache."""


def name_files(top: Path, left_out: Sequence[FileOmission], cache: StatCache | None) -> list[OmittedFile]:
    """Return the omitted files by path; files that are gone meanwhile have no size.

    Args:
        top: top of the work tree.
        left_out: omitted files, each with the reason.
        cache: hashes of unchanged files.
    """
    if not left_out:
        return []
    sizes = {one.path: _size(f"{top}/{one.path}") for one in left_out}
    singly, together = _grouped(left_out)
    hashed = [*singly, *(one for some in together.values() if len(some) <= _HASHED for one in some)]
    wanted = {one.path: sizes[one.path] for one in hashed}
    worth = cache if sum(wanted.values()) > _SMALL else None
    with worth.opened(f"left out of {top}") if worth else nullcontext() as remembered:
        hashes = _hashes(top, wanted, remembered)
    rows = [_single(one, sizes[one.path], hashes.get(one.path)) for one in singly]
    rows += [_folder(folder, why, some, sizes, hashes) for (folder, why), some in together.items()]
    if len(rows) > _FILES:
        code = {one.path for one in left_out if one.code or not one.exact}
        rows.sort(key=lambda row: (row.path not in code, -row.bytes, row.path))
        rows, rest = rows[: _FILES - 1], rows[_FILES - 1 :]
        count = sum(row.files or 1 for row in rest)
        rows.append(
            OmittedFile(
                path="/",
                bytes=sum(row.bytes for row in rest),
                files=count,
                why="and others",
                code=any(row.code for row in rest),
            )
        )
    return sorted(rows, key=lambda row: row.path)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size  # with 100,000 files every µs counts
    except OSError:
        return 0


def _hashes(top: Path, sizes: Mapping[str, int], remembered: Remembered | None) -> dict[str, str]:
    names = sorted(sizes)
    known = remembered.among(names) if remembered else {}
    found, budget, now = {}, _BUDGET, time.time_ns()
    for name in names:
        try:
            status = (top / name).stat()
            content = unchanged(name, known.get(name), facts_of(status))
            if content is None and sizes[name] <= budget and (top / name).is_file():
                budget -= sizes[name]
                content = hash_file(top / name)
                if remembered and is_at_rest(status, now):
                    remembered.remember(name, facts_of(status), content)
        except OSError:
            continue
        if content is not None:
            found[name] = content
    return found


def _grouped(left_out: Sequence[FileOmission]) -> tuple[list[FileOmission], dict[tuple[str, str], list[FileOmission]]]:
    """Return the files to list one by one, and those to combine by their first folder and reason."""
    by_folder: dict[tuple[str, str], list[FileOmission]] = defaultdict(list)
    singly = []
    for one in left_out:
        folder, slash, _ = one.path.partition("/")
        if slash and one.exact and not one.code:
            by_folder[f"{folder}/", one.why].append(one)
        else:
            singly.append(one)
    for key in [key for key, some in by_folder.items() if len(some) <= _SINGLY]:
        singly += by_folder.pop(key)
    return singly, dict(by_folder)


def _single(one: FileOmission, size: int, content: str | None) -> OmittedFile:
    return OmittedFile(path=one.path, bytes=size, hash=content, why=one.why, code=one.code)


def _folder(
    folder: str, why: str, some: Sequence[FileOmission], sizes: Mapping[str, int], hashes: Mapping[str, str]
) -> OmittedFile:
    listing = "".join(f"{one.path}\0{sizes[one.path]}\0{hashes.get(one.path)}\n" for one in some)
    whole = all(one.path in hashes for one in some)
    return OmittedFile(
        path=folder,
        bytes=sum(sizes[one.path] for one in some),
        hash=hash_bytes(listing.encode("utf-8", "surrogateescape")) if whole else None,
        why=why,
        files=len(some),
        code=False,
    )
