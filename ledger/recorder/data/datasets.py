"""Box 3, datasets: hashes what a run used, finds its versions on the ledger, and adds those that are new."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from ledger.analysis.comparing.splits import match_split
from ledger.data.samples.leakage import find_leak
from ledger.data.version.declared import identity_of_declared, is_declared
from ledger.data.version.manifest import Lines, Manifest, build_manifest
from ledger.errors import Conflict, LedgerError, NotFound
from ledger.model import paths
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric
from ledger.model.claims.measurements import names_of
from ledger.model.datasets import Leak, Preparation, must_differ
from ledger.model.document import dump, load
from ledger.model.entries import DATASET_FORMAT, DatasetVersion, ManifestLine
from ledger.model.record import Author
from ledger.model.values import Document, Number
from ledger.recorder.message import TOOL
from ledger.recorder.record.draft import Dataset
from ledger.recorder.record.redaction import check_open_names, redact_document, redactor_for
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import hash_cache, manifest_files, read_manifest
from ledger.store.branch.policy import Policy
from ledger.store.branch.versions import find_content, read_version

Progress = Callable[[int, int], None]
"""Receives how many files are done, and of how many."""


class Resolved(Document, frozen=True, kw_only=True):
    """One dataset of a run, hashed, with the files that a new version adds to the branch."""

    use: DatasetUse
    """How the run used it."""
    files: dict[str, bytes] = {}
    """Content of each new file by path on the branch; empty when the version is known."""
    lines: Sequence[ManifestLine] = ()
    """Its manifest; empty where its files could not be read."""
    unknown: str | None = None
    """What could not be captured, and why."""


class Resolver:
    """Hashes datasets and finds their versions on the ledger.

    Args:
        ledger: ledger with the versions; none outside of a repository.
        author: author of new versions.
        now: time of their addition, UTC.
        strict: raise instead of recording the rest.
        progress: receives how many files are hashed, and of how many.
    """

    def __init__(
        self, ledger: Branch | None, *, author: Author, now: datetime, strict: bool, progress: Progress | None = None
    ) -> None:
        self._ledger = ledger
        self._author = author
        self._now = now
        self._strict = strict
        self._progress = progress
        self._redactor = redactor_for(ledger)

    def resolve(self, source: Dataset) -> Resolved:
        """Return how a run used a dataset, with the files that a new version adds.

        Content that the ledger has is recorded as that version, named or not; a source without a path means
        the version that it names.

        Raises:
            LedgerError: strict, and the data cannot be read.
            NotFound: strict, and there is no such version.
            Conflict: strict, and the version's name stands for other content.
        """
        use = DatasetUse(
            role=source.role,
            split=source.split or source.role,
            name=source.name,
            version=source.version,
            path=source.path or None,
            samples=source.samples,
            memory=source.memory,
        )
        identity = source.hash if source.declared else _declared(source)
        if identity is not None or source.unknown is not None:
            use = msgspec.structs.replace(use, hash=identity, declared=identity is not None)
            return Resolved(use=use, unknown=source.unknown)
        try:
            if not source.path and source.hash is None:
                return self._by_name(source, use)
            manifest = self._manifest(source)
        except LedgerError as error:
            if self._strict:
                raise
            return Resolved(use=use, unknown=error.message)
        listed = source.hash is None or bool(source.lines)  # a hash alone says nothing of files
        use = msgspec.structs.replace(
            use,
            hash=manifest.hash,
            files=manifest.files if listed and source.memory is None else None,
            bytes=source.bytes if source.bytes is not None else manifest.bytes if listed else None,
            prepared=_how_prepared(source.path, manifest.hash),
        )
        try:
            named = bool(source.name and source.version)
            files = self._new_version(source, manifest) if named else {}
            return Resolved(use=use if named else self._recognised(use), files=files, lines=manifest.lines)
        except LedgerError as error:
            if self._strict:
                raise
            return Resolved(use=msgspec.structs.replace(use, version=None), unknown=error.message, lines=manifest.lines)

    def _by_name(self, source: Dataset, use: DatasetUse) -> Resolved:
        """Return the use of a version that is given by name alone."""
        label = f"{source.name}@{source.version}"
        version = read_version(self._ledger, source.name or "", source.version or "") if self._ledger else None
        if version is None or self._ledger is None:
            raise NotFound(f"no such dataset version: `{ascii(label)[1:-1]}`", hint="ledger dataset list")
        use = msgspec.structs.replace(
            use,
            hash=version.hash,
            files=version.files,
            bytes=version.bytes,
            samples=use.samples if use.samples is not None else version.samples,
        )
        return Resolved(use=use, lines=read_manifest(self._ledger, version).lines)

    def _recognised(self, use: DatasetUse) -> DatasetUse:
        """Return the use with the name and version that its content has on the ledger."""
        if self._ledger is None or use.hash is None:
            return use
        known = [version for version in find_content(self._ledger, use.hash) if use.name in {None, version.name}]
        if not known:
            return use
        # The same content may have two names; the one with this role is meant.
        found = next((version for version in known if version.role == use.role), known[0])
        samples = use.samples if use.samples is not None else found.samples
        return msgspec.structs.replace(use, name=found.name, version=found.version, samples=samples)

    def _manifest(self, source: Dataset) -> Manifest:
        if source.hash is None:
            return build_manifest(source.path, progress=self._progress, cache=hash_cache(self._ledger))
        size = sum(line.bytes for line in source.lines)
        return Manifest(lines=Lines.of(source.lines), hash=source.hash, files=len(source.lines), bytes=size)

    def _new_version(self, source: Dataset, manifest: Manifest) -> dict[str, bytes]:
        name, label = source.name or "", source.version or ""
        folder = paths.dataset_path(name, label)
        document = f"{folder}/{paths.DATASET_FILE}"
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
            name=name,
            version=label,
            role=source.role,
            hash=manifest.hash,
            files=manifest.files,
            bytes=manifest.bytes,
            samples=source.samples,
            parent=source.parent,
            reason=source.reason,
            source=source.source,
            cases=self._cases(name),
            author=self._author,
            added_at=self._now,
            tool=TOOL,
        )
        listed = manifest_files(name, label, manifest)
        check_open_names(listed.values(), self._redactor)
        return {document: dump(redact_document(version, self._redactor)), **listed}

    def _cases(self, name: str) -> list[str]:
        """Return the cases that are registered for a dataset; every later version includes them."""
        tip = self._ledger.tip() if self._ledger else None
        if tip is None or self._ledger is None:
            return []
        files = self._ledger.repository.read_tree(tip, [f"cases/{name}/"])
        return [file.path.rpartition("/")[2].removesuffix(".json") for file in files if file.path.endswith(".json")]


def _declared(source: Dataset) -> str | None:
    """Return the substitute for a hash of data at an address that no storage supports."""
    if source.hash is not None or not is_declared(source.path):
        return None
    return identity_of_declared(source.name, source.version, source.path)


def _how_prepared(path: str, content: str) -> Preparation | None:
    """Return the preparation of data from the preprocessing cache; none for all other data."""
    if "/content/" not in os.path.realpath(path):  # spares other runs the import
        return None
    from ledger.data.preparing.cache import Cache

    return Cache().maker_of(content)


def leaks_within(resolved: Sequence[Resolved]) -> list[Leak]:
    """Return the content that evaluation datasets share with training datasets of the same run, and with each other."""
    found = []
    for position, ours in enumerate(resolved):
        for theirs in resolved[:position]:
            judge, other = (theirs, ours) if ours.use.role == "train" else (ours, theirs)
            if must_differ(ours.use.role, theirs.use.role):
                leak = find_leak(
                    judge.lines, other.lines, dataset=other.use.label, role=other.use.role, within=judge.use.label
                )
                found += [leak] if leak else []
    return found


def with_aliases(uses: Sequence[DatasetUse], policy: Policy) -> list[DatasetUse]:
    """Return the uses with the policy's aliases of their splits; a name that another use has is never an alias."""
    own = {name for use in uses for name in (use.split, use.name) if name}
    return [
        msgspec.structs.replace(
            use, aliases=[word for word, split in policy.splits.items() if split == use.split and word not in own]
        )
        for use in uses
    ]


