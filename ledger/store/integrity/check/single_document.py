"""The check of one document without a commit: a file on disk, or the output of another program."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.entries import Case, DatasetVersion, EnvironmentFile, Evaluation, Note, Redaction
from ledger.model.hosts import HostDay
from ledger.model.record import Record
from ledger.store.branch.policy import Policy
from ledger.store.integrity.check.answer import Checked
from ledger.store.integrity.check.documents import AnyDocument, document_kind, load_checked
from ledger.store.integrity.check.plausibility import check_plausible
from ledger.store.integrity.check.requirements import check_metrics, check_record
from ledger.store.integrity.check.secrets import secrets_in, secrets_said
from ledger.store.integrity.check.side_files import look
from ledger.store.integrity.check.sizes import limit_of
from ledger.store.integrity.findings import Finding, limited

_TOLD_BY: tuple[tuple[str, type[AnyDocument]], ...] = (
    ("timing", Record),
    ("evaluated_at", Evaluation),
    ("noted_at", Note),
    ("redacted_at", Redaction),
    ("expected", Case),
    ("watched", HostDay),
    ("role", DatasetVersion),
    ("packages", EnvironmentFile),
)
"""A field that identifies the kind of a document."""


def check_document(data: bytes, source: str, policy: Policy, now: datetime | None = None) -> Checked:
    """Return everything that is wrong with one document, as far as that is known without a ledger around it.

    Args:
        data: its bytes.
        source: their origin; as a path of a ledger it tells the kind of the document.
        policy: policy that applies.
        now: time at which it would be committed; the clock's time when none.
    """
    findings = list(_of_document(data, source, policy, now or datetime.now(UTC)))
    told = (msgspec.structs.replace(finding, path=source) for finding in findings)
    return Checked(findings=limited(told), commits=0, entries=1, runs=())


def _of_document(data: bytes, source: str, policy: Policy, now: datetime) -> Iterator[Finding]:
    limit, name = limit_of(f"/{paths.RECORD_FILE}", policy.limits)
    if len(data) > limit:
        yield Finding(rule="size", message=f"larger than the {limit:,} bytes allowed ({name})")
        return
    path, kind = _ledger_path(data, source)
    if kind is None:
        yield Finding(
            rule="document",
            message="no document of a ledger: a record, dataset version, evaluation, note, case or day of a host",
            hint="ledger schema prints what one looks like",
        )
        return
    document, problems = load_checked(path, data, kind)
    yield from problems
    secrets = secrets_in(document, look([path], data, policy.secrets).secrets, policy.secrets)
    if secrets:
        yield Finding(rule="secret", message=secrets_said(secrets), hint="revoke it, and remove it from the document")
    if document is not None:
        yield from check_plausible(document, path, now)
    if isinstance(document, Record):
        yield from check_record(document, path, policy)
    elif isinstance(document, Evaluation):
        yield from check_metrics(document, path, policy)


def _ledger_path(data: bytes, source: str) -> tuple[str, type[AnyDocument] | None]:
    """Return the path that a document has on a ledger, and its kind; off the ledger it may have any path."""
    for start in paths.ENTRY_FOLDERS:
        position = source.rfind(f"/{start}")
        path = source if source.startswith(start) else source[position + 1 :] if position >= 0 else ""
        if path and (kind := document_kind(path)):
            return path, kind
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return source, Record  # which reports what is wrong with it
    if not isinstance(value, dict):
        return source, None
    kind = next((kind for field, kind in _TOLD_BY if field in value), None)
    return _path_of(
        {name: str(value.get(name, "")) for name in ("id", "name", "version", "dataset", "host")}, kind
    ) or source, kind


def _path_of(names: Mapping[str, str], kind: type[AnyDocument] | None) -> str | None:
    try:
        if kind is Record:
            return f"{paths.run_path(names['id'])}/{paths.RECORD_FILE}"
        if kind is DatasetVersion:
            return f"{paths.dataset_path(names['name'], names['version'])}/{paths.DATASET_FILE}"
        if kind is Case:
            return paths.case_path(names["dataset"], names["id"])
        if kind is HostDay:
            return paths.host_path(names["host"], names["id"])
        made = {Evaluation: paths.evaluation_path, Note: paths.note_path, Redaction: paths.redaction_path}
        return made[kind](names["id"]) if kind in made else None
    except LedgerError:
        return None  # a wrong id is reported by the check of ids
