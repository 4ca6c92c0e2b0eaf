"""The catalogue of prices: rows with conditions and dates, and a plain list of devices."""

from collections.abc import Mapping

from ledger.capture.machine.pricing.energy import Energy
from ledger.capture.machine.pricing.price_rows import CURRENCY, amount_of, load_rows, name_words
from ledger.errors import InvalidDocument
from ledger.model.boxes.cost import PriceRow
from ledger.model.values import Document

_KEYS = ("name", "currency", "devices", "cpu_core", "rows")
_SHOWN = 20
"""Most problems that are reported for one catalogue."""


class Catalogue(Document, frozen=True, kw_only=True):
    """Hourly prices of hardware."""

    name: str
    """Name of the catalogue, with its date."""
    currency: str
    """Currency of every price that states no other (ISO 4217)."""
    devices: dict[str, float] = {}
    """Price per hour by device pattern: the words that a product name must contain; most words win."""
    cpu_core: float | None = None
    """Price per hour of one CPU core, for runs without a GPU."""
    rows: list[PriceRow] = []
    """Prices with the provider, machine, region, terms and days for which they hold; they go before `devices`."""

    def device(self, product: str) -> str | None:
        """Return the best matching pattern for a product name, or none."""
        words = name_words(product)
        matches = [pattern for pattern in self.devices if name_words(pattern) <= words]
        return max(matches, key=lambda pattern: (len(name_words(pattern)), pattern), default=None)


def load_catalogue(values: Mapping[str, object], source: str, energy: Energy | None = None) -> Catalogue:
    """Return the catalogue in a policy's `prices` section.

    Args:
        values: `name`, `currency`, `rows`, `devices` (pattern to price per hour), `cpu_core`.
        source: where they are, for messages.
        energy: the policy's section on energy, for owned machines.

    Raises:
        InvalidDocument: something is missing, unknown or no price; every problem is named.
    """
    problems = [f"{key}: unknown, known are {', '.join(_KEYS)}" for key in values if key not in _KEYS]
    name, currency, devices = values.get("name"), values.get("currency"), values.get("devices", {})
    if not isinstance(name, str) or not name.strip():
        problems.append("name: text expected, with the date of the prices")
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
        problems.append("currency: three capital letters expected, such as `EUR`")
    prices: dict[str, float] = {}
    if isinstance(devices, Mapping):
        for pattern, price in devices.items():
            if not name_words(str(pattern)):
                problems.append("devices: a device pattern is empty")
            prices[str(pattern)] = amount_of(f"devices.{pattern}", price, problems)
    else:
        problems.append("devices: device names and prices per hour expected")
    core = values.get("cpu_core")
    cpu_core = None if core is None else amount_of("cpu_core", core, problems)
    given = values.get("rows")
    rows = [] if given is None else load_rows(given, str(currency), energy or Energy(), problems)
    if problems:
        more = len(problems) - _SHOWN
        shown = [*problems[:_SHOWN], *([f"{more} more problems"] if more > 0 else [])]
        raise InvalidDocument(source, shown, hint="such as `devices: {H100: 2.5}`, prices per hour")
    return Catalogue(name=str(name), currency=str(currency), devices=prices, cpu_core=cpu_core, rows=rows)
