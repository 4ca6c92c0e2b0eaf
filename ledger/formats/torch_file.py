"""The number of parameters in a file of `torch.save`, without loading it.

A pickle is a program, and running that of an untrusted file hands it the machine. Here its opcodes are
only read (`pickletools.genops`) and followed by a stack of inert values: no name is ever looked up,
nothing is ever called. The file format is that of `torch.serialization`: a zip with `data.pkl`, before
torch 1.6 four pickles one after the other.
"""

import io
import pickletools
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ledger.formats.state_dict import StateDict, Tensor, find_parameters, total

_PICKLE_LIMIT = 32 << 20
"""Largest `data.pkl` that is read, in bytes: 30 million parameters in 3,000 tensors take 0.3 MB."""
_OPCODE_LIMIT = 4_000_000
_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The magic number that `torch.save` pickled first before torch 1.6, and still does on request."""
_LEGACY_HEAD = 3
"""Number of pickles before that of the model: magic number, protocol version, sizes of the machine's numbers."""


class _Name(NamedTuple):
    text: str


class _Storage(NamedTuple):
    key: str
    kind: str


class _Object:
    """Any other object, with what it was made of."""

    def __init__(self, parts: list[object]) -> None:
        self.parts = parts

    def tensors(self) -> Iterator[Tensor]:
        """Yield every tensor inside it, once."""
        seen: set[int] = set()
        left: list[object] = [self]
        while left:
            value = left.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, Tensor):
                yield value
            elif isinstance(value, _Object):
                left += value.parts
            elif isinstance(value, dict):
                left += value.values()
            elif isinstance(value, list | tuple):
                left += value


