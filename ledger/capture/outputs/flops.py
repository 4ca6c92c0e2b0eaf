"""FLOPs of a forward pass, by torch's counter and a formula that it lacks."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

COUNTER = "torch.utils.flop_counter: matrix products, convolutions and attention only; a multiply-add is 2"
"""The counter, and what it counts."""
_HEAVY = "rnn", "lstm", "gru", "attention", "convolution", "_mm", "mkldnn_linear", "quantized", "flex"
"""Parts of names of operations that would matter, should the counter have no formula for them."""


class Flops:
    """Counts the FLOPs of what runs inside of `counting`."""

    def __init__(self) -> None:
        self._counter = FlopCounterMode(display=False, custom_mapping=_missing_formulas())
        self._seen = _Operations()

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Count in the block."""
        with self._counter, self._seen:
            yield

    @property
    def total(self) -> int:
        """FLOPs so far."""
        return int(self._counter.get_total_flops())

    @property
    def uncounted(self) -> list[str]:
        """Names of operations that matter and have no formula."""
        known = {str(packet) for packet in self._counter.flop_registry}
        return sorted(name for name in self._seen.names - known if any(part in name for part in _HEAVY))


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch gives its base no types
    """Notes the name of each operation that runs."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the same
        self.names: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401  # an operator of torch
        types: Sequence[Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever it returns
        self.names.add(str(func.overloadpacket))
        return func(*args, **(kwargs or {}))


def attention_flops(query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, **__: Any) -> int:  # noqa: ANN401  # as torch passes them
    """Return the FLOPs of scaled dot-product attention: the scores, and the weighted sum of the values.

    2·b·h·s·t·(d + e), for shapes (b, h, s, d), (b, h, t, d) and (b, h, t, e), as torch's own formula for other devices
    (`sdpa_flop_count` in `torch/utils/flop_counter.py`); a mask or causality saves nothing in it.
    """
    batch, heads, queries, size = query
    keys, width = key[-2], value[-1]
    return 2 * batch * heads * queries * keys * (size + width)


def _missing_formulas() -> dict[Any, Any]:
    """Return the formulas that torch lacks: attention on a CPU (pytorch#195460)."""
    packet = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", None)
    return {} if packet is None or packet in flop_registry else {packet: attention_flops}
