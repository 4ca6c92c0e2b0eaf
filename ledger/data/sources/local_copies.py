"""Objects at a URL, copied here one by one as they are asked for, into a folder of bounded size.

A copy is found by what its store says of the object (address, size, ETag or time), so a changed object is copied anew.
Several processes may share the folder: a copy appears whole or not at all.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ledger.data.preparing.cache import LIMIT_BYTES, cache_folder
from ledger.data.version.objects import copy_object, listed_objects
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes

_FOLDER = "copies"


def copies_folder() -> Path:
    """Return the folder in which copies are kept: beside prepared data."""
    return cache_folder() / _FOLDER


def count_copies(*, remove: bool = False) -> tuple[int, int]:
    """Return how many copies there are, and their bytes; remove them, where that is asked."""
    found = list(_sizes(copies_folder()))
    for _, _, path in found if remove else ():
        path.unlink(missing_ok=True)
    return len(found), sum(size for _, size, _ in found)


class LocalCopies:
    """The objects at a URL of fsspec.

    Args:
        address: the URL.
        folder: where copies are kept; by default with prepared data.
        most_bytes: their largest size together; the one that was used longest ago goes first.

    Raises:
        LedgerError: there is nothing, or it cannot be read.
    """

    def __init__(self, address: str, folder: Path | None = None, most_bytes: int = LIMIT_BYTES) -> None:
        self._address, self._most = address, most_bytes
        self._folder = folder or copies_folder()
        self._objects = listed_objects(address)
        self.names = sorted(self._objects)
        """Names inside the dataset, in order."""
        self._bytes: int | None = None

    def path(self, name: str) -> Path:
        """Return the copy of an object.

        Raises:
            LedgerError: it cannot be read, or there is no room for it.
        """
        found = self._objects[name]
        key = hash_bytes(f"{self._address} {found.path} {found.mark}".encode())[7:39]
        copy = self._folder / f"{key}-{Path(name).name[-100:]}"
        with suppress(FileNotFoundError):
            os.utime(copy)
            return copy
        aside = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            copy_object(self._address, found, aside)
            aside.replace(copy)
        except OSError as error:
            raise LedgerError(f"no copy can be made ({(error.strerror or '').lower()}): `{copy}`") from error
        finally:
            aside.unlink(missing_ok=True)
        self._make_room(copy)
        return copy

    def paths(self) -> dict[str, Path]:
        """Return copies of all objects by name, in order.

        Raises:
            LedgerError: as `path`; or they have no room together.
        """
        if (size := sum(found.size for found in self._objects.values())) > self._most:
            raise LedgerError(f"the files are larger than {self._most} bytes together: `{size}`", hint="copy the data")
        return {name: self.path(name) for name in self.names}

    def read(self, name: str) -> bytes:
        """Return the content of an object.

        Raises:
            LedgerError: as `path`.
        """
        while True:
            with suppress(FileNotFoundError):  # another process made room in between
                return self.path(name).read_bytes()

    def _make_room(self, newest: Path) -> None:
        """Remove copies while they are too many bytes together; a file that is open is still read to its end."""
        if self._bytes is not None:
            self._bytes += newest.stat().st_size
            if self._bytes <= self._most:
                return
        found = sorted(_sizes(self._folder))
        self._bytes = sum(size for _, size, _ in found)
        for _, size, path in found:
            if self._bytes <= self._most:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                self._bytes -= size


def _sizes(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Yield when each copy was used last, its bytes, and its path."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process removes copies, too
                status = entry.stat()
                yield status.st_mtime_ns, status.st_size, Path(entry.path)
