"""What a forward pass of a torch model costs: FLOPs, time, memory.

Time and memory are those of a copy on the model's own device, in eval mode and without gradients, as in use.
"""

import math
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from msgspec.structs import replace
from torch import nn

from ledger.capture.outputs.model_copy import (
    apart,
    copy_of,
    devices_of,
    hooks_left_out,
    map_tensors,
    said_of,
    tensor_copy,
    unwrapped,
)
from ledger.capture.outputs.shape_trace import ShapeTrace
from ledger.model.boxes.outputs import Model

MOST_CALLS = 100
"""Most calls that are timed."""
MOST_SECONDS = 2.0
"""Seconds after which no further call is timed."""
_WARM_CALLS = 3
"""Calls before the first that is timed: the first of all may take 200 times as long as the median."""
_WARM_SECONDS = 1.0
"""Seconds after which no further call warms up."""
_FOR_P99 = 20
"""Fewest calls from which a p99 is told; the slowest of fewer says little of one in a hundred."""
_OFF_CUDA = "only CUDA tells the peak memory of a pass"


def forward_cost(
    model: nn.Module, args: tuple[Any, ...], named: Mapping[str, Any], trace: ShapeTrace | None = None
) -> Model:
    """Return the fields of the model box that say what a forward pass costs; never raises for what a layer raises.

    On CUDA the peak statistics of torch are reset.

    Args:
        model: the model.
        args: its inputs.
        named: its inputs by name.
        trace: shape trace of the same pass, which counted its FLOPs.
    """
    made = Model()
    if trace is not None:
        made = replace(
            made,
            parameters=trace.parameters,
            flops=trace.flops,
            flops_counter=trace.counter if trace.flops is not None else None,
            input_shapes=trace.inputs,
            unknown={name: text for name, text in trace.unknown.items() if name in {"flops", "parameters"}},
        )
    model = unwrapped(model)
    hooks = said_of(left_out) if (left_out := hooks_left_out(model)) else None
    if hooks:
        why = f"{hooks}: what it costs and changes is in no FLOPs, time or memory"
        made = replace(made, unknown={**made.unknown, "hooks": why})
    try:
        return _timed(made, model, args, dict(named))
    except Exception as error:  # noqa: BLE001  # layers of anybody
        without = f"{hooks}, and the pass without" if hooks else "the pass"
        why = f"{without} in eval mode and without gradients failed: {type(error).__name__}"
        return replace(made, unknown={**made.unknown, "latency_seconds": why, "pass_memory_bytes": why})


def _timed(made: Model, model: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> Model:
    devices = devices_of(model)
    if any(device.type == "meta" for device in devices):
        why = "a model on the meta device has no numbers"
        return replace(made, unknown={**made.unknown, "latency_seconds": why, "pass_memory_bytes": why})
    cuda = [device for device in devices if device.type == "cuda"]

    def wait() -> None:
        for device in cuda:
            torch.cuda.synchronize(device)

    with apart(model), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copied = copy_of(model, meta=False, asking=False).eval()
        args, named = map_tensors((args, named), lambda tensor: tensor_copy(tensor, meta=False))

        def call() -> None:
            copied(*args, **named)
            wait()

        _repeat(call, _WARM_CALLS, _WARM_SECONDS)
        memory = _peak_memory(copied, call, cuda)
        times = sorted(_repeat(call, MOST_CALLS, MOST_SECONDS))
    few = len(times) < _FOR_P99
    unknown = {} if memory is not None else {"pass_memory_bytes": _OFF_CUDA}
    if few:
        passes = f"{len(times)} passes were" if len(times) > 1 else "1 pass was"
        unknown["latency_p99_seconds"] = f"only {passes} timed; the slowest took {times[-1]:.3g} s"
    return replace(
        made,
        latency_seconds=statistics.median(times),
        latency_p99_seconds=None if few else times[math.ceil(0.99 * len(times)) - 1],  # the nearest rank
        latency_calls=len(times),
        device=", ".join(_name_of(device) for device in devices)[:200],
        threads=torch.get_num_threads(),
        pass_memory_bytes=memory,
        unknown=made.unknown | unknown,
    )


def _repeat(call: Callable[[], None], most: int, seconds: float) -> list[float]:
    """Return the seconds of each call, at least one."""
    began, times = time.perf_counter(), []
    for _ in range(most):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
        if time.perf_counter() - began > seconds:
            break
    return times


def _peak_memory(model: nn.Module, call: Callable[[], None], cuda: Sequence[torch.device]) -> int | None:
    """Return the bytes of the weights and of what a pass needs beside them, on all GPUs; none without one."""
    if not cuda:
        return None
    before = {device: torch.cuda.memory_allocated(device) for device in cuda}
    for device in cuda:
        torch.cuda.reset_peak_memory_stats(device)
    call()
    needed = sum(torch.cuda.max_memory_allocated(device) - before[device] for device in cuda)
    return needed + sum(one.numel() * one.element_size() for one in (*model.parameters(), *model.buffers()))


def _name_of(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
