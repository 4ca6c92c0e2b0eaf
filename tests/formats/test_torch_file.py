"""A file of torch is followed and never run: what it cannot be told for certain, or tries too much, is an error."""

import io
import os
import pickle
import pickletools
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from ledger.formats import torch_file
from ledger.formats.torch_file import count_parameters, is_torch_file, names_in

NAME = b"ctorch._tensor\n_rebuild_from_type_v2\n"


def torch_zip(path: Path, data: bytes, name: str = "archive/data.pkl") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, data)
    return path


def saved(path: Path, value: object, *, legacy: bool = False) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.mark.parametrize("damage", ["a version that nobody wrote yet", "data that does not unpack"])
def test_a_damaged_zip_is_no_model_file_and_no_error(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", bytes(1000))
    data = bytearray(path.read_bytes())
    if damage.startswith("a version"):
        data[data.index(b"PK\x01\x02") + 6] = 128
    else:
        start = data.index(b"data.pkl") + len("data.pkl")
        data[start : start + 6] = b"\xff" * 6
    path.write_bytes(data)
    assert is_torch_file(path) == damage.startswith("data")
    with pytest.raises(ValueError, match="the file is damaged"):
        count_parameters(path)


def test_what_torch_writes_is_known_by_its_content(tmp_path: Path) -> None:
    assert is_torch_file(saved(tmp_path / "a", {}))
    assert is_torch_file(saved(tmp_path / "b", {}, legacy=True))
    assert not is_torch_file(torch_zip(tmp_path / "c", b"", "data.json"))
    (tmp_path / "d").write_bytes(pickle.dumps({}))
    assert not is_torch_file(tmp_path / "d")
    assert not is_torch_file(tmp_path / "not there")
    assert not is_torch_file(tmp_path)


@pytest.mark.parametrize("legacy", [False, True])
def test_the_names_of_a_state_dict_are_those_of_its_tensors(tmp_path: Path, legacy: bool) -> None:  # noqa: FBT001  # of pytest
    state = {**nn.Linear(2, 3).state_dict(), "epoch": 3}
    assert names_in(saved(tmp_path / "m.pt", state, legacy=legacy)) == {"weight", "bias"}
    with pytest.raises(ValueError, match="not a state dict"):
        names_in(saved(tmp_path / "n.pt", [1], legacy=legacy))


def test_a_module_says_what_is_trained_and_a_state_dict_does_not(tmp_path: Path) -> None:
    module = nn.Linear(2, 3)
    module.bias.requires_grad = False
    assert count_parameters(saved(tmp_path / "m.pt", module)) == (9, 6)
    assert count_parameters(saved(tmp_path / "s.pt", module.state_dict())) == (9, None)


def test_views_of_one_block_of_memory_count_what_they_cover_together(tmp_path: Path) -> None:
    block = torch.zeros(10)
    state = {"a.weight": block[:6], "b.weight": block[4:8], "c.weight": block[9:]}
    assert count_parameters(saved(tmp_path / "m.pt", state)) == (9, None)


def test_a_tensor_with_attributes_of_its_own_is_a_tensor(tmp_path: Path) -> None:
    weight = nn.Parameter(torch.zeros(4))
    weight.note = "own"  # type: ignore[attr-defined]  # the point of the test
    assert count_parameters(saved(tmp_path / "m.pt", {"a.weight": weight}))[0] == 4


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("touch exploded",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_pickle_of_any_protocol_is_run(tmp_path: Path, protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for value in (Bomb(), {"a.weight": Bomb()}):
        with pytest.raises(ValueError, match=r"model|state dict|opcode|tensors"):
            count_parameters(torch_zip(tmp_path / "m.pt", pickle.dumps(value, protocol)))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (NAME + b"q\x00" + b"h\x00N" * 5_000 + b"N" + b"\x87" * 5_000 + b"R.", "could not be followed"),
        (b"}(K\x01u.", "could not be followed"),
        (b"0.", "could not be followed"),
        (b"u.", "could not be followed"),
        (b"K\x01", "could not be followed"),
        (b"P1\n.", "unknown opcode PERSID"),
        (b"K\x01.", "neither a model nor a state dict"),
    ],
    ids=["nested without end", "a key without a value", "pop of nothing", "no mark", "no end", "unknown", "a number"],
)
def test_an_index_that_makes_no_sense_is_one_clear_error(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        count_parameters(torch_zip(tmp_path / "m.pt", b"\x80\x02" + data))


def tensor(size: bytes) -> bytes:
    """Return the pickle of a state dict with one tensor whose sides are made by these opcodes."""
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0aX\x03\0\0\0cpuK\x09tQ"
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + size + b"tR"
    return b"\x80\x02}X\x08\0\0\0a.weight" + made + b"s."


@pytest.mark.parametrize(
    ("size", "why"),
    [
        (b"(" + b"J\xff\xff\xff\x7f" * 65 + b"t", "more than 64 sides"),
        (b"(J\xff\xff\xff\xfft", "a tensor has no size"),
        (b"(\x8a\x07\0\0\0\0\0\0\x01t", "a tensor has no size"),
        (b"K\x03", "a tensor has no size"),
        (b"(NX\x01\0\0\0at", "a tensor has no size"),
    ],
    ids=["many sides", "a negative side", "an endless side", "a number", "no numbers"],
)
def test_a_tensor_of_an_impossible_size_is_refused_before_it_is_multiplied(
    tmp_path: Path, size: bytes, why: str
) -> None:
    pickletools.dis(tensor(size), io.StringIO())
    with pytest.raises(ValueError, match=why):
        count_parameters(torch_zip(tmp_path / "m.pt", tensor(size)))
    assert count_parameters(torch_zip(tmp_path / "m.pt", tensor(b"K\x03K\x04\x86"))) == (12, None)


def test_an_index_of_very_many_steps_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_file, "_OPCODE_LIMIT", 100)
    with pytest.raises(ValueError, match="too many opcodes"):
        count_parameters(torch_zip(tmp_path / "m.pt", b"\x80\x02" + b"N0" * 100 + b"}."))


@pytest.mark.parametrize("kept", [20, 100, 400])
def test_an_old_file_that_was_cut_off_is_an_error_and_no_crash(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path / "m.pt", nn.Linear(20, 30).state_dict(), legacy=True)
    path.write_bytes(path.read_bytes()[:kept])
    assert is_torch_file(path)
    with pytest.raises(ValueError, match=r"index could not be followed|the file is damaged"):
        count_parameters(path)
