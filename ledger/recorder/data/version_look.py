"""Analysis of a new version's data: statistics, changes, drift, pictures. Only hashing is mandatory."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from ledger.analysis.data.versions import find_version
from ledger.capture.secrets.redactor import Redactor
from ledger.data.optional_packages import HINT, missing_package
from ledger.data.samples.changes import compare_samples, draw_changes, label_shift, moved_files
from ledger.data.samples.drift import measure_drift
from ledger.data.samples.labels import Labelling, file_of, is_part, moved, parse_labelling
from ledger.data.samples.reading import Reading, lies_here, read_dataset
from ledger.data.samples.reading_cache import keep_reading, read_kept
from ledger.data.samples.statistics import summarise
from ledger.data.version.difference import diff_manifests
from ledger.data.version.manifest import Manifest, build_manifest
from ledger.errors import LedgerError, NotFound
from ledger.model import paths
from ledger.model.datasets import VersionChange
from ledger.model.entries import Contents, DatasetVersion
from ledger.model.statistics import DatasetStatistics, Drift
from ledger.recorder.data.version_request import VersionRequest
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import hash_cache, read_manifest

Progress = Callable[[str, int, int], None]
"""Receives the current step, how many items are done, and of how many."""

_PLACES = 20
"""Most paths at which runs found the parent that are tried."""


@dataclass(kw_only=True)
class VersionLook:
    """The results of the analysis."""

    statistics: DatasetStatistics | None = None
    """Statistics of the data."""
    change: VersionChange | None = None
    """Differences from the parent."""
    drift: list[Drift] = field(default_factory=list)
    """Drift from each reference."""
    pictures: dict[str, bytes] = field(default_factory=dict)
    """PNG by file name."""
    warnings: list[str] = field(default_factory=list)
    """Warnings for whoever adds the version."""
    keep: Callable[[], None] = lambda: None
    """Function that caches what was read on this machine, for the next version."""


def look_at_version(
    ledger: Branch,
    contents: Contents,
    asked: VersionRequest,
    manifest: Manifest,
    parent: DatasetVersion | None,
    progress: Progress,
) -> VersionLook:
    """Analyse the data of a new version.

    Args:
        ledger: ledger with the parent.
        contents: everything on that ledger.
        asked: requested version.
        manifest: its files.
        parent: version that it is based on.
        progress: receives the progress.

    Raises:
        LedgerError: requested labels or references are not available.
    """
    look = VersionLook()
    before = read_manifest(ledger, parent) if parent else None
    if parent is not None and before is not None:
        look.change = _change_of_files(parent, before, manifest)
    reading = _read(asked, manifest, look, progress)
    if reading is None:
        return look
    look.statistics = summarise(reading)
    look.warnings += look.statistics.warnings
    look.keep = lambda: keep_reading(ledger.repository.state_dir, manifest.hash, reading, Path(asked.path).absolute())
    for reference in asked.against:
        look.drift.append(_against(ledger, contents, asked, reading, reference, progress))
    if parent is not None and before is not None:
        look.change = _with_labels(look, parent)
        old = _read_parent(ledger, contents, asked, parent, before, progress)
        if old is not None and old.kind == reading.kind:
            _compare_with_parent(look, parent, old, reading)
        elif look.change and reading.labels is not None and asked.labels in {None, "folder"}:
            look.change = msgspec.structs.replace(look.change, relabelled=moved_files(before, manifest))
    return look


def _read(asked: VersionRequest, manifest: Manifest, look: VersionLook, progress: Progress) -> Reading | None:
    """Read the samples; none where that is impossible here, which does not keep the version from being added."""
    if (package := missing_package()) is not None:
        if asked.labels is not None or asked.slices or asked.against:
            raise LedgerError(f"looking at data needs a package: `{package}`", hint=HINT)
        look.warnings.append(f"no statistics, because a package is missing: {package} ({HINT})")
        return None
    path = Path(asked.path)
    if not lies_here(path, manifest.lines):
        look.warnings.append("no statistics: they are computed only for a file or folder on this machine")
        return None
    labelling = parse_labelling(asked.labels) if asked.labels else None
    if labelling is not None and not is_part(file_of(labelling, path), path):
        look.warnings.append(
            f"labels outside the dataset are not part of its hash, so relabelling adds no version: {labelling.place}"
        )
    return read_dataset(
        path,
        manifest.lines,
        labelling=labelling,
        slices=asked.slices,
        progress=lambda done, total: progress("looking at samples", done, total),
    )


def _change_of_files(parent: DatasetVersion, old: Manifest, new: Manifest) -> VersionChange:
    difference = diff_manifests(old, new)
    return VersionChange(
        parent=parent.version,
        added=len(difference.added),
        removed=len(difference.removed),
        changed=len(difference.changed),
    )


def _with_labels(look: VersionLook, parent: DatasetVersion) -> VersionChange | None:
    """Return the change with the shift of labels, from the statistics of both versions."""
    then = parent.statistics.labels if parent.statistics else {}
    now = look.statistics.labels if look.statistics else {}
    if look.change is None or not then or not now:
        return look.change
    return msgspec.structs.replace(look.change, labels=label_shift(then, now))


def _read_parent(
    ledger: Branch,
    contents: Contents,
    asked: VersionRequest,
    parent: DatasetVersion,
    files: Manifest,
    progress: Progress,
) -> Reading | None:
    """Return the parent's samples where available: from where runs found it, else from the cache."""
    kept, added_from = read_kept(ledger.repository.state_dir, parent.hash)
    root = Path(asked.path)
    labelling = parse_labelling(asked.labels) if asked.labels else None
    for place in [*([added_from] if added_from else []), *_paths_of(contents, parent)]:
        if not place.exists() or place.absolute() == root.absolute():
            continue
        try:
            if build_manifest(place, cache=hash_cache(ledger)).hash != parent.hash:
                continue
            found = read_dataset(
                place,
                files.lines,
                labelling=moved(labelling, root, place),
                progress=lambda done, total: progress("looking at the parent", done, total),
            )
        except LedgerError:
            continue  # it is only one of several candidates
        # Its labels from when it was added take precedence over those that could be read now.
        return replace(found, labels=kept.labels) if kept and kept.names == found.names and kept.labels else found
    return kept


