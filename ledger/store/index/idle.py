"""How the GPUs of watched hosts were used, from the index, in the prices of the policy."""

from datetime import date

from ledger.analysis.hosts.day_sums import DaySums
from ledger.analysis.hosts.idle import HostUse, PriceOf
from ledger.capture.machine.pricing.catalogue import Catalogue
from ledger.capture.machine.pricing.cost import price_of_gpu
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
    """Return what finds the price of one GPU per hour on a day: rows for that GPU, else the list of devices.

    A host document names no cloud, region or partition, so rows with such conditions hold for none.
    """
    known: dict[tuple[str, str], float | None] = {}

    def price(gpu: str, day: str) -> float | None:
        if (gpu, day) not in known:
            found = price_of_gpu(gpu, date.fromisoformat(day), catalogue)
            # Amounts of two currencies are never added, so a price in another one is none.
            known[gpu, day] = None if found is None or found[1] != catalogue.currency else found[0]
        return known[gpu, day]

    return price
