"""What the ranks of a job say to each other: few kinds of messages, each with a bounded size."""

from ledger.model.boxes.machine import Hardware
from ledger.model.values import Document
from ledger.session.spool.events import Start

START, HARDWARE, EVENTS, BEAT = b"start", b"hardware", b"events", b"beat"
"""Kinds of messages to rank 0: the start of a spool, the machine, part of a file of events, a sign of life."""
ENDING = b"ending"
"""What a sign of life adds when the run has ended and its rest is on the way."""
WELCOME, GOT, CALL, RECORDED, SHARED, UNKNOWN = b"welcome", b"got", b"call", b"recorded", b"shared", b"unknown"
"""Kinds of messages from rank 0: it has the start; it has a file up to here; who lives; the training is recorded; the
spool is in its folder already; it does not know who speaks."""

CHUNK_BYTES = 1 << 16
"""Most bytes of a file in one message."""
WINDOW_BYTES = 1 << 20
"""Most bytes that are sent and not confirmed yet; the rest waits in the file of the rank."""
FILES = 256
"""Most files of events of one rank: one for itself, one for each process that it handed its run to."""
LINE_BYTES = 1 << 20
"""Longest event."""
BEAT_SECONDS = 2.0
"""Time between two signs of life."""
SILENT_SECONDS = 15.0
"""How long a rank may say nothing before it counts as gone."""


class RankStart(Document, frozen=True, kw_only=True):
    """The first message of a rank."""

    start: Start
    """Start of its spool."""


class RankMachine(Document, frozen=True, kw_only=True):
    """The machine of a rank, where it has looked at it."""

    hardware: Hardware
    """What it saw."""


def load_number(told: bytes) -> int:
    """Return a number of a message.

    Raises:
        ValueError: it is none, or has more than 18 digits.
    """
    if not told.isdigit() or len(told) > 18:  # noqa: PLR2004  # fits in 64 bits
        raise ValueError(f"no number: `{told[:18]!r}`")
    return int(told)


def written_number(number: int) -> bytes:
    """Return a number as a message holds it."""
    return str(number).encode()
