"""Secrets in documents, by field: the same rule for recording, which replaces them, and for checks.

In JSON a name stands beside every value, and most are no names of secrets: only where people chose the names does a
name say what its value is.
"""

from collections.abc import Mapping
from typing import Any

from ledger.capture.secrets.redactor import Redactor

_CHOSEN = {"values", "params", "variables"}
"""Fields with names that people chose: params of runs and preparations, and environment variables. Elsewhere
`password` may be a kind of secret that was replaced, or a line of a log."""


def redact_value(value: Any, redactor: Redactor, field: str = "") -> Any:  # noqa: ANN401  # any value in a document
    """Return a JSON value without its secrets; the redactor counts them.

    Args:
        value: the value.
        redactor: replaces and counts secrets.
        field: name of the field of the value.
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
