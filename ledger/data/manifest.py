"""What a dataset version holds, file by file, and the one hash that names it.

The hash is that of the manifest file itself: one JSON line per file in the byte order of the paths.
What counts as content, and why, stands in `.github/decisions/dataset-hash.md`.
"""

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from ledger.errors import InvalidDocument, LedgerError, NotFound
from ledger.hashing import hash_file, hash_listing
from ledger.model.entries import ManifestLine
from ledger.model.values import Document

_IGNORED = frozenset({".git", ".DS_Store", "Thumbs.db", "desktop.ini"})
"""What version control and file browsers leave behind; no part of a dataset."""
_BATCH = 64
"""Files per task: a future costs 20 µs, as much as hashing a small file."""
_JOBS = 16
_HASH = re.compile(r"blake3:[0-9a-f]{64}")
_SHOWN = 20

Progress = Callable[[int, int], None]
"""Called with the files hashed so far and the files in all."""


class Manifest(Document, frozen=True, kw_only=True):
    """Every file of a dataset version, and what they come to."""

    lines: list[ManifestLine]
    """One per file, in the byte order of the paths."""
    hash: str
    """Content hash of the dataset version: of its rendered manifest."""
    files: int
    """How many files it holds."""
    bytes: int
    """Size of all files in bytes."""


class _Found(msgspec.Struct, frozen=True):
    name: str
    path: Path


def build_manifest(path: Path, *, jobs: int | None = None, progress: Progress | None = None) -> Manifest:
    """Return the manifest of a file or folder, many files hashed in a pool of threads.

    Args:
        path: the dataset; a single file is a dataset of one line under its own name.
        jobs: threads; by default one for each core, at most 16.
        progress: called from this thread as files are done.

    Raises:
        NotFound: there is nothing at `path`.
        LedgerError: it holds no file, something in it cannot be read or followed, two names differ only
            in their Unicode form, or a file changed while it was hashed.
    """
    found = _scan(path)
    if len(found) > _BATCH:
        return manifest_of(_hash_in_threads(found, jobs or min(_JOBS, os.cpu_count() or 1), progress))
    # One batch is done by one thread: this one does it 5 ms sooner, which is what the import of a pool costs.
    lines = _hash_batch(found)
    if progress is not None:
        progress(len(lines), len(found))
    return manifest_of(lines)


def _hash_in_threads(found: list[_Found], threads: int, progress: Progress | None) -> list[ManifestLine]:
    from concurrent.futures import ThreadPoolExecutor, as_completed

    batches = [found[start : start + _BATCH] for start in range(0, len(found), _BATCH)]
    lines: list[ManifestLine] = []
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        futures = [pool.submit(_hash_batch, batch) for batch in batches]
        try:
            for future in as_completed(futures):
                lines += future.result()
                if progress is not None:
                    progress(len(lines), len(found))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return lines


def manifest_of(lines: Iterable[ManifestLine]) -> Manifest:
    """Return the manifest of these lines, put in their canonical order."""
    ordered = sorted(lines, key=lambda line: line.path.encode("utf-8", "surrogatepass"))
    return Manifest(
        lines=ordered,
        hash=hash_listing(msgspec.json.encode(line).decode() for line in ordered),
        files=len(ordered),
        bytes=sum(line.bytes for line in ordered),
    )


def render_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as JSON lines; its hash is the hash of these bytes."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in manifest.lines)


def load_manifest(data: bytes, source: str) -> Manifest:
    """Return the manifest that JSON lines hold.

    Args:
        data: the lines.
        source: where they came from, for messages.

    Raises:
        InvalidDocument: a line is malformed, or the lines are out of order; every problem is told.
    """
    decoder = msgspec.json.Decoder(ManifestLine)
    lines: list[ManifestLine] = []
    problems: list[str] = []
    for position, text in enumerate(data.splitlines(), start=1):
        try:
            line = decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(f"line {position}: {str(error)[:1].lower()}{str(error)[1:]}")
        else:
            lines.append(line)
            problems += [f"line {position}: {problem}" for problem in _problems(line, lines)]
        if len(problems) >= _SHOWN:
            break
    if problems or not lines:
        raise InvalidDocument(source, problems or ["it lists no files"])
    return manifest_of(lines)


