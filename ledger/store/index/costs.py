"""What runs cost, in sums over the whole ledger: from the index, so that no record is read."""

from ledger.analysis.query.language import Query
from ledger.store.branch.branch import Branch
from ledger.store.index.index import ask
from ledger.store.index.questions import Index
from ledger.store.index.spent import CostGroup, CostSum


def read_costs(ledger: Branch, by: CostGroup, query: Query | None = None) -> list[CostSum]:
    """Return what runs cost by group, the dearest first; of several currencies each has a sum of its own.

    Args:
        ledger: ledger of the runs.
        by: what sums are over.
        query: query that the runs must match.

    Raises:
        UsageError: nothing has a name in the query, or several have.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> list[CostSum]:
        return sorted(index.costs(by, query), key=lambda one: (-one.amount, one.name))

    return ask(ledger, question)
