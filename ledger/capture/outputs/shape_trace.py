"""Shape trace of a torch model: which layer was given what, and returned what, in one forward pass.

The pass runs on a copy (`model_copy.py`): on the meta device, which holds no numbers, or else on the model's own.
"""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from ledger.capture.outputs.failing_layer import layer_at_work, modules_at_work
from ledger.capture.outputs.flops import COUNTER, Flops
from ledger.capture.outputs.model_copy import (
    LeftOut,
    apart,
    copy_of,
    devices_of,
    hooks_left_out,
    input_shapes,
    map_tensors,
    own_parameters,
    said_of,
    shapes_in,
    tensor_copy,
    unwrapped,
    why_opaque,
)
from ledger.errors import LedgerError
from ledger.model.characters import plain
from ledger.model.tables import LAYER_COLUMNS, Cells
from ledger.model.values import Document

MOST_LAYERS = 2_000
"""Most layers of a trace; the pass goes on without a look at the others."""
ROOT = "(model)"
"""Name of the model itself in a trace."""
FAILED, INSIDE, CAUGHT = "failed here", "failed inside", "failed, but caught"
"""Notes on the layer in which the pass failed, on those around it, and on those whose failure did not end the pass."""
STOPPED = "not to its end"
"""Note on the layers in which a pass stopped that may need hooks which were not run."""
_TEXT = 200
"""Most characters of a text of shapes."""


class Layer(Document, frozen=True, kw_only=True):
    """One layer of a model, in one forward pass."""

    name: str
    """Name in the model, such as `encoder.layers.0.linear1`; `(model)` for the model itself."""
    kind: str
    """Class of the layer."""
    input: str
    """Shapes of its inputs, at its first call, or at the one that failed."""
    output: str | None
    """Shapes of its outputs; none where the pass failed in it."""
    calls: int
    """Number of calls."""
    parameters: int
    """Parameters of its own, without those of the layers inside; one that several layers share counts in the first."""
    flops: int | None
    """FLOPs of all its calls, those of the layers inside included; none where they are unknown."""
    note: str = ""
    """Whether the pass failed here, inside of it, or failed in it and was caught."""

    @property
    def depth(self) -> int:
        """Number of layers around it."""
        return 0 if self.name == ROOT else self.name.count(".") + 1


class ShapeTrace(Document, frozen=True, kw_only=True):
    """The layers of a model in the order of their first call; `str()` of it is a table."""

    layers: list[Layer]
    """The layers that were called."""
    inputs: list[str]
    """Shapes of the inputs of the model."""
    parameters: int | None
    """Parameters of the model, shared ones once."""
    flops: int | None
    """FLOPs of the pass."""
    counter: str = COUNTER
    """Counter of the FLOPs, and what it counts."""
    device: str
    """Device of the pass: `meta`, or that of the model."""
    error: str | None = None
    """Exception that ended the pass; none where it reached its end, or failed for want of hooks that were not run."""
    failing: str | None = None
    """Name of the layer in which it failed."""
    failure: str | None = None
    """That layer, the shape of its weight, and what it was given."""
    unknown: dict[str, str] = {}
    """What is not known, and why."""

    def __str__(self) -> str:
        """The trace as a table, with what it adds up to."""
        rows = [
            [
                "  " * min(layer.depth, 20) + layer.name.rpartition(".")[2],
                layer.kind,
                layer.input,
                layer.output if layer.output is not None else "none",
                f"{layer.parameters:,}",
                "" if layer.flops is None else f"{layer.flops:,}",
                layer.note or (f"{layer.calls} calls" if layer.calls > 1 else ""),
            ]
            for layer in self.layers
        ]
        heads = ["layer", "kind", "input", "output", "parameters", "FLOPs", ""]
        return plain("\n".join([*_lined([heads, *rows]), *self.summary()]))

    def summary(self) -> list[str]:
        """Return the lines below the table: totals, what is unknown, and the failure."""
        parameters = "unknown" if self.parameters is None else f"{self.parameters:,}"
        flops = "unknown" if self.flops is None else f"{self.flops:,}"
        return [
            f"parameters: {parameters}",
            f"FLOPs: {flops} ({self.counter})",
            f"device: {self.device}",
            *(f"unknown {field}: {why}" for field, why in self.unknown.items()),
            *([f"failed: {self.failure or f'in layer `{self.failing}`'}"] if self.failing else []),
            *([self.error] if self.error else []),
        ]