def _problems(line: ManifestLine, lines: list[ManifestLine]) -> Iterator[str]:
    shown = ascii(line.path)[1:-1][:80]
    parts = line.path.split("/")
    if not line.path or any(part in {"", ".", ".."} for part in parts) or "\0" in line.path or "\\" in parts[0][:1]:
        yield f"path: leads out of the dataset: `{shown}`"
    if line.bytes < 0:
        yield f"bytes: must not be negative: `{line.bytes}`"
    if not _HASH.fullmatch(line.hash):
        yield f"hash: not a hash: `{ascii(line.hash)[1:-1][:80]}`"
    if len(lines) > 1 and lines[-2].path.encode("utf-8", "surrogatepass") >= line.path.encode("utf-8", "surrogatepass"):
        yield f"path: out of order: `{shown}`"


def _scan(path: Path) -> list[_Found]:
    """Return every file of the dataset by its name in it."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return [_Found(_name(path.name, path), path)]
        if not stat.S_ISDIR(mode):
            raise LedgerError(f"a dataset is a file or a folder: `{path}`")
        files = {name: file for name, file in _walk(path.resolve())}  # noqa: C416  # `_walk` refuses a second of a name
    except FileNotFoundError as error:
        if not path.exists():
            raise NotFound(f"there is no dataset at: `{path}`", hint="check the path") from None
        raise LedgerError(f"the dataset changed while it was read: `{error.filename}`", hint="try again") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if not files:
        raise LedgerError(f"the dataset holds no files: `{path}`", hint="name the folder that holds the data")
    return [_Found(name, file) for name, file in files.items()]


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    seen: dict[str, str] = {}
    folders = [("", root)]
    while folders:
        prefix, folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in _IGNORED:
                    continue
                name = _name(f"{prefix}{entry.name}", Path(entry.path))
                if seen.setdefault(name, entry.path) != entry.path:
                    raise LedgerError(
                        f"two names differ only in their Unicode form: `{ascii(name)[1:-1]}`", hint="rename one of them"
                    )
                if entry.is_dir(follow_symlinks=False):
                    folders.append((f"{name}/", Path(entry.path)))
                else:
                    yield name, _file(entry)


def _name(name: str, path: Path) -> str:
    """Return the name in Unicode's composed form, so that one dataset has one hash on every system."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise LedgerError(
            f"a file name in the dataset is not UTF-8: `{ascii(str(path))[1:-1]}`", hint="rename it"
        ) from None
    return unicodedata.normalize("NFC", name)


def _file(entry: "os.DirEntry[str]") -> Path:
    if entry.is_symlink():
        try:
            mode = entry.stat().st_mode
        except OSError:
            raise LedgerError(
                f"a link in the dataset leads nowhere: `{entry.path}`", hint="mend or remove it"
            ) from None
        if stat.S_ISDIR(mode):
            raise LedgerError(
                f"a link in the dataset leads to a folder: `{entry.path}`",
                hint="name that folder as a dataset of its own, or replace the link by what it leads to",
            )
    if not entry.is_file():
        raise LedgerError(f"neither file nor folder, so no part of a dataset: `{entry.path}`", hint="move it away")
    return Path(entry.path)


def _hash_batch(batch: list[_Found]) -> list[ManifestLine]:
    return [_hash_one(found) for found in batch]


def _hash_one(found: _Found) -> ManifestLine:
    try:
        before = found.path.stat()
        content = hash_file(found.path)
        after = found.path.stat()
    except OSError as error:
        raise _unreadable(found.path, error) from None
    if _identity(before) != _identity(after):
        raise LedgerError(f"the file changed while it was hashed: `{found.path}`", hint="try again when it is at rest")
    return ManifestLine(path=found.name, bytes=after.st_size, hash=content)


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _unreadable(path: Path, error: OSError) -> LedgerError:
    reason = (error.strerror or str(error)).lower()
    return LedgerError(
        f"the dataset cannot be read ({reason}): `{error.filename or path}`", hint="check its permissions"
    )
