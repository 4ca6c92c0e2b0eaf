"""Budgets of what a team may spend: by week, month or year, for each experiment, for each person."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from ledger.model.values import Document

SpendingGroup = Literal["week", "month", "year", "experiment", "person"]
"""What a budget is for."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST = 1e15
_MOST_BUDGETS = 50


class Spending(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget: what may be spent in a span of time, or on each experiment or person."""

    amount: float
    """What may be spent."""
    per: SpendingGroup
    """Span of time, or what each may cost: an experiment or a person."""
    currency: str | None = None
    """Currency of the amount (ISO 4217); that of the prices where none is stated."""


class SpendingShare(Document, frozen=True, kw_only=True):
    """What was spent of a budget."""

    per: SpendingGroup
    """What the budget is for."""
    name: str
    """Week, month or year, or the experiment or person."""
    amount: float
    """The budget."""
    currency: str
    """Its currency."""
    spent: float
    """What the runs cost that are known to have a cost in that currency."""
    runs: int = 0
    """Number of runs."""
    unknown: int = 0
    """Number of them whose cost is unknown: they are not in `spent`."""
    others: dict[str, float] = {}
    """What other runs cost in other currencies: it is not in `spent`."""

    @property
    def over(self) -> bool:
        """Whether more was spent than the budget allows."""
        return self.spent > self.amount


def wrong_spending(budgets: Sequence[Spending]) -> Iterator[str]:
    """Yield what is wrong with a policy's section on spending, each as `field: why`."""
    if len(budgets) > _MOST_BUDGETS:
        yield f"spending: at most {_MOST_BUDGETS} budgets are allowed"
        return
    for number, one in enumerate(budgets):
        field = f"spending[{number}]" if len(budgets) > 1 else "spending"
        if not (math.isfinite(one.amount) and 0 < one.amount < _MOST):
            yield f"{field}.amount: an amount above 0 expected: `{one.amount:g}`"
        if one.currency is not None and not _CURRENCY.fullmatch(one.currency):
            yield f"{field}.currency: three capital letters expected, such as `EUR`: `{ascii(one.currency)[1:-1][:40]}`"
