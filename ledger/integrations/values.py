"""Values of frameworks: names of series, what is a result, and tensors that a GPU is still computing."""

import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from ledger.session.run.run import Run

_MACHINE = re.compile(r"(^|_)(runtime|samples_per_second|steps_per_second|tokens_per_second|jit_compilation_time)$")
"""How fast the machine was: that is in the hardware box, and is no result."""
_COUNTERS = {"epoch", "step", "total_flos", "num_input_tokens_seen", "global_step"}
_PENDING = 64
"""Most points whose values are waited for; the oldest is read then, whether or not it has been computed."""


def results_of(values: Mapping[str, object], prefix: str = "") -> dict[str, float]:
    """Return the numbers that say how good a model is, by name without the prefix."""
    return {
        name.removeprefix(prefix): float(value)
        for name, value in values.items()
        if name.startswith(prefix) and isinstance(value, int | float) and not isinstance(value, bool)
        if name not in _COUNTERS and not _MACHINE.search(name)
    }


def series_of(values: Mapping[str, Any], splits: Mapping[str, str], otherwise: str) -> dict[str, Any]:
    """Return values by series: a name that begins with a prefix of `splits` belongs to that split, others to one."""
    named: dict[str, Any] = {}
    for name, value in values.items():
        if name in _COUNTERS or _MACHINE.search(name):
            continue
        prefix = next((prefix for prefix in splits if name.startswith(prefix)), "")
        split = splits.get(prefix, otherwise)
        named[f"{split}/{name.removeprefix(prefix)}"] = value
    return named


class LatePoints:
    """Points of a run whose values may still be on their way from a GPU: none of them is waited for.

    Reading a tensor of a GPU stops the program until all work before it is done. Here it is copied behind that work,
    and logged with a later point, or at the end. All other values are logged at once.

    Args:
        run: run to log to.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: deque[tuple[list[Any], dict[str, Any], dict[str, Any]]] = deque()

    def log(self, values: Mapping[str, Any], **where: Any) -> None:  # noqa: ANN401  # step, epoch and reduce of Run.log
        """Log a point, at once or when its values are there; the order of points is kept."""
        late = {name: value for name, value in values.items() if getattr(value, "is_cuda", False)}
        if not late and not self._waiting:
            self._run.log(values, **where)
            return
        events, copies = _copy(late)
        self._waiting.append((events, {**values, **copies}, where))
        while self._waiting and (len(self._waiting) > _PENDING or all(one.query() for one in self._waiting[0][0])):
            self._log_oldest()

    def flush(self) -> None:
        """Log all that waits."""
        while self._waiting:
            self._log_oldest()

    def _log_oldest(self) -> None:
        events, values, where = self._waiting.popleft()
        for event in events:
            event.synchronize()
        self._run.log(values, **where)


def _copy(tensors: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return copies of tensors that will be there when the events have happened."""
    if not tensors:
        return [], {}
    from torch import cuda

    copies = {name: tensor.detach().to("cpu", non_blocking=True) for name, tensor in tensors.items()}
    return [cuda.current_stream(device).record_event() for device in {one.device for one in tensors.values()}], copies
