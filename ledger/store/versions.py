"""Dataset versions and what was said of them, read from the branch without reading any run."""

from collections.abc import Iterator

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.document import load
from ledger.model.entries import DatasetVersion, Note
from ledger.store.ledger import Ledger


def read_version(ledger: Ledger, name: str, version: str) -> DatasetVersion | None:
    """Return a version, none when the ledger does not know it.

    Raises:
        LedgerError: name or version cannot be one, or what stands there cannot be read.
    """
    document = f"{paths.dataset_path(name, version)}/{paths.DATASET_FILE}"
    data = ledger.read(document)
    return None if data is None else load(data, DatasetVersion, source=document)


def find_content(ledger: Ledger, content: str) -> list[DatasetVersion]:
    """Return the versions that have this content hash, the first that was added first; damaged ones are passed over."""
    found = []
    for path, data in _documents(ledger, "datasets/", f"/{paths.DATASET_FILE}", content):
        try:
            version = load(data, DatasetVersion, source=path)
        except LedgerError:
            continue
        if version.hash == content:
            found.append(version)
    return sorted(found, key=lambda version: version.added_at)


def read_retirements(ledger: Ledger) -> dict[str, Note]:
    """Return the statement that retired each version that is used no longer, by `name@version`."""
    found: dict[str, Note] = {}
    for path, data in _documents(ledger, "notes/", ".json", "retirement"):
        try:
            note = load(data, Note, source=path)
        except LedgerError:
            continue
        if note.kind == "retirement" and note.dataset is not None:
            found.setdefault(note.dataset, note)
    return found


def _documents(ledger: Ledger, folder: str, ending: str, word: str) -> Iterator[tuple[str, bytes]]:
    """Yield the documents of a folder that hold a word: looking costs a tenth of parsing."""
    tip = ledger.tip()
    if tip is None:
        return
    files = [file for file in ledger.repository.read_tree(tip, [folder]) if file.path.endswith(ending)]
    contents = ledger.repository.read_objects(file.blob for file in files)
    for file, data in zip(files, contents, strict=True):
        if data is not None and word.encode() in data:
            yield file.path, data
