"""Shape traces of torch models: what each layer was given, that a model stays as it was, and where a pass fails."""

import dataclasses
import random
import threading
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ledger.capture.outputs import shape_trace  # noqa: E402  # needs torch
from ledger.capture.outputs.shape_trace import Layer, ShapeTrace, layer_cells, trace_shapes  # noqa: E402  # the same
from ledger.errors import LedgerError  # noqa: E402  # stays with the others
from ledger.model.tables import check_cells  # noqa: E402  # the same

nn = torch.nn


class Network(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    def __init__(self, head: int = 5408) -> None:
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True)
        self.fc1 = nn.Linear(head, 10)

    def forward(self, image: Any) -> Any:
        return self.fc1(self.act(self.norm(self.conv(image))).flatten(1))


IMAGES = torch.rand(2, 1, 28, 28)


def layer(trace: ShapeTrace, name: str) -> Layer:
    return next(one for one in trace.layers if one.name == name)


def test_each_layer_has_its_shapes_in_the_order_of_the_calls() -> None:
    trace = trace_shapes(Network(), (IMAGES,))
    assert [(one.name, one.kind, one.input, one.output, one.parameters) for one in trace.layers] == [
        ("(model)", "Network", "(2, 1, 28, 28)", "(2, 10)", 0),
        ("conv", "Conv2d", "(2, 1, 28, 28)", "(2, 8, 26, 26)", 80),
        ("norm", "BatchNorm2d", "(2, 8, 26, 26)", "(2, 8, 26, 26)", 16),
        ("act", "ReLU", "(2, 8, 26, 26)", "(2, 8, 26, 26)", 0),
        ("fc1", "Linear", "(2, 5408)", "(2, 10)", 54_090),
    ]
    assert (trace.device, trace.parameters, trace.error, trace.unknown) == ("meta", 54_186, None, {})
    text = str(trace)
    assert "  conv   Conv2d       (2, 1, 28, 28)  (2, 8, 26, 26)" in text
    assert "parameters: 54,186" in text


def test_a_layer_that_fails_is_named_with_both_shapes() -> None:
    trace = trace_shapes(Network(head=65), (IMAGES,))
    assert trace.failing == "fc1"
    assert layer(trace, "fc1").output is None
    assert [one.note for one in trace.layers] == ["failed inside", "", "", "", "failed here"]
    assert trace.error == "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x5408 and 65x10)"
    assert trace.failure is not None
    assert "layer `fc1`" in trace.failure
    assert "weight is (10, 65), was given input (2, 5408)" in trace.failure
    assert (trace.device, trace.flops, trace.unknown["flops"]) == ("cpu", None, "the pass failed")