def _paths_of(contents: Contents, version: DatasetVersion) -> list[Path]:
    """Return the paths at which runs found a version, the latest first."""
    uses = [use for run in reversed(contents.runs) for use in run.record.datasets.used]
    uses += [use for run in contents.runs for one in run.evaluations for use in one.datasets]
    return list(dict.fromkeys(Path(use.path) for use in uses if use.hash == version.hash and use.path))[:_PLACES]


def _compare_with_parent(look: VersionLook, parent: DatasetVersion, old: Reading, new: Reading) -> None:
    made = compare_samples(old, new)
    drawn = draw_changes(old, new, made, paths.PICTURES)
    look.pictures = drawn.files
    if look.change is not None:
        look.change = msgspec.structs.replace(look.change, relabelled=len(made.relabelled), pictures=drawn.pictures)
    look.drift.append(measure_drift(old.samples, new.samples, name=parent.label, content=parent.hash))


def _against(
    ledger: Branch, contents: Contents, asked: VersionRequest, new: Reading, reference: str, progress: Progress
) -> Drift:
    """Compare with a reference: a path, or `name@version:path` whose content must be that version.

    Raises:
        NotFound: there is no such path or version.
        LedgerError: the path has other content, or cannot be read.
    """
    label, colon, place = reference.partition(":")
    version = None
    if not Path(reference).exists() and colon and "@" in label:
        version = find_version(contents, label)
        reference = place
    path = Path(reference)
    if not path.exists():
        hint = "--against PATH, or NAME@VERSION:PATH"
        raise NotFound(f"there is nothing to compare with at: `{reference}`", hint=hint)
    manifest = build_manifest(path, cache=hash_cache(ledger))
    if version is not None and manifest.hash != version.hash:
        raise LedgerError(
            f"this is not the content of {version.label}: `{reference}`",
            hint=f"ledger dataset check {reference}",
        )
    labelling = parse_labelling(asked.labels) if asked.labels else None
    found = _read_reference(path, manifest, moved(labelling, Path(asked.path), path), progress)
    known = version or next((one for one in contents.datasets if one.hash == manifest.hash), None)
    name = known.label if known else Redactor().url(reference)
    return measure_drift(found.samples, new.samples, name=name, content=manifest.hash)


def _read_reference(path: Path, manifest: Manifest, labelling: Labelling | None, progress: Progress) -> Reading:
    def report(done: int, total: int) -> None:
        progress(f"looking at {path.name}", done, total)

    try:
        return read_dataset(path, manifest.lines, labelling=labelling, progress=report)
    except LedgerError:
        if labelling is None:
            raise
        return read_dataset(path, manifest.lines, progress=report)  # production has no labels yet
