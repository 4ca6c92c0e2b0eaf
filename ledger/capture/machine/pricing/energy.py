"""Price and CO2e of a run's energy: that of its GPUs only, as NVML measured it."""

import math
from collections.abc import Iterator, Mapping, Sequence

from ledger.model.boxes.cost import Carbon, Cost
from ledger.model.boxes.machine import Gpu, Platform
from ledger.model.values import Document

NOT_MEASURED = "no energy was measured"
_NO_PLACE = "no place is known: set energy.region in the policy"
_MOST_PUE = 100.0
_MOST_GRAMS = 10_000.0
"""No electricity is near: oil and coal alone make some 1,000 g of each kWh."""
_MOST_TARIFF = 1e6
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


class OwnCarbon(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team's own figure for its electricity."""

    g_per_kwh: float
    """Grams of CO2e for each kWh."""
    source: str
    """Where the figure comes from, such as a contract."""
    year: int | None = None
    """Year of the figure."""


class Energy(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Price and origin of electricity; what is not stated stays unknown."""

    tariff: float | None = None
    """Price of a kWh, in the currency of the prices."""
    pue: float | None = None
    """Energy of the site for each unit that its machines use, at least 1; none counts as 1: no cooling."""
    region: str = ""
    """Country (ISO 3166, two or three letters) or cloud region (`gcp:europe-west1`) whose yearly figure counts."""
    carbon: OwnCarbon | None = None
    """The team's own figure, in place of that of a region."""

    @property
    def stated(self) -> bool:
        """Whether the policy says anything of energy."""
        return self != Energy()


def is_norway(section: object) -> bool:
    """Return whether a section, as YAML reads it, has the region `NO`, which YAML takes for false."""
    return isinstance(section, Mapping) and section.get("region") is False


def wrong_energy(energy: Energy) -> Iterator[str]:
    """Yield what is wrong with the policy's section on energy, each as `field: why`."""
    numbers = [
        ("tariff", energy.tariff, 0.0, _MOST_TARIFF, "a price of a kWh expected, not negative"),
        ("pue", energy.pue, 1.0, _MOST_PUE, "at least 1 expected: energy of the site over that of its machines"),
    ]
    if energy.carbon is not None:
        grams = energy.carbon.g_per_kwh
        numbers.append(("carbon.g_per_kwh", grams, 0.0, _MOST_GRAMS, "grams of CO2e for each kWh expected"))
        if not energy.carbon.source.strip():
            yield "energy.carbon.source: text expected, such as `contract 2026`"
        year = energy.carbon.year
        if year is not None and not _FIRST_YEAR <= year <= _LAST_YEAR:
            yield f"energy.carbon.year: a year expected: `{year}`"
    for field, value, least, most, why in numbers:
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            yield f"energy.{field}: {why}: `{value:g}`"
    if energy.region:
        from ledger.capture.machine.pricing.carbon import carbon_of

        if carbon_of(energy.region) is None:
            said = ascii(energy.region)[1:-1][:60]
            yield f"energy.region: a country such as `DEU` or a region such as `gcp:europe-west1` expected: `{said}`"


def with_energy(cost: Cost, gpus: Sequence[Gpu], energy: Energy, currency: str, platforms: Sequence[Platform]) -> Cost:
    """Return a cost with the energy of the GPUs, its price and its CO2e; what is unknown has a reason.

    Args:
        cost: cost without energy.
        gpus: GPUs of all hosts, as NVML measured them.
        energy: what the policy says.
        currency: currency of the tariff.
        platforms: platforms of the run, which may say the place.
    """
    import msgspec

    measured = [gpu.energy_kwh for gpu in gpus if gpu.energy_kwh is not None]
    if not measured:
        asked = {"energy_amount": NOT_MEASURED, "co2e_kg": NOT_MEASURED} if energy.stated else {}
        return msgspec.structs.replace(cost, unknown={**cost.unknown, **asked})
    kwh, unknown = sum(measured), dict(cost.unknown)
    if len(measured) < len(gpus):
        unknown["energy_kwh"] = f"measured on {len(measured)} of {len(gpus)} GPUs: only their energy counts"
    whole = kwh * (energy.pue or 1.0)
    carbon, why = _carbon(energy, platforms)
    if carbon is None:
        unknown["co2e_kg"] = why
    if energy.tariff is None and energy.stated:
        unknown["energy_amount"] = "no tariff is known: set energy.tariff in the policy"
    priced = energy.tariff is not None
    return msgspec.structs.replace(
        cost,
        energy_kwh=kwh,
        pue=energy.pue,
        tariff=energy.tariff,
        energy_amount=round(whole * energy.tariff, 6) if energy.tariff is not None else None,
        energy_currency=currency if priced else None,
        carbon=carbon,
        co2e_kg=round(whole * carbon.g_per_kwh / 1000, 9) if carbon else None,
        unknown=unknown,
    )


def _carbon(energy: Energy, platforms: Sequence[Platform]) -> tuple[Carbon | None, str]:
    """Return the figure that counts, or why there is none."""
    own = energy.carbon
    if own is not None:
        place = energy.region or None
        return Carbon(place=place, g_per_kwh=own.g_per_kwh, year=own.year, source=own.source), ""
    from ledger.capture.machine.pricing.carbon import carbon_of, place_of

    place = energy.region or place_of(platforms)
    if place is None:
        return None, _NO_PLACE
    return carbon_of(place), f"no yearly figure is known of this place: `{place}`"
