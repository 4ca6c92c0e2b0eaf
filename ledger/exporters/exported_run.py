"""What is exported of a run, and what a format gives back: its files, and what they cannot hold."""

from typing import NamedTuple

import msgspec

from ledger.analysis.data.curves import Point
from ledger.model.record import Record
from ledger.model.values import Document, Number


class ExportedRun(NamedTuple):
    """A run with its curves."""

    record: Record
    """Its record."""
    points: list[Point]
    """Points of its learning curves, as many as the ledger keeps."""


class Exported(Document, frozen=True, kw_only=True):
    """Files in the format of another tool."""

    files: dict[str, bytes]
    """Content by path below the folder that is written."""
    losses: list[str] = []
    """What the format cannot hold, each in a phrase."""
    next: str | None = None
    """What to type next; none where the files can be used as they are."""


def number_of(value: Number) -> float:
    """Return a number of a record as a float."""
    return float(value)


def param_text(value: object) -> str:
    """Return a param as a text: as JSON, a plain text as it is."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def json_bytes(document: object) -> bytes:
    """Return a document as JSON for people: two spaces, the order of its keys, a final newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
