"""The check of files beside documents: no secrets, real pictures, no active content."""

from collections.abc import Sequence

from ledger.capture.secrets.picture_texts import redact_png
from ledger.capture.secrets.redactor import Redactor, find_secrets
from ledger.capture.secrets.team_rules import NONE, OwnSecrets
from ledger.model.values import Document
from ledger.store.integrity.side_contents import Side, look_at


class Looked(Document, frozen=True, kw_only=True):
    """One object that was checked."""

    side: Side
    """Its facts: hash, size, rows."""
    secrets: dict[str, int]
    """Kinds of secrets in it, with the number of each."""


def look(standing: Sequence[str], data: bytes, own: OwnSecrets | None = NONE) -> Looked:
    """Check one object.

    Args:
        standing: its paths, at least one.
        data: its content.
        own: the team's own kinds of secrets; none to skip the search.
    """
    return Looked(side=look_at(standing, data), secrets={} if own is None else _secrets_in(standing, data, own))


def _secrets_in(standing: Sequence[str], data: bytes, own: OwnSecrets) -> dict[str, int]:
    if all(path.endswith(".png") for path in standing):
        redactor = Redactor(own)
        redact_png(data, redactor)
        return redactor.counts
    if all(path.endswith(".patch") for path in standing):
        redactor = Redactor(own)
        redactor.patch(data)  # which skips binary content, as recording did
        return redactor.counts
    return find_secrets(data, own)
