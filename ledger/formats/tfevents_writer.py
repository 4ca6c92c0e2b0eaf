"""Event files of TensorBoard from scalars, without TensorBoard: a record with its checksums for each point.

Sources: `tensorflow/core/lib/io/record_writer.h`, `tensorflow/core/util/event.proto`, `summary.proto`
(https://github.com/tensorflow/tensorflow); CRC-32C is that of RFC 3720, section 12.1, masked as in `crc32c.h`.
"""

import struct
from collections.abc import Iterable, Iterator

from ledger.formats.scalar import Scalar

_POLYNOMIAL = 0x82F63B78
"""CRC-32C, reversed."""
_MASK = 0xA282EAD8
_VERSION = b"brain.Event:2"


def render_scalars(scalars: Iterable[Scalar], started: float) -> bytes:
    """Return an event file with scalars in their order; values are of 32 bits, steps at least 0.

    Args:
        scalars: the points; one without a time has that of the start.
        started: start of the run, seconds since 1970.
    """
    events = [_field(1, struct.pack("<d", started), wire=1) + _text(3, _VERSION)]
    return b"".join(_record(event) for event in (*events, *_events(scalars, started)))


def _events(scalars: Iterable[Scalar], started: float) -> Iterator[bytes]:
    for scalar in scalars:
        time = started if scalar.time is None else scalar.time
        value = _text(1, scalar.tag.encode()) + _field(2, struct.pack("<f", _narrow(scalar.value)), wire=5)
        yield (
            _field(1, struct.pack("<d", time), wire=1)
            + _field(2, _varint(max(0, scalar.step)), wire=0)
            + _text(5, _text(1, value))
        )


def _narrow(value: float) -> float:
    """Return the value in the range of 32 bits: what is larger is infinite."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _field(number: int, content: bytes, *, wire: int) -> bytes:
    return bytes([number << 3 | wire]) + content


def _text(number: int, content: bytes) -> bytes:
    return _field(number, _varint(len(content)) + content, wire=2)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:  # noqa: PLR2004  # seven bits a byte
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _record(data: bytes) -> bytes:
    size = struct.pack("<Q", len(data))
    return size + _checksum(size) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    value ^= 0xFFFFFFFF
    return struct.pack("<I", ((value >> 15 | value << 17) + _MASK) & 0xFFFFFFFF)


def _entry(number: int) -> int:
    for _ in range(8):
        number = number >> 1 ^ (_POLYNOMIAL if number & 1 else 0)
    return number


_TABLE = [_entry(number) for number in range(256)]
