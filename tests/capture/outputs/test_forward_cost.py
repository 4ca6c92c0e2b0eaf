"""What a forward pass costs: timed after warm-up and in bounds, on a copy, and honest about what is unknown."""

import re
import time
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ledger.capture.outputs import forward_cost as module  # noqa: E402  # needs torch
from ledger.capture.outputs.forward_cost import forward_cost  # noqa: E402  # the same
from ledger.capture.outputs.shape_trace import trace_shapes  # noqa: E402  # the same

nn = torch.nn


class Slow(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    """Takes 0.3 s the first time, and 2 ms from then on."""

    def __init__(self, seconds: float = 0.002) -> None:
        super().__init__()
        self.norm, self.warm, self.seconds = nn.BatchNorm1d(4), False, seconds

    def forward(self, x: Any) -> Any:
        assert not torch.is_grad_enabled()
        assert not self.training
        time.sleep(self.seconds if self.warm else 0.3)
        self.warm = True
        return self.norm(x)


def test_the_first_call_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CALLS", 30)
    model = Slow()
    cost = forward_cost(model, (torch.zeros(2, 4),), {})
    assert cost.latency_seconds is not None
    assert cost.latency_p99_seconds is not None
    assert 0.002 <= cost.latency_seconds <= cost.latency_p99_seconds
    assert cost.latency_seconds < 0.1
    assert (cost.latency_calls, cost.device, cost.threads) == (30, "cpu", torch.get_num_threads())
    assert (cost.pass_memory_bytes, cost.unknown) == (
        None,
        {"pass_memory_bytes": "only CUDA tells the peak memory of a pass"},
    )
    assert (model.warm, model.training, int(model.norm.num_batches_tracked)) == (False, True, 0)


def test_time_is_bounded_and_few_calls_have_no_p99(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(module, "_WARM_SECONDS", 0.1)
    cost = forward_cost(Slow(0.15), (torch.zeros(2, 4),), {})
    assert cost.latency_calls in {1, 2}
    assert cost.latency_p99_seconds is None
    assert re.match(
        r"only [12] pass(es)? w(as|ere) timed; the slowest took 0\.\d+ s", cost.unknown["latency_p99_seconds"]
    )


def test_flops_and_shapes_are_those_of_the_trace() -> None:
    model, given = nn.Linear(4, 2), torch.zeros(3, 4)
    cost = forward_cost(model, (given,), {}, trace_shapes(model, (given,)))
    assert (cost.flops, cost.parameters, cost.input_shapes) == (48, 10, ["(3, 4)"])
    assert cost.flops_counter is not None
    assert "matrix products, convolutions and attention only" in cost.flops_counter


def test_a_pass_that_fails_costs_nothing_that_is_known() -> None:
    model, given = nn.Linear(4, 2), torch.zeros(3, 5)
    cost = forward_cost(model, (given,), {}, trace_shapes(model, (given,)))
    assert (cost.flops, cost.latency_seconds) == (None, None)
    assert cost.unknown["latency_seconds"] == "the pass in eval mode and without gradients failed: RuntimeError"
    assert cost.unknown["flops"] == "the pass failed"
    assert (
        forward_cost(nn.Linear(4, 2, device="meta"), (given,), {}).unknown["latency_seconds"].startswith("a model on")
    )


def test_what_is_timed_without_hooks_says_so() -> None:
    model, given = nn.Sequential(nn.Linear(3, 3), nn.Linear(1, 2)), torch.zeros(2, 3)
    model[0].register_forward_hook(lambda _, __, made: made[:, :1])
    cost = forward_cost(model, (given,), {}, trace_shapes(model, (given,)))
    assert (cost.flops, cost.latency_seconds) == (None, None)
    assert cost.unknown["latency_seconds"].startswith(
        "a forward hook of `0` was not run, and the pass without in eval mode"
    )
    model[1] = nn.Linear(3, 2)
    cost = forward_cost(model, (given,), {}, trace_shapes(model, (given,)))
    assert cost.flops is not None
    assert "a forward hook of `0` was not run: what it costs" in cost.unknown["hooks"]


def test_a_frozen_weight_asks_for_no_gradient_while_it_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2), requires_grad=False)

        def forward(self, x: Any) -> Any:
            return x * float(self.scale.numpy().sum())

    monkeypatch.setattr(module, "MOST_CALLS", 2)
    assert forward_cost(Frozen(), (torch.zeros(2),), {}).latency_seconds is not None
