"""Dataset versions and notes that are about no run, read from the branch without reading any run."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.document import encode, load
from ledger.model.entries import DatasetVersion, Note
from ledger.model.values import Document
from ledger.repository.history.walk import read_difference
from ledger.store.branch.branch import Branch


def read_version(ledger: Branch, name: str, version: str) -> DatasetVersion | None:
    """Return a version; none when it is not on the ledger.

    Raises:
        LedgerError: name or version is invalid, or the document cannot be read.
    """
    document = f"{paths.dataset_path(name, version)}/{paths.DATASET_FILE}"
    data = ledger.read(document)
    return None if data is None else load(data, DatasetVersion, source=document)


def find_content(ledger: Branch, content: str) -> list[DatasetVersion]:
    """Return the versions with this content hash, in the order they were added; damaged ones are skipped."""
    found = []
    for path, data in _documents(ledger, "datasets/", f"/{paths.DATASET_FILE}", content):
        try:
            version = load(data, DatasetVersion, source=path)
        except LedgerError:
            continue
        if version.hash == content:
            found.append(version)
    return sorted(found, key=lambda version: version.added_at)


def read_retirements(ledger: Branch) -> dict[str, Note]:
    """Return the note that retired each version no longer in use, by `name@version`.

    The result is cached in the git directory with its commit, so that only notes added since
    are read: every recorded run asks.
    """
    tip = ledger.tip()
    if tip is None:
        return {}
    file = ledger.repository.state_dir / "retired.json"
    known = _read_remembered(file)
    since = _added_since(ledger, known.tip, tip) if known else None
    if known is None or since is None:
        known = _Remembered(tip=tip, retired=[])
        notes = list(_documents(ledger, "notes/", ".json", _RETIREMENT))
    else:
        notes = since
    found = {note.dataset or "": note for note in known.retired}
    for path, data in notes:
        try:
            note = load(data, Note, source=path)
        except LedgerError:
            continue
        if note.kind == _RETIREMENT and note.dataset is not None:
            found.setdefault(note.dataset, note)
    if known.tip != tip or notes or not file.exists():
        _remember(file, _Remembered(tip=tip, retired=list(found.values())))
    return found


_RETIREMENT = "retirement"


class _Remembered(Document, frozen=True, kw_only=True):
    """The retired versions as of a commit; a cache that can be deleted."""

    tip: str
    retired: list[Note]


def read_experiment_notes(ledger: Branch, experiment: str) -> list[Note]:
    """Return the notes about an experiment, by their paths; damaged ones are skipped."""
    found = []
    for path, data in _documents(ledger, "notes/", ".json", '"experiment"'):
        try:
            note = load(data, Note, source=path)
        except LedgerError:
            continue
        if note.experiment == experiment:
            found.append(note)
    return found


def _read_remembered(file: Path) -> _Remembered | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Remembered)
    except (OSError, ValueError):  # missing or damaged: it is computed again
        return None


def _remember(file: Path, known: _Remembered) -> None:
    with suppress(OSError):
        aside = file.with_name(f"{file.name}.{os.getpid()}")
        aside.write_bytes(encode(known))
        aside.replace(file)


def _added_since(ledger: Branch, old: str, new: str) -> list[tuple[str, bytes]] | None:
    """Return the notes that were added between two commits; none when that is unknown."""
    if old == new:
        return []
    try:
        changes = read_difference(ledger.repository, old, new, ("notes/",))
    except LedgerError:
        return None
    if any(change.status != "A" for change in changes):
        return None
    contents = ledger.repository.read_objects(change.blob for change in changes) if changes else iter(())
    return [(change.path, data) for change, data in zip(changes, contents, strict=True) if data is not None]


def _documents(ledger: Branch, folder: str, ending: str, word: str) -> Iterator[tuple[str, bytes]]:
    """Yield the documents of a folder that contain a word: searching costs a tenth of parsing."""
    tip = ledger.tip()
    if tip is None:
        return
    files = [file for file in ledger.repository.read_tree(tip, [folder]) if file.path.endswith(ending)]
    contents = ledger.repository.read_objects(file.blob for file in files)
    for file, data in zip(files, contents, strict=True):
        if data is not None and word.encode() in data:
            yield file.path, data
