"""An object store in memory, empty at the start of each test: the library has one for the whole process."""

from collections.abc import Iterator

import fsspec
import pytest


def _empty(files: fsspec.AbstractFileSystem) -> fsspec.AbstractFileSystem:
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    return files


@pytest.fixture
def store() -> Iterator[fsspec.AbstractFileSystem]:
    """The store, empty."""
    files = _empty(fsspec.filesystem("memory"))
    yield files
    _empty(files)