class Random(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    """Uses every source of random numbers, changes its input, and needs numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.steps, self.log = nn.BatchNorm1d(4), 0, ["begin"]
        self.embed = nn.Embedding(5, 4, max_norm=0.1)

    def forward(self, x: Any) -> Any:
        self.steps += 1
        self.log.append("pass")
        if x.sum().item() > 1e9:
            return x
        x += torch.rand(1) + random.random() + np.random.rand()  # noqa: NPY002, S311  # the states that are meant
        return self.norm(x) + self.embed(torch.tensor([1, 2]))


def test_a_model_is_left_as_it_was() -> None:
    model, given = Random(), torch.zeros(2, 4)
    called: list[object] = []
    model.norm.register_forward_hook(lambda *_: called.append(1))
    model.norm.weight.grad = torch.ones(4)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002  # the same
    for mode in (True, False):
        trace = trace_shapes(model.train(mode), (given,))
        assert (trace.device, trace.error) == ("cpu", None)
        assert "item()" in trace.unknown["meta"]
        assert model.training is mode
    assert all(torch.equal(before[name], one) for name, one in model.state_dict().items())
    assert (model.steps, model.log, called) == (0, ["begin"], [])
    assert len(model.norm._forward_hooks) == 1
    assert torch.equal(model.norm.weight.grad, torch.ones(4))
    assert all(one.requires_grad for one in model.parameters())
    assert torch.equal(given, torch.zeros(2, 4))
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert states[2] == np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002  # the same


@dataclasses.dataclass
class Output:
    logits: Any
    hidden: Any


class Shared(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
        self.two.weight = self.one.weight

    def forward(self, batch: dict[str, Any], *, mask: Any = None, scale: float = 1.0) -> Output:
        x = batch["x"]
        for _ in range(3):
            x = self.one(x)
        return Output(logits=self.two(x) * mask * scale, hidden=[x, (x, None)])


def test_dicts_dataclasses_ties_and_several_calls() -> None:
    trace = trace_shapes(Shared(), ({"x": torch.zeros(2, 4)},), {"mask": torch.ones(2, 1), "scale": 2.0})
    assert trace.inputs == ["{x: (2, 4)}", "mask=(2, 1)", "scale=2.0"]
    assert layer(trace, "(model)").output == "{logits: (2, 4), hidden: [(2, 4), [(2, 4), None]]}"
    assert (layer(trace, "one").calls, layer(trace, "one").flops) == (3, 3 * 2 * 2 * 4 * 4)
    assert (layer(trace, "one").parameters, layer(trace, "two").parameters) == (20, 4)
    assert trace.parameters == sum(one.parameters for one in trace.layers) == 24
    assert "3 calls" in str(trace)


def test_a_compiled_model_is_traced_as_the_module_that_it_is_made_of() -> None:
    inner = nn.Sequential(nn.Linear(4, 3), torch.compile(nn.Linear(3, 2), backend="eager"))
    trace = trace_shapes(torch.compile(inner, backend="eager"), (torch.zeros(2, 4),))
    assert [one.name for one in trace.layers] == ["(model)", "0", "1"]
    assert [one.kind for one in trace.layers] == ["Sequential", "Linear", "Linear"]
    assert trace.error is None


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_scripted_model_says_why_it_has_no_layers() -> None:
    trace = trace_shapes(torch.jit.script(nn.Linear(4, 3)), (torch.zeros(2, 4),))
    assert (trace.layers, trace.parameters) == ([], 15)
    assert "scripted" in trace.unknown["layers"]
    assert "unknown layers: a scripted model" in str(trace)


def test_lazy_layers_are_made_on_the_copy_only() -> None:
    lazy = nn.Sequential(nn.LazyConv1d(4, 3), nn.LazyBatchNorm1d(), nn.Flatten(), nn.LazyLinear(2))
    trace = trace_shapes(lazy, (torch.zeros(2, 3, 8),))
    assert (trace.device, trace.parameters) == ("meta", (4 * 3 * 3 + 4) + 8 + (24 * 2 + 2))
    assert lazy[0].has_uninitialized_params()
    assert type(lazy[3]).__name__ == "LazyLinear"
    failed = trace_shapes(nn.Sequential(nn.Linear(3, 3), nn.LazyLinear(2)), (torch.zeros(2, 4),))
    assert (failed.parameters, failed.failing) == (None, "0")
    assert "made by the first pass" in failed.unknown["parameters"]


class Catching(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(5, 4), nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        try:
            x = self.one(x)
        except RuntimeError:
            x = self.two(x)
        return x @ torch.zeros(3, 3)


def test_a_failure_that_the_model_catches_is_not_the_one_that_ends_the_pass() -> None:
    trace = trace_shapes(Catching(), (torch.zeros(2, 4),))
    assert (trace.failing, [one.note for one in trace.layers]) == ("(model)", ["failed here", "failed, but caught", ""])
    assert trace.failure is not None
    assert trace.failure.startswith("in the module itself: Catching")


def test_inputs_that_cannot_be_on_the_meta_device_are_traced_on_their_own() -> None:
    packed = nn.utils.rnn.pack_padded_sequence(torch.zeros(3, 5, 8), [5, 3, 2], batch_first=True)
    trace = trace_shapes(nn.GRU(8, 16, batch_first=True), (packed,))
    assert (trace.device, trace.error) == ("cpu", None)
    assert trace.unknown["meta"].startswith("the model and its inputs cannot be copied: ValueError: batch_sizes")
    assert trace.inputs[0].startswith("[(10, 8), (5), ")


def test_inside_inference_mode_and_without_gradients() -> None:
    with torch.inference_mode():
        trace = trace_shapes(nn.Linear(4, 2), (torch.zeros(3, 4),))
        assert torch.is_inference_mode_enabled()
    assert (trace.flops, trace.error) == (2 * 3 * 4 * 2, None)


def test_a_trace_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape_trace, "MOST_LAYERS", 3)
    trace = trace_shapes(nn.Sequential(*[nn.Linear(2, 2) for _ in range(5)]), (torch.zeros(1, 2),))
    assert [one.name for one in trace.layers] == ["(model)", "0", "1"]
    assert trace.unknown["layers"] == "3 more than 3 were not looked at"
    assert trace.flops == 5 * 2 * 2 * 2


def test_a_model_that_cannot_be_copied_says_so() -> None:
    class Alone(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
        def __deepcopy__(self, memo: object) -> object:
            raise TypeError("one of a kind")

    trace = trace_shapes(Alone())
    assert trace.unknown["layers"] == "the model and its inputs cannot be copied: TypeError: one of a kind"


def test_what_there_is_only_one_of_is_shared_with_the_copy() -> None:
    class Locked(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.lock, self.seen = nn.BatchNorm1d(4), threading.Lock(), [0]

        def forward(self, x: Any) -> Any:
            with self.lock:
                self.seen.append(1)
                return self.norm(x)

    model = nn.Sequential(nn.Linear(3, 4), Locked())
    model[1].register_forward_hook(lambda *_: model[1].seen.append(2))
    trace = trace_shapes(model, (torch.zeros(2, 3),))
    assert (trace.device, trace.error, trace.parameters) == ("meta", None, 24)
    assert (model[1].seen, int(model[1].norm.num_batches_tracked)) == ([0], 0)


def narrowed(width: int = 1) -> Any:
    """Return a model that works by a hook which narrows what its first layer returns."""
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(width, 2))
    model[0].register_forward_hook(lambda _, __, made: made[:, :width])
    return model


def test_a_model_that_needs_its_hooks_is_not_said_to_fail() -> None:
    model, given = narrowed(), torch.zeros(2, 3)
    assert model(given).shape == (2, 2)
    trace = trace_shapes(model, (given,))
    assert (trace.error, trace.failing, trace.failure, trace.flops) == (None, None, None, None)
    assert trace.unknown["hooks"] == (
        "a forward hook of `0` was not run, and the pass fails without: "
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 1x2)"
    )
    assert trace.unknown["flops"] == "the pass fails without hooks that were not run"
    assert [one.note for one in trace.layers] == ["not to its end", "", "not to its end"]
    assert "failed" not in str(trace)


def test_a_pass_without_its_hooks_says_so() -> None:
    model = narrowed(3)
    model.register_forward_pre_hook(lambda *_: None)
    trace = trace_shapes(model, (torch.zeros(2, 3),))
    assert trace.error is None
    assert trace.unknown["hooks"] == (
        "2 forward hooks of the model, `0` were not run: what they change is not in this trace"
    )


def test_hooks_that_the_pass_did_not_reach_excuse_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(4, 2), nn.ReLU())
    for module in (model, model[1], model[2]):
        module.register_forward_hook(lambda *_: None)
    trace = trace_shapes(model, (torch.zeros(2, 3),))
    assert (trace.failing, "hooks" in trace.unknown) == ("1", False)


class Cropping(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    """Works by a hook that is a method of its own, and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.crops = nn.Linear(3, 3), nn.Linear(1, 2), [0]
        self.head.register_forward_pre_hook(self.crop)

    def crop(self, _: object, given: tuple[Any, ...]) -> Any:
        self.crops[0] += 1
        return given[0][:, :1]

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x))


