"""The parameters of a model among the tensors of a checkpoint: by known names, else only where there is no doubt."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

_KEYS = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "module",
    "model_dict",
    "model_weights",
    "net_state_dict",
    "net",
    "network",
    "weights",
    "params",
)
"""Where training checkpoints keep the model, in any letter case: Lightning, DeepSpeed, timm, the torch tutorials and
examples (`MODEL_STATE` in the one on DDP)."""
_AVERAGED = re.compile(r"(?:^|[._])ema(?:$|[._])|^averaged_model$|^swa_model$", re.IGNORECASE)
"""Names of a moving average of the weights, which is a second copy: timm, YOLO, diffusers, Lightning."""
_NO_MODEL = re.compile(r"optim|sched|scaler|rng|random|loops|callback|criterion|loss", re.IGNORECASE)
"""Names of other content of a checkpoint; a state dict under one of them is not the model's."""
_BUFFER = re.compile(
    r"(?:^|\.)(?:running_mean|running_var|num_batches_tracked|n_averaged|position_ids|inv_freq|cos_cached|sin_cached"
    r"|freqs_cis|relative_position_index|attn_mask|causal_mask|masked_bias|tril|pe|_extra_state)$"
)
"""Names of tensors in a state dict that are not parameters: of batch norms, position tables, causal masks."""
_MASK = re.compile(r"attn\w*\.bias$|attention\w*\.bias$")
_MASK_SIDES = 4
"""A four-dimensional bias of attention is the causal mask of GPT-2 and nanoGPT; a one-dimensional one is trained."""
_WHOLE_NUMBERS = re.compile(r"(?:Long|Int|Short|Bool)Storage|u?int(?:16|32|64)|bool|[IU](?:16|32|64)|BOOL")
"""Types that no parameter has: torch trains only floating point."""
_PACKED = re.compile(r"(?:Byte|Char)Storage|Q\w*Storage|u?int8|[IU]8")
"""Types of quantised weights, several packed into one number; a count would be wrong."""
_DEPTH = 4
MOST_SIDES = 64
"""Most dimensions of a tensor, as in numpy and torch; to multiply 100,000 takes 11 s."""


class Tensor:
    """A stored tensor.

    Args:
        storage: key that identifies its storage.
        size: its shape.
        kind: its type, as the format writes it.
        offset: its start in the storage, in numbers.

    Raises:
        ValueError: it has more dimensions than any tensor.
    """

    def __init__(self, storage: str, size: tuple[int, ...], kind: str = "", offset: int = 0) -> None:
        if len(size) > MOST_SIDES:
            raise ValueError(f"a tensor has more than {MOST_SIDES} sides")
        self.storage = storage
        self.size = size
        self.kind = kind
        self.offset = offset
        self.trained: bool | None = None

    @property
    def count(self) -> int:
        """Return the number of its elements."""
        return math.prod(self.size)


class Whole(Protocol):
    """A model that was stored as a whole object."""

    def tensors(self) -> Iterator[Tensor]:
        """Yield every tensor inside it, once."""
        ...


