"""A result comes back as it went in, and a damaged one is told, whatever is damaged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.data.preparing.step_values import read_value, write_value
from ledger.errors import LedgerError

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner), max_leaves=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_plain_values_come_back_as_they_were(tmp_path: Path, value: object) -> None:
    write_value(value, tmp_path)
    assert repr(read_value(tmp_path)) == repr(value)


@pytest.mark.parametrize(
    "value",
    [np.float64(0.1), np.float32(0.1), np.int64(3), np.bool_(True), np.str_("é"), np.zeros((0, 3)), np.array(5),
     np.array(["a", "bc"]), np.array([b"a"]), np.array([1 + 2j])],
)  # fmt: skip
def test_values_of_numpy_come_back_with_their_type_and_shape(tmp_path: Path, value: np.generic) -> None:
    write_value({"x": [value]}, tmp_path)
    (found,) = read_value(tmp_path)["x"]
    assert type(found) is type(value)
    assert (found.dtype, found.shape) == (value.dtype, value.shape)
    assert np.array_equal(found, value)


def test_a_tensor_comes_back_without_its_history(tmp_path: Path) -> None:
    write_value((torch.ones(2, requires_grad=True) * 2, torch.tensor(3)), tmp_path)
    first, second = read_value(tmp_path)
    assert torch.equal(first, torch.full((2,), 2.0))
    assert not first.requires_grad
    assert torch.equal(second, torch.tensor(3))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (object(), r"`result` is a object"),
        ([{"a": (1, {2})}], r"`result\[0\]\.a\[1\]` is a set"),
        ({1: 2}, r"`result` is a dict"),
        (np.array([object()]), r"`result` is a ndarray"),
        (np.array(["2026"], "datetime64[Y]"), r"`result` is a ndarray"),
        ([torch.ones(1, dtype=torch.bfloat16)], r"`result\[0\]` is torch\.bfloat16"),
        (torch.eye(2).to_sparse(), r"`result` is torch\.float32, torch\.sparse_coo"),
        (1 + 2j, r"`result` is a complex"),
    ],
)
def test_what_has_no_form_is_named_by_its_place(tmp_path: Path, value: object, where: str) -> None:
    with pytest.raises(LedgerError, match=where):
        write_value(value, tmp_path)
    assert not (tmp_path / "value.json").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"list": null}', '{"odd": 1}', '{"bytes": 3}', '{"bytes": "x"}',
             '{"array": 7}', '{"array": "../x"}', '{"array": null}', '{"plain": 1, "list": []}']
)  # fmt: skip
def test_a_damaged_result_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "value.json").write_text(text)
    with pytest.raises(LedgerError, match=tmp_path.name) as caught:
        read_value(tmp_path)
    assert caught.value.hint == "ledger cache clean"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x80\x04N."])
def test_a_damaged_array_is_told_and_never_unpickled(tmp_path: Path, content: bytes) -> None:
    write_value(np.ones(3), tmp_path)
    (tmp_path / "0.npy").write_bytes(content)
    with pytest.raises(LedgerError, match=tmp_path.name):
        read_value(tmp_path)


def test_a_folder_without_a_result_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="gone"):
        read_value(tmp_path / "gone")
