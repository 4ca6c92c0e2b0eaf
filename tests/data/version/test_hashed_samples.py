"""A sample's hash is its value: of one type, shape and content, whatever holds it in memory."""

import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ledger.data.version.hashed_samples import hash_samples, value_line
from ledger.errors import LedgerError


def content(value: object) -> str:
    return value_line(value, "x").hash


CLOSE = [
    None, False, True, 0, 1, 0.0, -0.0, 1.0, float("nan"), float("inf"), "", "1", b"", b"1", [], [1], [1.0], [[1]],
    [1, 1], {}, {"1": 1}, {1: 1}, {"1": [1]}, "\ud800", 10**30, -1,
    np.zeros(1), np.zeros(1, "f4"), np.zeros((1, 1)), np.zeros(0), np.zeros((0, 1)), np.float32(0), np.array("1"),
    np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")]), np.array([(1, 2)], dtype=[("b", "i4"), ("a", "i4")]),
    torch.ones(1, dtype=torch.bfloat16), torch.ones(1, dtype=torch.float16),
    Image.new("L", (2, 1)), Image.new("L", (1, 2)), Image.new("P", (2, 1)), Image.new("RGB", (2, 1)),
]  # fmt: skip


def test_values_that_look_alike_have_hashes_of_their_own() -> None:
    hashes = [content(value) for value in CLOSE]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ((1, 2), [1, 2]),
        (b"ab", bytearray(b"ab")),
        (b"ab", memoryview(b"ab")),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (np.arange(3, dtype="<i4"), np.arange(3, dtype=">i4")),
        (np.arange(6)[::2].copy(), np.arange(6)[::2]),
        (np.arange(3.0), torch.arange(3, dtype=torch.float64)),
        (torch.eye(2), torch.eye(2).to_sparse()),
        (torch.ones(2), torch.ones(2, requires_grad=True)),
        (torch.tensor([1 - 2j]), torch.tensor([1 + 2j]).conj()),
        (torch.tensor([-2.0]), torch.tensor([1 + 2j]).conj().imag),
        (np.array([[0, 0]], np.uint8), torch.zeros(1, 2, dtype=torch.uint8)),
    ],
)
def test_one_value_has_one_hash_whatever_holds_it(one: object, same: object) -> None:
    assert content(one) == content(same)


def test_the_bytes_of_a_line_are_those_that_were_hashed() -> None:
    assert value_line("é", "x").bytes == len(b"s" + struct.pack("<Q", 2) + "é".encode())
    assert value_line(None, "x").bytes == 9


@given(st.lists(st.integers() | st.text(), min_size=1, max_size=20))
def test_samples_are_numbered_in_their_order(samples: list[object]) -> None:
    lines = hash_samples(samples).lines
    assert [line.path for line in lines] == [f"{number:012d}" for number in range(len(samples))]
    assert [line.hash for line in lines] == [content(sample) for sample in samples]


class Endless:
    """A dataset as torch's documentation writes them: with a length, and without an end."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        return index


def test_a_dataset_that_raises_no_index_error_ends_with_its_length() -> None:
    assert hash_samples(Endless()) == hash_samples([0, 1, 2])


def nested(depth: int) -> object:
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


def test_a_sample_is_nested_to_a_limit() -> None:
    assert hash_samples([nested(32)]).files == 1
    for deep in (nested(33), {"a": nested(32)}):
        with pytest.raises(LedgerError, match="sample 1, "):
            hash_samples([0, deep])


@pytest.mark.parametrize(
    ("sample", "where"),
    [
        (object(), r"\(object\): `sample 0`"),
        ({"a": [1, {2}]}, r"\(set\): `sample 0, 'a', 1`"),
        ((np.array([None]),), r"objects .*`sample 0, 0`"),
        (1 + 2j, r"\(complex\): `sample 0`"),
    ],
)
def test_what_has_no_canonical_bytes_is_named_by_type_and_place(sample: object, where: str) -> None:
    with pytest.raises(LedgerError, match=where):
        hash_samples([sample])
