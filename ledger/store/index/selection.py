"""Selection of the runs that match a query, in order."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ledger.analysis.query.fields import FIELDS
from ledger.analysis.query.language import Query
from ledger.analysis.query.table import Line
from ledger.model.entries import Problem, StoredRun
from ledger.model.values import Document
from ledger.store.branch.branch import Branch
from ledger.store.branch.run_ids import match_run
from ledger.store.index.index import ask
from ledger.store.index.questions import Index

T = TypeVar("T")

_PART = 2_000
"""Most runs that are read at once where all are wanted."""


class Selection(Document, frozen=True, kw_only=True):
    """The matching runs in order, as whole runs or as rows of the list."""

    runs: tuple[StoredRun, ...] = ()
    """The runs; none where only rows were requested."""
    lines: tuple[Line, ...] = ()
    """The rows of the list; none where runs were requested."""
    columns: tuple[str, ...] = ()
    """The fields that the names of columns mean, in the form for `field_value`."""
    warnings: tuple[str, ...] = ()
    """How names were interpreted, and why part of the order or of the filter is meaningless."""
    problems: tuple[Problem, ...] = ()
    """What on the ledger could not be read."""
    empty: bool = False
    """Whether the ledger has no run at all."""


def select_runs(
    ledger: Branch,
    query: Query | None = None,
    *,
    sort: str | None = None,
    reverse: bool = False,
    limit: int | None = None,
    lines: bool = False,
    columns: Sequence[str] = (),
) -> Selection:
    """Return the runs that match a query, newest first, or sorted by a field as `Index.select` describes.

    Args:
        ledger: ledger of the runs.
        query: query that they must match.
        sort: the field to sort by.
        reverse: reverse the order.
        limit: most runs to return.
        lines: return only their rows of the list: no record is read.
        columns: names of the fields to show.

    Raises:
        UsageError: no field has a name in the query, in `sort` or in `columns`, or several have.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> Selection:
        whole: Sequence[StoredRun] = ()
        told: Sequence[Line] = ()
        if lines:
            told, warning = index.select_lines(query, sort, reverse=reverse, limit=limit)
        else:
            whole, warning = index.select(query, sort, reverse=reverse, limit=limit)
        return Selection(
            runs=tuple(whole),
            lines=tuple(told),
            columns=tuple(index.fields(columns)),
            warnings=(*index.filter_warnings(query), *([warning] if warning else [])),
            problems=index.problems(),
            empty=not (whole or told) and index.is_empty(),
        )

    may_rank = sort is not None and sort not in FIELDS and not sort.startswith("params.")
    return ask(ledger, question, _ids if may_rank else None)


def select_parts(
    ledger: Branch, query: Query | None, convert: Callable[[Sequence[StoredRun]], T]
) -> tuple[list[T], Selection]:
    """Return what a function makes of the matching runs, oldest first, 2,000 at a time, and the rest of the answer.

    A million runs take 19 GB; so only what they become is held.

    Raises:
        UsageError: no field has a name in the query, or several have.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> tuple[list[T], Selection]:
        parts, warning = index.select_parts(query, convert, _PART)
        warnings = (*index.filter_warnings(query), *([warning] if warning else []))
        return parts, Selection(warnings=warnings, problems=index.problems(), empty=not parts and index.is_empty())

    return ask(ledger, question)


def _ids(selection: Selection) -> list[str]:
    return [*(run.record.id for run in selection.runs), *(run for run, _, _ in selection.lines)]


def find_runs(ledger: Branch, shorts: Sequence[str]) -> list[StoredRun]:
    """Return the runs that ids or parts of ids name; a run that is named twice is returned once.

    Raises:
        NotFound: no run has it.
        UsageError: several have it.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> list[StoredRun]:
        ids = [match_run(ledger, short, index.matching(short.strip().lower())) for short in shorts]
        return index.runs_of(list(dict.fromkeys(ids)))

    return ask(ledger, question)
