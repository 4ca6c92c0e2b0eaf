"""Selection of runs by the filters of a command line."""

from collections.abc import Iterable, Sequence

from ledger.analysis.query.language import Condition, Every, Query, parse_queries
from ledger.commands.output import say
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import Selection, select_runs


def query_of(filters: Iterable[str | None], experiment: str | None = None, tag: str | None = None) -> Query | None:
    """Return the conjunction of all filters, limited to one experiment and one tag where these are given.

    An empty filter matches everything, as in Python and on the site.

    Raises:
        UsageError: one of the filters is invalid.
    """
    stated: list[Query] = [
        Condition(field=field, operator="=", value=value)
        for field, value in (("experiment", experiment), ("tags", tag))
        if value is not None
    ]
    texts = [text for text in filters if text and text.strip()]
    if texts and (parsed := parse_queries(texts)):  # the parser's library is loaded only for this
        stated.append(parsed)
    return Every(parts=tuple(stated)) if stated else None


def read_selection(ledger: Branch, query: Query | None) -> Selection:
    """Return the matching runs, oldest first, and print how the query was interpreted where that is not plain.

    Raises:
        UsageError: no field has a name in the query, or several have.
        LedgerError: git cannot read the branch.
    """
    selection = select_runs(ledger, query, reverse=True)
    say_warnings(selection.warnings)
    return selection


def say_warnings(warnings: Sequence[str]) -> None:
    """Print the warnings of an answer, one line each."""
    for warning in warnings:
        say(f"warning: {warning}")
