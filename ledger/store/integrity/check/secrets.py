"""Secrets in documents, judged field by field as recording judged them: what it let pass is let pass here.

The bytes of a document are looked through first, which is fast and finds more; only where that finds something is the
document taken apart.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from ledger.capture.secrets.documents import redact_value
from ledger.capture.secrets.names import secret_name
from ledger.capture.secrets.redactor import Redactor
from ledger.capture.secrets.team_rules import NONE, OwnSecrets
from ledger.model.record import Record
from ledger.model.values import counted
from ledger.store.integrity.check.documents import AnyDocument


def secrets_in(document: AnyDocument | None, in_bytes: Mapping[str, int], own: OwnSecrets = NONE) -> dict[str, int]:
    """Return the kinds of secrets that a document holds, and how many of each.

    Args:
        document: the document; none where it cannot be read, so that its bytes are all there is.
        in_bytes: what its bytes were found to hold.
        own: what else the team calls a secret.
    """
    found: Counter[str] = Counter()
    if document is None:
        return dict(in_bytes)
    if in_bytes:
        redactor = Redactor(own)
        redact_value(msgspec.to_builtins(document), redactor)
        found.update(redactor.counts)
    if isinstance(document, Record) and any(map(_promises_secret, document.command)):
        redactor = Redactor(own)
        redactor.argv(document.command)
        found.update(redactor.counts)
    return dict(found)


def secrets_said(found: Mapping[str, int]) -> str:
    """Return what is said of secrets: their kinds, never what they are."""
    kinds = ", ".join(sorted(found))
    return f"it holds {counted(sum(found.values()), 'secret')}, by the looks of it: {kinds}"


def _promises_secret(argument: str) -> bool:
    """Say whether an argument names a secret: what follows it has no name beside it, as everything else in JSON has."""
    return argument.startswith("-") and secret_name(argument.partition("=")[0]) is not None
