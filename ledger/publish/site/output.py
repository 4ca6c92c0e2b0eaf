"""The output folder of a site: only files that earlier builds made are ever touched.

Files are written aside and renamed, so a reader meets the old page or the new one. What was made is
remembered in one file, which is also the mark by which the folder is known as ours.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from ledger.errors import Conflict, LedgerError
from ledger.model.values import Document

MEMORY = ".ledger-site.json"
"""File in the output that stores what each build made; without it, the folder is foreign."""

MEMORY_FORMAT = 1

_KNOWN_HIDDEN = {".git", ".gitignore", ".nojekyll"}
"""Hidden names that a new output folder may have: it is often the work tree of a branch for pages."""


class Made(Document, frozen=True, kw_only=True):
    """The files and the source hash of one unit of the site."""

    key: str
    """Hash of everything the unit shows."""
    files: dict[str, int]
    """Path to size in bytes, each file it consists of."""


class Memory(Document, frozen=True, kw_only=True):
    """The results of earlier builds."""

    format: int = MEMORY_FORMAT
    """Format of this document."""
    units: Mapping[str, Made] = {}
    """Unit to what it came from."""
    shell_key: str = ""
    """Hash of what the shells were made from."""
    shells: Mapping[str, str] = {}
    """Kind of page to its shell."""


def read_memory(output: Path) -> tuple[Memory, list[str]]:
    """Return the memory of `output`, and what is wrong with it as text.

    Raises:
        Conflict: the folder holds something and was not made by a build.
        LedgerError: it is no folder.
    """
    if output.exists() and not output.is_dir():
        raise LedgerError(f"the output is not a folder: `{output}`", hint="name a folder with --output")
    mark = output / MEMORY
    if not mark.is_file() or mark.is_symlink():
        if output.is_dir() and any(entry.name not in _KNOWN_HIDDEN for entry in output.iterdir()):
            raise Conflict(
                f"the output folder is not empty and was not made by ledger: `{output}`",
                hint="name a new folder: ledger site build --output build/site",
            )
        return Memory(), []
    try:
        memory = msgspec.json.decode(mark.read_bytes(), type=Memory)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError):
        return Memory(), [f"{MEMORY} is damaged, so everything is built again, and pages of deleted entries may remain"]
    if memory.format != MEMORY_FORMAT:
        return Memory(), [f"{MEMORY} was written by another version of ledger, so everything is built again"]
    return memory, []


def write_memory(output: Path, memory: Memory) -> None:
    """Write the memory of `output`, last, so that an interrupted build is repeated."""
    write_file(output, MEMORY, msgspec.json.encode(memory, order="sorted"))


def claim(output: Path) -> None:
    """Create the folder, and mark it as ours before the first page."""
    output.mkdir(parents=True, exist_ok=True)
    if not (output / MEMORY).exists():
        write_memory(output, Memory())


def write_file(output: Path, path: str, data: bytes) -> None:
    """Write one file of the site: aside, then renamed.

    Raises:
        LedgerError: the path leads out of the output.
        OSError: the disk refuses.
    """
    target = inside(output, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name[:200]}.{os.getpid()}.aside")
    try:
        aside.write_bytes(data)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def delete_files(output: Path, paths: Iterable[str]) -> None:
    """Delete files of earlier builds, and folders that become empty."""
    folders: set[Path] = set()
    for path in paths:
        target = inside(output, path)
        target.unlink(missing_ok=True)
        folders.update(parent for parent in target.parents if parent != output and output in parent.parents)
    for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def inside(output: Path, path: str) -> Path:
    """Return the location of `path` in the output.

    Raises:
        LedgerError: it leads out of the output, by itself or through a link.
    """
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\\" in path:
        raise LedgerError(f"this path leads out of the site: `{ascii(path)[1:-1]}`")
    folder = output
    for part in pure.parts[:-1]:
        folder = folder / part
        if folder.is_symlink():
            hint = f"remove it: rm {folder}"
            raise LedgerError(f"a link stands where the site needs a folder: `{folder}`", hint=hint)
    return output / pure


def sizes(output: Path) -> Mapping[str, int]:
    """Return every file that stands in the output, with its size in bytes."""
    found: dict[str, int] = {}
    pending = [("", str(output))]
    while pending:
        prefix, folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{prefix}{entry.name}/", entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found[prefix + entry.name] = entry.stat(follow_symlinks=False).st_size
    return found
