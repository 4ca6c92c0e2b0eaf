"""Counts the parameters in a file that `torch.save` wrote, without loading it.

A pickle is a program, and running that of an untrusted file hands it the machine. Here its opcodes are
only read (`pickletools.genops`) and followed by a stack of inert values: no name is ever looked up,
nothing is ever called. The file format is that of `torch.serialization` (a zip with `data.pkl`).
"""

import math
import pickletools
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_PICKLE_LIMIT = 32 << 20
"""Bytes of `data.pkl` that are read: 30 million parameters in 3,000 tensors take 0.3 MB."""
_OPCODE_LIMIT = 4_000_000
_STATE_KEYS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")
"""Where training checkpoints keep the model beside the optimizer: Lightning, the torch tutorials, DeepSpeed."""
_BUFFER = re.compile(r"(?:^|\.)(?:running_mean|running_var|num_batches_tracked|position_ids|inv_freq)$")
"""Names of tensors in a state dict that are no parameters: batch norms', position tables'."""


class _Tensor:
    """A stored tensor."""

    def __init__(self, storage: str, size: tuple[int, ...]) -> None:
        self.storage = storage
        self.count = math.prod(size)
        self.trained: bool | None = None


class _Name(NamedTuple):
    text: str


class _Storage(NamedTuple):
    key: str


class _Object:
    """Anything else: what it was made of."""

    def __init__(self, parts: list[object]) -> None:
        self.parts = parts


class _Mark:
    pass


def is_torch_file(path: Path) -> bool:
    """Say whether a zip file holds what `torch.save` writes."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def count_parameters(path: Path) -> tuple[int, int | None]:
    """Return how many parameters a model file holds, and how many are trained where it says so.

    Raises:
        ValueError: it is damaged, too large, or holds no model that could be told from the rest.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(name) as file:
                data = file.read(_PICKLE_LIMIT + 1)
    except (OSError, StopIteration, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"the file is damaged: {error}") from None
    if len(data) > _PICKLE_LIMIT:
        raise ValueError("its index is larger than 32 MB")
    try:
        root, tensors = _Follower().run(data)
    except (IndexError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"its index could not be followed: {error}") from None
    declared = [tensor for tensor in tensors if tensor.trained is not None]
    if declared and not isinstance(root, dict):
        trained = _total(tensor for tensor in declared if tensor.trained)
        return _total(declared), trained
    return _total(_state(root).values()), None


def _state(root: object) -> dict[str, _Tensor]:
    """Return the model's tensors by name, out of a state dict or a checkpoint around one."""
    if not isinstance(root, dict):
        raise ValueError("it is neither a model nor a state dict")  # noqa: TRY004  # about a file, not a call
    direct = _tensors(root)
    if direct:
        return direct
    for key in _STATE_KEYS:
        inner = root.get(key)
        if isinstance(inner, dict) and (found := _tensors(inner)):
            return found
    raise ValueError("it holds no state dict under a known name")


def _tensors(mapping: dict[object, object]) -> dict[str, _Tensor]:
    return {
        str(name): value
        for name, value in mapping.items()
        if isinstance(value, _Tensor) and not _BUFFER.search(str(name))
    }


def _total(tensors: Iterable[_Tensor]) -> int:
    """Add up the tensors; those that share a storage, such as tied weights, count once."""
    largest: dict[str, dict[int, int]] = {}
    for tensor in tensors:
        largest.setdefault(tensor.storage, {})[id(tensor)] = tensor.count
    return sum(max(counts.values()) for counts in largest.values())


class _Follower:
    """Follows the opcodes of a pickle with values that can do nothing."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}
        self._tensors: list[_Tensor] = []

    def run(self, data: bytes) -> tuple[object, list[_Tensor]]:
        """Return the value on top at the end, and every tensor met."""
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count > _OPCODE_LIMIT:
                raise ValueError("too many opcodes")
            if opcode.name == "STOP":
                break
            self._step(opcode.name, argument)
        return self._stack[-1], self._tensors

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
        """Return what a call would have made: a tensor, an ordered dict, or an inert object."""
        if how == "BUILD":
            return target
        called = target.text if isinstance(target, _Name) else ""
        parts = list(given) if isinstance(given, tuple) else [given]
        if called == "collections.OrderedDict":
            return {}
        if called.startswith("torch._utils._rebuild_tensor") and isinstance(parts[0], _Storage):
            tensor = _Tensor(parts[0].key, _size(parts[2]))
            self._tensors.append(tensor)
            return tensor
        if called.startswith("torch._utils._rebuild_parameter") and isinstance(parts[0], _Tensor):
            parts[0].trained = bool(parts[1])
            return parts[0]
        return _Object(parts)


def _size(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(isinstance(side, int) and 0 <= side < 1 << 48 for side in value):
        raise ValueError("a tensor has no size")
    return value


def _storage(value: object) -> object:
    """Return the storage of `('storage', type, key, location, count)`."""
    if isinstance(value, tuple) and len(value) == 5 and value[0] == "storage":  # noqa: PLR2004  # the shape above
        return _Storage(str(value[2]))
    return _Object([value])


_IGNORED = {"PROTO", "FRAME"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
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
