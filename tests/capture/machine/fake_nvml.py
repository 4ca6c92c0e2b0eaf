"""A stand-in for NVML: the machine that runs the tests has no GPU."""
# ruff: noqa: N802, ARG002  # the names and arguments are those of NVML

from types import SimpleNamespace
from typing import Any


class FakeNvmlError(Exception):
    pass


class FakeNvml:
    """Two whole GPUs, or more, or divided ones; each sample drains `rates`, `energy` and `used`."""

    NVMLError = FakeNvmlError

    def __init__(
        self, names: tuple[str, ...] = ("NVIDIA H100 80GB HBM3", "NVIDIA L4"), *, mig: int | None = None
    ) -> None:
        self.names = names
        self.mig = mig
        self.rates = [0, 50, 100, 2]
        self.energy: list[int] | None = [1_000_000, 2_000_000, 4_600_000]
        self.used = [10, 30, 20]
        self.broken = False
        self.asked: dict[str, int] = {}
        self.closed = False

    def _next(self, question: str, answers: list[int], handle: Any) -> int:
        place = self.asked.get(f"{question}{handle}", 0)
        self.asked[f"{question}{handle}"] = place + 1
        return answers[min(place, len(answers) - 1)]

    def nvmlInit(self) -> None: ...

    def nvmlShutdown(self) -> None:
        self.closed = True

    def nvmlSystemGetDriverVersion(self) -> str | bytes:
        if self.broken:
            raise FakeNvmlError("driver mismatch")
        return b"575.1"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.names)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        return index

    def nvmlDeviceGetUUID(self, handle: Any) -> str | bytes:
        return f"MIG-{handle}" if isinstance(handle, str) else f"GPU-{handle}{handle}"

    def nvmlDeviceGetName(self, handle: Any) -> str | bytes:
        return f"{self.names[0]} MIG 2g.20gb" if isinstance(handle, str) else self.names[handle]

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:
        return SimpleNamespace(total=80, used=self._next("memory", self.used, handle))

    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any:
        return SimpleNamespace(gpu=self._next("rates", self.rates, handle))

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any) -> int:
        if self.energy is None:
            raise FakeNvmlError("not supported")
        return self._next("energy", self.energy, handle)

    def nvmlDeviceGetPowerUsage(self, handle: Any) -> int:
        return 100_000

    def nvmlDeviceGetMigMode(self, handle: Any) -> tuple[int, int]:
        if self.mig is None:
            raise FakeNvmlError("not supported")
        return (int(handle == 0), 0)

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Any) -> int:
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: Any, index: int) -> Any:
        if index >= (self.mig or 0):
            raise FakeNvmlError("not found")
        return f"{device}.{index}"
