"""Secrets in documents, judged field by field as recording judged them: what it let pass is let pass here.

The bytes of a document are looked through first, which is fast and finds more; only where that finds something is the
document taken apart. In JSON a name stands beside every value, and most are no names of secrets.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ledger.capture.secret_names import secret_name
from ledger.capture.secrets import Redactor, find_secrets
from ledger.model.record import Record
from ledger.model.values import counted
from ledger.store.check.documents import AnyDocument


def secrets_in(document: AnyDocument | None, in_bytes: Mapping[str, int]) -> dict[str, int]:
    """Return the kinds of secrets that a document holds, and how many of each.

    Args:
        document: the document; none where it cannot be read, so that its bytes are all there is.
        in_bytes: what its bytes were found to hold.
    """
    found: Counter[str] = Counter()
    if document is None:
        return dict(in_bytes)
    if in_bytes:
        for counts in _in_value(msgspec.to_builtins(document)):
            found.update(counts)
    if isinstance(document, Record) and any(map(_promises_secret, document.command)):
        redactor = Redactor()
        redactor.argv(document.command)
        found.update(redactor.counts)
    return dict(found)


def secrets_said(found: Mapping[str, int]) -> str:
    """Return what is said of secrets: their kinds, never what they are."""
    kinds = ", ".join(sorted(found))
    return f"it holds {counted(sum(found.values()), 'secret')}, by the looks of it: {kinds}"


def _in_value(value: Any, field: str = "") -> Iterator[Mapping[str, int]]:  # noqa: ANN401  # whatever a document holds
    if isinstance(value, str):
        yield find_secrets(value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, list):
        for item in value:
            yield from _in_value(item)
    elif isinstance(value, Mapping):
        if field in _CHOSEN:
            redactor = Redactor()
            value = redactor.params(value)
            yield redactor.counts
        for name, item in value.items():
            yield from _in_value(name)
            yield from _in_value(item, name)


_CHOSEN = {"values", "params", "variables"}
"""Fields whose names people chose, so that a name says what its value is: params, of runs and of preparations, and
environment variables. Elsewhere `password` may be a kind of secret that was replaced, or a line of a log."""


def _promises_secret(argument: str) -> bool:
    """Say whether an argument names a secret: what follows it has no name beside it, as everything else in JSON has."""
    return argument.startswith("-") and secret_name(argument.partition("=")[0]) is not None
