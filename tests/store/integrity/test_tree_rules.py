"""Trees that git would not write are told from those that it does."""

import pytest

from ledger.store.integrity.tree_rules import _entries

OID = bytes(range(20))


def tree(*entries: tuple[bytes, bytes]) -> bytes:
    return b"".join(mode + b" " + name + b"\0" + OID for mode, name in entries)


def test_a_tree_as_git_writes_it_is_read_in_its_order() -> None:
    made = tree((b"100644", b"a"), (b"100755", b"b"), (b"40000", b"c"))
    assert _entries(made, 20) == [(b"100644", b"a", OID), (b"100755", b"b", OID), (b"40000", b"c", OID)]


def test_a_folder_is_ordered_as_if_its_name_ended_in_a_slash() -> None:
    assert _entries(tree((b"100644", b"a.b"), (b"40000", b"a")), 20) is not None
    assert _entries(tree((b"40000", b"a"), (b"100644", b"a.b")), 20) is None
    assert _entries(tree((b"100644", b"a.b"), (b"040000", b"a")), 20) is not None  # some tools write the zero


@pytest.mark.parametrize(
    "malformed",
    [
        tree((b"100644", b"b"), (b"100644", b"a")),
        tree((b"100644", b"a"), (b"100644", b"a")),
        tree((b"100644", b"a"), (b"40000", b"a")),
        tree((b"100644", b"")),
        tree((b"100644", b"a/b")),
        b"100644 xy",
        tree((b"100644", b"a")) + b"100644 b",
    ],
)
def test_a_malformed_tree_is_none(malformed: bytes) -> None:
    assert _entries(malformed, 20) is None
