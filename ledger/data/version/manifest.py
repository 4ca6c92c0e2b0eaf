"""The manifest of a dataset version: its files, and the one hash that identifies it.

The hash is that of the manifest file itself: one JSON line per file in the byte order of the paths.
What counts as content, and why, stands in `.github/decisions/dataset-hash.md`.
"""

import os
from pathlib import Path

from ledger.data.version.files import Progress, hash_files
from ledger.data.version.listing import Lines, Manifest, load_manifest, manifest_of, render_manifest
from ledger.data.version.scan import scan
from ledger.data.version.stat_cache import StatCache
from ledger.engine import Engine, open_engine

_JOBS = 16

__all__ = [
    "Lines",
    "Manifest",
    "Progress",
    "build_manifest",
    "load_manifest",
    "manifest_of",
    "render_manifest",
]


def build_manifest(
    path: Path | str,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    cache: StatCache | None = None,
    engine: Engine | None = None,
) -> Manifest:
    """Return the manifest of a dataset.

    Args:
        path: a file (a dataset of one line under its own name), a folder, or a glob, whose names begin in the folder
            before its first `*`, `?` or `[`; a tar archive, or `tar://` and a folder or glob of them: the files in
            them; a `.dvc` file or `dvc.lock`: what DVC knows of data that need not be here; an address that fsspec
            knows (`s3://…`).
        jobs: threads; by default one for each core, at most 16.
        progress: called from this thread as files are done; of archives, as archives are.
        cache: hashes of unchanged files.
        engine: engine that hashes files, instead of threads of this process.

    Raises:
        NotFound: there is nothing at `path`.
        UsageError: a library that the path asks for is not installed.
        LedgerError: it holds no file, something in it cannot be read or followed, two names differ only
            in their Unicode form, or something changed while it was hashed.
    """
    text = os.fspath(path).removeprefix("file://")
    if engine is not None:
        return _build(text, engine, cache, progress)
    with open_engine(jobs=jobs or min(_JOBS, os.cpu_count() or 1)) as threads:
        return _build(text, threads, cache, progress)


def _build(text: str, engine: Engine, cache: StatCache | None, progress: Progress | None) -> Manifest:
    # Rare cases are imported on demand: recording hashes a few files in a millisecond.
    if "://" in text and not text.startswith("tar://"):
        from ledger.data.version.objects import hash_objects

        return hash_objects(text, engine, cache, progress)
    if text.startswith("tar://") or ".tar" in text or text.endswith(".tgz"):
        from ledger.data.version.archives import SCHEME, hash_archives, is_archive

        if text.startswith(SCHEME) or is_archive(text):
            return hash_archives(text.removeprefix(SCHEME), engine, progress)
    if text.endswith((".dvc", "dvc.lock")) and Path(text).is_file():
        from ledger.data.version.pointers import is_dvc_file, read_dvc

        if is_dvc_file(text):
            return read_dvc(Path(text))
    return hash_files(scan(text), text, engine, cache, progress)
