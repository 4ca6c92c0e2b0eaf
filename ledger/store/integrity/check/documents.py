"""The check of a document's form: byte for byte that of its format, and consistent with its path."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ledger.errors import InvalidDocument, LedgerError
from ledger.model import paths
from ledger.model.characters import is_plain_prose, is_plain_text
from ledger.model.claims.labels import labels_of
from ledger.model.claims.rules import claims_in
from ledger.model.claims.soundness import is_sound
from ledger.model.document import FORMATS, dump, load
from ledger.model.entries import Case, DatasetVersion, EnvironmentFile, Evaluation, Note, Redaction
from ledger.model.hosts import HostDay
from ledger.model.problems import problems_in
from ledger.model.record import Record
from ledger.store.branch.reader import check_path, kind_of
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.redaction_proof import wrong_with

AnyDocument = Record | DatasetVersion | Evaluation | Note | Case | HostDay | Redaction | EnvironmentFile
"""Every JSON document of a ledger."""

_ESCAPED = re.compile(rb"\\(?:u00[01]|u007[fF]|[bfr])")
"""Control characters as JSON writes them; line feed and tab are allowed text."""
_MEND = "let ledger record write it; no document is written by hand"


def document_kind(path: str) -> type[AnyDocument] | None:
    """Return the kind of document at a path; none for other files."""
    if path.startswith("runs/") and path.endswith(f"/{paths.ENVIRONMENT_FILE}"):
        return EnvironmentFile
    if path.startswith("redactions/") and path.endswith(".json"):
        return Redaction
    return kind_of(path)


def load_checked(path: str, data: bytes, kind: type[AnyDocument]) -> tuple[AnyDocument | None, list[Finding]]:
    """Return the document at a path, none when it cannot be read, and everything that is wrong with it."""
    try:
        document: AnyDocument = load(data, kind, source=path)
    except InvalidDocument as error:
        told = [] if error.hint else problems_in(data, kind)
        return None, [_of_problem(path, problem, error.hint or _MEND) for problem in told or error.problems]
    canonical = document.format == FORMATS[kind] and data == dump(document)
    findings = [] if canonical else list(_of_bytes(path, data, document, kind))
    try:
        _check_place(path, document)
    except LedgerError as error:
        findings.append(Finding(rule="document", path=path, field="id", message=error.message, hint=_MEND))
        return None, findings
    sound = canonical and is_sound(data, kind)
    if not sound:
        findings += _of_text(path, data, document)
    findings += (
        Finding(rule=one.rule, severity=one.severity, path=path, field=one.field, message=one.message, hint=one.hint)
        for one in claims_in(document, sound=sound)
    )
    return document, findings


def _check_place(path: str, document: AnyDocument) -> None:
    if isinstance(document, Redaction):
        if path != paths.redaction_path(document.id):
            raise LedgerError(f"the document belongs at another path: `{paths.redaction_path(document.id)}`")
        if wrong := wrong_with(document):
            raise LedgerError("; ".join(wrong))
    elif not isinstance(document, EnvironmentFile):
        check_path(path, document)


def _of_problem(path: str, problem: str, hint: str) -> Finding:
    field, colon, _ = problem.partition(": ")
    known = colon and re.fullmatch(r"[A-Za-z0-9_.\[\]\\-]+", field)
    return Finding(rule="document", path=path, field=field if known else None, message=problem, hint=hint)


def _of_bytes(path: str, data: bytes, document: AnyDocument, kind: type[AnyDocument]) -> Iterator[Finding]:
    """Yield how the bytes differ from those that ledger writes: a document has only one form."""
    if document.format == FORMATS[kind]:
        yield Finding(rule="document", path=path, message=_why_not_canonical(data, document), hint=_MEND)


def _why_not_canonical(data: bytes, document: AnyDocument) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark"
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:  # `Any`: any JSON value
        found: dict[str, Any] = {}
        for name, value in items:
            if name in found:
                twice.append(name)
            found[name] = value
        return found

    try:
        value = json.loads(data, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return "it is not the JSON that ledger writes"
    if twice:
        return f"a key appears twice: `{ascii(twice[0][:80])[1:-1]}`"
    unknown = next(_unknown(value, msgspec.to_builtins(document), ""), None)
    if unknown:
        return f"{unknown}: no field of this format; a newer version of ledger may know it"
    return "not the bytes that ledger writes: order, spacing, numbers or escapes differ"


def _unknown(value: Any, known: Any, field: str) -> Iterator[str]:  # noqa: ANN401  # any JSON value
    """Yield fields that reading dropped; fields at their defaults are left out when written, which is no fault."""
    if isinstance(value, Mapping) and isinstance(known, Mapping):
        for name, item in value.items():
            if name in known:
                yield from _unknown(item, known[name], f"{field}.{name}" if field else name)
            elif item not in (None, [], {}, False, ""):
                yield ascii(f"{field}.{name}" if field else name)[1:-1][:80]
    elif isinstance(value, list) and isinstance(known, list):
        for position, (item, kept) in enumerate(zip(value, known, strict=False)):
            yield from _unknown(item, kept, f"{field}[{position}]")


def _of_text(path: str, data: bytes, document: AnyDocument) -> Iterator[Finding]:
    """Yield sentences that could control a terminal or read as something else; names are checked by `claims`."""
    if not (b"\x7f" in data or _ESCAPED.search(data)) and (data.isascii() or _is_seen(data)):
        return
    labels = dict(labels_of(document))
    for field, text in _texts(msgspec.to_builtins(document), ""):
        if field not in labels and not is_plain_prose(text):
            yield Finding(
                rule="text",
                severity="warning",
                path=path,
                field=field,
                message=f"{field} holds control or invisible characters; they are shown as escapes",
                hint="look at it with: ledger show --json",
            )


_ASCII = bytes(range(128))


def _is_seen(data: bytes) -> bool:
    """Return whether all characters beyond ASCII are visible; checking only those is ten times as fast."""
    beyond = data.translate(None, _ASCII).decode("utf-8", "replace")
    return is_plain_text(beyond) or is_plain_prose(data.decode("utf-8", "replace"))


def _texts(value: Any, field: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any value in a document
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            inner = f"{field}.{ascii(str(name)[:80])[1:-1]}" if field else str(name)
            yield inner, str(name)
            yield from _texts(item, inner)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, f"{field}[{position}]")
