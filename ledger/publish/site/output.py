"""The output folder of a site: only files that earlier builds made are ever touched.

Files are written aside and renamed, so a reader meets the old page or the new one. What was made is
remembered in one file, which is also the mark by which the folder is known as ours.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from ledger.errors import Conflict, LedgerError
from ledger.hashing import hash_bytes
from ledger.model.values import Document

MEMORY = ".ledger-site.json"
"""File in the output that stores what each build made; without it, the folder is foreign."""

MEMORY_FORMAT = 1

Progress = Callable[[str, int, int], None]
"""Called with what is done, how many are done, and of how many."""

_KNOWN_HIDDEN = {".git", ".gitignore", ".nojekyll"}
"""Hidden names that a new output folder may have: it is often the work tree of a branch for pages."""


class SiteReport(Document, frozen=True, kw_only=True):
    """The result of a build."""

    written: int
    """Number of pages written."""
    kept: int
    """Number of unchanged pages."""
    deleted: int
    """Number of pages deleted because their content is gone."""
    changed: tuple[str, ...]
    """Paths of every file written or deleted, sorted."""
    seconds: float
    """Time the build took, in seconds."""
    output: str
    """Folder of the site."""
    problems: tuple[str, ...]
    """What could not be read or shown, one line each."""


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
    pages: int = 0
    """Number of pages."""
    inputs: str = ""
    """Hash of all that the last build read; empty where the next one has to read it again."""
    standing: str = ""
    """Hash of the files that stood in the output after the last build, with their sizes."""
    problems: tuple[str, ...] = ()
    """What the last build could not read or show."""


class LastBuild(Document, frozen=True, kw_only=True):
    """The part of a memory that says how the last build ended: read without its units, of which there are many."""

    format: int = MEMORY_FORMAT
    """Format of the memory."""
    pages: int = 0
    """Number of pages."""
    inputs: str = ""
    """Hash of all that the last build read."""
    standing: str = ""
    """Hash of the files that stood in the output after it."""
    problems: tuple[str, ...] = ()
    """What it could not read or show."""


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


def read_last_build(output: Path) -> LastBuild | None:
    """Return how the last build in `output` ended; none where that cannot be read."""
    mark = output / MEMORY
    try:
        if mark.is_symlink():
            return None
        last = msgspec.json.decode(mark.read_bytes(), type=LastBuild)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError):
        return None
    return last if last.format == MEMORY_FORMAT else None


def write_memory(output: Path, memory: Memory) -> None:
    """Write the memory of `output`, last, so that an interrupted build is repeated."""
    write_file(output, MEMORY, msgspec.json.encode(memory, order="sorted"))


def claim(output: Path) -> None:
    """Create the folder, and mark it as ours before the first page."""
    output.mkdir(parents=True, exist_ok=True)
    if not (output / MEMORY).exists():
        write_memory(output, Memory())


def write_file(output: Path, path: str, data: bytes, checked: set[str] | None = None) -> None:
    """Write one file of the site: aside, then renamed.

    Args:
        output: folder of the site.
        path: of the file in it.
        data: its bytes.
        checked: folders that this build has checked and created before; new ones are added.

    Raises:
        LedgerError: the path leads out of the output.
        OSError: the disk refuses.
    """
    folder, _, name = path.rpartition("/")
    if checked is None or folder not in checked or name in {"", ".", ".."} or "\\" in name:
        inside(output, path).parent.mkdir(parents=True, exist_ok=True)
        if checked is not None:
            checked.add(folder)
    place = f"{output}/{folder}" if folder else str(output)
    aside = f"{place}/.{name[:200]}.{os.getpid()}.aside"
    try:
        with open(aside, "wb", buffering=0) as file:  # noqa: PTH123  # pathlib takes longer than the disk
            file.write(data)
        os.replace(aside, f"{place}/{name}")  # noqa: PTH105  # as above
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


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


Standing = dict[str, dict[str, int]]
"""Folder in the output (with a slash at its end, empty for the output itself) to the sizes of its files in bytes."""


def sizes(output: Path) -> Standing:
    """Return every file that stands in the output, with its size in bytes."""
    found: Standing = {}
    pending = [("", str(output))]
    while pending:
        prefix, folder = pending.pop()
        here = found[prefix] = {}
        # Through a descriptor, the kernel looks up a name and not a path: a fifth of the time of 50,000 files.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        here[entry.name] = entry.stat(follow_symlinks=False).st_size
                    elif entry.is_dir(follow_symlinks=False):
                        pending.append((f"{prefix}{entry.name}/", f"{folder}/{entry.name}"))
        finally:
            os.close(descriptor)
    return found


def standing_key(standing: Standing) -> str:
    """Return the hash of the files of an output and their sizes; hidden ones, as of git, are not of the site."""
    shown = {folder: files for folder, files in standing.items() if files and not folder.startswith(".")}
    shown[""] = {name: size for name, size in standing.get("", {}).items() if not name.startswith(".")}
    try:
        return hash_bytes(msgspec.json.encode(shown, order="sorted"))
    except UnicodeEncodeError:  # a name that is no text, of somebody else
        return hash_bytes(repr([(folder, sorted(shown[folder].items())) for folder in sorted(shown)]).encode())
