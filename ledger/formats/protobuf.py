"""Fields of a protobuf message in memory: https://protobuf.dev/programming-guides/encoding/."""

from collections.abc import Iterator

_LONGEST_VARINT = 10
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types; groups, which nobody writes any more, are not among them."""


def message_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a message.

    Raises:
        ValueError: it is no message, or ends in the middle of one.
        IndexError: the same.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in {_EIGHT, _FOUR}:
            size = 8 if wire == _EIGHT else 4
        else:
            raise ValueError(wire)
        if at + size > end:
            raise ValueError(size)
        yield key >> 3, data[at : at + size]
        at += size


def signed(number: int) -> int:
    """Return a number of 64 bits as one with a sign."""
    return number - (1 << 64) if number >> 63 else number


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = 0
    for place in range(_LONGEST_VARINT):
        byte = data[at + place]
        found |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return found, at + place + 1
    raise ValueError(at)
