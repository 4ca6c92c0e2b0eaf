"""Conversion of documents to bytes and back: canonical JSON, one format number each, upgrades of old formats."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import msgspec

from ledger.errors import InvalidDocument
from ledger.model.entries import (
    CASE_FORMAT,
    DATASET_FORMAT,
    ENVIRONMENT_FORMAT,
    EVALUATION_FORMAT,
    NOTE_FORMAT,
    REDACTION_FORMAT,
    Case,
    DatasetVersion,
    EnvironmentFile,
    Evaluation,
    Note,
    Redaction,
)
from ledger.model.hosts import HOST_FORMAT, HostDay
from ledger.model.record import RECORD_FORMAT, Record

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns a document of one format into the next; `Any`, because an old shape has no type any more."""

T = TypeVar("T", bound=Record | DatasetVersion | Evaluation | EnvironmentFile | Note | Redaction | Case | HostDay)

FORMATS: dict[type, int] = {
    Record: RECORD_FORMAT,
    DatasetVersion: DATASET_FORMAT,
    Evaluation: EVALUATION_FORMAT,
    EnvironmentFile: ENVIRONMENT_FORMAT,
    Note: NOTE_FORMAT,
    Case: CASE_FORMAT,
    Redaction: REDACTION_FORMAT,
    HostDay: HOST_FORMAT,
}
"""Format that this version of the tool writes, by type."""

UPGRADES: dict[type, dict[int, Upgrade]] = {kind: {} for kind in FORMATS}
"""Function that lifts a document from a format to the next, by format. Format 1 is the first, so none exists yet."""

_ENCODER = msgspec.json.Encoder(order="deterministic")


class _Head(msgspec.Struct):
    format: int


_HEAD = msgspec.json.Decoder(_Head)
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def dump(document: msgspec.Struct) -> bytes:
    """Return the canonical bytes: UTF-8, two-space indent, fixed key order, one final line feed."""
    return msgspec.json.format(encode(document), indent=2) + b"\n"


def encode(value: object) -> bytes:
    r"""Return compact JSON with mappings sorted by key; text that is not UTF-8 is written in its shown form.

    Arguments, folders, files and branches may have names in any bytes. Python keeps such bytes as lone
    surrogates, for which JSON has no form. They become `\xff`.
    """
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_encodable(msgspec.to_builtins(value, order="deterministic")))


def _encodable(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, str):
        try:
            data = value.encode("utf-8", "surrogateescape")  # the original bytes: Latin-1, or UTF-8 after all
        except UnicodeEncodeError:
            data = value.encode("utf-8", "backslashreplace")
        return data.decode("utf-8", "backslashreplace")
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(name): _encodable(item) for name, item in value.items()}
    return value


def load(
    data: bytes,
    kind: type[T],
    *,
    source: str,
    upgrades: Mapping[int, Upgrade] | None = None,
    current: int | None = None,
) -> T:
    """Return the typed document that `data` holds, upgraded from its format to the current one.

    Args:
        data: JSON bytes.
        kind: expected type of the document.
        source: where the bytes came from, for messages.
        upgrades: format to upgrade step; by default those of `kind`.
        current: format to arrive at; by default the one written for `kind`.

    Raises:
        InvalidDocument: it is not JSON, has a newer format, or a field is wrong.
    """
    steps = UPGRADES[kind] if upgrades is None else upgrades
    goal = FORMATS[kind] if current is None else current
    try:
        with suppress(msgspec.DecodeError):  # nearly all have today's format: a look first reads twice
            document = _decoder(kind).decode(data)
            if document.format == goal:
                return document  # type: ignore[no-any-return]  # a decoder of `kind`
        found = _HEAD.decode(data).format
        if found == goal:
            return _decoder(kind).decode(data)  # type: ignore[no-any-return]  # raises again, with all that is wrong
        if found > goal:
            raise InvalidDocument(
                source,
                [f"format: `{found}` is newer than this version of ledger reads (`{goal}`)"],
                hint="pip install --upgrade git-ledger",
            )
        document = msgspec.json.decode(data)
        for step in range(found, goal):
            if step not in steps:
                raise InvalidDocument(source, [f"format: unknown format: `{step}`"])
            document = {**steps[step](document), "format": step + 1}
        return msgspec.convert(document, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDocument(source, [_problem(error)]) from error


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the garbage collector while documents are read: it finds nothing, and takes 0.7 of 4 s.

    Documents never hold references to themselves.
    """
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


def _decoder(kind: type) -> "msgspec.json.Decoder[Any]":
    if kind not in _DECODERS:
        _DECODERS[kind] = msgspec.json.Decoder(kind)
    return _DECODERS[kind]


def _problem(error: Exception) -> str:
    """Return msgspec's message with the field first, where msgspec has it last: `$.results.metrics[0].value`."""
    message, _, field = str(error).partition(" - at `$")
    plain = message[:1].lower() + message[1:]
    return f"{field.strip('`.')}: {plain}" if field else plain
