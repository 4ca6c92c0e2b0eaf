"""The argument of `run.dataset`: a path, a version by name, data in memory, or a declaration."""

import msgspec

from ledger.data.version.declared import identity_of_declared, is_declared
from ledger.data.version.manifest import build_manifest
from ledger.data.version.stat_cache import StatCache
from ledger.errors import LedgerError
from ledger.model.values import check_label
from ledger.recorder import Dataset
from ledger.recorder.record.options import by_label

MOST_LINES = 100_000
"""Most samples in memory whose hashes are kept for finding leaks; more would be tens of megabytes for each run."""


def declare(used: Dataset, version: str) -> Dataset:
    """Return a dataset that is declared by name, without reading its bytes.

    Raises:
        LedgerError: it has no name, or one that a record cannot hold.
    """
    name = used.name or used.path
    if not name:
        raise LedgerError("declared data needs a name: run.dataset(NAME, declared=VERSION)")
    name, version = check_label("dataset name", name), check_label("dataset version", version)
    identity = identity_of_declared(name, version, "")
    return msgspec.structs.replace(used, path="", name=name, version=version, hash=identity)


def look_at_path(used: Dataset, hashes: StatCache) -> Dataset:
    """Return a dataset in files, hashed; one given by name is looked up when the run ends.

    Raises:
        LedgerError: it cannot be read now; the recorder tries again when the run has ended.
    """
    used = by_label(used)
    if not used.path:
        return used
    if is_declared(used.path):
        return msgspec.structs.replace(used, hash=identity_of_declared(used.name, used.version, used.path))
    manifest = build_manifest(used.path, cache=hashes)
    return msgspec.structs.replace(used, hash=manifest.hash, lines=list(manifest.lines))


def look_at_memory(used: Dataset, data: object) -> Dataset:
    """Return a dataset in memory, hashed by sample; for what cannot be hashed it has the reason."""
    from ledger.data.version.in_memory import count_samples, describe, hash_data

    used = msgspec.structs.replace(used, memory=describe(data))
    try:
        manifest = hash_data(data)
    except LedgerError as error:
        return msgspec.structs.replace(used, unknown=f"{error.message} ({used.memory})")
    except Exception as error:  # noqa: BLE001  # a foreign object may raise anything when it is read
        why = f"its samples cannot be read ({type(error).__name__}: {str(error)[:200]})"
        return msgspec.structs.replace(used, unknown=f"{why}: {used.memory}")
    named = used.name is not None and used.version is not None
    lines = list(manifest.lines) if named or manifest.files <= MOST_LINES else []
    return msgspec.structs.replace(
        used,
        hash=manifest.hash,
        lines=lines,
        bytes=manifest.bytes,
        samples=used.samples if used.samples is not None else count_samples(manifest),
    )
