"""Adding of dataset versions with everything that evaluations on them depend on, and their retirement."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from ledger.analysis.data.versions import find_version, next_label
from ledger.capture.secrets.redactor import Redactor
from ledger.data.samples.labels import parse_labelling
from ledger.data.samples.leakage import find_leak
from ledger.data.version.difference import alike_but_for_case
from ledger.data.version.manifest import Manifest, build_manifest
from ledger.errors import Conflict, LedgerError, NotFound, UsageError
from ledger.model import paths
from ledger.model.claims.rules import refuse_claims
from ledger.model.datasets import Leak, must_differ
from ledger.model.document import dump
from ledger.model.entries import DATASET_FORMAT, NOTE_FORMAT, Contents, DatasetVersion, Note
from ledger.model.ids import new_id
from ledger.model.values import Document
from ledger.recorder.data.version_look import VersionLook, look_at_version
from ledger.recorder.data.version_request import VersionRequest
from ledger.recorder.message import TOOL, dataset_message, note_message
from ledger.recorder.record.redaction import check_open_name, check_open_names, redact_document, redactor_for
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import hash_cache, manifest_files, read_manifest
from ledger.store.branch.pending import Entry

TEXT_LENGTH = 10_000

Progress = Callable[[str, int, int], None]
"""Receives the current step, how many items are done, and of how many."""


class AddedVersion(Document, frozen=True, kw_only=True):
    """The result of adding a version."""

    version: DatasetVersion
    """The version on the ledger."""
    new: bool
    """Whether it was added now; false when the ledger has this content under this name."""
    warnings: list[str] = []
    """Warnings for whoever adds it."""


def add_version(
    ledger: Branch, asked: VersionRequest, *, progress: Progress = lambda _what, _done, _total: None
) -> AddedVersion:
    """Add a version of a dataset and return it; content that the ledger has under this name is not added again.

    Args:
        ledger: the ledger.
        asked: requested version.
        progress: receives the progress.

    Raises:
        UsageError: no reason or no role is given where one is needed, or labels do not come from there.
        NotFound: there is no data, no such parent, or nothing at a reference.
        Conflict: the label stands for other content.
        LedgerError: the data or its labels cannot be read, or the branch cannot be written.
    """
    redactor = redactor_for(ledger)
    check_open_name("dataset name", asked.name, redactor)
    if asked.labels is not None:
        parse_labelling(asked.labels)  # before an hour of hashing
    contents = ledger.contents()
    known = [version for version in contents.datasets if version.name == asked.name]
    plan = _planned(asked, known, redactor)
    manifest = build_manifest(
        asked.path, cache=hash_cache(ledger), progress=lambda done, total: progress("hashing", done, total)
    )
    for version in known:
        if version.hash == manifest.hash:
            return AddedVersion(version=version, new=False)
    _check_new(plan, known)  # only now: known content needs no reason, and hashing it again costs little
    parent = next((version for version in known if version.version == plan.parent), None)
    looked = look_at_version(ledger, contents, plan, manifest, parent, progress)
    leaks = _leaks(ledger, contents, plan, manifest)
    version = redact_document(_version(ledger, contents, plan, manifest, looked, leaks), redactor)
    folder = paths.dataset_path(version.name, version.version)
    document = f"{folder}/{paths.DATASET_FILE}"
    refuse_claims(version)
    listed = manifest_files(version.name, version.version, manifest)
    check_open_names(listed.values(), redactor)
    files = {document: dump(version), **listed}
    files |= {paths.picture_path(version.name, version.version, name): png for name, png in looked.pictures.items()}
    entry = Entry(
        id=new_id(version.added_at, os.urandom(4)),
        files=files,
        message=redactor.text(dataset_message(version, document)),
        author=version.author,
        made_at=version.added_at,
    )
    ledger.append(entry)
    looked.keep()
    return AddedVersion(
        version=version, new=True, warnings=[*_twins(contents, version), *_alike(manifest), *looked.warnings]
    )


def _check_new(plan: VersionRequest, known: Sequence[DatasetVersion]) -> None:
    if known and not (plan.reason or "").strip():
        raise UsageError(
            f"a new version of `{plan.name}` needs a reason", hint='say why it exists: --because "60 hard cases"'
        )
    if any(version.version == plan.version for version in known):
        raise Conflict(
            f"this version already has other content: `{plan.name}@{plan.version}`",
            hint=f"the next free label: --version {next_label(version.version for version in known)}",
        )


def _planned(asked: VersionRequest, known: Sequence[DatasetVersion], redactor: Redactor) -> VersionRequest:
    """Return the request with all defaults that follow from the ledger filled in.

    Raises:
        UsageError: no role is given where one is needed, or a text is too long.
        NotFound: there is no such parent.
    """
    labels = [version.version for version in known]
    parent = asked.parent or (labels[-1] if labels else None)
    parent = parent.removeprefix(f"{asked.name}@") if parent else None
    if parent is not None and parent not in labels:
        said = f"one of {', '.join(labels[-20:])}" if labels else f"{asked.name} has no version yet: leave --parent out"
        raise NotFound(f"no such parent version: `{ascii(asked.name)[1:-1]}@{ascii(parent)[1:-1]}`", hint=said)
    role = asked.role or next((version.role for version in known if version.version == parent), None)
    if role is None:
        raise UsageError("the role of the dataset is missing", hint="--role train, validation, test or production")
    for field, text in (("reason", asked.reason), ("source", asked.source)):
        if text is not None and len(text) > TEXT_LENGTH:
            raise UsageError(f"{field} is longer than {TEXT_LENGTH} characters: `{text[:40]}…`")
    return msgspec.structs.replace(
        asked,
        role=role,
        parent=parent,
        version=check_open_name("dataset version", asked.version or next_label(labels), redactor),
        reason=redactor.text(asked.reason) if asked.reason else None,
        source=redactor.text(asked.source) if asked.source else None,
    )


def _version(
    ledger: Branch, contents: Contents, plan: VersionRequest, manifest: Manifest, looked: VersionLook, leaks: list[Leak]
) -> DatasetVersion:
    return DatasetVersion(
        format=DATASET_FORMAT,
        name=plan.name,
        version=plan.version or "",
        role=plan.role or "validation",
        hash=manifest.hash,
        files=manifest.files,
        bytes=manifest.bytes,
        samples=looked.statistics.samples if looked.statistics else None,
        parent=plan.parent,
        reason=plan.reason,
        source=plan.source,
        kind=plan.kind,
        statistics=looked.statistics,
        change=looked.change,
        drift=looked.drift,
        leaks=leaks,
        cases=[case.id for case in contents.cases if case.dataset == plan.name],
        author=ledger.author(),
        added_at=datetime.now(UTC),
        tool=TOOL,
    )


def _leaks(ledger: Branch, contents: Contents, plan: VersionRequest, manifest: Manifest) -> list[Leak]:
    """Return the content that the new version shares with versions of other roles that are not retired."""
    found = []
    for other in contents.datasets:
        if plan.role is None or not must_differ(plan.role, other.role) or contents.retirement(other.label):
            continue
        try:
            theirs = read_manifest(ledger, other)
        except LedgerError:
            continue  # `ledger verify` reports what is wrong with it; it is no reason not to add another one
        leak = find_leak(manifest.lines, theirs.lines, dataset=other.label, role=other.role)
        if leak is not None:
            found.append(leak)
    return found


def _twins(contents: Contents, version: DatasetVersion) -> list[str]:
    same = [other.label for other in contents.datasets if other.hash == version.hash]
    return [f"the same content is on the ledger as {', '.join(same)}"] if same else []


def _alike(manifest: Manifest) -> list[str]:
    pairs = alike_but_for_case(manifest)
    if not pairs:
        return []
    more = f", and {len(pairs) - 1} more" if len(pairs) > 1 else ""
    shown = " and ".join(f"`{ascii(path)[1:-1]}`" for path in pairs[0])
    return [f"two paths differ only in letter case, and many systems can hold only one of them: {shown}{more}"]


def retire_version(ledger: Branch, label: str, reason: str) -> Note:
    """Append the retirement of a version and return the note; the version remains, with all that was measured on it.

    Raises:
        NotFound: there is no such version.
        LedgerError: the reason is empty or too long, or it is retired already.
    """
    contents = ledger.contents()
    if "@" not in label:
        raise UsageError(f"name the version to retire, not only the dataset: `{label}`", hint=f"such as {label}@v1")
    version = find_version(contents, label)
    said = contents.retirement(version.label)
    if said is not None:
        raise LedgerError(f"this version is retired already ({said.text.splitlines()[0]}): `{version.label}`")
    if not reason.strip() or len(reason) > TEXT_LENGTH:
        raise UsageError(f"the reason is empty, or longer than {TEXT_LENGTH} characters", hint="--because TEXT")
    now, author = datetime.now(UTC), ledger.author()
    note = Note(
        format=NOTE_FORMAT,
        id=new_id(now, os.urandom(4)),
        dataset=version.label,
        kind="retirement",
        text=redactor_for(ledger).text(reason),
        author=author,
        noted_at=now,
        tool=TOOL,
    )
    path = paths.note_path(note.id)
    ledger.append(
        Entry(id=note.id, files={path: dump(note)}, message=note_message(note, path), author=author, made_at=now)
    )
    return note
