"""Box 3, datasets: hashes what a run used, and adds versions that the ledger does not know yet."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from ledger.data.manifest import Manifest, build_manifest, render_manifest
from ledger.errors import Conflict, LedgerError
from ledger.model import paths
from ledger.model.boxes import DatasetUse, Metric
from ledger.model.datasets import Preparation
from ledger.model.document import dump, load
from ledger.model.entries import DATASET_FORMAT, DatasetVersion
from ledger.model.record import Author
from ledger.model.values import Document
from ledger.recorder.draft import Dataset
from ledger.recorder.message import TOOL
from ledger.store.ledger import Ledger

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""


class Resolved(Document, frozen=True, kw_only=True):
    """One dataset of a run, hashed, and the files that a new version adds to the branch."""

    use: DatasetUse
    """How the run used it."""
    files: dict[str, bytes] = {}
    """Path on the branch to content; empty when the ledger knows the version."""
    unknown: str | None = None
    """What could not be captured of it, and why."""


class Resolver:
    """Hashes datasets and finds their versions on the ledger.

    Args:
        ledger: where versions are looked up; none outside of any repository.
        author: who adds a new version.
        now: when, UTC.
        strict: raise instead of recording what is known.
        progress: told how many files are hashed, and of how many.
    """

    def __init__(
        self, ledger: Ledger | None, *, author: Author, now: datetime, strict: bool, progress: Progress | None = None
    ) -> None:
        self._ledger = ledger
        self._author = author
        self._now = now
        self._strict = strict
        self._progress = progress

    def resolve(self, source: Dataset) -> Resolved:
        """Return how a run used a dataset, and the files that a new version adds.

        Raises:
            LedgerError: strict, and the data cannot be read.
            Conflict: strict, and the version's name is taken by other content.
        """
        use = DatasetUse(
            role=source.role,
            split=source.split or source.role,
            name=source.name,
            version=source.version,
            path=source.path,
            samples=source.samples,
        )
        try:
            manifest = self._manifest(source)
        except LedgerError as error:
            if self._strict:
                raise
            return Resolved(use=use, unknown=error.message)
        use = msgspec.structs.replace(
            use,
            hash=manifest.hash,
            files=manifest.files,
            bytes=manifest.bytes,
            prepared=_how_prepared(source.path, manifest.hash),
        )
        try:
            return Resolved(use=use, files=self._new_version(source, manifest))
        except LedgerError as error:
            if self._strict:
                raise
            return Resolved(use=msgspec.structs.replace(use, version=None), unknown=error.message)

    def _manifest(self, source: Dataset) -> Manifest:
        if source.hash is None:
            return build_manifest(Path(source.path), progress=self._progress)
        size = sum(line.bytes for line in source.lines)
        return Manifest(lines=source.lines, hash=source.hash, files=len(source.lines), bytes=size)

    def _new_version(self, source: Dataset, manifest: Manifest) -> dict[str, bytes]:
        if not source.name or not source.version:
            return {}
        folder = paths.dataset_path(source.name, source.version)
        document, listing = f"{folder}/{paths.DATASET_FILE}", f"{folder}/{paths.MANIFEST_FILE}"
        known = self._ledger.read(document) if self._ledger else None
        if known is not None:
            if load(known, DatasetVersion, source=document).hash == manifest.hash:
                return {}
            raise Conflict(
                f"the ledger holds other content under this dataset version: `{source.name}@{source.version}`",
                hint=f"give it a label of its own: --dataset {source.role}:{source.name}@NEW={source.path}",
            )
        version = DatasetVersion(
            format=DATASET_FORMAT,
            name=source.name,
            version=source.version,
            role=source.role,
            hash=manifest.hash,
            files=manifest.files,
            bytes=manifest.bytes,
            samples=source.samples,
            parent=source.parent,
            reason=source.reason,
            source=source.source,
            author=self._author,
            added_at=self._now,
            tool=TOOL,
        )
        return {document: dump(version), listing: render_manifest(manifest)}


def _how_prepared(path: str, content: str) -> Preparation | None:
    """Return how data that lies in the preprocessing cache was made; none for all other data."""
    if "/content/" not in os.path.realpath(path):  # spares other runs the import
        return None
    from ledger.data.prepared import Cache

    return Cache().maker_of(content)


def attach_datasets(metrics: Sequence[Metric], uses: Sequence[DatasetUse]) -> list[Metric]:
    """Return the metrics, each with the dataset version it was measured on.

    A metric that names a dataset (`name@version`, name, path or role) gets that one; else the one
    dataset whose split is the metric's. Two datasets of one split leave it open.
    """
    return [_attached(metric, uses) for metric in metrics]


def _attached(metric: Metric, uses: Sequence[DatasetUse]) -> Metric:
    if metric.dataset_hash:
        return metric
    if metric.dataset:
        found = [use for use in uses if metric.dataset in {use.label, use.name, use.path, use.role, use.hash}]
    else:
        found = [use for use in uses if use.split == metric.split]
    hashes = {use.hash for use in found}
    if len(hashes) != 1 or None in hashes:
        return metric
    return msgspec.structs.replace(metric, dataset=found[0].label, dataset_hash=found[0].hash)