def test_hooks_that_are_methods_of_the_model_are_run_on_the_copy() -> None:
    model = Cropping()
    trace = trace_shapes(model, (torch.zeros(2, 3),))
    assert (trace.error, trace.unknown, layer(trace, "head").input) == (None, {}, "(2, 1)")
    assert model.crops == [0]


class Detached(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported by a test helper
    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)

    def forward(self, x: Any) -> Any:
        return x * float(self.frozen.numpy().sum())


class Force(nn.Module):  # type: ignore[misc, name-defined]  # as above
    def forward(self, x: Any) -> Any:
        return torch.autograd.grad((x**2).sum(), x)[0]


def test_gradients_that_a_model_does_not_or_does_ask_for_fail_nothing() -> None:
    assert trace_shapes(Detached(), (torch.zeros(2),)).error is None
    assert trace_shapes(Force(), (torch.zeros(2, requires_grad=True),)).error is None
    changed = torch.zeros(2, requires_grad=True) * 2
    assert trace_shapes(nn.ReLU(inplace=True), (changed,)).error is None


class Again(nn.Module):  # type: ignore[misc, name-defined]  # as above
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(4, 5)

    def forward(self, x: Any) -> Any:
        return self.one(self.one(x))


def test_a_layer_that_fails_at_a_later_call_shows_what_it_was_given_then() -> None:
    trace = trace_shapes(Again(), (torch.zeros(2, 4),))
    assert (layer(trace, "one").input, layer(trace, "one").note) == ("(2, 5)", "failed here")


def test_a_layer_whose_forward_was_replaced_is_the_one_that_failed() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].forward = lambda x: x @ torch.zeros(7, 2)
    trace = trace_shapes(model, (torch.zeros(2, 3),))
    assert [one.note for one in trace.layers] == ["failed inside", "", "failed here"]
    assert trace.failure is not None
    assert trace.failure.startswith("in layer `1`: Linear(")


def test_what_is_no_torch_module_is_refused() -> None:
    with pytest.raises(LedgerError, match="only a torch module has a shape trace, not: `int`"):
        trace_shapes(3)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("head", [5408, 65])
def test_a_trace_is_a_table_of_its_kind(head: int) -> None:
    cells = layer_cells(trace_shapes(Network(head), (IMAGES,)))
    assert check_cells("layers", cells, "x") == cells
    assert cells.rows[-1][:3] == ["fc1", "Linear", "(2, 5408)"]
