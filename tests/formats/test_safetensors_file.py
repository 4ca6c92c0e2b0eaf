"""The header of a safetensors file says which tensors it holds; one that claims too much is refused."""

import json
from pathlib import Path

import pytest

from ledger.formats.safetensors_file import is_safetensors_start, read_tensors


def written(folder: Path, header: object, *, size: int = 1000, length: int | None = None) -> Path:
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "m.safetensors"
    path.write_bytes((len(data) if length is None else length).to_bytes(8, "little") + data + bytes(size))
    return path


def tensor(*shape: object, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [0, 0]}


def test_every_tensor_is_told_with_its_type_and_the_words_beside_them_are_none(tmp_path: Path) -> None:
    path = written(tmp_path, {"__metadata__": {"format": "pt"}, "a": tensor(2, 3), "b": tensor(dtype="I8")})
    found = read_tensors(path)
    assert {name: (one.size, one.kind, one.count) for name, one in found.items()} == {
        "a": ((2, 3), "F32", 6), "b": ((), "I8", 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        ((2).to_bytes(8, "little") + b'{"', True),
        ((100_000_000).to_bytes(8, "little") + b'{"', True),
        ((100_000_001).to_bytes(8, "little") + b'{"', False),
        (bytes(8) + b'{"', False),
        ((2).to_bytes(8, "little") + b"[]", False),
        (b"", False),
        (b"\x02\0\0", False),
    ],
)
def test_a_file_is_known_by_the_length_of_its_header_and_how_it_begins(start: bytes, is_one: bool) -> None:  # noqa: FBT001  # of pytest
    assert is_safetensors_start(start) == is_one


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"a": {}}, "header is damaged"),
        ({"a": [1]}, "header is damaged"),
        ({"a": {"shape": 3}}, "header is damaged"),
        ({"a": tensor(-1)}, "header is damaged"),
        ({"a": tensor(1.5)}, "header is damaged"),
        ({"a": tensor(True)}, "header is damaged"),
        ({"a": tensor(1 << 40)}, "header is damaged"),
        ({"a": tensor(1000, 1000)}, "claims more data than the file holds"),
        ({f"t{number}": tensor(2000) for number in range(99)}, "claims more data than the file holds"),
        ({"a": tensor(*[2] * 65)}, "more than 64 sides"),
        (b"{", "property name"),
        (b"\xff", "decode byte"),
        (b'{"a":' * 100_000, "recursion depth"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused(tmp_path: Path, header: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_tensors(written(tmp_path, header))


def test_a_header_of_many_sides_is_refused_before_they_are_multiplied(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than 64 sides"):
        read_tensors(written(tmp_path, {"a": tensor(*[1_000_000] * 200_000)}))


def test_a_header_longer_than_the_format_allows_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="larger than 100 MB"):
        read_tensors(written(tmp_path, {}, length=100_000_001))


def test_a_header_that_is_no_mapping_holds_nothing(tmp_path: Path) -> None:
    assert read_tensors(written(tmp_path, [1])) == {}


def test_a_file_that_is_not_there_is_an_error_of_its_own_kind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        read_tensors(tmp_path / "none.safetensors")
