"""The preprocessing cache: what a step made, kept by content, found by what the step was made of.

    steps/<key>.json      one step that ran: its code, params and sources, and the content it made
    steps/<key>.lock      held while it runs: who asks at the same time waits, and runs nothing
    content/<hash>/       what it made: files that nobody may write to any more
    making/<key>-…/       what a step is making now; never looked at by anybody else

Derived and disposable: remove the folder, and steps run again. Knows nothing of git.
"""

import contextlib
import fcntl
import math
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.data.version.manifest import build_manifest
from ledger.data.version.stat_cache import FILE as HASHES
from ledger.data.version.stat_cache import StatCache
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model.datasets import Preparation, Source
from ledger.model.values import Document, ParamValue
from ledger.settings import CACHE_VARIABLE

LIMIT_BYTES = 20 << 30
"""Largest size of the cache by default."""
_READ_ONLY = 0o222


class Prepared(Document, frozen=True, kw_only=True):
    """A step that ran, and its result."""

    key: str
    """Hash of everything the result depends on."""
    content: str
    """Content hash of the result, as a dataset's."""
    bytes: int
    """Size of the result in bytes."""
    files: int
    """Files of the result."""
    preparation: Preparation
    """How it was made."""
    made_at: datetime
    """When it ran, UTC."""
    links: list[str] = []
    """Links to the result."""


def cache_folder() -> Path:
    """Return the folder of prepared data: `$LEDGER_CACHE`, else `ledger` in the user's cache folder."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ledger"


def key_of(step: str, code: str, params: Mapping[str, ParamValue], sources: Sequence[Source]) -> str:
    """Return the key of a step: a hash of its name, code and params, and of its sources' contents at any path."""
    plain = {name: _distinct(value) for name, value in sorted(params.items())}
    parts = [step, code, plain, [source.hash for source in sources]]
    return hash_bytes(msgspec.json.encode(parts)).removeprefix("blake3:")


def _distinct(value: object) -> object:
    """Return a param in a form that JSON tells from any other: NaN and the infinities would be `null`, as none is."""
    if isinstance(value, list):
        return [_distinct(item) for item in value]
    return {"float": str(value)} if isinstance(value, float) and not math.isfinite(value) else value


