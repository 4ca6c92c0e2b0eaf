"""Models are counted without being loaded."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ledger.capture.outputs.model import capture_model
from ledger.errors import LedgerError, NotFound
from ledger.hashing import hash_file


@pytest.fixture
def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2, bias=False))


COUNT = 4 * 3 + 3 + 3 + 3 + 3 * 2


def test_a_state_dict_is_counted_without_its_buffers(tmp_path: Path, net: nn.Module) -> None:
    torch.save(net.state_dict(), tmp_path / "m.pt")
    model = capture_model(tmp_path / "m.pt")
    assert (model.parameters, model.format, model.hash) == (COUNT, "torch", hash_file(tmp_path / "m.pt"))
    assert model.bytes == (tmp_path / "m.pt").stat().st_size
    assert model.trainable is None
    assert "trainable" in model.unknown


@pytest.mark.parametrize("key", ["model", "state_dict"])
def test_a_checkpoint_is_counted_without_its_optimizer(tmp_path: Path, net: nn.Module, key: str) -> None:
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.zeros(2, 4)).sum().backward()
    optimizer.step()
    torch.save({key: net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, tmp_path / "m.ckpt")
    assert capture_model(tmp_path / "m.ckpt").parameters == COUNT


def test_a_whole_module_says_what_is_trained(tmp_path: Path, net: nn.Module) -> None:
    net[0].weight.requires_grad_(requires_grad=False)  # type: ignore[index]  # a Sequential of Linear
    torch.save(net, tmp_path / "m.pt")
    model = capture_model(tmp_path / "m.pt")
    assert (model.parameters, model.trainable) == (COUNT, COUNT - 12)
    given = capture_model(tmp_path / "m.pt", net)
    assert (given.parameters, given.trainable, given.unknown) == (COUNT, COUNT - 12, {})


def test_tied_weights_count_once(tmp_path: Path) -> None:
    shared = torch.zeros(5, 5)
    torch.save({"a.weight": shared, "b.weight": shared}, tmp_path / "m.pt")
    assert capture_model(tmp_path / "m.pt").parameters == 25


def test_a_module_without_a_file_is_counted(net: nn.Module) -> None:
    model = capture_model(None, net)
    assert (model.parameters, model.path) == (COUNT, None)
    assert "hash" in model.unknown


def test_an_object_that_is_no_module_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(b"x")
    model = capture_model(tmp_path / "m.bin", object())
    assert model.hash == hash_file(tmp_path / "m.bin")
    assert {"parameters", "format"} <= set(model.unknown)


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("touch exploded",))


def torch_zip(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Bomb()),
        b"",
        b"\x80\x02.",
        b"\x80\x02}q\x00",
        b"(" * 1000,
        b"garbage",
        b"\x80\x02K\x01.",
        b"\x80\x02h\x05.",
        b"\x80\x02" + b"]" * 10 + b"a" * 9 + b".",
    ],
)
def test_a_hostile_torch_file_is_never_run(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = capture_model(torch_zip(tmp_path / "m.pt", data))
    assert model.parameters is None
    assert model.unknown["parameters"]
    assert not (tmp_path / "exploded").exists()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * (40 << 20))
    assert "larger than 32 MB" in capture_model(tmp_path / "m.pt").unknown["parameters"]


def safetensors(shapes: dict[str, list[int]], size: int = 100_000) -> bytes:
    header = json.dumps(
        {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
        | {"__metadata__": {"format": "pt"}}
    ).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * size


def test_safetensors_are_counted_from_the_header_and_over_shards(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(safetensors({"a": [10, 20], "b": [5], "c": []}))
    model = capture_model(tmp_path / "m.safetensors")
    assert (model.parameters, model.format) == (206, "safetensors")
    (tmp_path / "n.safetensors").write_bytes(safetensors({"d": [4]}))
    (tmp_path / "config.json").write_text("{}")
    folder = capture_model(tmp_path)
    assert (folder.parameters, folder.format) == (210, "safetensors")
    assert folder.hash
    assert folder.bytes == sum(file.stat().st_size for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    "data",
    [
        safetensors({"a": [1 << 60, 1 << 60]}),
        safetensors({"a": [-1]}),
        (20).to_bytes(8, "little") + b'{"a": [[[[[[',
        (9).to_bytes(8, "little") + b'{"a": 1} ',
    ],
)
def test_a_damaged_safetensors_header_is_unknown(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(data)
    assert capture_model(tmp_path / "m.safetensors").parameters is None


def test_formats_are_known_by_content_before_suffix(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    for name, data, kind in (
        ("a.bin", b"\x89HDF\r\n\x1a\nxx", "hdf5"),
        ("b.bin", b"GGUF0000", "gguf"),
        ("c.bin", buffer.getvalue(), "numpy"),
        ("d.onnx", b"\x08\x07", "onnx"),
        ("e.pkl", pickle.dumps(1), "pickle"),
        ("f.bin", b"", None),
    ):
        (tmp_path / name).write_bytes(data)
        assert capture_model(tmp_path / name).format == kind


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no model at"):
        capture_model(tmp_path / "no.pt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LedgerError, match="holds no files"):
        capture_model(tmp_path / "empty")
