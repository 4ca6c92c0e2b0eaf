"""Content hash of data without files, by sample: arrays, tensors, torch `Dataset` objects.

Each value is hashed as canonical bytes: a letter for its type, then its length or shape, then its content. Arrays count
by dtype, shape and values, not by memory order, device or byte order.
"""

import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from ledger.data.version.listing import Manifest, manifest_of
from ledger.errors import LedgerError
from ledger.hashing import StreamHash
from ledger.model.entries import ManifestLine

_DIGITS = 12
"""Digits of a sample's number: fixed, so that versions differ only where their samples do."""
_DEEPEST = 32


class Indexed(Protocol):
    """A map-style dataset, in torch's terms."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> object: ...


def hash_samples(samples: Iterable[object] | Indexed) -> Manifest:
    """Return the manifest of samples: one line for each, named by its number; their order counts.

    Args:
        samples: numpy arrays, torch tensors, pictures of Pillow, numbers, text, bytes, and tuples, lists and dicts
            of these; one array is the samples along its first axis. Random augmentation must be switched off.

    Raises:
        LedgerError: there are none, or one holds something that has no canonical bytes.
    """
    return manifest_of(sample_lines(samples))


def sample_lines(samples: Iterable[object] | Indexed, prefix: str = "") -> Iterator[ManifestLine]:
    """Yield the line of each sample, `prefix` before its number.

    Raises:
        LedgerError: as `hash_samples`.
    """
    number = -1
    for number, sample in enumerate(_each(samples)):  # how many there were is asked below
        yield value_line(sample, f"{prefix}{number:0{_DIGITS}d}", f"sample {number}")
    if number < 0:
        raise LedgerError("the dataset holds no samples")


def value_line(value: object, path: str, where: str = "") -> ManifestLine:
    """Return the line of one value of any type.

    Raises:
        LedgerError: it has no canonical bytes.
    """
    hasher = _Canonical()
    hasher.add(value, where or path, 0)
    return ManifestLine(path=path, bytes=hasher.count, hash=hasher.result())


def _each(samples: Iterable[object] | Indexed) -> Iterator[object]:
    if hasattr(samples, "__iter__"):
        yield from cast("Iterable[object]", samples)
        return
    # A torch dataset need not raise IndexError at its end.
    yield from (samples[number] for number in range(len(samples)))


class _Canonical(StreamHash):
    """Hashes values by their canonical bytes, and counts these."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def update(self, data: bytes) -> None:
        super().update(data)
        self.count += len(data)

    def add(self, value: object, where: str, depth: int) -> None:
        """Add a value.

        Raises:
            LedgerError: it has no canonical bytes.
        """
        if depth > _DEEPEST:
            raise LedgerError(f"a sample is nested too deep to be hashed: `{where}`")
        if value is None or isinstance(value, bool | int | float | str | bytes | bytearray | memoryview):
            self._put(*_plain(value))
        elif isinstance(value, Mapping):
            self._sized(b"m", len(value))
            for key in sorted(value, key=repr):
                self.add(key, where, depth + 1)
                self.add(value[key], f"{where}, {key!r}", depth + 1)
        elif isinstance(value, list | tuple):
            self._sized(b"l", len(value))
            for position, item in enumerate(value):
                self.add(item, f"{where}, {position}", depth + 1)
        else:
            self._add_array(value, where)

    def _add_array(self, value: Any, where: str) -> None:  # noqa: ANN401  # a sample may be anything
        import numpy as np

        torch = sys.modules.get("torch")
        mode = b""
        if torch is not None and isinstance(value, torch.Tensor):
            kind, shape, content = _tensor(torch, value)
        else:
            pillow = sys.modules.get("PIL.Image")
            if pillow is not None and isinstance(value, pillow.Image):
                mode = value.mode.encode()  # values alone do not distinguish a palette from greys
            elif not isinstance(value, np.ndarray | np.generic):
                raise LedgerError(
                    f"a sample holds something that cannot be hashed ({type(value).__name__}): `{where}`",
                    hint="give arrays, tensors, numbers, text, bytes, or tuples, lists and dicts of these",
                )
            kind, shape, content = _array(np.asarray(value), where)
        self._put(b"a", mode + b"\0" + kind)
        self._sized(b"d", len(shape))
        for length in shape:
            self._sized(b"d", length)
        self._put(b"v", content)

    def _sized(self, letter: bytes, size: int) -> None:
        self.update(letter + struct.pack("<Q", size))

    def _put(self, letter: bytes, content: bytes) -> None:
        self._sized(letter, len(content))
        self.update(content)


def _plain(value: object) -> tuple[bytes, bytes]:
    if value is None:
        return b"n", b""
    if isinstance(value, bool):
        return b"t", b"\1" if value else b"\0"
    if isinstance(value, int):
        return b"i", str(value).encode()
    if isinstance(value, float):
        return b"f", struct.pack("<d", value)
    if isinstance(value, str):
        return b"s", value.encode("utf-8", "surrogatepass")
    return b"b", bytes(cast("bytes", value))


def _array(array: Any, where: str) -> tuple[bytes, Sequence[int], bytes]:  # noqa: ANN401  # an array of any dtype
    if array.dtype.hasobject:
        raise LedgerError(f"an array of objects cannot be hashed: `{where}`", hint="give arrays of numbers or of text")
    # little-endian, whatever the machine
    dtype = array.dtype.newbyteorder("<")
    return str(dtype.descr if dtype.names else dtype.str).encode(), array.shape, array.astype(dtype).tobytes("C")


def _tensor(torch: Any, tensor: Any) -> tuple[bytes, Sequence[int], bytes]:  # noqa: ANN401  # torch is not loaded here
    tensor = (tensor.to_dense() if tensor.layout != torch.strided else tensor).detach().to("cpu").contiguous()
    tensor = tensor.resolve_conj().resolve_neg()  # marks of torch, which numpy does not know
    shape = tuple(tensor.shape)
    try:
        kind, _, content = _array(tensor.numpy(), "")
    except TypeError:  # bfloat16 and others that numpy does not know
        raw = tensor.flatten().view(torch.uint8).numpy()
        return str(tensor.dtype).encode(), shape, raw.tobytes()
    return kind, shape, content
