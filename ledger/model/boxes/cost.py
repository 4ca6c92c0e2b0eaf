"""The box of a run record on its cost: the price, the row that it comes from, energy and what it emitted."""

from datetime import date
from typing import Literal

from ledger.model.boxes.box import Box
from ledger.model.values import Document

PriceKind = Literal["on-demand", "spot", "reserved", "owned"]
"""On what terms a machine is held."""


class Ownership(Document, frozen=True, kw_only=True):
    """What an owned machine or GPU costs, from which the price of an hour follows."""

    price: float
    """Price that was paid for it."""
    years: float
    """Years over which the price is spread."""
    use: float
    """Share of all hours in which it is expected to be used (above 0, at most 1)."""
    watts: float | None = None
    """Mean electric power while it is used, in watts."""
    energy_per_hour: float | None = None
    """Part of the price of an hour that pays for these watts; none where no tariff was known."""

    @property
    def label(self) -> str:
        """How the price of an hour follows: `bought for 30,000, over 4 years, used 60 % of the time`."""
        power = f", {self.watts:g} W while used" if self.watts is not None else ""
        return f"bought for {self.price:,.10g}, over {self.years:g} years, used {self.use * 100:g} % of the time{power}"


class PriceRow(Document, frozen=True, kw_only=True):
    """A row of the policy's prices, as it stood when the run was recorded."""

    provider: str | None = None
    """Platform that the row is for, such as `ec2` or `slurm`; any where none is stated."""
    instance: str | None = None
    """Type of the machine whose price this is, the whole machine with all of its GPUs."""
    gpu: str | None = None
    """Words in the product name of the GPU whose price this is, one GPU with its share of the host."""
    partition: str | None = None
    """Partition, queue or pool in which one GPU has this price; one core on machines without a GPU."""
    region: str | None = None
    """Region that the row is for; any where none is stated."""
    kind: PriceKind
    """On what terms the machine is held."""
    price_per_hour: float
    """Price of one hour; of an owned machine it follows from `owned`."""
    owned: Ownership | None = None
    """What the machine was bought for, where it is owned."""
    currency: str
    """Currency of the price (ISO 4217)."""
    valid_from: date
    """First day on which it holds, UTC (`from` in the policy)."""
    valid_to: date | None = None
    """Last day on which it holds, UTC (`to` in the policy); none where it still holds."""
    source: str
    """Where the price comes from."""

    @property
    def label(self) -> str:
        """What the row is for, and since when: `ec2 p5.48xlarge, on-demand, from 2026-01-01`."""
        of = f"partition {self.partition}" if self.partition else self.instance or self.gpu
        what = " ".join(part for part in (self.provider, of, self.region and f"in {self.region}") if part)
        until = f" to {self.valid_to}" if self.valid_to else ""
        return f"{what}, {self.kind}, from {self.valid_from}{until}"

    @property
    def origin(self) -> str:
        """Where the price comes from, and for an owned machine how it follows."""
        return f"{self.source}; {self.owned.label}" if self.owned else self.source


class Carbon(Document, frozen=True, kw_only=True):
    """How much CO2e a kWh stands for at a place: a figure of a year, never of an hour."""

    place: str | None = None
    """Country (ISO 3166) or cloud region (`gcp:europe-west1`)."""
    g_per_kwh: float
    """Grams of CO2e for each kWh."""
    year: int | None = None
    """Year of the figure."""
    source: str
    """Where the figure comes from."""

    @property
    def label(self) -> str:
        """The figure with place, year and source: `369 g per kWh, USA, year 2023 (Our World in Data …)`."""
        year = f"year {self.year}" if self.year is not None else None
        said = ", ".join(part for part in (f"{self.g_per_kwh:g} g per kWh", self.place, year) if part)
        return f"{said} ({self.source})"


class Cost(Box, frozen=True, kw_only=True):
    """What the run cost."""

    amount: float | None = None
    """Price of the run, in `currency`."""
    currency: str | None = None
    """Currency of `amount`, `idle_amount` and `price_per_hour` (ISO 4217)."""
    device: str | None = None
    """Entry of the price catalogue that the price comes from."""
    device_count: float | None = None
    """Number of these devices that the run occupied."""
    price_per_hour: float | None = None
    """Price of one device per hour, in `currency`."""
    catalogue: str | None = None
    """Price catalogue used, with its date."""
    energy_kwh: float | None = None
    """Energy used by all GPUs in kWh, where it was measured; that of the rest of the machine is in no number."""
    idle_amount: float | None = None
    """Part of `amount` spent while the GPUs were idle, in `currency`."""
    row: PriceRow | None = None
    """Row of the policy's prices that the price comes from; none where it is from the list of devices."""
    tariff: float | None = None
    """Price of a kWh by the policy of that time, in `energy_currency`."""
    pue: float | None = None
    """Energy of the site for each unit that its machines use (PUE), by the policy; none counts as 1."""
    energy_amount: float | None = None
    """Price of the GPUs' energy (kWh, times PUE, times tariff), in `energy_currency`; it is never added to `amount`."""
    energy_currency: str | None = None
    """Currency of `tariff` and `energy_amount` (ISO 4217)."""
    co2e_kg: float | None = None
    """CO2e that the GPUs' energy stands for, in kg (kWh, times PUE, times the figure of `carbon`)."""
    carbon: Carbon | None = None
    """Figure that `co2e_kg` was computed with."""