def trace_shapes(model: nn.Module, args: tuple[Any, ...] = (), named: Mapping[str, Any] | None = None) -> ShapeTrace:
    """Return the shapes in one forward pass of a model.

    On the meta device first; where the pass cannot be done or fails there, on the device of the model, whose word
    counts. Hooks of others are not run, and where the pass fails after one would have run, the model is not said to
    fail. What the model is, its mode, gradients, buffers and random numbers stay as they are; what its code prints
    is printed.

    Raises:
        LedgerError: it is no torch module.
    """
    if not isinstance(model, nn.Module):
        raise LedgerError(f"only a torch module has a shape trace, not: `{type(model).__name__}`")
    model, given = unwrapped(model), dict(named or {})
    if (why := why_opaque(model)) is not None:
        return _opaque(model, args, given, why)
    unknown: dict[str, str] = {}
    seen: _Pass | None = None
    gradients = torch.is_grad_enabled()
    for meta, counted in _ways(model):
        try:
            with torch.inference_mode(mode=False):
                copied = copy_of(model, meta=meta, asking=counted)
                inputs = map_tensors((args, given), partial(tensor_copy, meta=meta))
        except Exception as error:  # noqa: BLE001  # modules of anybody
            unknown["meta" if meta else "copy"] = f"the model and its inputs cannot be copied: {_said(error)}"
            continue
        before, seen = seen, _run(copied, *inputs, meta=meta, counted=counted, gradients=counted or gradients)
        if seen.error is None:
            if before is not None and before.device == "meta":
                unknown["meta"] = f"the pass fails on the meta device only: {_said(before.error)}"
            break
    if seen is None:
        return _opaque(model, args, given, unknown["copy"])
    return _traced(_excused(seen, hooks_left_out(model), unknown), args, given, unknown)


class _Pass(NamedTuple):
    """One forward pass, as it was seen."""

    model: nn.Module
    watched: "_Watch"
    device: str
    error: Exception | None
    flops: Flops | None
    excused: bool = False
    """Whether it failed where hooks of the model were missing, so that the model may well work."""


def _ways(model: nn.Module) -> Iterator[tuple[bool, bool]]:
    """Yield whether to run on the meta device, and whether to count FLOPs.

    A counter, and the gradients that it needs, may themselves be what fails.
    """
    yield True, True
    if any(device.type != "meta" for device in devices_of(model)):
        yield False, True
        yield False, False


def _run(
    model: nn.Module, args: tuple[Any, ...], named: dict[str, Any], *, meta: bool, counted: bool, gradients: bool
) -> _Pass:
    flops = Flops() if counted else None
    watch = _Watch(model, flops)
    device = "meta" if meta else ", ".join(str(one) for one in devices_of(model))
    failed: Exception | None = None
    with apart(model), warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        stack.enter_context(torch.set_grad_enabled(gradients))
        if meta:
            stack.enter_context(torch.device("meta"))
        if flops is not None:
            stack.enter_context(flops.counting())
        try:
            model(*args, **named)
        except Exception as error:  # noqa: BLE001  # layers of anybody
            failed = error
    return _Pass(model, watch, device, failed, flops)


class _Call:
    """What was seen of one layer."""

    def __init__(self, given: str) -> None:
        self.given = given
        self.returned: str | None = None
        self.count = 0
        self.flops = 0


