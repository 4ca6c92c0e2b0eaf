"""The GPU of an Apple chip: its name; how it is used can be measured with the rights of root only."""

import platform
import subprocess

from ledger.capture.machine.gpus.card import CardReading
from ledger.model.boxes.machine import Gpu

_SECONDS = 2.0
_MEASURED = (
    *("utilisation_mean", "gpu_idle_fraction", "sm_activity_mean", "memory_peak_bytes", "power_mean_watts"),
    *("temperature_max_celsius", "clock_mean_mhz", "throttled", "pcie_bytes_per_second", "other_processes"),
)


class AppleCard:
    """The GPU of an Apple chip.

    Args:
        chip: name of the chip.
    """

    def __init__(self, chip: str) -> None:
        self.gpu = Gpu(name=f"{chip} GPU")
        self.missing = dict.fromkeys(_MEASURED, "macOS measures it for root only (powermetrics)")

    def read(self, *, slow: bool = False) -> CardReading:  # noqa: ARG002  # nothing is asked
        """Return a reading without values."""
        return CardReading()

    def close(self) -> None:
        """Nothing is held."""


def apple_cards() -> list[AppleCard]:
    """Return the GPU of this machine, where it has an Apple chip."""
    if (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return []
    try:
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        said = ""
    return [AppleCard(said[:100] or "Apple")]
