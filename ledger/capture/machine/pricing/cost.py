"""The cost of a run: measured time times the price of what it held.

A row of the policy for the type of machine prices the whole instance on each host, also where the run used a part of
its GPUs (`CUDA_VISIBLE_DEVICES`): the instance was paid for. Rows for a partition or a GPU, and the list of devices,
price the GPUs that the run could see.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ledger.capture.machine.pricing.catalogue import Catalogue
from ledger.capture.machine.pricing.energy import Energy, with_energy
from ledger.capture.machine.pricing.price_rows import Level, find_row
from ledger.model.boxes.cost import Cost, PriceRow
from ledger.model.boxes.machine import Gpu, Hardware, Node, Platform

_MIG = re.compile(r"\bmig (?P<slices>[1-7])g\.")
_MIG_SLICES = 7
"""Compute slices of a divisible GPU (NVIDIA MIG user guide: A100, H100, H200 have seven)."""
_SECONDS_PER_HOUR = 3600.0
GPUS_UNKNOWN = "the GPUs of the machine are unknown"
_MAYBE_SPOT = "whether the machine was spot is unknown, and it was taken as on-demand"


class _Held(NamedTuple):
    """A run, as prices are looked up for it."""

    catalogue: Catalogue
    started: date | None
    platforms: Sequence[Platform]
    hours: float

    @property
    def life_cycle(self) -> str | None:
        return next((one.life_cycle for one in self.platforms if one.life_cycle), None)

    def row(self, level: Level, product: str = "", *, life_cycle: str | None = None) -> PriceRow | None:
        """Return the row of a level that holds for the run, or none."""
        return find_row(
            self.catalogue.rows,
            level,
            started=self.started,
            platforms=self.platforms,
            life_cycle=life_cycle or self.life_cycle,
            product=product,
        )


class _Price(NamedTuple):
    """Price of one GPU per hour, and where it comes from."""

    label: str
    amount: float
    currency: str
    row: PriceRow | None


def capture_cost(
    hardware: Hardware,
    duration_seconds: float,
    catalogue: Catalogue,
    *,
    started: date | None = None,
    energy: Energy | None = None,
) -> Cost:
    """Return the cost of holding the hardware of all hosts for that long: machines, GPUs, or cores.

    Args:
        hardware: hardware of the run; its platforms choose rows.
        duration_seconds: time that the run took.
        catalogue: prices.
        started: day on which the run began, UTC; none where it is unknown, so that no row with dates holds.
        energy: tariff, PUE and place.
    """
    gpus = [gpu for node in hardware.nodes for gpu in node.gpus] or hardware.gpus
    hours = max(0.0, duration_seconds) / _SECONDS_PER_HOUR
    held = _Held(catalogue, started, hardware.platforms, hours)
    base = Cost(currency=catalogue.currency, catalogue=catalogue.name)
    priced = _without_energy(base, hardware, gpus, held)
    return with_energy(priced, gpus, energy or Energy(), catalogue.currency, hardware.platforms)


def price_of_gpu(product: str, day: date, catalogue: Catalogue) -> tuple[float, str] | None:
    """Return the price of one GPU per hour on a day, with its currency, where nothing else is known of its machine.

    Args:
        product: product name of the GPU; an instance of a divided one has its share.
        day: the day.
        catalogue: prices.
    """
    gpu = Gpu(name=product)
    price = _price_of(gpu, _Held(catalogue, day, (), 0.0))
    return None if price is None else (price.amount * _share(gpu), price.currency)


def _without_energy(base: Cost, hardware: Hardware, gpus: list[Gpu], held: _Held) -> Cost:
    unseen = [node.host for node in hardware.nodes if "all" in node.unknown]
    if unseen:
        return _replace(base, unknown={"amount": f"the machine of a host is unknown: `{'`, `'.join(unseen)}`"})
    if row := held.row("instance"):
        return _machine_cost(base, row, len(hardware.nodes) or 1, gpus, held)
    if gpus:
        return _gpu_cost(base, gpus, held)
    if "gpus" in hardware.unknown or "all" in hardware.unknown:
        return _replace(base, unknown={"amount": GPUS_UNKNOWN})
    return _core_cost(base, hardware, held)


def _machine_cost(base: Cost, row: PriceRow, machines: int, gpus: list[Gpu], held: _Held) -> Cost:
    amount = row.price_per_hour * machines * held.hours
    idle = [gpu.gpu_idle_fraction for gpu in gpus if gpu.gpu_idle_fraction is not None]
    measured = bool(idle) and len(idle) == len(gpus)
    unknown = {} if measured or not gpus else {"idle_amount": "the use of the GPUs was not measured"}
    return _replace(
        base,
        amount=_money(amount),
        currency=row.currency,
        device=row.instance,
        device_count=float(machines),
        price_per_hour=row.price_per_hour,
        idle_amount=_money(amount * sum(idle) / len(idle)) if measured else None,
        row=row,
        unknown=unknown | _doubts(row, "instance", held),
    )


def _gpu_cost(base: Cost, gpus: list[Gpu], held: _Held) -> Cost:
    prices = [_price_of(gpu, held) for gpu in gpus]
    missing = sorted({gpu.name for gpu, price in zip(gpus, prices, strict=True) if price is None})
    known = [price for price in prices if price is not None]
    if missing:
        return _replace(
            base, unknown={"amount": f"{_no_row(held)}the catalogue has no price for: `{'`, `'.join(missing)}`"}
        )
    currencies = sorted({price.currency for price in known})
    if len(currencies) > 1:
        why = f"the GPUs have prices in several currencies: {', '.join(currencies)}"
        return _replace(base, unknown={"amount": why})
    shares = [_share(gpu) for gpu in gpus]
    amounts = [price.amount * share * held.hours for price, share in zip(known, shares, strict=True)]
    kinds = sorted({price.label for price in known})
    idle = [
        amount * gpu.gpu_idle_fraction
        for amount, gpu in zip(amounts, gpus, strict=True)
        if gpu.gpu_idle_fraction is not None
    ]
    unknown = {} if len(idle) == len(gpus) else {"idle_amount": "the use of the GPUs was not measured"}
    row = known[0].row
    if len(set(known)) > 1:
        unknown["price_per_hour"] = "several kinds of device"
        if any(price.row for price in known):
            unknown["row"] = "several kinds of device, each with a price of its own"
    elif row is not None:
        unknown |= _doubts(row, "partition" if row.partition else "gpu", held, gpus[0].name)
    same = len(set(known)) == 1
    return _replace(
        base,
        amount=_money(sum(amounts)),
        currency=currencies[0],
        device=" + ".join(kinds),
        device_count=float(sum(shares)),
        price_per_hour=known[0].amount if same else None,
        idle_amount=_money(sum(idle)) if len(idle) == len(gpus) else None,
        row=row if same else None,
        unknown=unknown,
    )


def _price_of(gpu: Gpu, held: _Held) -> _Price | None:
    row = held.row("partition") or held.row("gpu", gpu.name)
    if row is not None:
        label = row.gpu or f"GPU in {row.partition}"
        return _Price(label, row.price_per_hour, row.currency, row)
    pattern = held.catalogue.device(gpu.name)
    return (pattern and _Price(pattern, held.catalogue.devices[pattern], held.catalogue.currency, None)) or None


def _core_cost(base: Cost, hardware: Hardware, held: _Held) -> Cost:
    machines: list[Node | Hardware] = [*hardware.nodes] or [hardware]
    limits = [one.cores if one.cores_limit is None else one.cores_limit for one in machines]
    cores = None if None in limits else sum(limit for limit in limits if limit is not None)
    row = held.row("partition")
    price = row.price_per_hour if row else held.catalogue.cpu_core
    if cores is None or price is None:
        no_price = f"{_no_row(held)}the catalogue has no price for a CPU core"
        return _replace(base, unknown={"amount": "the number of cores is unknown" if cores is None else no_price})
    return _replace(
        base,
        amount=_money(cores * price * held.hours),
        currency=row.currency if row else base.currency,
        device=f"CPU core in {row.partition}" if row else "CPU core",
        device_count=float(cores),
        price_per_hour=price,
        row=row,
        unknown=_doubts(row, "partition", held) if row else {},
    )


def _doubts(row: PriceRow, level: Level, held: _Held, product: str = "") -> dict[str, str]:
    """Return what is not sure about a row, and what its price leaves out."""
    said = []
    if held.life_cycle is None and row.kind != "spot" and held.row(level, product, life_cycle="spot"):
        said.append(_MAYBE_SPOT)
    if row.owned and row.owned.watts and row.owned.energy_per_hour is None:
        said.append("its price is without energy: set energy.tariff in the policy, in the currency of the row")
    return {"row": "; ".join(said)} if said else {}


def _no_row(held: _Held) -> str:
    """Return why no row holds, as the start of a reason; nothing where the catalogue has none."""
    if not held.catalogue.rows:
        return ""
    if held.started is None:
        return "no row holds, as the start of the run is unknown, and "
    said = [
        " ".join(part for part in (one.name, one.instance, one.region, one.life_cycle) if part)
        for one in held.platforms
        if one.instance or one.region
    ]
    return f"no row holds on {held.started} for {', '.join(said) or 'a machine of unknown type'}, and "


def _replace(cost: Cost, **changes: object) -> Cost:
    import msgspec

    return msgspec.structs.replace(cost, **changes)


def _share(gpu: Gpu) -> float:
    """Return the share of a whole GPU: less than one for an instance of a divided GPU."""
    match = _MIG.search(gpu.name.lower())
    return int(match["slices"]) / _MIG_SLICES if match else 1.0


def _money(amount: float) -> float:
    """Return an amount rounded to a millionth: list prices are no more precise, and records stay readable."""
    return round(amount, 6)
