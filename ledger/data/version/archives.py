"""Tar archives as datasets: their files count, not how they are packed. WebDataset stores its shards in this form."""

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from ledger.data.version.files import counted
from ledger.data.version.listing import Manifest, manifest_of
from ledger.data.version.scan import IGNORED, check_unchanged, composed_name, scan, unreadable
from ledger.data.version.stat_cache import facts_of
from ledger.engine import Engine
from ledger.errors import LedgerError
from ledger.hashing import StreamHash
from ledger.model.entries import ManifestLine

SCHEME = "tar://"
_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_AT_ONCE = 1 << 20
_CHECKED = {"", ".", ".."}


def is_archive(path: str) -> bool:
    """Return whether a path is that of a tar archive."""
    if not path.lower().endswith(_ENDINGS):
        return False
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and tarfile.is_tarfile(path)  # noqa: PTH116  # text in
    except OSError:
        return False


def hash_archives(path: str, engine: Engine, progress: Callable[[int, int], None] | None) -> Manifest:
    """Return the manifest of the content of one archive, or of all archives of a folder or glob.

    The names of one archive's files are those inside it, so that it equals the folder it unpacks to;
    of several, the name of each archive stands before them.

    Raises:
        NotFound: there is nothing at `path`.
        LedgerError: there is no archive, one cannot be read, or it holds what is no part of a dataset.
    """
    found = scan(path)
    shards = [name for name in found.names if name.lower().endswith(_ENDINGS)]
    if not shards:
        raise LedgerError(f"there is no tar archive at: `{path}`", hint="leave out tar:// to take files as they are")
    alone = len(found.names) == 1 and found.path(shards[0]) == os.path.abspath(path)  # noqa: PTH100  # as `scan` does
    tasks = [(found.path(name), "" if alone else f"{name}/") for name in shards]
    lines = [line for part in counted(engine.map(hash_archive, tasks), progress, len(tasks)) for line in part]
    check_unchanged(found, path)
    return manifest_of(lines)


def hash_archive(task: tuple[str, str]) -> list[ManifestLine]:
    """Return the manifest lines of one archive, with its path and a prefix for names; for the engine's workers.

    Raises:
        LedgerError: it cannot be read, changed meanwhile, or holds what is no part of a dataset.
    """
    path, prefix = task
    try:
        with Path(path).open("rb") as file:
            before = os.fstat(file.fileno())
            lines = list(_members(file, path, prefix))
            if facts_of(before) != facts_of(Path(path).stat()):
                raise LedgerError(
                    f"the file changed while it was hashed: `{path}`", hint="try again when nothing writes to it"
                )
    except OSError as error:
        raise unreadable(path, error) from None
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise LedgerError(f"the archive is damaged ({str(error).lower()}): `{path}`") from None
    if not lines:
        raise LedgerError(f"the dataset holds no files: `{path}`")
    return lines


def _members(file: IO[bytes], path: str, prefix: str) -> Iterator[ManifestLine]:
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        for member in archive:
            if member.isdir() or not IGNORED.isdisjoint(member.name.split("/")):
                continue
            if not (member.isfile() or member.issym() or member.islnk()):
                raise LedgerError(f"neither a file nor a folder, so not part of a dataset: `{member.name}` in `{path}`")
            name = composed_name(member.name.removeprefix("./"), member.name)
            if not _CHECKED.isdisjoint(name.split("/")):
                raise LedgerError(f"a name in the archive leads out of it: `{ascii(name)[1:-1]}` in `{path}`")
            try:
                content = archive.extractfile(member)
            except (KeyError, RecursionError):  # to nothing, or to each other
                content = None
            if content is None:  # a link, whose target is no file of the archive
                raise LedgerError(f"a link in the dataset is broken: `{name}` in `{path}`")
            yield _hashed(prefix + name, content)


def _hashed(name: str, content: IO[bytes]) -> ManifestLine:
    hasher, size = StreamHash(), 0
    while data := content.read(_AT_ONCE):
        hasher.update(data)
        size += len(data)
    return ManifestLine(path=name, bytes=size, hash=hasher.result())
