"""Number of parameters in an ONNX file: its initializers, read field by field; the weights are skipped.

Format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto and https://protobuf.dev/programming-guides/encoding.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ledger.formats.state_dict import MOST_SIDES

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
"""Field numbers: the graph of a model, the nodes and the initializers of a graph."""
_INPUT, _OPERATION = 1, 4
_DIMS, _TYPE, _NAME = 1, 2, 8
_TRAINED = {1, 10, 11, 16}
"""Types of parameters: float, float16, double, bfloat16."""
_PACKED = {2, 3, 17, 18, 19, 20, 21, 22, 23}
"""Types of quantised weights: (u)int8, float8, (u)int4, float4."""
_FIELDS = 10_000_000
_SHORT = 1 << 20
_STATISTICS = slice(3, 5)
"""Inputs of a batch normalisation that are its running mean and variance."""


class _Field(NamedTuple):
    number: int
    value: int
    """The value of a number; for bytes, the position of their end."""
    is_bytes: bool


def count_initializers(path: Path) -> int:
    """Return the number of parameters in an ONNX file.

    Raises:
        ValueError: it is damaged, is quantised, or has its weights elsewhere than in initializers.
    """
    counts: dict[str, int] = {}
    buffers: set[str] = set()
    try:
        with path.open("rb") as file:
            end = path.stat().st_size
            for part in _fields(file, end):
                if part.number == _GRAPH and part.is_bytes:
                    for inner in _fields(file, part.value):
                        if inner.number == _INITIALIZER and inner.is_bytes:
                            name, count = _initializer(file, inner.value)
                            counts[name] = count
                        elif inner.number == _NODE and inner.is_bytes:
                            buffers.update(_statistics(file, inner.value))
                        if inner.is_bytes:
                            file.seek(inner.value)
                if part.is_bytes:
                    file.seek(part.value)
    except (OSError, IndexError, OverflowError) as error:
        raise ValueError(f"the file is damaged: {error}") from None
    found = sum(count for name, count in counts.items() if name not in buffers)
    if not found:
        raise ValueError("it holds no initializers")
    return found


def _initializer(file: BinaryIO, end: int) -> tuple[str, int]:
    dims: list[int] = []
    kind, name = 0, ""
    for field in _fields(file, end):
        if field.number == _DIMS:
            dims += _dims(file, field)
        elif field.number == _TYPE:
            kind = field.value
        elif field.number == _NAME and field.is_bytes:
            name = _text(file, field.value)
        if field.is_bytes:
            file.seek(field.value)
        if len(dims) > MOST_SIDES:
            raise ValueError(f"a tensor has more than {MOST_SIDES} sides")
    count = math.prod(dims)
    if count >= 1 << 60:
        raise ValueError("a tensor claims more than any file holds")
    if kind in _PACKED and count > 1:
        raise ValueError(f"its weights are quantised: {name[:80]}")
    return name, count if kind in _TRAINED else 0


def _dims(file: BinaryIO, field: _Field) -> Iterator[int]:
    """Yield the sides in a field: one, or several packed together, though never more than any tensor has."""
    if not field.is_bytes:
        yield field.value
        return
    for _ in range(MOST_SIDES + 1):
        if file.tell() >= field.value:
            return
        yield _varint(file)


def _statistics(file: BinaryIO, end: int) -> list[str]:
    """Return the inputs of a node that are running statistics of a batch normalisation."""
    inputs: list[str] = []
    operation = ""
    for field in _fields(file, end):
        if field.number == _INPUT and field.is_bytes:
            inputs.append(_text(file, field.value))
        elif field.number == _OPERATION and field.is_bytes:
            operation = _text(file, field.value)
        if field.is_bytes:
            file.seek(field.value)
    return inputs[_STATISTICS] if operation == "BatchNormalization" else []


def _fields(file: BinaryIO, end: int) -> Iterator[_Field]:
    """Yield the fields up to `end`; the caller moves to the end of fields with bytes."""
    for _ in range(_FIELDS):
        if file.tell() >= end:
            return
        key = _varint(file)
        kind = key & 7
        if kind == 0:
            yield _Field(key >> 3, _varint(file), is_bytes=False)
        elif kind == 2:  # noqa: PLR2004  # wire types of the format
            stop = _varint(file)
            stop += file.tell()
            if stop > end:
                raise ValueError("the file is damaged: a field is longer than what holds it")
            yield _Field(key >> 3, stop, is_bytes=True)
        elif kind in {1, 5}:
            file.seek(8 if kind == 1 else 4, 1)
        else:
            raise ValueError("it is not a protobuf")
    raise ValueError("it holds too many fields")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)[0]
        value |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004  # the highest bit says that more follows
            return value
    raise ValueError("it is not a protobuf")


def _text(file: BinaryIO, end: int) -> str:
    return file.read(min(end - file.tell(), _SHORT)).decode("utf-8", "replace")
