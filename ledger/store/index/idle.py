"""How the GPUs of watched hosts were used, from the index, in the prices of the policy."""

from ledger.analysis.hosts.day_sums import DaySums
from ledger.analysis.hosts.idle import HostUse, PriceOf
from ledger.capture.machine.cost import Catalogue
from ledger.store.branch.branch import Branch
from ledger.store.index.index import ask


def read_host_days(ledger: Branch, first: str | None = None, last: str | None = None) -> list[DaySums]:
    """Return the days of all hosts between two days, both included.

    Raises:
        LedgerError: git cannot read the branch.
    """
    return ask(ledger, lambda index: index.host_days(first, last))


def read_host_use(ledger: Branch) -> HostUse:
    """Return the days of all hosts with the prices of the policy.

    Raises:
        LedgerError: git cannot read the branch, or the policy is damaged.
    """
    catalogue = ledger.policy.prices
    return HostUse(tuple(read_host_days(ledger)), price_in(catalogue), catalogue.currency)


def price_in(catalogue: Catalogue) -> PriceOf:
    """Return what finds the price of one GPU per hour in a catalogue."""
    known: dict[str, float | None] = {}

    def price(gpu: str, day: str) -> float | None:
        del day  # a catalogue without rows has one price for all days
        if gpu not in known:
            device = catalogue.device(gpu)
            known[gpu] = None if device is None else catalogue.devices[device]
        return known[gpu]

    return price
