"""GPUs as their drivers name them, and the variables leave them."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.capture.machine.gpus.amd import amd_cards
from ledger.capture.machine.gpus.cards import open_cards
from ledger.capture.machine.gpus.nvml import open_nvml
from ledger.capture.machine.hardware import capture_hardware
from ledger.model.boxes.machine import Gpu
from tests.capture.machine.fake_nvml import FakeCards

H100, L4 = "NVIDIA H100 80GB HBM3", "NVIDIA L4"
FIRST, SECOND = (f"GPU-00000000-0000-0000-0000-{number:012}" for number in range(2))


def seen(variables: dict[str, str] | None = None) -> list[Gpu]:
    opened = open_cards(variables or {})
    try:
        return [card.gpu for card in opened.cards]
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (None, [H100, L4]),
        ("1,0", [L4, H100]),
        ("0", [H100]),
        ("", []),
        ("-1", []),
        ("0,7,1", [H100]),
        (SECOND, [L4]),
        ("GPU-nothing", []),
    ],
)
def test_what_cuda_cannot_see_is_left_out(cards: FakeCards, asked: str | None, names: list[str]) -> None:
    cards.set(memory=80)
    gpus = seen({} if asked is None else {"CUDA_VISIBLE_DEVICES": asked})
    assert [gpu.name for gpu in gpus] == names
    assert all((gpu.driver, gpu.memory_bytes) == ("580.65.06", 80) for gpu in gpus)


def test_what_does_not_change_is_named(cards: FakeCards) -> None:
    cards.set(count=1)
    assert seen() == [
        Gpu(
            name=H100,
            uuid=FIRST,
            memory_bytes=80 << 30,
            driver="580.65.06",
            cuda="13.0",
            compute_capability="9.0",
            power_limit_watts=700.0,
            clock_limit_mhz=1980.0,
        )
    ]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("nvmlDeviceGetMemoryInfo", "memory_bytes"),
        ("nvmlSystemGetCudaDriverVersion_v2", "cuda"),
        ("nvmlDeviceGetCudaComputeCapability", "compute_capability"),
        ("nvmlDeviceGetEnforcedPowerLimit", "power_limit_watts"),
        ("nvmlDeviceGetMaxClockInfo", "clock_limit_mhz"),
    ],
)
def test_a_question_that_is_not_supported_costs_one_field(cards: FakeCards, question: str, field: str) -> None:
    cards.set(**{f"fail.{question}": 3})
    for gpu in seen():
        silent = [name for name in gpu.__struct_fields__[:8] if getattr(gpu, name) is None]
        assert silent == [field]


def test_a_divided_gpu_gives_its_instances(cards: FakeCards) -> None:
    cards.set(mig__0=2, mig__1=0)
    assert [gpu.name for gpu in seen()] == [f"{H100} MIG 2g.20gb"] * 2 + [L4]
    (second,) = seen({"CUDA_VISIBLE_DEVICES": "MIG-00000000-0000-0000-0001"})
    assert (second.uuid or "").startswith("MIG-00000000-0000-0000-0001")


def test_a_driver_that_does_not_answer_is_unknown_and_not_no_gpus(cards: FakeCards) -> None:
    assert len(capture_hardware(Path.cwd()).gpus) == 2
    cards.set(**{"fail.nvmlSystemGetDriverVersion": 9})
    with pytest.raises(RuntimeError, match="NVML does not answer"):
        open_cards()
    hardware = capture_hardware(Path.cwd())
    assert hardware.gpus == []
    assert "NVML does not answer" in hardware.unknown["gpus"]


def test_a_card_that_is_lost_hides_no_other(cards: FakeCards) -> None:
    cards.set(count=3, lost__0=1)
    assert [gpu.name for gpu in seen()] == [L4, H100]
    assert [gpu.name for gpu in seen({"CUDA_VISIBLE_DEVICES": "1,0,2"})] == [L4, H100]
    hardware = capture_hardware(Path.cwd())
    assert len(hardware.gpus) == 2
    assert hardware.unknown["lost_gpus"].endswith("do not answer: 0")
    cards.set(lost=1)
    assert "every GPU is lost" in capture_hardware(Path.cwd()).unknown["gpus"]


def test_no_driver_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert open_nvml(tmp_path) is None


def test_a_driver_without_its_library_is_told(tmp_path: Path) -> None:
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    code = (
        "import sys; from pathlib import Path; from ledger.capture.machine.gpus.nvml import open_nvml\n"
        "print('answers' if open_nvml() else open_nvml(Path(sys.argv[1])))"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "NVML does not answer" in said.stderr or said.stdout == "answers\n"  # a machine with a GPU


def amd(root: Path, number: int, **files: object) -> Path:
    device = root / f"sys/class/drm/card{number}/device"
    (device / "hwmon/hwmon3").mkdir(parents=True)
    (root / f"sys/class/drm/card{number}-DP-1").mkdir()
    for name, value in {"vendor": "0x1002", "device": "0x740f", **files}.items():
        (device / name.replace("__", "/hwmon/hwmon3/").lstrip("/")).write_text(f"{value}\n")
    return device


def test_an_amd_card_is_read_from_the_files_of_its_driver(tmp_path: Path) -> None:
    device = amd(
        tmp_path,
        1,
        product_name="AMD Instinct MI210",
        mem_info_vram_total=64 << 30,
        mem_info_vram_used=3 << 30,
        gpu_busy_percent=37,
        __power1_average=181_000_000,
        __power1_cap=300_000_000,
        __temp1_input=61_000,
        __freq1_input=1_700_000_000,
    )
    (tmp_path / "sys/class/drm/card0/device").mkdir(parents=True)
    (tmp_path / "sys/class/drm/card0/device/vendor").write_text("0x1a03\n")
    (card,) = amd_cards(tmp_path, {})
    assert card.gpu == Gpu(name="AMD Instinct MI210", memory_bytes=64 << 30, power_limit_watts=300.0)
    reading = card.read()
    assert reading.utilisation == pytest.approx(0.37)
    assert (reading.memory_used_bytes, reading.power_watts) == (3 << 30, 181.0)
    assert (reading.temperature_celsius, reading.clock_mhz) == (61.0, 1700.0)
    assert "files of AMD's driver" in card.missing["throttled"]
    (device / "gpu_busy_percent").unlink()
    assert card.read().utilisation is None
    assert "utilisation_mean" in card.missing


def test_variables_of_rocm_hide_amd_cards(tmp_path: Path) -> None:
    for number in (0, 1, 10, 2):
        amd(tmp_path, number, unique_id=f"id{number}")
    assert [card.gpu.uuid for card in amd_cards(tmp_path, {})] == ["id0", "id1", "id2", "id10"]
    assert [card.gpu.uuid for card in amd_cards(tmp_path, {"HIP_VISIBLE_DEVICES": "3,0"})] == ["id10", "id0"]
    assert [card.gpu.name for card in amd_cards(tmp_path, {"ROCR_VISIBLE_DEVICES": "0"})] == ["AMD GPU 0x740f"]
    assert amd_cards(tmp_path, {"ROCR_VISIBLE_DEVICES": ""}) == []