_DAMAGED = (OSError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""Exceptions of `zipfile` for a damaged zip; NotImplementedError for an unknown version."""


class _Mark:
    pass


def is_torch_file(path: Path) -> bool:
    """Return whether a file has a format of `torch.save`."""
    try:
        with path.open("rb") as file:
            if file.read(len(_LEGACY_START)) == _LEGACY_START:
                return True
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (*_DAMAGED, ValueError):
        return False


def count_parameters(path: Path) -> tuple[int, int | None]:
    """Return the number of parameters in a model file, and of trainable ones where it has that.

    Raises:
        ValueError: it is damaged, too large, or has no model that can be told from the rest.
    """
    root = _root(_pickle(path))
    if isinstance(root, _Object):
        found = [tensor for tensor in root.tensors() if tensor.trained is not None]
        if not found:
            raise ValueError("it is neither a model nor a state dict")
    elif isinstance(root, dict):
        found = find_parameters(root, _Object)
    else:
        raise ValueError("it is neither a model nor a state dict")  # noqa: TRY004  # about a file, not a call
    told = all(tensor.trained is not None for tensor in found)
    return total(found), total(tensor for tensor in found if tensor.trained) if told else None


def names_in(path: Path) -> set[str]:
    """Return the names of the tensors in a file that holds only a state dict.

    Raises:
        ValueError: it is damaged, or holds something else.
    """
    root = _root(_pickle(path))
    if not isinstance(root, dict):
        raise ValueError("it is not a state dict")  # noqa: TRY004  # about a file, not a call
    return {str(name) for name, value in root.items() if isinstance(value, Tensor)}


def _root(data: bytes) -> object:
    try:
        return _Follower().run(data)
    except (IndexError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"its index could not be followed: {error}") from None


def _pickle(path: Path) -> bytes:
    """Return the pickle that describes the tensors of the file."""
    try:
        with path.open("rb") as file:
            if file.read(len(_LEGACY_START)) == _LEGACY_START:
                file.seek(0)
                data = _legacy(file)
            else:
                with zipfile.ZipFile(file) as archive:
                    name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
                    with archive.open(name) as inner:
                        data = inner.read(_PICKLE_LIMIT + 1)
    except (*_DAMAGED, StopIteration, ValueError) as error:
        raise ValueError(f"the file is damaged: {error}") from None
    if len(data) > _PICKLE_LIMIT:
        raise ValueError("its index is larger than 32 MB")
    return data


def _legacy(file: BinaryIO) -> bytes:
    """Return the fourth pickle of a file from before the zip, and the data after it."""
    start = io.BytesIO(file.read(_PICKLE_LIMIT))
    for _ in range(_LEGACY_HEAD):
        for opcode, _, _ in pickletools.genops(start):
            if opcode.name == "STOP":
                break
    return start.read()


class _Follower:
    """Interprets the opcodes of a pickle with inert values."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}

    def run(self, data: bytes) -> object:
        """Return the top of the stack at the end."""
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count > _OPCODE_LIMIT:
                raise ValueError("too many opcodes")
            if opcode.name == "STOP":
                break
            self._step(opcode.name, argument)
        return self._stack[-1]

    def _step(self, name: str, argument: object) -> None:
        stack = self._stack
        if name in _IGNORED:
            return
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _MEMO_PUT:
            self._memo[len(self._memo) if name == "MEMOIZE" else int(str(argument))] = stack[-1]
        elif name in _MEMO_GET:
            stack.append(self._memo[int(str(argument))])
        elif name in _LITERALS:
            stack.append(argument)
        else:
            self._build(name, argument)

    def _build(self, name: str, argument: object) -> None:
        stack = self._stack
        if name == "MARK":
            stack.append(_Mark())
        elif name == "GLOBAL":
            stack.append(_Name(str(argument).replace(" ", ".")))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(_Name(f"{module}.{attribute}"))
        elif name in _TUPLES:
            size = _TUPLES[name]
            parts = tuple(stack[-size:])
            del stack[-size:]
            stack.append(parts)
        elif name == "TUPLE":
            stack.append(tuple(self._to_mark()))
        elif name in {"APPENDS", "SETITEMS", "ADDITEMS"}:
            self._fill(self._to_mark())
        elif name in {"APPEND", "SETITEM"}:
            size = 1 if name == "APPEND" else 2
            parts_list = stack[-size:]
            del stack[-size:]
            self._fill(parts_list)
        else:
            self._call(name)

    def _call(self, name: str) -> None:
        stack = self._stack
        if name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name in {"REDUCE", "NEWOBJ", "BUILD"}:
            given, target = stack.pop(), stack.pop()
            stack.append(self._made(name, target, given))
        elif name == "POP":
            stack.pop()
        else:
            raise ValueError(f"unknown opcode {name}")

    def _to_mark(self) -> list[object]:
        parts: list[object] = []
        while not isinstance(value := self._stack.pop(), _Mark):
            parts.append(value)
        parts.reverse()
        return parts

    def _fill(self, parts: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, dict):
            for key, value in zip(parts[::2], parts[1::2], strict=True):
                target[key if isinstance(key, str | int) else id(key)] = value
        elif isinstance(target, list):
            target += parts
        elif isinstance(target, _Object):
            target.parts += parts

    def _made(self, how: str, target: object, given: object) -> object:
        """Return the result of a call: a tensor, an ordered dict, or an inert object."""
        if how == "BUILD":
            return _built(target, given)
        called = target.text if isinstance(target, _Name) else ""
        parts = list(given) if isinstance(given, tuple) else [given]
        if called == "collections.OrderedDict":
            return StateDict()
        if called.startswith("torch._utils._rebuild_tensor") and isinstance(parts[0], _Storage):
            storage, offset = parts[0], parts[1]
            return Tensor(storage.key, _size(parts[2]), storage.kind, offset if isinstance(offset, int) else 0)
        if called.startswith("torch._utils._rebuild_parameter") and isinstance(parts[0], Tensor):
            parts[0].trained = bool(parts[1])
            return parts[0]
        if called == "torch._tensor._rebuild_from_type_v2":  # a tensor with attributes of its own
            return self._made("REDUCE", parts[0], parts[2])
        return _Object(parts)


def _built(target: object, state: object) -> object:
    """Return an object with its pickled state."""
    if isinstance(target, StateDict):
        target.of_module |= isinstance(state, dict) and "_metadata" in state
    elif isinstance(target, _Object):
        target.parts.append(state)
    return target


def _size(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(isinstance(side, int) and 0 <= side < 1 << 48 for side in value):
        raise ValueError("a tensor has no size")
    return value


def _storage(value: object) -> object:
    """Return the storage of `('storage', type, key, location, count)`, which has a view at the end in old files."""
    if isinstance(value, tuple) and len(value) in {5, 6} and value[0] == "storage":
        return _Storage(str(value[2]), value[1].text if isinstance(value[1], _Name) else "")
    return _Object([value])


_IGNORED = {"PROTO", "FRAME"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_DICT": StateDict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
_MEMO_PUT = {"BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"}
_MEMO_GET = {"BINGET", "LONG_BINGET", "GET"}
_LITERALS = {
    "BININT",
    "BININT1",
    "BININT2",
    "INT",
    "LONG",
    "LONG1",
    "LONG4",
    "BINFLOAT",
    "FLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "UNICODE",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINSTRING",
    "SHORT_BINSTRING",
    "STRING",
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
"""Opcodes by what they do to the stack; the rest stand in `_build`. Source: the docs in `pickletools`."""
