"""The tensors of a safetensors file, from its header; their data is never read.

Format: https://huggingface.co/docs/safetensors (eight bytes of header length, little-endian, then JSON).
"""

import json
from pathlib import Path

from ledger.formats.state_dict import Tensor

_LENGTH_BYTES = 8
_HEADER_LIMIT = 100_000_000
"""Largest header in bytes, as in the format's own reader."""


def is_safetensors_start(start: bytes) -> bool:
    """Return whether a file with this beginning is a safetensors file."""
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    return start[_LENGTH_BYTES : _LENGTH_BYTES + 2] == b'{"' and 0 < length <= _HEADER_LIMIT


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name.

    Raises:
        ValueError: the header is damaged, or claims more than the file holds.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if length > _HEADER_LIMIT:
                raise ValueError("its header is larger than 100 MB")
            header = json.loads(file.read(length))
    except (OSError, RecursionError) as error:
        raise ValueError(str(error)) from None
    limit = path.stat().st_size * 8  # no type has less than one bit
    found: dict[str, Tensor] = {}
    left = limit
    for name, tensor in header.items() if isinstance(header, dict) else ():
        if name == "__metadata__":
            continue
        shape = tensor.get("shape") if isinstance(tensor, dict) else None
        if not isinstance(shape, list) or not all(type(side) is int and 0 <= side <= limit for side in shape):
            raise ValueError("its header is damaged")
        found[name] = made = Tensor(name, tuple(shape), str(tensor.get("dtype", "")))
        left -= made.count
        if left < 0:
            raise ValueError("its header claims more data than the file holds")
    return found