def attach_datasets(metrics: Sequence[Metric], uses: Sequence[DatasetUse]) -> list[Metric]:
    """Return the metrics, each with the dataset version that it was measured on.

    A metric that names a dataset (`name@version`, name, path or role) gets that one; else the one that its own name
    means: `analysis.splits`. Two datasets of one split leave it open. A metric under another name of a split is put
    under the split, and keeps what it was called in `said`; unless something else stands there already.
    """
    attached = [_attached(metric, uses) for metric in metrics]
    placed = [_with_split(metric, uses) for metric in attached]
    values: dict[tuple[object, ...], set[Number]] = {}
    for metric in placed:
        values.setdefault(_identity(metric), set()).add(metric.value)
    found: dict[tuple[object, ...], Metric] = {}
    for before, metric in zip(attached, placed, strict=True):
        made = metric if len(values[_identity(metric)]) == 1 else before
        first = found.setdefault((*_identity(made), made.value), made)
        if first.said and not made.said:
            found[(*_identity(made), made.value)] = made
    return list(found.values())


def _identity(metric: Metric) -> tuple[object, ...]:
    same = (metric.dataset, metric.dataset_hash, metric.evaluator, metric.period, metric.origin)
    return (metric.key, metric.step, metric.epoch, *same)


def _with_split(metric: Metric, uses: Sequence[DatasetUse]) -> Metric:
    """Return a metric under the split that its name means, where it was measured on a dataset of that split."""
    place = match_split(metric.split, metric.name, uses)
    if (place.split, place.name) == (metric.split, metric.name) or metric.dataset_hash is None:
        return metric
    if metric.dataset_hash not in {use.hash for use in place.uses}:
        return metric
    return msgspec.structs.replace(metric, split=place.split, name=place.name, said=metric.key)


def _attached(metric: Metric, uses: Sequence[DatasetUse]) -> Metric:
    if metric.dataset_hash:
        # Its dataset was given by path, which turned out to be a version on the ledger.
        same = next((use for use in uses if use.hash == metric.dataset_hash and metric.dataset in names_of(use)), None)
        return msgspec.structs.replace(metric, dataset=same.label) if same else metric
    if metric.dataset:
        found = [use for use in uses if metric.dataset in names_of(use)]
    else:
        found = match_split(metric.split, metric.name, uses).uses
    hashes = {use.hash for use in found}
    if len(hashes) != 1 or None in hashes:
        return metric
    return msgspec.structs.replace(metric, dataset=found[0].label, dataset_hash=found[0].hash)
