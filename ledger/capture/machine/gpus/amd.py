"""AMD GPUs, from the files of their Linux driver: no library has to match the version of ROCm.

Source of names and units: https://docs.kernel.org/gpu/amdgpu/thermal.html and driver-misc.html.
"""

from collections.abc import Mapping
from pathlib import Path

from ledger.capture.machine.gpus.card import NOT_SUPPORTED, CardReading
from ledger.model.boxes.machine import Gpu

_VENDOR = "0x1002"
_LONGEST = 100
_MICROWATTS, _MICROJOULES, _MILLIDEGREES, _HERTZ = 1e6, 1e6, 1e3, 1e6
_FIELDS = {
    "utilisation": ("utilisation_mean", "gpu_idle_fraction"),
    "memory_used_bytes": ("memory_peak_bytes",),
    "power_watts": ("power_mean_watts",),
    "temperature_celsius": ("temperature_max_celsius",),
    "clock_mhz": ("clock_mean_mhz",),
}
_NEVER = ("sm_activity_mean", "throttled", "pcie_bytes_per_second", "nvlink_bytes", "other_processes")


class AmdCard:
    """An AMD card.

    Args:
        device: its folder, such as `/sys/class/drm/card0/device`.
    """

    def __init__(self, device: Path) -> None:
        self._device = device
        self._sensors = next(iter(sorted(device.glob("hwmon/hwmon*"))), device / "hwmon")
        limit = _number(self._sensors / "power1_cap")
        self.gpu = Gpu(
            name=_text(device / "product_name") or f"AMD GPU {_text(device / 'device') or 'of an unknown kind'}",
            uuid=_text(device / "unique_id"),
            memory_bytes=_whole(device / "mem_info_vram_total"),
            driver=_text(device / "driver/module/version"),
            power_limit_watts=limit / _MICROWATTS if limit else None,
        )
        self.missing = dict.fromkeys(_NEVER, "the files of AMD's driver do not say")

    def read(self, *, slow: bool = False) -> CardReading:  # noqa: ARG002  # no file is slow
        """Return how it is used now; never raises."""
        busy = _number(self._device / "gpu_busy_percent")
        power = _first(self._sensors / "power1_average", self._sensors / "power1_input")
        energy = _number(self._sensors / "energy1_input")
        heat = _number(self._sensors / "temp1_input")
        clock = _number(self._sensors / "freq1_input")
        reading = CardReading(
            utilisation=None if busy is None else min(1.0, max(0.0, busy / 100)),
            memory_used_bytes=_whole(self._device / "mem_info_vram_used"),
            power_watts=None if power is None else power / _MICROWATTS,
            energy_joules=None if energy is None else energy / _MICROJOULES,
            temperature_celsius=None if heat is None else heat / _MILLIDEGREES,
            clock_mhz=None if clock is None else clock / _HERTZ,
        )
        for field, unknown in _FIELDS.items():
            if getattr(reading, field) is None:
                self.missing |= dict.fromkeys(unknown, NOT_SUPPORTED)
        return reading

    def close(self) -> None:
        """Nothing is held."""


def amd_cards(root: Path, variables: Mapping[str, str]) -> list[AmdCard]:
    """Return the AMD cards that the variables of HIP and ROCm leave visible.

    Args:
        root: root of the file system; `/` except in tests.
        variables: environment variables.
    """
    folders = [card / "device" for card in (root / "sys/class/drm").glob("card*") if card.name[4:].isdigit()]
    ours = sorted(
        (one for one in folders if _text(one / "vendor") == _VENDOR), key=lambda one: int(one.parent.name[4:])
    )
    for name in ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        if (asked := variables.get(name)) is not None:
            ours = _chosen(ours, asked)
    return [AmdCard(one) for one in ours]


def _chosen(folders: list[Path], asked: str) -> list[Path]:
    """Return the cards of a list of numbers, up to the first that is none.

    Source: https://rocm.docs.amd.com/en/latest/conceptual/gpu-isolation.html
    """
    chosen = []
    for entry in (part.strip() for part in asked.split(",")):
        if not entry.isdigit() or int(entry) >= len(folders):
            break
        chosen.append(folders[int(entry)])
    return chosen


def _first(*files: Path) -> float | None:
    return next((number for file in files if (number := _number(file)) is not None), None)


def _whole(file: Path) -> int | None:
    number = _number(file)
    return None if number is None else int(number)


def _number(file: Path) -> float | None:
    """Return the number in a file of the driver; a sensor below zero measures nothing."""
    text = _text(file)
    return float(text) if text is not None and text.isdigit() else None


def _text(file: Path) -> str | None:
    try:
        text = file.read_text("utf-8", "replace").strip()
    except OSError:
        return None
    return "".join(character for character in text if character.isprintable())[:_LONGEST] or None
