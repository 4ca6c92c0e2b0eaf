"""The search for secrets in documents, by field as in recording, so that both allow the same texts.

The bytes of a document are searched first, which is fast and finds more; only where that finds something is the
document searched by field.
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
    """Return the kinds of secrets in a document, with the number of each.

    Args:
        document: the document; none where it cannot be read, so that there are only bytes.
        in_bytes: secrets found in its bytes.
        own: the team's own kinds of secrets.
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
    """Return the message on secrets that were found: their kinds, never the secrets."""
    kinds = ", ".join(sorted(found))
    return f"it seems to hold {counted(sum(found.values()), 'secret')}: {kinds}"


def _promises_secret(argument: str) -> bool:
    """Return whether an argument names a secret: the value after it has no key beside it, unlike others in JSON."""
    return argument.startswith("-") and secret_name(argument.partition("=")[0]) is not None