class Cache:
    """The results of steps, in one folder.

    Args:
        folder: folder of the cache; created with the first result.
        limit_bytes: largest size; the least recently used results go first.
    """

    def __init__(self, folder: Path | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder = (folder or cache_folder()).absolute()  # links lead into it, and scripts change their folder
        self.limit_bytes = limit_bytes
        self.hashes = StatCache(self.folder / HASHES)
        """Cache of hashes of unchanged sources."""

    def content(self, prepared: Prepared) -> Path:
        """Return the folder with the result of a step."""
        return self.folder / "content" / prepared.content.removeprefix("blake3:")

    def find(self, key: str) -> Prepared | None:
        """Return the step of a key when it ran and its result exists; marks it as used now."""
        file = self._step(key)
        prepared = _read(file)
        if prepared is None or prepared.key != key or not self.content(prepared).is_dir():
            return None
        with contextlib.suppress(OSError):  # a cache that only others may write to still works for reading
            os.utime(file)
        return prepared

    def made(self) -> list[Prepared]:
        """Return every step that ran, the least recently used first."""
        files = sorted((self.folder / "steps").glob("*.json"), key=_used)
        return [prepared for prepared in map(_read, files) if prepared is not None]

    def maker_of(self, content: str) -> Preparation | None:
        """Return the preparation of a content; none when no step of this cache made it."""
        return next((one.preparation for one in reversed(self.made()) if one.content == content), None)

    def prepare(self, key: str, preparation: Preparation, make: Callable[[Path], None]) -> Prepared:
        """Return the step of a key, running it if it never ran; simultaneous callers wait and run nothing.

        Args:
            key: from `key_of`.
            preparation: its description; the duration is measured here.
            make: writes the result into the empty folder it is given; when it raises, nothing is kept.

        Raises:
            LedgerError: the step wrote nothing, or the cache cannot be written to.
        """
        if found := self.find(key):
            return found
        with self._turn(key):
            if found := self.find(key):  # another process has just made it
                return found
            self._sweep(key)
            making = self.folder / "making" / f"{key}-{secrets.token_hex(4)}"
            try:
                making.mkdir(parents=True)
            except OSError as error:
                raise _unusable(self.folder, error) from error
            try:
                begun = time.monotonic()
                make(making)
                took = time.monotonic() - begun
                return self._keep(key, msgspec.structs.replace(preparation, duration_seconds=took), making)
            finally:
                shutil.rmtree(making, ignore_errors=True)

    def link(self, prepared: Prepared, place: Path) -> None:
        """Make `place` a link to a step's result; an existing link to the cache is replaced.

        Raises:
            LedgerError: something else exists there.
        """
        target = self.content(prepared)
        if place.is_symlink() and place.readlink().is_relative_to(self.folder / "content"):
            if place.readlink() == target:
                return
            aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
            aside.symlink_to(target, target_is_directory=True)
            aside.replace(place)
        elif place.is_symlink() or place.exists():
            raise LedgerError(
                f"something else is already where the result goes: `{place}`",
                hint="move it away, or name another --out",
            )
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target, target_is_directory=True)
        links = sorted({*prepared.links, str(place.absolute())})
        self._write(msgspec.structs.replace(prepared, links=links))

    def remove(self, prepared: Prepared) -> int:
        """Remove a step, and its result unless another step made the same; return the number of bytes freed.

        Raises:
            LedgerError: it cannot be removed.
        """
        try:
            self._step(prepared.key).unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self.folder, error) from error
        if any(other.content == prepared.content for other in self.made()):
            return 0
        folder = self.content(prepared)
        _make_writable(folder)
        shutil.rmtree(folder, ignore_errors=True)
        return prepared.bytes

    def shrink(self, limit_bytes: int | None = None, keep: str | None = None) -> list[Prepared]:
        """Remove the least recently used results until the rest fits, and return them; linked ones go last.

        Args:
            limit_bytes: how much may stay; the limit of the cache by default.
            keep: key of a step that remains.
        """
        limit = self.limit_bytes if limit_bytes is None else limit_bytes
        made = self.made()
        sizes = {one.content: one.bytes for one in made}
        removed: list[Prepared] = []
        for one in sorted(made, key=_is_linked):
            if sum(sizes.values()) <= limit:
                break
            if one.key != keep:
                self.remove(one)
                removed.append(one)
                left = {other.content for other in made if other not in removed}
                sizes = {content: size for content, size in sizes.items() if content in left}
        return removed

    def _step(self, key: str) -> Path:
        return self.folder / "steps" / f"{key}.json"

    @contextlib.contextmanager
    def _turn(self, key: str) -> Iterator[None]:
        """Hold the lock of a step; the kernel frees it however its holder ends."""
        try:
            (self.folder / "steps").mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._step(key).with_suffix(".lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise _unusable(self.folder, error) from error
        try:
            with contextlib.suppress(OSError):  # no flock here: at worst two processes make the same result
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _sweep(self, key: str) -> None:
        """Remove the remains of a step that died half-way; the caller holds the step's lock."""
        for left in (self.folder / "making").glob(f"{key}-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _keep(self, key: str, preparation: Preparation, making: Path) -> Prepared:
        if not any(making.iterdir()):
            raise LedgerError(
                f"the step wrote nothing: `{preparation.step}`", hint="it must write into the folder it is given"
            )
        manifest = build_manifest(making)
        prepared = Prepared(
            key=key,
            content=manifest.hash,
            bytes=manifest.bytes,
            files=manifest.files,
            preparation=preparation,
            made_at=datetime.now(UTC),
        )
        place = self.content(prepared)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            _make_read_only(making)
            if not place.is_dir():
                making.rename(place)
            self._write(prepared)
        except OSError as error:
            raise _unusable(self.folder, error) from error
        finally:
            _make_writable(making)
        self.shrink(keep=key)
        return prepared

    def _write(self, prepared: Prepared) -> None:
        file = self._step(prepared.key)
        aside = file.with_suffix(f".{secrets.token_hex(4)}.new")
        aside.write_bytes(msgspec.json.format(msgspec.json.encode(prepared), indent=2) + b"\n")
        aside.replace(file)


def _read(file: Path) -> Prepared | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Prepared)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None  # gone or damaged: the step runs again


def _used(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _is_linked(prepared: Prepared) -> bool:
    name = prepared.content.removeprefix("blake3:")
    return any(os.path.islink(link) and os.readlink(link).endswith(name) for link in prepared.links)  # noqa: PTH114, PTH115  # text in, text out


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in (*folders, *files))
    yield folder


def _make_read_only(folder: Path) -> None:
    for path in _files(folder):
        if not path.is_symlink():
            # The folder itself must be renamed, which asks for its own write bit on some systems.
            path.chmod(path.stat().st_mode & ~_READ_ONLY if path != folder else path.stat().st_mode)


def _make_writable(folder: Path) -> None:
    if folder.is_dir():
        for path in [folder, *_files(folder)]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o700)


def _unusable(folder: Path, error: OSError) -> LedgerError:
    why = (error.strerror or str(error)).lower()
    return LedgerError(
        f"the cache of prepared data cannot be used ({why}): `{folder}`",
        hint=f"ledger cache clean, or set {CACHE_VARIABLE} to another folder",
    )
