"""Which runs answer a question: from the index where there can be one, else by reading every record."""

from collections.abc import Sequence

from ledger.analysis.line import line_of
from ledger.analysis.order import sort_runs, warn_of_filters
from ledger.analysis.query import Query, passes
from ledger.analysis.ranking import metric_key
from ledger.analysis.usual import Line
from ledger.model.entries import Problem, Run
from ledger.model.values import Document
from ledger.store.branch import Branch
from ledger.store.index import ask
from ledger.store.index_query import Index, NotInSql
from ledger.store.run_ids import match_run


class Listing(Document, frozen=True, kw_only=True):
    """The lines of the runs that were asked for; as `Selection`, without what they say in full."""

    lines: tuple[Line, ...]
    """Their lines of the usual table, in the order asked for."""
    warnings: tuple[str, ...] = ()
    """Why part of the order, or of the filter, means nothing."""
    problems: tuple[Problem, ...] = ()
    """What on the ledger could not be read."""
    empty: bool = False
    """Whether no run is on the ledger at all."""


class Selection(Document, frozen=True, kw_only=True):
    """The runs that were asked for."""

    runs: tuple[Run, ...]
    """The runs, in the order asked for."""
    warnings: tuple[str, ...] = ()
    """Why part of the order, or of the filter, means nothing."""
    problems: tuple[Problem, ...] = ()
    """What on the ledger could not be read."""
    empty: bool = False
    """Whether no run is on the ledger at all."""


def select_runs(
    ledger: Branch,
    query: Query | None = None,
    *,
    sort: str | None = None,
    reverse: bool = False,
    limit: int | None = None,
) -> Selection:
    """Return the runs that pass a query, newest first, or sorted by a field as `sort_runs` does.

    Args:
        ledger: where they are.
        query: what they must pass.
        sort: the field to sort by.
        reverse: turn the order round.
        limit: return at most so many.

    Raises:
        UsageError: there is no such field, or no run has the metric to sort by.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> Selection | None:
        try:
            found = index.select(query, sort, reverse=reverse, limit=limit)
            filtering = index.filter_warnings(query)
        except NotInSql:
            return None
        return Selection(
            runs=found.runs,
            warnings=_warnings(found.warning, filtering),
            problems=index.problems(),
            empty=not found.runs and index.is_empty(),
        )

    shown = _selected if sort and metric_key(sort) else None
    return ask(ledger, question, shown) or _read_all(ledger, query, sort, reverse=reverse, limit=limit)


def list_runs(
    ledger: Branch,
    query: Query | None = None,
    *,
    sort: str | None = None,
    reverse: bool = False,
    limit: int | None = None,
) -> Listing:
    """Return the lines of the runs that `select_runs` returns; where there is an index, no record is read.

    Raises:
        UsageError: there is no such field, or no run has the metric to sort by.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> Listing | None:
        try:
            lines, warning = index.select_lines(query, sort, reverse=reverse, limit=limit)
            filtering = index.filter_warnings(query)
        except NotInSql:
            return None
        empty = not lines and index.is_empty()
        warnings = _warnings(warning, filtering)
        return Listing(lines=tuple(lines), warnings=warnings, problems=index.problems(), empty=empty)

    listing = ask(ledger, question, _ranked if sort and metric_key(sort) else None)
    if listing is not None:
        return listing
    found = _read_all(ledger, query, sort, reverse=reverse, limit=limit)
    lines = tuple(line_of(run) for run in found.runs)
    return Listing(lines=lines, warnings=found.warnings, problems=found.problems, empty=found.empty)


def _ranked(listing: Listing) -> list[str]:
    return [run for run, _, _ in listing.lines]


def _selected(selection: Selection) -> list[str]:
    return [run.record.id for run in selection.runs]


def _read_all(ledger: Branch, query: Query | None, sort: str | None, *, reverse: bool, limit: int | None) -> Selection:
    contents = ledger.contents()
    runs: Sequence[Run] = [run for run in contents.runs if query is None or passes(query, run)]
    warning, filtering = None, warn_of_filters(query, runs) if query else []
    if sort is None:
        runs = runs if reverse else runs[::-1]
    elif runs:
        ordered = sort_runs(runs, sort, reverse=reverse)
        runs, warning = ordered.runs, ordered.warning
    return Selection(
        runs=tuple(runs[:limit]),
        warnings=_warnings(warning, filtering),
        problems=contents.problems,
        empty=not contents.runs,
    )


def _warnings(ordering: str | None, filtering: Sequence[str]) -> tuple[str, ...]:
    return (*filtering, *([ordering] if ordering else []))


def find_runs(ledger: Branch, shorts: Sequence[str]) -> list[Run]:
    """Return the runs that ids, or enough of each, name; one that is named twice stands once.

    Raises:
        NotFound: no run has it.
        UsageError: several have it.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> list[Run]:
        ids = [match_run(ledger, short, index.matching(short.strip().lower())) for short in shorts]
        return index.runs_of(list(dict.fromkeys(ids)))

    found = ask(ledger, question)
    if found is not None:
        return found
    contents = ledger.contents()
    ids = [match_run(ledger, short, (run.record.id for run in contents.runs)) for short in shorts]
    return [run for wanted in dict.fromkeys(ids) if (run := contents.run(wanted)) is not None]
