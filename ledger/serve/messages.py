"""What a client and a data server say to each other: typed, bounded, and never a pickle.

A message is one frame of JSON, and behind a batch that goes over the socket a frame for each array.
"""

import math
import re
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np

from ledger.errors import LedgerError

PROTOCOL = 1
GREETING_BYTES = 1 << 16
"""Longest `hello`: a server remembers the names in it."""
HEADER_BYTES = 1 << 23
"""Longest header: the rows of a batch of half a million samples."""
MESSAGE_BYTES = 1 << 31
"""Largest message that a client takes."""
ROWS = 1 << 19
"""Most rows that may be asked for at once."""
_ARRAYS, _AXES = 256, 16
"""Most arrays of a batch, and axes of an array."""
_TYPE = re.compile(r"[<>|][biufcSU][1-9]\d{0,8}")
"""Types of arrays (`numpy.dtype.str`): none of them is an object, and none takes no room."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", forbid_unknown_fields=True):
    """One message."""


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """The first message of a client."""

    protocol: int
    columns: list[str] = []
    """Columns that it wants; all where it names none."""
    shares_memory: bool = False
    """Whether it may be on the same host."""


class AnyHello(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="hello"):
    """What a `hello` of every protocol has."""

    protocol: int


class Welcome(Message, frozen=True, kw_only=True, tag="welcome"):
    """The answer to `hello`: what is served."""

    protocol: int
    dataset_hash: str
    label: str
    """Name of the dataset version, or path."""
    samples: int
    kind: str
    verified: bool
    code: str | None = None
    """Hash of the code that transforms samples."""
    ring: "Ring | None" = None


class Ring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Memory that both sides map: `/proc/<pid>/fd/<descriptor>`, which has no name and ends with its last user."""

    pid: int
    descriptor: int
    slots: int
    slot_bytes: int
    token: str
    """What the memory begins with, so that nobody maps another one."""


class Want(Message, frozen=True, kw_only=True, tag="want"):
    """A question for samples."""

    id: int
    rows: list[int]
    slot: int = -1
    """Slot of the ring that the arrays go to; -1 for frames."""
    ring: str = ""
    """Token of the ring whose slot is meant: a client that said hello again has another one."""


class Properties(Message, frozen=True, kw_only=True, tag="property"):
    """A question for a property of every sample, such as its label."""

    id: int
    name: str


class Ping(Message, frozen=True, kw_only=True, tag="ping"):
    """A sign of life, which is answered with one."""


class Status(Message, frozen=True, kw_only=True, tag="status"):
    """A question for what the server does."""


class ArrayForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One array of a batch."""

    name: str
    dtype: str
    shape: list[int]
    at: int = 0
    """Place in the slot, in bytes."""


class BatchReply(Message, frozen=True, kw_only=True, tag="batch"):
    """The samples that were asked for."""

    id: int
    arrays: list[ArrayForm]
    slot: int = -1
    ring: str = ""
    cached: bool = False
    """Whether they were decoded for another question."""
    verified: bool = False
    """Whether the content is known to be that of the version."""


class Values(Message, frozen=True, kw_only=True, tag="values"):
    """A property of every sample; none where the samples have no such property."""

    id: int
    values: list[str | None] | None


class Pong(Message, frozen=True, kw_only=True, tag="pong"):
    """A sign of life."""

    known: bool
    """Whether the server knows the client; a server that was started again asks for its `hello`."""


class Refused(Message, frozen=True, kw_only=True, tag="refused"):
    """What cannot be answered, in one line."""

    id: int | None = None
    message: str
    hint: str | None = None
    row: int | None = None
    """Row of the sample that cannot be read, where that is why."""


class StatusReply(Message, frozen=True, kw_only=True, tag="state"):
    """What the server does."""

    label: str
    dataset_hash: str
    samples: int
    verified: bool
    clients: int
    batches: int
    decoded: int
    """Batches that were read and decoded; the others came from the cache."""
    bytes: int
    seconds: float


FromClient = Hello | Want | Properties | Ping | Status
FromServer = Welcome | BatchReply | Values | Pong | Refused | StatusReply

_encode = msgspec.json.Encoder().encode
decode_client = msgspec.json.Decoder(FromClient).decode
decode_greeting = msgspec.json.Decoder(AnyHello).decode
decode_server = msgspec.json.Decoder(FromServer).decode


def encode(message: Message) -> bytes:
    """Return the bytes of a message; what a refusal names may be no text, such as a file in an archive.

    Raises:
        UnicodeEncodeError: another message holds what is no text.
    """
    if isinstance(message, Refused):
        hint = None if message.hint is None else _text(message.hint)
        message = msgspec.structs.replace(message, message=_text(message.message), hint=hint)
    return _encode(message)


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def array_of(form: ArrayForm, data: memoryview) -> "np.ndarray[Any, Any]":
    """Return an array in some bytes, which are not copied.

    Raises:
        LedgerError: its type is none that is allowed, or its shape does not fit the bytes.
    """
    dtype, size = type_of(form), size_of(form)
    if size != data.nbytes:
        raise LedgerError(f"a server sent an array whose shape does not fit its bytes: `{form.name[:80]}`")
    try:
        return np.frombuffer(data, dtype=dtype).reshape(form.shape) if size else np.empty(form.shape, dtype)
    except ValueError:  # an axis of nothing, and others beyond all bounds
        raise LedgerError(f"a server sent an array of a shape that is not possible: `{form.name[:80]}`") from None


def type_of(form: ArrayForm) -> "np.dtype[Any]":
    """Return the type of an array.

    Raises:
        LedgerError: it is none that is allowed.
    """
    with suppress(TypeError, ValueError):
        if _TYPE.fullmatch(form.dtype):
            return np.dtype(form.dtype)
    raise LedgerError(f"a server sent an array of a type that is not allowed: `{form.dtype[:40]}`")


def size_of(form: ArrayForm) -> int:
    """Return the bytes of an array.

    Raises:
        LedgerError: its type or its shape is none that is allowed.
    """
    if len(form.shape) > _AXES or min(form.shape, default=0) < 0:
        raise LedgerError(f"a server sent an array of a shape that is not possible: `{form.name[:80]}`")
    return math.prod(form.shape) * type_of(form).itemsize


def check_forms(forms: list[ArrayForm]) -> None:
    """Refuse more arrays than a batch has.

    Raises:
        LedgerError: there are more.
    """
    if len(forms) > _ARRAYS:
        raise LedgerError(f"a server sent too many arrays: `{len(forms)}`")
