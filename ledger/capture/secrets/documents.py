"""Secrets in documents, field by field: the one law by which recording replaces them and a check looks for them.

In JSON a name stands beside every value, and most are no names of secrets: only where people chose the names does a
name say what its value is.
"""

from collections.abc import Mapping
from typing import Any

from ledger.capture.secrets.redactor import Redactor

_CHOSEN = {"values", "params", "variables"}
"""Fields whose names people chose: params, of runs and of preparations, and environment variables. Elsewhere
`password` may be a kind of secret that was replaced, or a line of a log."""


def redact_value(value: Any, redactor: Redactor, field: str = "") -> Any:  # noqa: ANN401  # whatever a document holds
    """Return a value of JSON without its secrets; the redactor counts them.

    Args:
        value: the value.
        redactor: replaces and counts.
        field: name of the field that holds it.
    """
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, list):
        return [redact_value(item, redactor) for item in value]
    if isinstance(value, Mapping):
        if field in _CHOSEN:
            value = redactor.params(value)
        return {redactor.text(name): redact_value(item, redactor, name) for name, item in value.items()}
    return value
