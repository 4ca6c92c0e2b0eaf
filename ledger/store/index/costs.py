"""What runs cost, in sums over the whole ledger: from the index, so that no record is read."""

from collections.abc import Iterator, Sequence
from datetime import date

from ledger.analysis.advice.spending import Spending, SpendingShare
from ledger.analysis.query.language import Query
from ledger.formatting import iso_week
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


def read_spending(ledger: Branch, today: date) -> list[SpendingShare]:
    """Return what was spent of each budget of the policy, over all runs of the ledger.

    Of a budget per week, month or year it is the present one; of one per experiment or person all of them, the
    dearest first.

    Args:
        ledger: ledger of the runs.
        today: day that is in the present week, month and year, UTC.

    Raises:
        LedgerError: git cannot read the branch, or the policy is damaged.
    """
    policy = ledger.policy
    if not policy.spending:
        return []

    def question(index: Index) -> list[SpendingShare]:
        sums = {per: index.amounts(per, span_of(per, today)) for per in {one.per for one in policy.spending}}
        return [
            share
            for budget in policy.spending
            for share in _shares(budget, budget.currency or policy.prices.currency, sums[budget.per], today)
        ]

    return ask(ledger, question)


def _shares(budget: Spending, currency: str, sums: Sequence[CostSum], today: date) -> Iterator[SpendingShare]:
    now = span_of(budget.per, today)
    names = [now] if now else list(dict.fromkeys(one.name for one in sums))
    shares = [_share(budget, name, currency, [one for one in sums if one.name == name]) for name in names]
    yield from sorted(shares, key=lambda one: (-one.spent, one.name))


def _share(budget: Spending, name: str, currency: str, sums: Sequence[CostSum]) -> SpendingShare:
    return SpendingShare(
        per=budget.per,
        name=name,
        amount=budget.amount,
        currency=currency,
        spent=sum(one.amount for one in sums if one.currency == currency),
        runs=sum(one.runs for one in sums),
        unknown=sum(one.unknown for one in sums),
        others={one.currency: one.amount for one in sums if one.currency and one.currency != currency},
    )


def span_of(per: str, day: date) -> str | None:
    """Return the name of the week, month or year of a day; none for a group that is no span of time."""
    names = {"week": iso_week(day), "month": f"{day.year}-{day.month:02}", "year": str(day.year)}
    return names.get(per)
