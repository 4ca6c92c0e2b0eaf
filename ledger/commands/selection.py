"""The runs that the filters of a command line choose."""

from collections.abc import Iterable, Sequence

from ledger.analysis.query.language import Condition, Every, Query, parse_queries
from ledger.commands.output import say
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import Selection, select_runs


def query_of(filters: Iterable[str | None], experiment: str | None = None, tag: str | None = None) -> Query | None:
    """Return the query that all filters state, of runs of one experiment and with one tag where these are named.

    An empty filter states nothing, as in Python and on the site.

    Raises:
        UsageError: one of the filters states no query.
    """
    stated: list[Query] = [
        Condition(field=field, operator="=", value=value)
        for field, value in (("experiment", experiment), ("tags", tag))
        if value is not None
    ]
    texts = [text for text in filters if text and text.strip()]
    if texts and (parsed := parse_queries(texts)):  # the grammar's library is loaded for it alone
        stated.append(parsed)
    return Every(parts=tuple(stated)) if stated else None


def read_selection(ledger: Branch, query: Query | None) -> Selection:
    """Return the runs that pass, oldest first, and say how the query was read where that is not plain.

    Raises:
        UsageError: nothing has a name in the query, or several have.
        LedgerError: git cannot read the branch.
    """
    selection = select_runs(ledger, query, reverse=True)
    say_warnings(selection.warnings)
    return selection


def say_warnings(warnings: Sequence[str]) -> None:
    """Say what there is to say about an answer, a line for each."""
    for warning in warnings:
        say(f"warning: {warning}")
