"""The initializers of an ONNX file are counted field by field; what is damaged or hostile is an error at once."""

from pathlib import Path

import pytest

from ledger.formats import onnx_file
from ledger.formats.onnx_file import count_initializers

FLOAT, INT8, INT64, DOUBLE, BFLOAT = 1, 3, 7, 11, 16


def varint(value: int) -> bytes:
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])


def message(*parts: tuple[int, bytes | int]) -> bytes:
    """Return a protobuf message of these fields."""
    return b"".join(
        varint(number << 3) + varint(value)
        if isinstance(value, int)
        else varint(number << 3 | 2) + varint(len(value)) + value
        for number, value in parts
    )


def weight(name: str, dims: list[int], kind: int = FLOAT) -> tuple[int, bytes]:
    """Return an initializer whose sides stand one by one, as old exporters write them."""
    return 5, message(*((1, side) for side in dims), (2, kind), (8, name.encode()), (9, bytes(8)))


def packed(name: str, dims: bytes, kind: int = FLOAT) -> tuple[int, bytes]:
    return 5, message((1, dims), (2, kind), (8, name.encode()))


def norm(*inputs: str, operation: str = "BatchNormalization") -> tuple[int, bytes]:
    return 1, message(*((1, name.encode()) for name in inputs), (4, operation.encode()))


def count(folder: Path, *graph: tuple[int, bytes | int]) -> int:
    return count_raw(folder, message((1, 8), (7, message(*graph)), (2, b"torch")))


def count_raw(folder: Path, data: bytes) -> int:
    (folder / "m.onnx").write_bytes(data)
    return count_initializers(folder / "m.onnx")


def test_sides_are_read_one_by_one_and_packed(tmp_path: Path) -> None:
    assert count(tmp_path, weight("a", [300, 2]), packed("b", varint(300) + varint(2))) == 1200
    assert count(tmp_path, weight("scalar", [])) == 1


def test_only_types_that_are_trained_are_parameters(tmp_path: Path) -> None:
    parts = [weight("f", [1]), weight("h", [2], 10), weight("d", [4], DOUBLE), weight("b", [8], BFLOAT)]
    assert count(tmp_path, *parts, weight("shape", [100], INT64)) == 15
    with pytest.raises(ValueError, match="no initializers"):
        count(tmp_path, weight("shape", [100], INT64))


def test_quantised_weights_are_refused_by_name_and_a_zero_point_is_not(tmp_path: Path) -> None:
    assert count(tmp_path, weight("w", [4]), weight("zero_point", [], INT8)) == 4
    with pytest.raises(ValueError, match=r"quantised: w{80}$"):
        count(tmp_path, weight("w" * 200, [4], INT8))


def test_only_mean_and_variance_of_a_batch_normalisation_are_no_parameters(tmp_path: Path) -> None:
    weights = [weight(name, [10]) for name in ("scale", "shift", "mean", "variance")]
    inputs = ("x", "scale", "shift", "mean", "variance")
    assert count(tmp_path, norm(*inputs), *weights) == 20
    assert count(tmp_path, *weights, norm(*inputs)) == 20
    assert count(tmp_path, norm(*inputs, operation="LayerNormalization"), *weights) == 40


def test_an_initializer_of_one_name_counts_once(tmp_path: Path) -> None:
    assert count(tmp_path, weight("a", [3]), weight("a", [3])) == 3


def test_fields_of_fixed_length_are_jumped_over(tmp_path: Path) -> None:
    fixed = varint(99 << 3 | 1) + bytes(8) + varint(98 << 3 | 5) + bytes(4)
    assert count_raw(tmp_path, fixed + message((7, fixed + message(weight("a", [3]))))) == 3


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no initializers"),
        (varint(7 << 3 | 3), "not a protobuf"),
        (b"\xff" * 20, "not a protobuf"),
        (varint(7 << 3 | 2) + varint(100) + b"a", "longer than what holds it"),
        (b"\x80", "damaged"),
        (message((7, message((5, varint(9 << 3 | 2) + varint(50))))), "longer than what holds it"),
        (message((7, message(weight("a", [1 << 59, 4])))), "more than any file holds"),
        (message((7, message(packed("a", b"\x7f" * 100_000)))), "more than 64 sides"),
        (message((7, message(weight("a", [127] * 65)))), "more than 64 sides"),
    ],
    ids=["empty", "a group", "no end", "too long", "cut off", "too long inside", "too large", "packed sides", "sides"],
)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        count_raw(tmp_path, data)


def test_a_file_of_very_many_fields_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "_FIELDS", 100)
    with pytest.raises(ValueError, match="too many fields"):
        count_raw(tmp_path, message((1, 1)) * 101)


def test_a_file_that_is_not_there_is_an_error_of_its_own_kind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="damaged"):
        count_initializers(tmp_path / "none.onnx")
