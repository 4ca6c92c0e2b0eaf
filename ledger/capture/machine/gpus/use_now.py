"""How busy the GPUs of a running process are now."""

from pathlib import Path

from ledger.capture.machine.gpus.cards import open_cards
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


def gpus_in_use(pid: int) -> list[GpuUse]:
    """Return the GPUs that a process may use, as they are now; none where this cannot be known; never raises.

    Args:
        pid: process of this host; its environment says which GPUs it may use.
    """
    try:
        opened = open_cards(_environment(pid))
    except Exception:  # noqa: BLE001  # a driver that does not answer costs this one line
        return []
    try:
        return [
            GpuUse(
                name=card.gpu.name,
                utilisation=reading.utilisation,
                memory_used_bytes=reading.memory_used_bytes,
                memory_bytes=card.gpu.memory_bytes,
            )
            for card in opened.cards
            for reading in [card.read()]
        ]
    finally:
        opened.close()


def _environment(pid: int) -> dict[str, str]:
    """Return the environment with which a process was started.

    Raises:
        OSError: it has ended, or is somebody else's.
    """
    words = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace").split("\0")
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}
