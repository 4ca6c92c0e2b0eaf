"""Every common form of a checkpoint is counted right, or says why it is not counted: never a wrong number."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from ledger.capture.outputs.model import capture_model
from ledger.model.boxes.outputs import Model

COUNT = 100 * 10 + 10 + 10 + 10
"""Parameters of `net()`; its batch norm has 21 numbers more that are none."""


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(100, 10), nn.BatchNorm1d(10))


class Small(nn.Module):
    """A module whose parameters have no dotted names."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(7))


class Attention(nn.Module):
    """Attention as nanoGPT has it where there is no flash attention: the causal mask is a buffer called `bias`."""

    bias: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.Module()
        self.attn.c_proj = nn.Linear(8, 8)
        self.attn.register_buffer("bias", torch.tril(torch.ones(16, 16)).view(1, 1, 16, 16))
        self.tok = nn.Embedding(20, 8)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.tok.weight


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": value for name, value in net().state_dict().items()}


def trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = net()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(2, 100)).sum().backward()
    optimizer.step()
    return model, optimizer


def with_optimizer(key: str) -> object:
    model, optimizer = trained()
    return {key: model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}


COUNTED: dict[str, tuple[Callable[[], object], int]] = {
    "nanoGPT: the best loss beside the model is a tensor": (
        lambda: {**with_optimizer("model"), "best_val_loss": torch.tensor(0.5), "iter_num": 3},  # type: ignore[dict-item]  # a dict, as written above
        COUNT,
    ),
    "the state of the random generator beside it": (
        lambda: {"state_dict": net().state_dict(), "rng_state": torch.get_rng_state()},
        COUNT,
    ),
    "minGPT-ddp of pytorch/examples": (lambda: {"model_state": net().state_dict(), "epoch": 3}, COUNT),
    "the tutorial on DDP": (lambda: {"MODEL_STATE": net().state_dict(), "EPOCHS_RUN": 3}, COUNT),
    "imagenet of pytorch/examples": (
        lambda: {
            "epoch": 3,
            "arch": "x",
            "state_dict": prefixed("module."),
            "best_acc1": torch.tensor(3.0),
            "optimizer": {},
        },
        COUNT,
    ),
    "an optimizer beside it": (lambda: with_optimizer("model_state_dict"), COUNT),
    "Lightning": (
        lambda: {
            **with_optimizer("state_dict"),  # type: ignore[dict-item]  # a dict, as written above
            "pytorch-lightning_version": "2.6",
            "loops": {},
            "callbacks": {},
            "hyper_parameters": {"lr": 0.1},
        },
        COUNT,
    ),
    "Lightning with an average of the weights inside": (
        lambda: {"state_dict": {**prefixed("model."), **prefixed("model_ema.")}},
        COUNT,
    ),
    "timm, with the average beside it": (
        lambda: {"state_dict": net().state_dict(), "state_dict_ema": net().state_dict(), "arch": "resnet18"},
        COUNT,
    ),
    "an average alone": (lambda: {"ema": net().state_dict(), "model": None}, COUNT),
    "a checkpoint in a checkpoint": (lambda: {"model": {"state_dict": net().state_dict(), "epoch": 1}}, COUNT),
    "DeepSpeed": (lambda: {"module": net().state_dict(), "ds_config": {}, "lr_scheduler": None}, COUNT),
    "YOLO: a whole module beside nothing": (lambda: {"model": net(), "ema": None, "epoch": -1}, COUNT),
    "a whole module": (net, COUNT),
    "a state dict": (lambda: net().state_dict(), COUNT),
    "a state dict from a wrapped model": (lambda: prefixed("module."), COUNT),
    "parameters without dots, from a module": (lambda: Small().state_dict(), 7),
    "one module under a name of its own": (lambda: {"encoder": net().state_dict(), "epoch": 3}, COUNT),
    "a causal mask, and tied weights": (lambda: Attention().state_dict(), 8 * 8 + 8 + 20 * 8),
    "an averaged model of torch": (lambda: torch.optim.swa_utils.AveragedModel(net()).state_dict(), COUNT),
    "parameters that share one block of memory": (lambda: nn.LSTM(4, 8).state_dict(), 4 * 8 * (4 + 8 + 2)),
}

UNKNOWN: dict[str, tuple[Callable[[], object], str]] = {
    "two models": (lambda: {"generator": net().state_dict(), "critic": nn.Linear(2, 2).state_dict()}, "several models"),
    "an optimizer alone": (lambda: dict(trained()[1].state_dict()), "no state dict"),
    "data": (lambda: {"images": torch.zeros(9, 3), "labels": torch.zeros(9)}, "not named as parameters"),
    "one loss": (lambda: {"best_val_loss": torch.tensor(0.5), "epoch": 3}, "not named as parameters"),
    "quantised weights": (lambda: {"fc.weight": torch.zeros(4, 4, dtype=torch.int8)}, "quantised"),
    "a tensor": (lambda: torch.zeros(3), "neither a model"),
    "a list": (lambda: [net().state_dict()], "neither a model"),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "before the zip"])
@pytest.mark.parametrize("form", COUNTED)
def test_a_checkpoint_is_counted(tmp_path: Path, form: str, legacy: bool) -> None:  # noqa: FBT001  # of pytest
    make, count = COUNTED[form]
    torch.save(make(), tmp_path / "m.pt", _use_new_zipfile_serialization=not legacy)
    model = capture_model(tmp_path / "m.pt")
    assert (model.format, model.parameters) == ("torch", count), model.unknown


@pytest.mark.parametrize("form", UNKNOWN)
def test_a_file_that_leaves_doubt_is_not_counted(tmp_path: Path, form: str) -> None:
    make, why = UNKNOWN[form]
    torch.save(make(), tmp_path / "m.pt")
    model = capture_model(tmp_path / "m.pt")
    assert model.parameters is None
    assert why in model.unknown["parameters"]