class _Watch:
    """Watches the layers of a copy by hooks.

    Args:
        model: the copy.
        flops: counter of the FLOPs, where they are counted.
    """

    def __init__(self, model: nn.Module, flops: Flops | None) -> None:
        self.calls: dict[str, _Call] = {}
        self.modules: dict[str, nn.Module] = {}
        self.open: list[tuple[str, int, str]] = []
        self.left_out = 0
        self._flops = flops
        for number, (name, module) in enumerate(model.named_modules()):
            if number >= MOST_LAYERS:
                self.left_out += 1
            elif not isinstance(module, torch.jit.ScriptModule):
                self._watch(name or ROOT, module)

    def _watch(self, name: str, module: nn.Module) -> None:
        def before(_: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
            given = ", ".join(input_shapes(args, named))[:_TEXT]
            if name not in self.calls:
                self.calls[name] = _Call(given)
            self.calls[name].count += 1
            self.open.append((name, self._flops.total if self._flops else 0, given))

        def after(_: nn.Module, __: tuple[Any, ...], ___: dict[str, Any], returned: object) -> None:
            while self.open:
                opened, start = self.open.pop()[:2]
                if opened == name:
                    self.calls[name].flops += self._flops.total - start if self._flops else 0
                    break
            if self.calls[name].returned is None:
                self.calls[name].returned = shapes_in(returned)[:_TEXT]

        self.modules[name] = module
        module.register_forward_pre_hook(before, with_kwargs=True)
        module.register_forward_hook(after, with_kwargs=True)


def _traced(seen: _Pass, args: tuple[Any, ...], named: dict[str, Any], unknown: dict[str, str]) -> ShapeTrace:
    watch = seen.watched
    flops = _flops_of(seen, unknown)
    failed = _failed(seen)
    failing = failed[-1] if failed and not seen.excused else None
    given = {place: text for place, _, text in watch.open if place in failed}
    counted: set[int] = set()
    layers = [
        Layer(
            name=plain(name)[:_TEXT],
            kind=type(watch.modules[name]).__name__[:80],
            input=plain(given.get(name, call.given)),
            output=None if name in failed or call.returned is None else plain(call.returned),
            calls=call.count,
            parameters=own_parameters(watch.modules[name], counted),
            flops=call.flops if flops is not None else None,
            note=_note(name, call, failed, excused=seen.excused),
        )
        for name, call in watch.calls.items()
    ]
    if watch.left_out:
        unknown["layers"] = f"{watch.left_out:,} more than {MOST_LAYERS:,} were not looked at"
    return ShapeTrace(
        layers=layers,
        inputs=input_shapes(args, named),
        parameters=_parameters_of(seen.model, unknown),
        flops=flops,
        device=seen.device,
        error=None if seen.error is None or seen.excused else plain(_said(seen.error)),
        failing=failing,
        failure=None if seen.error is None or seen.excused else layer_at_work(seen.error),
        unknown=unknown,
    )


def _excused(seen: _Pass, hooks: Sequence[LeftOut], unknown: dict[str, str]) -> _Pass:
    """Return a pass, excused where it failed after a hook would have run that was left out."""
    reached = [one for one in hooks if _is_reached(one, seen.watched)]
    if not reached:
        return seen
    if seen.error is None:
        unknown["hooks"] = f"{said_of(reached)}: what they change is not in this trace"
        return seen
    unknown["hooks"] = f"{said_of(reached)}, and the pass fails without: {_said(seen.error)}"
    return seen._replace(excused=True)


def _is_reached(hook: LeftOut, watch: _Watch) -> bool:
    name = hook.module or ROOT
    call = watch.calls.get(name)
    return name not in watch.modules or (call is not None and (hook.before or call.returned is not None))


def _note(name: str, call: _Call, failed: Sequence[str], *, excused: bool) -> str:
    if name in failed:
        return STOPPED if excused else FAILED if name == failed[-1] else INSIDE
    return CAUGHT if call.returned is None else ""


def _failed(seen: _Pass) -> list[str]:
    """Return the layers that were at work when the pass failed, the outermost first."""
    if seen.error is None:
        return []
    at_work = {id(module) for module in modules_at_work(seen.error)}
    names = [name for name, _, _ in seen.watched.open]
    return [name for name in names if id(seen.watched.modules[name]) in at_work] or names


def _flops_of(seen: _Pass, unknown: dict[str, str]) -> int | None:
    why = None
    if seen.error is not None:
        why = "the pass fails without hooks that were not run" if seen.excused else "the pass failed"
    elif seen.flops is None:
        why = "the pass fails while torch's counter looks on, which needs gradients"
    elif uncounted := seen.flops.uncounted:
        why = f"the counter has no formula for {', '.join(uncounted)[:_TEXT]}; the rest is {seen.flops.total:,}"
    elif not seen.flops.total:
        why = "the counter saw no operation that it counts"
    if why is not None:
        unknown["flops"] = why
    return None if why is not None or seen.flops is None else seen.flops.total


def _parameters_of(model: nn.Module, unknown: dict[str, str]) -> int | None:
    parameters = list(model.parameters())
    if any(is_lazy(one) for one in parameters):
        unknown["parameters"] = "some are made by the first pass, which did not reach them"
        return None
    return sum(one.numel() for one in parameters)


def _opaque(model: nn.Module, args: tuple[Any, ...], named: dict[str, Any], why: str) -> ShapeTrace:
    unknown = {"layers": why, "flops": why}
    return ShapeTrace(
        layers=[],
        inputs=input_shapes(args, named),
        parameters=_parameters_of(model, unknown),
        flops=None,
        device=", ".join(str(one) for one in devices_of(model)),
        unknown=unknown,
    )


def _said(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def layer_cells(trace: ShapeTrace) -> Cells:
    """Return a trace as a table of the kind `layers`."""
    rows = [
        [
            *(layer.name, layer.kind, layer.input, layer.output or "", str(layer.calls), str(layer.parameters)),
            "" if layer.flops is None else str(layer.flops),
            layer.note,
        ]
        for layer in trace.layers
    ]
    return Cells(columns=list(LAYER_COLUMNS), rows=rows)


_NUMBERS = {4, 5}
"""Columns of the table that are numbers."""


def _lined(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows with their cells below each other."""
    widths = [min(60, max(len(row[place]) for row in rows)) for place in range(len(rows[0]))]
    for row in rows:
        cells = [cell if len(cell) <= 60 else f"{cell[:59]}…" for cell in row]  # noqa: PLR2004  # as wide as a column
        yield "  ".join(
            cell.rjust(width) if place in _NUMBERS else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
