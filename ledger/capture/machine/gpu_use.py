"""How busy the GPUs of a running process are now."""

from pathlib import Path
from typing import Any

from ledger.capture.machine.gpus import Nvml, open_nvml, visible_devices
from ledger.model.values import Document


class GpuUse(Document, frozen=True, kw_only=True):
    """One GPU, as it is now."""

    name: str
    """Its name."""
    utilisation: float | None = None
    """Share of the last moment in which it was busy (0..1), by whoever uses it."""
    memory_used_bytes: int | None = None
    """Memory in use, by whoever uses it, in bytes."""
    memory_bytes: int | None = None
    """Its memory, in bytes."""


def gpus_in_use(pid: int, nvml: Nvml | None = None) -> list[GpuUse]:
    """Return the GPUs that a process may use, as they are now; none where this cannot be known; never raises.

    Args:
        pid: process of this host; its environment says which GPUs it may use.
        nvml: NVML, initialised; by default that of this machine, where it has one.
    """
    ours = nvml is None
    try:
        nvml = nvml or open_nvml()
        if nvml is None:
            return []
        devices = visible_devices(nvml, _environment(pid))
        return [
            GpuUse(
                name=device.gpu.name,
                utilisation=None if rates is None else min(1.0, max(0.0, int(rates.gpu) / 100)),
                memory_used_bytes=None if memory is None else int(memory.used),
                memory_bytes=device.gpu.memory_bytes,
            )
            for device in devices
            for rates in [_ask(nvml, "nvmlDeviceGetUtilizationRates", device.handle)]
            for memory in [_ask(nvml, "nvmlDeviceGetMemoryInfo", device.handle)]
        ]
    except Exception:  # noqa: BLE001  # a driver that does not answer costs this one line
        return []
    finally:
        if ours and nvml is not None:
            _ask(nvml, "nvmlShutdown")


def _environment(pid: int) -> dict[str, str]:
    """Return the environment with which a process was started.

    Raises:
        OSError: it has ended, or is somebody else's.
    """
    words = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace").split("\0")
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def _ask(nvml: Nvml, question: str, *arguments: Any) -> Any:  # noqa: ANN401  # opaque handles, a number or a C struct
    try:
        return getattr(nvml, question)(*arguments)
    except Exception:  # noqa: BLE001  # not supported on this GPU
        return None
