"""The first bytes of a text give its encoding away; what they leave open is UTF-8."""

import pytest

from ledger.formats.encoding import decode, encoding_of

TEXT = "epoch,loss\n1,0.5\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"], ids=lambda name: name
)
def test_a_text_is_read_without_its_byte_order_mark(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [("utf-32-be", "utf-32"), ("utf-32-le", "utf-32"), ("utf-16-be", "utf-16"), ("utf-16-le", "utf-16")],
)
def test_a_byte_order_mark_decides_in_both_orders(mark: str, encoding: str) -> None:
    assert encoding_of(f"\ufeff{TEXT}".encode(mark)) == encoding
    assert decode(f"\ufeff{TEXT}".encode(mark)) == TEXT


def test_letters_of_other_alphabets_among_latin_ones_do_not_hide_utf_16() -> None:
    assert encoding_of("größe,損失\n1,2\n3,4\n".encode("utf-16-le")) == "utf-16-le"


@pytest.mark.parametrize(
    "data", [b"", b"a", b"a\0b", bytes(64), b"\0\0\0a" * 20, b"ab\0\0" * 20, b"plain text, no zeros"]
)
def test_bytes_that_give_nothing_away_are_taken_for_utf_8(data: bytes) -> None:
    assert encoding_of(data) == "utf-8"


def test_only_the_start_is_looked_at() -> None:
    assert encoding_of(b"a" * 4096 + b"a\0" * 100_000) == "utf-8"


@pytest.mark.parametrize("data", [b"\xff", "a".encode("utf-16") + b"\0", b"\xff\xfe\0\0\xff\xff\xff\xff"])
def test_a_damaged_text_is_an_error_of_decoding(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(data)