def safetensors(path: Path, shapes: dict[str, list[int]], kind: str = "F32") -> None:
    header = json.dumps(
        {name: {"dtype": kind, "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    ).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 10_000)


def test_the_parts_that_an_index_names_are_added_up_and_nothing_else(tmp_path: Path) -> None:
    safetensors(tmp_path / "model-00001-of-00002.safetensors", {"a.weight": [10, 20]})
    safetensors(tmp_path / "model-00002-of-00002.safetensors", {"b.weight": [5], "b.running_mean": [5]})
    safetensors(tmp_path / "consolidated.safetensors", {"a.weight": [10, 20], "b.weight": [5]})
    index = {
        "weight_map": {"a.weight": "model-00001-of-00002.safetensors", "b.weight": "model-00002-of-00002.safetensors"}
    }
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert capture_model(tmp_path).parameters == 205
    assert "one part of several" in capture_model(tmp_path / "model-00001-of-00002.safetensors").unknown["parameters"]
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    assert "is missing: model-00002-of-00002" in capture_model(tmp_path).unknown["parameters"]


def test_a_tensor_in_two_files_is_not_counted_twice(tmp_path: Path) -> None:
    safetensors(tmp_path / "model.safetensors", {"a.weight": [10]})
    safetensors(tmp_path / "ema.safetensors", {"a.weight": [10]})
    assert "two files hold a tensor of the same name: a.weight" in capture_model(tmp_path).unknown["parameters"]


def test_packed_safetensors_are_not_counted(tmp_path: Path) -> None:
    safetensors(tmp_path / "m.safetensors", {"a.weight": [10]}, kind="U8")
    assert "quantised" in capture_model(tmp_path / "m.safetensors").unknown["parameters"]


def transformers_folder(folder: Path) -> None:
    model, optimizer = trained()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    torch.save({"last_epoch": 3}, folder / "scheduler.pt")
    torch.save({"cpu": torch.get_rng_state()}, folder / "rng_state.pth")
    torch.save({"lr": 0.1}, folder / "training_args.bin")


def test_a_folder_of_transformers_is_counted_without_what_lies_beside_the_model(tmp_path: Path) -> None:
    transformers_folder(tmp_path)
    model = capture_model(tmp_path)
    assert (model.format, model.parameters) == ("torch", COUNT)


def test_torch_parts_with_an_index_are_added_up(tmp_path: Path) -> None:
    states = [prefixed("a."), prefixed("b.")]
    for number, state in enumerate(states, start=1):
        torch.save(state, tmp_path / f"pytorch_model-0000{number}-of-00002.bin")
    index = {
        "weight_map": {
            name: f"pytorch_model-0000{number}-of-00002.bin" for number, state in enumerate(states, 1) for name in state
        }
    }
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert capture_model(tmp_path).parameters == 2 * COUNT


def onnx(*parts: tuple[int, bytes | int]) -> bytes:
    """Return a protobuf message of these fields."""

    def varint(value: int) -> bytes:
        return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])

    made = b""
    for number, value in parts:
        if isinstance(value, int):
            made += varint(number << 3) + varint(value)
        else:
            made += varint(number << 3 | 2) + varint(len(value)) + value
    return made


def initializer(name: str, dims: list[int], kind: int = 1) -> tuple[int, bytes]:
    packed = b"".join(onnx((1, side))[1:] for side in dims)
    return 5, onnx((1, packed), (2, kind), (8, name.encode()), (9, b"\0" * 40))


def onnx_model(*graph: tuple[int, bytes | int]) -> bytes:
    return onnx((1, 8), (2, b"pytorch"), (7, onnx(*graph)), (8, onnx((2, 17))))


def counted_onnx(folder: Path, data: bytes) -> Model:
    (folder / "m.onnx").write_bytes(data)
    return capture_model(folder / "m.onnx")


def test_the_initializers_of_an_onnx_file_are_counted_without_shapes_and_running_means(tmp_path: Path) -> None:
    norm = onnx(*((1, name) for name in (b"x", b"g", b"b", b"mean", b"var")), (2, b"y"), (4, b"BatchNormalization"))
    data = onnx_model(
        (1, norm),
        initializer("w", [10, 100]),
        initializer("g", [10]),
        initializer("b", [10]),
        initializer("mean", [10]),
        initializer("var", [10]),
        initializer("shape", [2], kind=7),
        (2, b"main"),
    )
    assert counted_onnx(tmp_path, data).parameters == 1020


def test_an_onnx_file_that_is_quantised_empty_or_damaged_is_not_counted(tmp_path: Path) -> None:
    for data, why in (
        (onnx_model(initializer("w", [10, 10], kind=3)), "quantised"),
        (onnx_model((2, b"main")), "no initializers"),
        (onnx_model(initializer("w", [10]))[:-30], "damaged"),
        (b"\x08\x07" + b"\xff" * 40, ""),
        (b"", "no initializers"),
    ):
        model = counted_onnx(tmp_path, data)
        assert model.parameters is None
        assert why in model.unknown["parameters"]


def test_a_keras_file_says_that_it_is_not_counted_and_a_keras_model_is(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    model = capture_model(tmp_path / "m.keras")
    assert (model.format, model.parameters) == ("keras", None)
    assert "HDF5" in model.unknown["parameters"]

    class Weight:
        shape = (3, 4)

    class Keras:
        weights = (Weight(), Weight())
        trainable_weights = (Weight(),)

    counted = capture_model(tmp_path / "m.keras", Keras())
    assert (counted.parameters, counted.trainable) == (24, 12)
