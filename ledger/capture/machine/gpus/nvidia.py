"""What NVML answers about an NVIDIA card, one question after another; what is refused once is not asked again.

Numbers are those of nvml.h: https://docs.nvidia.com/deploy/nvml-api/.
"""

import contextlib
from collections import Counter
from typing import Any

from ledger.capture.machine.gpus.card import NOT_SUPPORTED, CardReading
from ledger.capture.machine.gpus.nvml import Device, Nvml, is_instance

_SM_CLOCK = 1
_GPU_SENSOR = 0
_PCIE_DIRECTIONS = (0, 1)
_NVLINK_DIRECTIONS = ((138, 0xFFFFFFFF), (139, 0xFFFFFFFF))
"""NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX and _RX in KiB, with the scope that means all links."""
_GPM_SM_UTIL = 2
_GPM_PCIE = (20, 21)
"""Traffic from and to the card, in MiB/s."""
_KIB, _MIB = 1 << 10, 1 << 20
_GPU_IS_LOST = 15
_MOST_FAILURES = 3
"""Failures in a row after which a question is not asked again: a timeout alone says nothing."""
_NOT_SUPPORTED = {3, 13}
"""NVML_ERROR_NOT_SUPPORTED, and FUNCTION_NOT_FOUND of a driver that is older than the question."""
_REASONS = {
    0x2: "clocks set by hand",
    0x4: "power limit",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "heat",
    0x40: "heat (hardware)",
    0x80: "power brake",
    0x100: "display clocks",
}
"""Reasons for which clocks are held down, by bit; 0x1, an idle card, is no throttling."""

_FIELDS = {
    "nvmlDeviceGetUtilizationRates": ("utilisation_mean", "gpu_idle_fraction"),
    "nvmlDeviceGetMemoryInfo": ("memory_peak_bytes",),
    "nvmlDeviceGetPowerUsage": ("power_mean_watts",),
    "nvmlDeviceGetTemperature": ("temperature_max_celsius",),
    "nvmlDeviceGetClockInfo": ("clock_mean_mhz",),
    "nvmlDeviceGetCurrentClocksEventReasons": ("throttled",),
    "nvmlDeviceGetPcieThroughput": ("pcie_bytes_per_second",),
    "nvmlDeviceGetFieldValues": ("nvlink_bytes",),
    "nvmlDeviceGetComputeRunningProcesses": ("other_processes",),
}
"""Fields of `Gpu` that stay unknown where a question is refused."""


