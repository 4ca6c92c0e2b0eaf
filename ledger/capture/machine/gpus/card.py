"""What every maker's interface answers about a card, and what one look at it gives."""

from typing import NamedTuple, Protocol

from ledger.model.boxes.machine import Gpu

NOT_SUPPORTED = "not supported by this card or driver"
"""Why a field is unknown that a card does not offer."""


class CardReading(NamedTuple):
    """One look at a card; none for what it does not offer."""

    utilisation: float | None = None
    """Share of the last moment in which some kernel ran (0..1)."""
    sm_activity: float | None = None
    """Share of the multiprocessors that were busy since the last look (0..1)."""
    memory_used_bytes: int | None = None
    """Memory in use by all processes, in bytes."""
    power_watts: float | None = None
    """Power, in watts."""
    energy_joules: float | None = None
    """Counter of energy since the driver was loaded, in joules."""
    temperature_celsius: float | None = None
    """Temperature, in degrees Celsius."""
    clock_mhz: float | None = None
    """Clock of the multiprocessors, in MHz."""
    throttled: frozenset[str] | None = None
    """Reasons for which the clock is held down; idling is none."""
    pcie_bytes_per_second: float | None = None
    """Traffic over PCI Express in both directions, in bytes per second."""
    nvlink_bytes: float | None = None
    """Counter of the bytes over NVLink in both directions."""
    processes: tuple[int, ...] | None = None
    """Ids of the processes that hold memory on it."""


class Card(Protocol):
    """A card of any maker."""

    gpu: Gpu
    """What does not change."""
    missing: dict[str, str]
    """Fields of `Gpu` that it does not offer, with the reason; grows as questions are refused."""

    def read(self, *, slow: bool = False) -> CardReading:
        """Return how it is used now; never raises.

        Args:
            slow: ask for what takes the driver milliseconds, too.
        """

    def close(self) -> None:
        """Give back what it holds."""
