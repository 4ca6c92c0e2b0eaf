"""The NVIDIA GPUs that a run can see, by NVML: the only module that imports it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from ledger.model.boxes.machine import Gpu

_MIG_ENABLED = 1
_SM_CLOCK = 1


class Nvml(Protocol):
    """The part of `pynvml` that finds cards; handles and structs are opaque C types, hence `Any`."""

    NVMLError: type[Exception]

    def nvmlInit(self) -> None: ...  # noqa: N802, D102  # NVML's own names
    def nvmlShutdown(self) -> None: ...  # noqa: N802, D102
    def nvmlSystemGetDriverVersion(self) -> str | bytes: ...  # noqa: N802, D102
    def nvmlDeviceGetCount(self) -> int: ...  # noqa: N802, D102
    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any: ...  # noqa: N802, D102, ANN401  # opaque handle
    def nvmlDeviceGetUUID(self, handle: Any) -> str | bytes: ...  # noqa: N802, D102, ANN401  # opaque handle
    def nvmlDeviceGetName(self, handle: Any) -> str | bytes: ...  # noqa: N802, D102, ANN401  # opaque handle
    def nvmlDeviceGetMigMode(self, handle: Any) -> Sequence[int]: ...  # noqa: N802, D102, ANN401  # opaque handle
    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Any) -> int: ...  # noqa: N802, D102, ANN401  # opaque handle
    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: Any, index: int) -> Any: ...  # noqa: N802, D102, ANN401  # opaque handle


class Device(NamedTuple):
    """One GPU, or one instance of a divided GPU."""

    handle: Any  # opaque C type
    """NVML's handle of the device."""
    gpu: Gpu
    """The device as the record has it."""


def open_nvml(root: Path = Path("/")) -> Nvml | None:
    """Return NVML, initialised; none when this machine has no NVIDIA driver.

    Importing pynvml costs 20 ms, so it is first checked whether a driver can be there at all.

    Args:
        root: root of the file system; `/` except in tests.

    Raises:
        RuntimeError: there is a driver, but it does not answer.
    """
    driver = any((root / path).exists() for path in ("proc/driver/nvidia", "dev/nvidiactl", "dev/dxg"))
    if not driver and not _is_on_library_path():
        if (root / "proc").exists():
            return None
        from ctypes.util import find_library

        if find_library("nvidia-ml") is None:
            return None
    import pynvml

    nvml = cast("Nvml", pynvml)  # a module with these functions
    try:
        nvml.nvmlInit()
    except Exception as error:
        raise RuntimeError(f"NVML does not answer: {error}") from error
    return nvml


def _is_on_library_path() -> bool:
    """Return whether NVML lies where the variables of this process send the linker, as some clusters do it."""
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return any((Path(folder) / "libnvidia-ml.so.1").exists() for folder in folders if folder)


def visible_devices(nvml: Nvml, variables: Mapping[str, str] | None = None) -> list[Device]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES leaves visible; a divided GPU is returned as its instances.

    Args:
        nvml: NVML, initialised.
        variables: environment variables; by default those of this process.

    Raises:
        RuntimeError: NVML does not answer.
    """
    asked = (os.environ if variables is None else variables).get("CUDA_VISIBLE_DEVICES")
    try:
        driver = _text(nvml.nvmlSystemGetDriverVersion())
        whole = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError as error:
        raise RuntimeError(f"NVML does not answer: {error}") from error
    answering = [device for device in whole if _answers(nvml, device)]
    if whole and not answering:
        raise RuntimeError("NVML does not answer: every GPU is lost")
    chosen = [handle for device in answering for handle in _instances(nvml, device)] if asked is None else []
    if asked is not None:
        chosen = [handle for handle in _chosen(nvml, whole, asked) if _answers(nvml, handle)]
    return [Device(handle, _describe(nvml, handle, driver)) for handle in chosen]


def lost_devices(nvml: Nvml) -> list[str]:
    """Return which GPUs do not answer, by number, so that nobody takes them for none; never raises."""
    try:
        count = nvml.nvmlDeviceGetCount()
        return [str(number) for number in range(count) if not _answers(nvml, nvml.nvmlDeviceGetHandleByIndex(number))]
    except Exception:  # noqa: BLE001  # the driver is gone
        return []


def _answers(nvml: Nvml, handle: Any) -> bool:  # noqa: ANN401  # opaque handle
    try:
        nvml.nvmlDeviceGetName(handle)
        nvml.nvmlDeviceGetUUID(handle)
    except nvml.NVMLError:
        return False
    return True


def _chosen(nvml: Nvml, whole: list[Any], asked: str) -> list[Any]:
    """Return the devices as CUDA selects them: in the given order, up to the first invalid entry.

    Source: CUDA C++ programming guide, environment variables, CUDA_VISIBLE_DEVICES.
    """
    chosen: list[Any] = []
    for entry in (part.strip() for part in asked.split(",")):
        if entry.isdigit() and int(entry) < len(whole):
            chosen += _instances(nvml, whole[int(entry)])
        elif entry.startswith(("GPU-", "MIG-")):
            instances = [instance for device in whole for instance in _instances(nvml, device)]
            named = [handle for handle in (*whole, *instances) if _uuid(nvml, handle).startswith(entry)]
            if not named:
                break
            chosen.append(named[0])
        else:
            break
    return chosen


def _instances(nvml: Nvml, device: Any) -> list[Any]:  # noqa: ANN401  # opaque handle
    """Return the instances of a divided GPU, or the GPU itself."""
    try:
        if nvml.nvmlDeviceGetMigMode(device)[0] != _MIG_ENABLED:
            return [device]
        count = nvml.nvmlDeviceGetMaxMigDeviceCount(device)
    except nvml.NVMLError:
        return [device]  # GPUs that cannot be divided answer `not supported`
    instances: list[Any] = []
    for index in range(count):
        try:
            instances.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(device, index))
        except nvml.NVMLError:
            continue  # an empty slot
    return instances


def is_instance(gpu: Gpu) -> bool:
    """Return whether a GPU is an instance of a divided one."""
    return (gpu.uuid or "").startswith("MIG-")


def _describe(nvml: Nvml, handle: Any, driver: str) -> Gpu:  # noqa: ANN401  # opaque handle
    def ask(question: str, *arguments: object) -> Any:  # noqa: ANN401  # a number or a C struct
        try:
            return getattr(nvml, question)(*arguments)
        except Exception:  # noqa: BLE001  # a card, a driver or a version of NVML that does not answer this
            return None

    memory = ask("nvmlDeviceGetMemoryInfo", handle)  # unified memory, as on Grace and Jetson, has no size of its own
    cuda = ask("nvmlSystemGetCudaDriverVersion_v2")
    capability = ask("nvmlDeviceGetCudaComputeCapability", handle)
    power = ask("nvmlDeviceGetEnforcedPowerLimit", handle)
    clock = ask("nvmlDeviceGetMaxClockInfo", handle, _SM_CLOCK)
    return Gpu(
        name=_text(nvml.nvmlDeviceGetName(handle)),
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        memory_bytes=None if memory is None else int(memory.total),
        driver=driver,
        cuda=f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None,
        compute_capability=".".join(str(part) for part in capability) if capability else None,
        power_limit_watts=power / 1000 if power else None,
        clock_limit_mhz=float(clock) if clock else None,
    )


def _uuid(nvml: Nvml, handle: Any) -> str:  # noqa: ANN401  # opaque handle
    return _text(nvml.nvmlDeviceGetUUID(handle)) if _answers(nvml, handle) else ""


def _text(value: str | bytes) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return "".join(character for character in text if character.isprintable())[:200]
