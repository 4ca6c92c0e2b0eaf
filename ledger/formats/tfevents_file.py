"""Scalars in event files of TensorBoard: records with a length before them, each a protobuf message.

Every point is read, those of both generations of writers: a plain number, or a tensor of one number. Nothing else is
looked at. Sources: `tensorflow/core/lib/io/record_writer.h` (framing), `tensorflow/core/util/event.proto`,
`summary.proto` and `tensor.proto` (https://github.com/tensorflow/tensorflow); checksums are CRC-32C, masked.
"""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from ledger.formats.protobuf import message_fields, signed
from ledger.formats.scalar import Scalar

_AT_ONCE = 1 << 22
_HEAD, _TAIL = 12, 4
"""Bytes before a record (its length, and the checksum of that) and behind it (its own checksum)."""
_LONGEST = 1 << 30
"""Longest record: pictures and graphs are some megabytes."""
_PLAIN = re.compile(
    rb"\x09(.{8})(?:\x10([\x80-\xff]{0,9}[\x00-\x7f]))?\x2a[\x80-\xff]{0,4}[\x00-\x7f]"
    rb"\x0a[\x80-\xff]{0,4}[\x00-\x7f]\x0a([\x01-\x7f])(.{1,127}?)"
    rb"(?:\x15|\x42[\x08\x0a]\x08\x01(?:\x12\x00)?[\x22\x2a]\x04)(.{4})(?:\x4a.*)?",
    re.DOTALL,
)
"""An event with one number, as most are: time, step, and in a summary a value with a tag and a float or its tensor."""
_double, _float = struct.Struct("<d").unpack, struct.Struct("<f").unpack


class DamagedFileError(Exception):
    """The file ends in the middle of a record, or is none from somewhere on."""


def read_scalars(file: BinaryIO) -> Iterator[Scalar]:
    """Yield the scalars of an event file, in its order.

    Raises:
        DamagedFileError: the rest cannot be read; what was yielded before it is whole.
        OSError: the file cannot be read.
    """
    tags: dict[bytes, str] = {}
    match, new = _PLAIN.fullmatch, tuple.__new__
    for record in _records(file):
        if (plain := match(record)) is not None:
            time, step, size, tag, value = plain.groups()
            if size[0] == len(tag):
                if (name := tags.get(tag)) is None:
                    name = tags[tag] = tag.decode("utf-8", "replace")
                yield new(Scalar, (name, _step(step) if step else 0, _double(time)[0], _float(value)[0]))
                continue
        try:
            yield from _scalars(record)
        except (IndexError, ValueError, struct.error) as error:
            raise DamagedFileError("a record is no event") from error


def _records(file: BinaryIO) -> Iterator[bytes]:
    data, at, first = b"", 0, True
    while True:
        if len(data) - at < _HEAD:
            data, at = data[at:] + file.read(_AT_ONCE), 0
            if not data:
                return
            if len(data) < _HEAD:
                raise DamagedFileError("it ends in the middle of a record")
        length = int.from_bytes(data[at : at + 8], "little")
        if first or length > _AT_ONCE:
            if _checksum(data[at : at + 8]) != int.from_bytes(data[at + 8 : at + _HEAD], "little"):
                raise DamagedFileError("a length is no length")
            first = False
        if length > _LONGEST:
            raise DamagedFileError("a record is too long")
        end = at + _HEAD + length
        if len(data) < end + _TAIL:
            data, end, at = data[at:] + file.read(max(_AT_ONCE, end + _TAIL - len(data))), end - at, 0
            if len(data) < end + _TAIL:
                raise DamagedFileError("it ends in the middle of a record")
        yield data[at + _HEAD : end]
        at = end + _TAIL


def _step(varint: bytes) -> int:
    if len(varint) == 1:
        return varint[0]
    found = 0
    for place, byte in enumerate(varint):
        found |= (byte & 0x7F) << 7 * place
    return signed(found)


def _scalars(record: bytes) -> Iterator[Scalar]:
    step, time, summaries = 0, 0.0, []
    for number, value in message_fields(record):
        match number, value:
            case 1, bytes():
                (time,) = _double(value)
            case 2, int():
                step = signed(value)
            case 5, bytes():
                summaries.append(value)
    for summary in summaries:
        for number, part in message_fields(summary):
            if number == 1 and isinstance(part, bytes) and (found := _value(part)) is not None:
                yield Scalar(found[0], step, time, found[1])


def _value(data: bytes) -> tuple[str, float] | None:
    """Return tag and number of a value; none where it is no number."""
    tag, number = "", None
    for field, value in message_fields(data):
        match field, value:
            case 1, bytes():
                tag = value.decode("utf-8", "replace")
            case 2, bytes():
                (number,) = _float(value)
            case 8, bytes():
                number = _tensor(value)
    return (tag, number) if number is not None else None


def _tensor(data: bytes) -> float | None:
    """Return the number that a tensor is; none where it has another type or more numbers."""
    kind, content = 0, b""
    for field, value in message_fields(data):
        match field, value:
            case 1, int():
                kind = value
            case ((4 | 5 | 6), bytes()):  # its bytes, or a list of floats or doubles
                content += value
    number: float
    match kind, len(content):
        case 1, 4:
            (number,) = _float(content)
        case 2, 8:
            (number,) = _double(content)
        case _:
            return None
    return number


def _crc_table() -> list[int]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)  # noqa: PLW2901  # the polynomial, bit by bit
        table.append(number)
    return table


_CRC = _crc_table()


def _checksum(data: bytes) -> int:
    found = 0xFFFFFFFF
    for byte in data:
        found = _CRC[(found ^ byte) & 0xFF] ^ found >> 8
    found ^= 0xFFFFFFFF
    return ((found >> 15 | found << 17) + 0xA282EAD8) & 0xFFFFFFFF
