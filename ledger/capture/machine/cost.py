"""The cost of a run: measured time times the price of the devices it occupied."""

import re
from collections.abc import Mapping

from ledger.errors import InvalidDocument
from ledger.model.boxes import Cost, Gpu, Hardware, Node
from ledger.model.values import Document

_MIG = re.compile(r"\bmig (?P<slices>[1-7])g\.")
_MIG_SLICES = 7
"""Compute slices of a divisible GPU (NVIDIA MIG user guide: A100, H100, H200 have seven)."""
_SECONDS_PER_HOUR = 3600.0
_CURRENCY = re.compile(r"[A-Z]{3}")
_KEYS = ("name", "currency", "devices", "cpu_core")


class Catalogue(Document, frozen=True, kw_only=True):
    """Hourly prices of hardware."""

    name: str
    """Name of the catalogue, with its date."""
    currency: str
    """Currency of every price (ISO 4217)."""
    devices: dict[str, float] = {}
    """Price per hour by device pattern: the words that a product name must contain; most words win."""
    cpu_core: float | None = None
    """Price per hour of one CPU core, for runs without a GPU."""

    def device(self, product: str) -> str | None:
        """Return the best matching pattern for a product name, or none."""
        words = _name_words(product)
        matches = [pattern for pattern in self.devices if _name_words(pattern) <= words]
        return max(matches, key=lambda pattern: (len(_name_words(pattern)), pattern), default=None)


def capture_cost(hardware: Hardware, duration_seconds: float, catalogue: Catalogue) -> Cost:
    """Return the cost of holding the hardware of all hosts for that long: GPUs, or cores where there are none."""
    gpus = [gpu for node in hardware.nodes for gpu in node.gpus] or hardware.gpus
    base = Cost(currency=catalogue.currency, catalogue=catalogue.name, energy_kwh=_energy(gpus))
    hours = max(0.0, duration_seconds) / _SECONDS_PER_HOUR
    unseen = [node.host for node in hardware.nodes if "all" in node.unknown]
    if unseen:
        return _replace(base, unknown={"amount": f"the machine of a host is unknown: `{'`, `'.join(unseen)}`"})
    if gpus:
        return _gpu_cost(base, gpus, hours, catalogue)
    if "gpus" in hardware.unknown or "all" in hardware.unknown:
        return _replace(base, unknown={"amount": "the GPUs of the machine are unknown"})
    return _core_cost(base, hardware, hours, catalogue)


def load_catalogue(values: Mapping[str, object], source: str) -> Catalogue:
    """Return the catalogue in a policy's `prices` section.

    Args:
        values: `name`, `currency`, `devices` (pattern to price per hour), `cpu_core`.
        source: where they are, for messages.

    Raises:
        InvalidDocument: something is missing, unknown or no price; every problem is named.
    """
    problems = [f"{key}: unknown, known are {', '.join(_KEYS)}" for key in values if key not in _KEYS]
    name, currency, devices = values.get("name"), values.get("currency"), values.get("devices", {})
    if not isinstance(name, str) or not name.strip():
        problems.append("name: text expected, with the date of the prices")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        problems.append("currency: three capital letters expected, such as `EUR`")
    prices: dict[str, float] = {}
    if isinstance(devices, Mapping):
        for pattern, price in devices.items():
            if not _name_words(str(pattern)):
                problems.append("devices: a device pattern is empty")
            prices[str(pattern)] = _price(f"devices.{pattern}", price, problems)
    else:
        problems.append("devices: device names and prices per hour expected")
    core = values.get("cpu_core")
    cpu_core = None if core is None else _price("cpu_core", core, problems)
    if problems:
        raise InvalidDocument(source, problems, hint="such as `devices: {H100: 2.5}`, prices per hour")
    return Catalogue(name=str(name), currency=str(currency), devices=prices, cpu_core=cpu_core)


def _price(field: str, value: object, problems: list[str]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:  # noqa: PLR2004  # no hour costs a billion
        problems.append(f"{field}: a price per hour expected: `{ascii(value)[:40]}`")
        return 0.0
    return float(value)


def _gpu_cost(base: Cost, gpus: list[Gpu], hours: float, catalogue: Catalogue) -> Cost:
    patterns = [catalogue.device(gpu.name) for gpu in gpus]
    missing = sorted({gpu.name for gpu, pattern in zip(gpus, patterns, strict=True) if pattern is None})
    if missing:
        return _replace(base, unknown={"amount": f"the catalogue has no price for: `{'`, `'.join(missing)}`"})
    held = [pattern for pattern in patterns if pattern is not None]
    shares = [_share(gpu) for gpu in gpus]
    amounts = [catalogue.devices[name] * share * hours for name, share in zip(held, shares, strict=True)]
    kinds = sorted(set(held))
    idle = [
        amount * gpu.gpu_idle_fraction
        for amount, gpu in zip(amounts, gpus, strict=True)
        if gpu.gpu_idle_fraction is not None
    ]
    unknown = {} if len(idle) == len(gpus) else {"idle_amount": "the use of the GPUs was not measured"}
    if len(kinds) > 1:
        unknown["price_per_hour"] = "several kinds of device"
    return _replace(
        base,
        amount=_money(sum(amounts)),
        device=" + ".join(kinds),
        device_count=float(sum(shares)),
        price_per_hour=catalogue.devices[kinds[0]] if len(kinds) == 1 else None,
        idle_amount=_money(sum(idle)) if len(idle) == len(gpus) else None,
        unknown=unknown,
    )


def _core_cost(base: Cost, hardware: Hardware, hours: float, catalogue: Catalogue) -> Cost:
    machines: list[Node | Hardware] = [*hardware.nodes] or [hardware]
    limits = [one.cores if one.cores_limit is None else one.cores_limit for one in machines]
    cores = None if None in limits else sum(limit for limit in limits if limit is not None)
    if cores is None or catalogue.cpu_core is None:
        why = "the number of cores is unknown" if cores is None else "the catalogue has no price for a CPU core"
        return _replace(base, unknown={"amount": why})
    return _replace(
        base,
        amount=_money(cores * catalogue.cpu_core * hours),
        device="CPU core",
        device_count=float(cores),
        price_per_hour=catalogue.cpu_core,
    )


def _replace(cost: Cost, **changes: object) -> Cost:
    import msgspec

    return msgspec.structs.replace(cost, **changes)


def _share(gpu: Gpu) -> float:
    """Return the share of a whole GPU: less than one for an instance of a divided GPU."""
    match = _MIG.search(gpu.name.lower())
    return int(match["slices"]) / _MIG_SLICES if match else 1.0


def _energy(gpus: list[Gpu]) -> float | None:
    known = [gpu.energy_kwh for gpu in gpus if gpu.energy_kwh is not None]
    return sum(known) if known else None


def _name_words(name: str) -> set[str]:
    return set(re.split(r"[\s\-_/()]+", name.lower())) - {""}


def _money(amount: float) -> float:
    """Return an amount rounded to a millionth: list prices are no more precise, and records stay readable."""
    return round(amount, 6)
