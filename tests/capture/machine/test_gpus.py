"""GPUs as NVML names them and CUDA_VISIBLE_DEVICES leaves them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.capture.machine.gpus import open_nvml, visible_devices

H100, L4 = "NVIDIA H100 80GB HBM3", "NVIDIA L4"


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (None, [H100, L4]),
        ("1,0", [L4, H100]),
        ("0", [H100]),
        ("", []),
        ("-1", []),
        ("0,7,1", [H100]),
        ("GPU-11", [L4]),
        ("GPU-nothing", []),
    ],
)
def test_what_cuda_cannot_see_is_left_out(fake_nvml: Callable[..., Any], asked: str | None, names: list[str]) -> None:
    variables = {} if asked is None else {"CUDA_VISIBLE_DEVICES": asked}
    devices = visible_devices(fake_nvml(), variables)
    assert [device.gpu.name for device in devices] == names
    assert all((device.gpu.driver, device.gpu.memory_bytes) == ("575.1", 80) for device in devices)


def test_a_divided_gpu_gives_its_instances(fake_nvml: Callable[..., Any]) -> None:
    devices = visible_devices(fake_nvml(mig=2), {})
    assert [device.gpu.name for device in devices] == [f"{H100} MIG 2g.20gb"] * 2 + [L4]
    assert len(visible_devices(fake_nvml(mig=2), {"CUDA_VISIBLE_DEVICES": "MIG-0.1"})) == 1


def test_a_broken_driver_is_no_answer(fake_nvml: Callable[..., Any]) -> None:
    nvml = fake_nvml()
    nvml.broken = True
    with pytest.raises(RuntimeError, match="driver mismatch"):
        visible_devices(nvml, {})


def test_no_driver_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert open_nvml(tmp_path) is None


def test_a_driver_that_does_not_answer_is_told(tmp_path: Path) -> None:
    if open_nvml() is not None:
        pytest.skip("this machine has a GPU")
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    with pytest.raises(RuntimeError, match="NVML does not answer"):
        open_nvml(tmp_path)
