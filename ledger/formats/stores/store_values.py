"""Values as the stores of trackers write them: numbers, times, params and JSON, of which none is trusted."""

import json
import math
from datetime import UTC, datetime, timedelta

from ledger.errors import LedgerError
from ledger.formats.numbers import exact_number
from ledger.model.values import Status, plain

_INFINITE_WORDS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}
_WORDS = {"True": True, "False": False, "None": None}
_SILENCE = timedelta(days=1)
"""Time without a sign of life after which nobody writes a run any more."""
_MOST_DEPTH = 100


def number_of(value: object) -> float | None:
    """Return a value as a float, `NaN` and the infinities as words too; none where it is no number."""
    if isinstance(value, str):
        return _INFINITE_WORDS.get(value.strip().lower())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def number_in(text: str) -> float | None:
    """Return the number that a text states, however many digits it has; none where it states none."""
    if "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) or text.strip().lstrip("+").lower() in _INFINITE_WORDS else None


def same_number(value: float, other: float | None) -> bool:
    """Return whether two values are the same; NaN is the same as NaN."""
    return other is not None and (value == other or (math.isnan(value) and math.isnan(other)))


def param_in(text: str) -> bool | int | float | str | None:
    """Return the param that a text states, where a store keeps only texts: `str` of Python wrote it."""
    if text in _WORDS:
        return _WORDS[text]
    number = exact_number(text)
    return text if number is None else number


def text_of(value: object) -> str | None:
    """Return a text that is not empty; none for anything else."""
    return value if isinstance(value, str) and value else None


def step_of(value: object) -> int | None:
    """Return a whole number; none where it is no whole number of 64 bits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63
    return value if whole and isinstance(value, int) else None


def moment_of(seconds: object) -> datetime | None:
    """Return a time since 1970 in UTC; none where it is none, or before or after every calendar."""
    value = number_of(seconds)
    try:
        return None if value is None else datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def moment_in(text: object, *, local: bool = False) -> datetime | None:
    """Return the time that a text states in ISO 8601, in UTC.

    Args:
        text: the time.
        local: whether one without a zone is in that of this machine; else it is in UTC.
    """
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None and not local else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def status_of_open(seen: datetime | None) -> Status:
    """Return how a run stands of which the store says no end: `lost`, but for one that was seen within a day."""
    return "running" if seen is not None and _now() - seen < _SILENCE else "lost"


def _now() -> datetime:
    return datetime.now(UTC)


def load_json(text: str | bytes, source: str) -> object:
    """Return what a JSON document says; `NaN` and `Infinity` are numbers in it.

    Args:
        text: the document.
        source: where it came from, for messages.

    Raises:
        LedgerError: it is malformed, or nested too deep.
    """
    try:
        found = json.loads(text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"{source}: it is no JSON ({plain(str(error)[:80].lower())})") from None
    if _is_deeper(found, _MOST_DEPTH):
        raise LedgerError(f"{source}: nested more than {_MOST_DEPTH} deep")
    return found


def _is_deeper(value: object, most: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and (most == 0 or any(_is_deeper(part, most - 1) for part in value))


def load_mapping(text: str | bytes, source: str) -> dict[str, object]:
    """Return the mapping that a JSON document is.

    Raises:
        LedgerError: it is malformed, or no mapping.
    """
    found = load_json(text, source)
    if not isinstance(found, dict):
        raise LedgerError(f"{source}: it is no mapping of names to values")
    return found