class StateDict(dict[object, object]):
    """A mapping of a checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.of_module = False
        """Whether `Module.state_dict()` made it."""


def find_parameters(root: Mapping[object, object], whole: type[Whole]) -> list[Tensor]:
    """Return the parameters of the model in a state dict, or in a checkpoint around one.

    Args:
        root: content of the file.
        whole: type of a model that was stored as a whole object.

    Raises:
        ValueError: they cannot be determined; the message says why.
    """
    if _is_state_dict(root, named=False):
        return parameters_in(root)
    found = _known_parameters(root, whole, 0)
    if found is not None:
        return found
    others = dict(_state_dicts(root, "", 0))
    if len(others) == 1:
        return parameters_in(next(iter(others.values())))
    if others:
        raise ValueError(f"it holds several models, and not under known names: {', '.join(sorted(others)[:5])}")
    if any(isinstance(value, Tensor) for value in root.values()):
        raise ValueError("it holds tensors, but no state dict under a known name, and they are not named as parameters")
    raise ValueError("it holds no state dict under a known name")


def parameters_in(mapping: Mapping[object, object] | Mapping[str, Tensor]) -> list[Tensor]:
    """Return the parameters among the tensors of a state dict: no buffers, no moving averages beside the weights.

    Raises:
        ValueError: it holds quantised weights, or objects that are not plain tensors.
    """
    named = {str(name): value for name, value in mapping.items() if value is not None}
    strange = [name for name, value in named.items() if not isinstance(value, Tensor) and not _BUFFER.search(name)]
    if strange:
        raise ValueError(f"not all of its entries are plain tensors: {strange[0]}")
    tensors = {
        name: value for name, value in named.items() if isinstance(value, Tensor) and not _is_buffer(name, value)
    }
    once = {name: value for name, value in tensors.items() if not any(map(_AVERAGED.search, name.split(".")[:2]))}
    found = once or tensors
    packed = [name for name, value in found.items() if _PACKED.search(value.kind) and value.count > 1]
    if packed:
        raise ValueError(f"its weights are quantised: {packed[0]}")
    if not found:
        raise ValueError("it holds no parameters")
    return list(found.values())


def total(tensors: Iterable[Tensor]) -> int:
    """Return the number of elements of tensors; those that share storage, such as tied weights, count once."""
    places: dict[str, set[tuple[int, int]]] = {}
    for tensor in tensors:
        places.setdefault(tensor.storage, set()).add((tensor.offset, tensor.offset + tensor.count))
    return sum(_length(ranges) for ranges in places.values())


def _length(ranges: set[tuple[int, int]]) -> int:
    """Return the length of the union of ranges."""
    length = end = 0
    for start, stop in sorted(ranges):
        length += max(0, stop - max(start, end))
        end = max(end, stop)
    return length


def _is_buffer(name: str, tensor: Tensor) -> bool:
    mask = len(tensor.size) == _MASK_SIDES and _MASK.search(name) is not None
    return mask or _BUFFER.search(name) is not None or _WHOLE_NUMBERS.search(tensor.kind) is not None


def _is_state_dict(mapping: Mapping[object, object], *, named: bool) -> bool:
    """Return whether a mapping is a state dict: made by a module, or consisting of tensors with names of parameters.

    Args:
        mapping: any mapping of a checkpoint.
        named: whether its own name says so.
    """
    tensors = [str(name) for name, value in mapping.items() if isinstance(value, Tensor)]
    if not tensors:
        return False
    if isinstance(mapping, StateDict) and mapping.of_module:
        return True
    if named:
        return 2 * len(tensors) > len(mapping)
    like = [name for name in tensors if "." in name or name in {"weight", "bias"}]
    # Beside an epoch or optimizer, a tensor without a dotted name may be the best loss or the state of a generator.
    return 2 * len(like) > len(mapping) and (len(like) == len(tensors) or len(tensors) == len(mapping))


def _known_parameters(mapping: Mapping[object, object], whole: type[Whole], depth: int) -> list[Tensor] | None:
    """Return the parameters under the first known name; none where there is none; a moving average comes last."""
    lower = {str(name).lower(): value for name, value in mapping.items()}
    averaged = [name for name in lower if _AVERAGED.search(name) and not _NO_MODEL.search(name)]
    for names in (_KEYS, averaged):
        found: dict[str, list[Tensor]] = {}
        for name in names:
            tensors = _under(lower.get(name), whole, depth)
            if tensors:
                found[name] = tensors
        if len({total(tensors) for tensors in found.values()}) > 1:
            raise ValueError(f"it holds several models: {', '.join(found)}")
        if found:
            return next(iter(found.values()))
    return None


def _under(value: object, whole: type[Whole], depth: int) -> list[Tensor] | None:
    if isinstance(value, Mapping):
        if _is_state_dict(value, named=True):
            return parameters_in(value)
        return _known_parameters(value, whole, depth + 1) if depth < _DEPTH else None
    if isinstance(value, whole):
        return [tensor for tensor in value.tensors() if tensor.trained is not None]
    return None


def _state_dicts(mapping: Mapping[object, object], prefix: str, depth: int) -> Iterator[tuple[str, StateDict]]:
    """Yield the state dicts that modules made, by name, whatever the names are."""
    for name, value in mapping.items():
        label = f"{prefix}{name}"
        if not isinstance(value, StateDict) or _NO_MODEL.search(str(name)) or _AVERAGED.search(str(name)):
            continue
        if value.of_module and _is_state_dict(value, named=True):
            yield label, value
        elif depth < _DEPTH:
            yield from _state_dicts(value, f"{label}.", depth + 1)
