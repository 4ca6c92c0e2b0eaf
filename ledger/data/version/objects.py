"""Datasets at URLs of fsspec: `s3://…`, `gs://…`, `https://…`, `memory://…`. The only file that uses fsspec."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from ledger.data.version.files import counted
from ledger.data.version.listing import Manifest, manifest_of
from ledger.data.version.scan import IGNORED, composed_name
from ledger.data.version.stat_cache import StatCache, unchanged
from ledger.engine import Engine
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.hashing import StreamHash, hash_bytes
from ledger.model.entries import ManifestLine

_AT_ONCE = 1 << 22
_MARKS = ("ETag", "etag", "md5Hash", "crc32c", "generation", "mtime", "LastModified", "last_modified", "created")
"""Fields in which stores mark the content of an object: s3fs, gcsfs, adlfs, http, local and memory."""


def hash_objects(
    address: str, engine: Engine, cache: StatCache | None, progress: Callable[[int, int], None] | None
) -> Manifest:
    """Return the manifest of the objects at a URL; an object with a known strong ETag is not read again.

    Raises:
        UsageError: fsspec, or its library for this kind of address, is not installed.
        NotFound: there is nothing.
        LedgerError: it cannot be read, or changed while it was hashed.
    """
    files = _listed(address)
    root = _root_of(address)
    alone = list(files) == [root]
    names = {path: _name(path, path.rpartition("/")[0] if alone else root) for path in files}
    with cache.opened(address) if cache else nullcontext() as remembered:
        ordered = sorted(files, key=lambda path: names[path])
        known = remembered.among([names[path] for path in ordered]) if remembered else {}
        lines: list[ManifestLine] = []
        missing: list[str] = []
        for path in ordered:
            facts = _strong(files[path])
            content = unchanged(names[path], known.get(names[path]), facts) if facts else None
            if content is None:
                missing.append(path)
            else:
                lines.append(ManifestLine(path=names[path], bytes=int(files[path]["size"]), hash=content))
        tasks = [(address, path) for path in missing]
        for path, (size, content) in zip(
            missing, counted(engine.map(hash_object, tasks), progress, len(tasks)), strict=True
        ):
            lines.append(ManifestLine(path=names[path], bytes=size, hash=content))
            facts = _strong(files[path])
            if remembered and facts:
                remembered.remember(names[path], facts, content)
    if _marks(_listed(address)) != _marks(files) or any(
        line.bytes != int(files[path]["size"])
        for path, line in zip(missing, lines[len(lines) - len(missing) :], strict=True)
    ):
        raise LedgerError(
            f"the dataset changed while it was hashed: `{address}`", hint="try again when nothing writes to it"
        )
    return manifest_of(lines)


def hash_object(task: tuple[str, str]) -> tuple[int, str]:
    """Return size and hash of one object; called on the engine's workers.

    Raises:
        LedgerError: it cannot be read.
    """
    address, path = task
    hasher, size = StreamHash(), 0
    try:
        with _file_system(address)[0].open(path, "rb") as file:
            while data := file.read(_AT_ONCE):
                hasher.update(data)
                size += len(data)
    except Exception as error:  # stores raise what their libraries raise
        raise _unreadable(path, error) from error
    return size, hasher.result()


class StoredObject(NamedTuple):
    """One object of a store."""

    path: str
    """Its path in the store."""
    size: int
    """Its bytes."""
    mark: str
    """What its store says of its content; another content has another one."""


def listed_objects(address: str) -> dict[str, StoredObject]:
    """Return the objects at a URL by their names inside the dataset.

    Raises:
        UsageError: fsspec, or its library for this kind of address, is not installed.
        LedgerError: there is nothing, or it cannot be listed.
    """
    files = _listed(address)
    root = _root_of(address)
    base = root.rpartition("/")[0] if list(files) == [root] else root
    return {
        _name(path, base): StoredObject(path, int(files[path]["size"]), " ".join(marks))
        for path, marks in _marks(files).items()
    }


def copy_object(address: str, stored: StoredObject, target: Path) -> None:
    """Copy one object to a file.

    Raises:
        LedgerError: it cannot be read, or has another size than it had.
        OSError: the file cannot be written.
    """
    with target.open("wb") as copy:
        try:
            file = _file_system(address)[0].open(stored.path, "rb")
        except Exception as error:  # stores raise what their libraries raise
            raise _unreadable(stored.path, error) from error
        with file:
            while True:
                try:
                    data = file.read(_AT_ONCE)
                except Exception as error:
                    raise _unreadable(stored.path, error) from error
                if not data:
                    break
                copy.write(data)
        if copy.tell() != stored.size:
            raise LedgerError(f"the data changed while a training read them: `{stored.path}`", hint="begin again")


def _file_system(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError("fsspec is not installed", hint="pip install 'git-ledger[data]'") from None
    try:
        system, path = url_to_fs(address)
    except ImportError as error:
        raise UsageError(f"the library for this kind of address is missing: `{address}`", hint=str(error)) from None
    except ValueError as error:
        raise UsageError(f"no such kind of address: `{address}`", hint=str(error)) from None
    return system, path


def _root_of(address: str) -> str:
    return _file_system(address)[1].rstrip("/")


def _listed(address: str) -> dict[str, dict[str, Any]]:
    """Return every object by its path, in the store's present state."""
    system, root = _file_system(address)
    try:
        system.invalidate_cache()
        found = system.find(root, detail=True)
    except Exception as error:  # stores raise what their libraries raise
        raise _unreadable(address, error) from error
    files = {path: facts for path, facts in found.items() if IGNORED.isdisjoint(path.removeprefix(root).split("/"))}
    if not files:
        raise NotFound(f"there is no dataset at: `{address}`", hint="check the address")
    return files


def _name(path: str, root: str) -> str:
    name = composed_name(path.removeprefix(f"{root}/").lstrip("/"), path)
    if not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise LedgerError(f"an object's name is not a path inside a dataset: `{ascii(path)[1:-1]}`", hint="rename it")
    return name


def _strong(facts: dict[str, Any]) -> bytes | None:
    """Return the proof that an object is unchanged: size and strong ETag; none where the store has none.

    A weak one (`W/`) only says that content is as good as equal: RFC 9110, section 8.8.1.
    """
    tag = facts.get("ETag") or facts.get("etag")
    if not tag or str(tag).startswith("W/"):
        return None
    return hash_bytes(f"{facts['size']} {tag}".encode()).encode()


def _marks(files: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    return {path: [str(facts.get(mark)) for mark in ("size", *_MARKS)] for path, facts in files.items()}


def _unreadable(place: str, error: Exception) -> LedgerError:
    said = next(iter(str(error).splitlines()), "") or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return NotFound(f"there is no dataset at: `{place}`", hint="check the address")
    return LedgerError(f"the dataset cannot be read ({said[:200]}): `{place}`", hint="check its permissions")
