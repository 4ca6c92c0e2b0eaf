"""Hashing of the files of a folder, in batches that any engine can run; files known to be unchanged are not read."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from io import BytesIO
from typing import NamedTuple, TypeVar

from ledger.data.version.listing import Manifest, manifest_of_text, render_line
from ledger.data.version.pointers import check_no_pointer
from ledger.data.version.scan import ScannedFile, check_unchanged, unreadable
from ledger.data.version.stat_cache import Remembered, StatCache, facts_of, is_at_rest, unchanged
from ledger.engine import Engine
from ledger.errors import LedgerError
from ledger.hashing import hash_descriptor, new_buffer
from ledger.model.entries import ManifestLine

R = TypeVar("R")

Progress = Callable[[int, int], None]
"""Called with the number of files hashed so far, and of all files."""

_WORTH_FILES = 64
_WORTH_BYTES = 1 << 25
"""Number and size of files below which hashing anew costs less than opening a cache."""


Hashed = tuple[int, str, bytes | None]
"""Size and hash of a file, and the facts by which it is known to be unchanged the next time; none when it changed too
recently to tell, or nobody asks."""


class _Batch:
    """Consecutive files, with what is known of each."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.known: list[tuple[int, str] | None] = [None] * len(names)

    @property
    def missing(self) -> list[str]:
        """The files that must be read."""
        return [name for name, known in zip(self.names, self.known, strict=True) if known is None]

    def fill(self, hashed: list[Hashed]) -> None:
        """Add the results of the missing files."""
        found = iter(hashed)
        for position, known in enumerate(self.known):
            if known is None:
                self.known[position] = next(found)[:2]


def hash_files(
    found: ScannedFile, path: str, engine: Engine, cache: StatCache | None, progress: Progress | None
) -> Manifest:
    """Return the manifest of files that were found.

    Args:
        found: files of the dataset.
        path: path as the user gave it.
        engine: engine that hashes them.
        cache: hashes of unchanged files.
        progress: called from this thread as files are done.

    Raises:
        LedgerError: one cannot be read, or something changed while it was hashed.
    """
    worth = cache if cache is not None and _is_worth(found) else None
    dataset = f"{found.root}/{found.pattern or ''}"
    with worth.opened(dataset) if worth else nullcontext() as remembered:
        manifest = _Pass(found, engine, remembered, progress).run()
    check_unchanged(found, path)
    return manifest


def _is_worth(found: ScannedFile) -> bool:
    if len(found.names) > _WORTH_FILES:
        return True
    try:
        return sum(os.stat(found.path(name)).st_size for name in found.names) > _WORTH_BYTES  # noqa: PTH116  # many
    except OSError:
        return False  # reported when the file is read


class _Pass:
    """One pass over the files of a dataset, in order."""

    def __init__(
        self, found: ScannedFile, engine: Engine, remembered: Remembered | None, progress: Progress | None
    ) -> None:
        self._found = found
        self._engine = engine
        self._remembered = remembered
        self._progress = progress
        self._under_way: deque[_Batch] = deque()
        self._text = BytesIO()
        self._bytes = 0
        self._done = 0

    def run(self) -> Manifest:
        for hashed in self._engine.map(hash_batch, self._tasks()):
            self._write_complete()
            batch = self._under_way[0]
            self._remember(batch, hashed)
            batch.fill(hashed)
            self._write_complete()
        self._write_complete()
        return manifest_of_text(self._text.getvalue(), self._bytes)

    def _tasks(self) -> Iterator["HashTask"]:
        """Yield the files that must be read, batch by batch."""
        names, grain = self._found.names, self._engine.grain
        for start in range(0, len(names), grain):
            batch = _Batch(names[start : start + grain])
            self._recall(batch)
            self._under_way.append(batch)
            missing = batch.missing
            if missing:
                spelled = self._found.spelled
                elsewhere = {name: spelled[name] for name in missing if name in spelled}
                yield HashTask(self._found.root, missing, elsewhere, remember=self._remembered is not None)
            else:
                self._write_complete()

    def _recall(self, batch: _Batch) -> None:
        known: Mapping[str, bytes] = self._remembered.among(batch.names) if self._remembered else {}
        if not known:
            return
        for position, name in enumerate(batch.names):
            value = known.get(name)
            if value is None:
                continue
            try:
                status = os.stat(self._found.path(name))  # noqa: PTH116  # with 100,000 files every µs counts
            except OSError:
                continue  # reported when the file is read
            content = unchanged(name, value, facts_of(status))
            if content is not None:
                batch.known[position] = status.st_size, content

    def _remember(self, batch: _Batch, hashed: list[Hashed]) -> None:
        if self._remembered is None:
            return
        for name, (_, content, facts) in zip(batch.missing, hashed, strict=True):
            if facts is not None:
                self._remembered.remember(name, facts, content)

    def _write_complete(self) -> None:
        """Write the lines of every complete batch whose predecessors are complete."""
        while self._under_way and None not in self._under_way[0].known:
            batch = self._under_way.popleft()
            for name, known in zip(batch.names, batch.known, strict=True):
                if known is not None:
                    self._text.write(render_line(ManifestLine(path=name, bytes=known[0], hash=known[1])))
                    self._bytes += known[0]
            self._done += len(batch.names)
            if self._progress is not None:
                self._progress(self._done, len(self._found.names))


def counted(results: Iterator[R], progress: Progress | None, total: int) -> Iterator[R]:
    """Yield results, and report their number."""
    for done, result in enumerate(results, start=1):
        if progress is not None:
            progress(done, total)
        yield result


class HashTask(NamedTuple):
    """Some files of a folder, for a worker that may be in another process."""

    root: str
    names: list[str]
    spelled: dict[str, str]
    """Path by name, where the file system spells it differently."""
    remember: bool
    """Whether to return the facts by which files are known to be unchanged."""


def hash_batch(task: HashTask) -> list[Hashed]:
    """Return size and hash of some files of a folder; called on the engine's workers.

    Raises:
        LedgerError: one cannot be read, changed meanwhile, or stands for data that is not here.
    """
    now = time.time_ns() if task.remember else None
    buffer = new_buffer()
    return [_hash_one(task.spelled.get(name) or f"{task.root}/{name}", buffer, now) for name in task.names]


def _hash_one(path: str, buffer: memoryview, now: int | None) -> Hashed:
    try:
        # A pipe that replaced the file must not block.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            before = os.fstat(descriptor)
            content, size = hash_descriptor(descriptor, before.st_size, buffer)
            # Replacing a file unlinks the one that was read here, which changes its ctime.
            after = os.fstat(descriptor)
            if (
                after.st_ctime_ns != before.st_ctime_ns
                or after.st_mtime_ns != before.st_mtime_ns
                or not size == after.st_size == before.st_size
            ):
                raise LedgerError(
                    f"the file changed while it was hashed: `{path}`", hint="try again when nothing writes to it"
                )
            check_no_pointer(descriptor, size, path)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(path, error) from None
    return size, content, facts_of(before) if now is not None and is_at_rest(before, now) else None
