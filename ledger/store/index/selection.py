"""Which runs answer a question, and in which order."""

from collections.abc import Sequence

from ledger.analysis.query.fields import FIELDS
from ledger.analysis.query.language import Query
from ledger.analysis.query.table import Line
from ledger.model.entries import Problem, StoredRun
from ledger.model.values import Document
from ledger.store.branch.branch import Branch
from ledger.store.branch.run_ids import match_run
from ledger.store.index.index import ask
from ledger.store.index.questions import Index


class Selection(Document, frozen=True, kw_only=True):
    """The runs that were asked for, whole or as lines of the usual table, in the order asked for."""

    runs: tuple[StoredRun, ...] = ()
    """The runs; none where only lines were asked for."""
    lines: tuple[Line, ...] = ()
    """Their lines; none where the runs were asked for."""
    columns: tuple[str, ...] = ()
    """The fields that the names of columns mean, as `field_value` knows them."""
    warnings: tuple[str, ...] = ()
    """How names were read, and why part of the order, or of the filter, means nothing."""
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
    lines: bool = False,
    columns: Sequence[str] = (),
) -> Selection:
    """Return the runs that pass a query, newest first, or sorted by a field as `Index.select` says.

    Args:
        ledger: where they are.
        query: what they must pass.
        sort: the field to sort by.
        reverse: turn the order round.
        limit: return at most so many.
        lines: return their lines of the usual table alone: no record is read.
        columns: names of fields that will be shown.

    Raises:
        UsageError: nothing has a name in the query, in `sort` or in `columns`, or several have.
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


def _ids(selection: Selection) -> list[str]:
    return [*(run.record.id for run in selection.runs), *(run for run, _, _ in selection.lines)]


def find_runs(ledger: Branch, shorts: Sequence[str]) -> list[StoredRun]:
    """Return the runs that ids, or enough of each, name; one that is named twice stands once.

    Raises:
        NotFound: no run has it.
        UsageError: several have it.
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> list[StoredRun]:
        ids = [match_run(ledger, short, index.matching(short.strip().lower())) for short in shorts]
        return index.runs_of(list(dict.fromkeys(ids)))

    return ask(ledger, question)
