"""Messages are walked field by field; what is none raises."""

import pytest

from ledger.formats.protobuf import message_fields, signed


def test_fields_of_every_wire_type_are_read() -> None:
    data = b"\x08\x96\x01\x11\x00\x00\x00\x00\x00\x00\xf0\x3f\x1a\x02ab\x25\x01\x02\x03\x04"
    assert list(message_fields(data)) == [
        (1, 150), (2, b"\x00\x00\x00\x00\x00\x00\xf0\x3f"), (3, b"ab"), (4, b"\x01\x02\x03\x04"),
    ]  # fmt: skip
    assert list(message_fields(b"")) == []
    assert (signed(5), signed((1 << 64) - 1)) == (5, -1)


@pytest.mark.parametrize("data", [b"\x08", b"\x08\x80", b"\x1a\x05a", b"\x0b", b"\x11\x00", b"\xff" * 11])
def test_what_ends_early_or_is_none_raises(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        list(message_fields(data))