class NvidiaCard:
    """An NVIDIA card, or an instance of a divided one.

    Args:
        nvml: NVML, initialised.
        device: which one.
    """

    def __init__(self, nvml: Nvml, device: Device) -> None:
        self._nvml = nvml
        self._handle = device.handle
        self.gpu = device.gpu
        self.missing: dict[str, str] = {}
        self._failed: Counter[str] = Counter()
        self._instance = is_instance(device.gpu)
        self._gpm = _Gpm(nvml, device.handle) if not self._instance else None
        if self._gpm is None or not self._gpm.offered:
            self._gpm = None
            self.missing["sm_activity_mean"] = "offered by Hopper and later cards only (GPM), and for whole cards"

    def read(self, *, slow: bool = False) -> CardReading:
        """Return how it is used now; never raises.

        Args:
            slow: ask for the traffic over PCI Express too, over which the driver takes 20 ms.
        """
        rates = self._ask("nvmlDeviceGetUtilizationRates")
        memory = self._ask("nvmlDeviceGetMemoryInfo")
        power = self._ask("nvmlDeviceGetPowerUsage")
        energy = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        temperature = self._ask("nvmlDeviceGetTemperature", _GPU_SENSOR)
        clock = self._ask("nvmlDeviceGetClockInfo", _SM_CLOCK)
        reasons = self._ask("nvmlDeviceGetCurrentClocksEventReasons")
        running = self._ask("nvmlDeviceGetComputeRunningProcesses")
        activity, traffic = self._gpm.read() if self._gpm is not None else (None, None)
        if traffic is None and slow:
            both = [self._ask("nvmlDeviceGetPcieThroughput", direction) for direction in _PCIE_DIRECTIONS]
            known = [int(one) for one in both if one is not None]
            traffic = float(sum(known) * _KIB) if len(known) == len(both) else None
        return CardReading(
            utilisation=None if rates is None else min(1.0, max(0.0, int(rates.gpu) / 100)),
            sm_activity=activity,
            memory_used_bytes=None if memory is None else int(memory.used),
            power_watts=None if power is None else int(power) / 1000,
            energy_joules=None if energy is None else int(energy) / 1000,
            temperature_celsius=None if temperature is None else float(temperature),
            clock_mhz=None if clock is None else float(clock),
            throttled=None if reasons is None else frozenset(name for bit, name in _REASONS.items() if reasons & bit),
            pcie_bytes_per_second=traffic,
            nvlink_bytes=self._nvlink(),
            processes=None if running is None else tuple(int(one.pid) for one in running),
        )

    def _nvlink(self) -> float | None:
        values = self._ask("nvmlDeviceGetFieldValues", list(_NVLINK_DIRECTIONS))
        if values is None:
            return None
        if any(one.nvmlReturn for one in values):  # a card without NVLink refuses field by field
            self._refuse("nvmlDeviceGetFieldValues", "the card has no NVLink, or does not count it")
            return None
        return float(sum(int(one.value.ullVal) for one in values) * _KIB)

    def close(self) -> None:
        """Give back what NVML holds for it."""
        if self._gpm is not None:
            self._gpm.close()

    def _ask(self, question: str, *arguments: object) -> Any:  # noqa: ANN401  # a number or a C struct
        if self._failed[question] >= _MOST_FAILURES:
            return None
        try:
            answer = getattr(self._nvml, question)(self._handle, *arguments)
        except Exception as error:  # noqa: BLE001  # not supported on this card, or the card is lost
            code = getattr(error, "value", None)
            self._failed[question] += 1
            if code in _NOT_SUPPORTED:
                whole = "counted for the whole card, of which this is a part"
                self._refuse(question, whole if self._instance else NOT_SUPPORTED)
            elif code == _GPU_IS_LOST:
                self._refuse(question, "the card was lost during the run")
            elif self._failed[question] == _MOST_FAILURES:
                self._refuse(question, f"NVML does not answer: {' '.join(str(error).split())[:100]}")
            return None
        self._failed[question] = 0
        return answer

    def _refuse(self, question: str, why: str) -> None:
        self._failed[question] = _MOST_FAILURES
        self.missing |= dict.fromkeys(_FIELDS.get(question, ()), why)


class _Gpm:
    """GPM, which measures from one sample to the next how busy the multiprocessors were; Hopper and later.

    Source: nvml.h, group "GPM": two samples of one card and the metrics between them.
    """

    def __init__(self, nvml: Any, handle: Any) -> None:  # noqa: ANN401  # a module, of which types know nothing
        self._handle = handle
        self._nvml = nvml
        self._samples: list[Any] = []
        with contextlib.suppress(Exception):  # an older card, driver or pynvml
            if self._nvml.nvmlGpmQueryDeviceSupport(handle).isSupportedDevice:
                self._samples = [self._nvml.nvmlGpmSampleAlloc() for _ in range(2)]
                self._nvml.nvmlGpmSampleGet(handle, self._samples[0])

    @property
    def offered(self) -> bool:
        """Whether the card can be asked."""
        return bool(self._samples)

    def close(self) -> None:
        """Free the samples."""
        for sample in self._samples:
            with contextlib.suppress(Exception):  # a driver that is gone
                self._nvml.nvmlGpmSampleFree(sample)
        self._samples = []

    def read(self) -> tuple[float | None, float | None]:
        """Return the share of busy multiprocessors (0..1) and the traffic in bytes per second, since the last call."""
        if not self._samples:
            return None, None
        try:
            before, after = self._samples
            self._nvml.nvmlGpmSampleGet(self._handle, after)
            asked = self._nvml.c_nvmlGpmMetricsGet_t()
            asked.version = self._nvml.NVML_GPM_METRICS_GET_VERSION
            asked.sample1, asked.sample2 = before, after
            asked.numMetrics = 1 + len(_GPM_PCIE)
            for place, metric in enumerate((_GPM_SM_UTIL, *_GPM_PCIE)):
                asked.metrics[place].metricId = metric
            self._nvml.nvmlGpmMetricsGet(asked)
            self._samples = [after, before]
        except Exception:  # noqa: BLE001  # a card that is lost
            self._samples = []
            return None, None
        busy, *traffic = (asked.metrics[place] for place in range(asked.numMetrics))
        moved = [float(one.value) * _MIB for one in traffic if not one.nvmlReturn]
        return (
            None if busy.nvmlReturn else min(1.0, max(0.0, float(busy.value) / 100)),
            sum(moved) if len(moved) == len(traffic) else None,
        )
