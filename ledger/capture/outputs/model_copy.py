"""Copies of a torch model and its inputs, on which a forward pass leaves the original as it was.

Parameters, buffers, modes, hooks, gradients and the state of random numbers of the original are never written. Hooks
are functions that may write to anything, so a copy keeps only those whose state is copied with it.
"""

import contextlib
import copy
import dataclasses
import random
import sys
from collections.abc import Callable, Container, Iterator, Mapping, MutableMapping, Sequence
from types import MethodType
from typing import Any, NamedTuple, cast

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

_DEEPEST = 6
"""Most containers inside of each other that are searched for tensors."""
_COPIED_BYTES = 2 << 30
"""Parameters of more bytes together are not copied but shared: only a layer that changes its own weights in its
forward pass could tell."""
_OF_MODULES = {"_parameters", "_buffers", "_modules"}
"""Attributes of a module that hold its parts."""
_OWNERS = "trainer", "_trainer", "_fabric"
"""Attributes in which frameworks keep what owns a module, with all its data: shared, not copied."""


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the module that a compiled or parallel one is made of; others as they are."""
    while True:
        inner = getattr(model, "_orig_mod", None)  # of torch.compile
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def why_opaque(model: nn.Module) -> str | None:
    """Return why the layers of a model cannot be watched; none where they can."""
    if isinstance(model, torch.jit.ScriptModule):
        return "a scripted model runs outside of Python: trace the module that it was made of"
    if any(type(module).__name__ == "FullyShardedDataParallel" for module in model.modules()):
        return "the parameters are sharded: trace the model before it is wrapped"
    return None


def copy_of(model: nn.Module, *, meta: bool, asking: bool = True) -> nn.Module:
    """Return a copy of a model, on the meta device or on its own, without the hooks that `hooks_left_out` names.

    Args:
        model: the model.
        meta: whether the copy is on the meta device.
        asking: whether all floating-point parameters of the copy ask for gradients, so that torch takes no fused path
            that its counter of FLOPs does not see; else those ask that ask in the model.
    """
    memo = _instead(model, meta=meta, asking=asking)
    try:
        made = _copied(model, dict(memo))
    except Exception:  # noqa: BLE001  # a lock, a file, a process group: things of which there is one
        made = _copied(model, memo | _uncopyable(model, memo))
    own = {id(module) for module in made.modules()}
    for module in made.modules():
        for hooks in _hooks_of(module):
            for key in [key for key, hook in hooks.items() if not _is_kept(hook, own)]:
                del hooks[key]
        module.__dict__.pop("_compiled_call_impl", None)
    return made


def _instead(model: nn.Module, *, meta: bool, asking: bool) -> dict[int, Any]:
    """Return what `copy.deepcopy` takes for tensors, owners and hooks, by the id of each."""
    shared = _bytes_of(model) > _COPIED_BYTES
    memo: dict[int, Any] = {}
    own = {id(module) for module in model.modules()}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            memo[id(parameter)] = _parameter(parameter, meta=meta, shared=shared, asking=asking)
        others = [value for value in vars(module).values() if isinstance(value, torch.Tensor)]
        for tensor in (*module.buffers(recurse=False), *others):
            memo.setdefault(id(tensor), _buffer(tensor, meta=meta))
        for owner in (vars(module).get(name) for name in _OWNERS):
            if owner is not None:
                memo[id(owner)] = owner
        for hook in (hook for hooks in _hooks_of(module) for hook in hooks.values() if not _is_kept(hook, own)):
            memo[id(hook)] = hook
    return memo


def _copied(model: nn.Module, memo: dict[int, Any]) -> nn.Module:
    for module in reversed(list(model.modules())):
        if (inner := unwrapped(module)) is not module:
            memo[id(module)] = copy.deepcopy(inner, memo)
    return copy.deepcopy(model, memo)


def _uncopyable(model: nn.Module, memo: dict[int, Any]) -> dict[int, Any]:
    """Return the attributes of all modules that cannot be copied, to be shared."""
    shared = {}
    for module in model.modules():
        for name, value in vars(module).items():
            if name in _OF_MODULES or "_hooks" in name or isinstance(value, nn.Module):
                continue
            try:
                copy.deepcopy(value, dict(memo))
            except Exception:  # noqa: BLE001  # the same
                shared[id(value)] = value
    return shared


def _parameter(parameter: torch.Tensor, *, meta: bool, shared: bool, asking: bool) -> nn.Parameter:
    asks = parameter.is_floating_point() or parameter.is_complex() if asking else parameter.requires_grad
    if is_lazy(parameter):
        lazy: Any = UninitializedParameter  # torch does not declare its arguments
        device = "meta" if meta else parameter.device
        return cast("nn.Parameter", lazy(requires_grad=asks, device=device, dtype=parameter.dtype))
    data = parameter.detach()
    data = torch.empty_like(data, device="meta") if meta else data if shared else data.clone()
    return nn.Parameter(data, requires_grad=asks)


def _buffer(tensor: torch.Tensor, *, meta: bool) -> torch.Tensor:
    if is_lazy(tensor):
        lazy: Any = UninitializedBuffer  # as above
        return cast("torch.Tensor", lazy(device="meta" if meta else tensor.device, dtype=tensor.dtype))
    return tensor_copy(tensor, meta=meta)


def tensor_copy(tensor: torch.Tensor, *, meta: bool) -> torch.Tensor:
    """Return a copy of a tensor, on the meta device or on its own; it asks for gradients where the tensor does."""
    made = torch.empty_like(tensor, device="meta").detach() if meta else tensor.detach().clone()
    if not tensor.requires_grad:
        return made
    with torch.enable_grad():
        asks = made.requires_grad_()
        return asks if tensor.is_leaf else asks.view_as(asks).clone()  # a leaf must not be changed in place


def _bytes_of(model: nn.Module) -> int:
    return sum(one.numel() * one.element_size() for one in model.parameters() if not is_lazy(one))


def own_parameters(module: nn.Module, counted: set[int]) -> int:
    """Return the parameters of a module that are not counted yet, without those of the modules inside."""
    own = [one for one in module.parameters(recurse=False) if id(one) not in counted and not is_lazy(one)]
    counted.update(id(one) for one in own)
    return sum(one.numel() for one in own)


def _hooks_of(module: nn.Module) -> Iterator[MutableMapping[int, object]]:
    for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
        yield getattr(module, name, {})


def _is_kept(hook: object, own: Container[int]) -> bool:
    """Return whether a copy keeps a hook: one of torch, which makes weights, or a method of a module of the model.

    Args:
        hook: the hook.
        own: ids of the modules of the model, which are copied.
    """
    if str(getattr(hook, "__module__", None) or type(hook).__module__).startswith("torch."):
        return True
    owner = hook.__self__ if isinstance(hook, MethodType) else None
    return id(owner) in own and all(vars(owner).get(name) is None for name in _OWNERS)


class LeftOut(NamedTuple):
    """A hook of a model that its copy does not have."""

    module: str
    """Name of the module; empty for the model itself."""
    before: bool
    """Whether it runs before the forward pass of the module."""


def hooks_left_out(model: nn.Module) -> list[LeftOut]:
    """Return the hooks of forward passes that a copy of a model does not have."""
    own = {id(module) for module in model.modules()}
    return [
        LeftOut(name, before)
        for name, module in model.named_modules()
        for before, hooks in ((True, module._forward_pre_hooks), (False, module._forward_hooks))  # noqa: SLF001  # torch has no other way
        for hook in hooks.values()
        if not _is_kept(hook, own)
    ]


def said_of(hooks: Sequence[LeftOut]) -> str:
    """Return in words which hooks were not run."""
    names = list(dict.fromkeys(f"`{one.module[:80]}`" if one.module else "the model" for one in hooks))
    shown = f"{', '.join(names[:_ITEMS])}{' and others' if len(names) > _ITEMS else ''}"
    number, verb = (f"{len(hooks)} forward hooks", "were") if len(hooks) > 1 else ("a forward hook", "was")
    return f"{number} of {shown} {verb} not run"


def map_tensors(value: Any, change: Callable[[torch.Tensor], torch.Tensor], depth: int = 0) -> Any:  # noqa: ANN401  # inputs of a model are anything
    """Return a value with every tensor in it changed: in lists, tuples, mappings and dataclasses."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if depth > _DEEPEST or isinstance(value, type):
        return value
    if isinstance(value, tuple | list):
        made = [map_tensors(one, change, depth + 1) for one in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    if isinstance(value, MutableMapping):
        mapping = copy.copy(value)  # a class of its own may hold more than its items
        for name, one in value.items():
            mapping[name] = map_tensors(one, change, depth + 1)
        return mapping
    return _mapped_fields(value, change, depth) if dataclasses.is_dataclass(value) else value


def _mapped_fields(value: Any, change: Callable[[torch.Tensor], torch.Tensor], depth: int) -> Any:  # noqa: ANN401  # a dataclass
    copied = copy.copy(value)
    for field in dataclasses.fields(value):
        object.__setattr__(copied, field.name, map_tensors(getattr(value, field.name), change, depth + 1))
    return copied


def devices_of(model: nn.Module) -> list[torch.device]:
    """Return the devices on which a model has parameters or buffers; the CPU where it has none."""
    found = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    return sorted(found, key=str) or [torch.device("cpu")]


@contextlib.contextmanager
def apart(model: nn.Module) -> Iterator[None]:
    """Let the block leave random numbers of torch, Python and NumPy, and the modes of gradients, as they were."""
    numpy: Any = getattr(sys.modules.get("numpy"), "random", None)
    of_python, of_numpy = random.getstate(), numpy.get_state() if numpy is not None else None
    cuda = [device.index or 0 for device in devices_of(model) if device.type == "cuda"]
    try:
        with torch.random.fork_rng(devices=cuda), torch.inference_mode(mode=False):
            yield
    finally:
        random.setstate(of_python)
        if numpy is not None:
            numpy.set_state(of_numpy)


def shapes_in(value: object, depth: int = 0) -> str:
    """Return the shapes of all tensors in a value, in short: `(2, 64)`, `[(2, 3), (2, 4)]`, `{logits: (2, 10)}`."""
    if isinstance(value, torch.Tensor):
        return "uninitialised" if is_lazy(value) else f"({', '.join(str(int(side)) for side in value.shape)})"
    if value is None or isinstance(value, bool | int | float):
        return str(value)[:20]
    if depth <= _DEEPEST and isinstance(value, tuple | list):
        return f"[{_joined([shapes_in(one, depth + 1) for one in value[:_ITEMS]], len(value))}]"
    fields = _fields_of(value) if depth <= _DEEPEST else None
    if fields is None:
        return type(value).__name__[:40]
    shown = [f"{str(name)[:40]}: {shapes_in(one, depth + 1)}" for name, one in list(fields.items())[:_ITEMS]]
    return f"{{{_joined(shown, len(fields))}}}"


_ITEMS = 8
"""Most items of a container whose shapes are shown."""


def _fields_of(value: object) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _joined(texts: list[str], total: int) -> str:
    return ", ".join([*texts, f"… {total - len(texts)} more"] if total > len(texts) else texts)


def input_shapes(args: tuple[Any, ...], named: Mapping[str, Any]) -> list[str]:
    """Return the shapes of the arguments of a call, one text each: `(2, 64)`, `mask=(2, 8)`."""
    return [*(shapes_in(one) for one in args), *(f"{name}={shapes_in(one)}" for name, one in named.items())]
