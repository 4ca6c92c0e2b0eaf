"""The tables that a run kept about single predictions of one metric on one dataset version."""

from collections.abc import Callable, Collection, Sequence
from typing import Literal

from ledger.errors import LedgerError
from ledger.model.boxes.outputs import GroupId, Metric, Table
from ledger.model.entries import StoredRun
from ledger.model.tables import COLUMNS, MISTAKE_COLUMNS, PAIR_COLUMNS, Cells, check_cells, load_cells
from ledger.model.values import Document

ReadBlob = Callable[[str], bytes]
"""Takes the blob id of a file beside a record."""

Kind = Literal["confusion", "pairs", "classes", "slices", "samples", "mistakes"]
"""Content of a table: its kind, or what its columns say."""

_KINDS: dict[str, Kind] = {"confusion": "confusion", "classes": "classes", "slices": "slices", "samples": "samples"}
_BY_COLUMNS: dict[tuple[str, ...], Kind] = {PAIR_COLUMNS: "pairs", MISTAKE_COLUMNS: "mistakes"}
_BYTES = 8 << 20
"""Largest table that is read, in bytes: as large as a page reads."""


class MetricTables(Document, frozen=True, kw_only=True):
    """The tables of a run about one metric on one dataset version."""

    group: GroupId
    """Metric, dataset version and evaluator that they share."""
    dataset: str | None
    """Dataset version, as shown to people."""
    metric: Metric | None
    """The metric in the record; none where it has none."""
    cells: dict[Kind, Cells]
    """Each table by its content; the latest of several."""
    problems: dict[str, str]
    """Why tables cannot be read, by name."""
    left: frozenset[Kind] = frozenset()
    """Tables that there are and that were not asked for."""


def choose_group(run: StoredRun, metric: str | None = None) -> GroupId | None:
    """Return the metric and dataset version that a run kept tables of single predictions about; none without any.

    Args:
        run: the run.
        metric: metric and split; by default the headline if it has tables, else one of validation, else the first.
    """
    groups = [
        _group(table)
        for table in run.record.statistics.tables
        if table.metric is not None and (table.kind in _KINDS or _may_be(table))
    ]
    if metric is None:
        metric = run.record.results.headline
        judged = [group for group in groups if group.key.startswith("validation/")]
        otherwise = next(iter([*judged, *groups]), None)
    else:
        otherwise = None
    return next((group for group in reversed(groups) if group.key == metric), otherwise)


def read_metric_tables(
    run: StoredRun, read_blob: ReadBlob, group: GroupId, without: Collection[Kind] = ()
) -> MetricTables | None:
    """Return the tables of a run about a metric on a dataset version; none where it kept none.

    Args:
        run: the run.
        read_blob: reads a file beside the record.
        group: metric, dataset version and evaluator.
        without: tables that need not be read.
    """
    tables = [table for table in run.record.statistics.tables if _group(table) == group]
    return _read(run, group, tables, read_blob, frozenset(without)) if tables else None


def _group(table: Table) -> GroupId:
    return GroupId(table.metric or "", table.dataset_hash or "", table.evaluator or "")


def _may_be(table: Table) -> bool:
    """Return whether a plain table may be one of pairs or mistakes, by its size."""
    return table.kind == "table" and table.columns in {len(columns) for columns in _BY_COLUMNS}


def _checked(table: Table, cells: Cells) -> Cells:
    """Return the cells of a table that fits its kind.

    Of samples only the columns are looked at: checking each cell of 10,000 took 35 ms of 47, and their values are
    compared with 0 and 1 alone.

    Raises:
        InvalidDocument: it does not fit.
    """
    if table.kind == "samples" and tuple(cells.columns) == COLUMNS["samples"]:
        return cells
    return check_cells(table.kind, cells, table.file)


def _read(
    run: StoredRun, group: GroupId, tables: Sequence[Table], read_blob: ReadBlob, without: frozenset[Kind]
) -> MetricTables:
    cells: dict[Kind, Cells] = {}
    problems: dict[str, str] = {}
    left: set[Kind] = set()
    for table in tables:
        if table.kind not in _KINDS and not _may_be(table):
            continue
        if (known := _KINDS.get(table.kind)) in without and known is not None:
            left.add(known)
            continue
        blob = run.files.get(table.file)
        try:
            if blob is None or table.bytes > _BYTES:
                raise LedgerError("its file is missing" if blob is None else "it is too large to be read here")  # noqa: TRY301  # told in one place
            found = _checked(table, load_cells(read_blob(blob), table.file))
        except LedgerError as error:
            problems[table.name] = error.message
            continue
        kind = _KINDS.get(table.kind) or _BY_COLUMNS.get(tuple(found.columns))
        if kind is not None:
            cells[kind] = found
    metric = next((one for one in reversed(run.metrics()) if one.group_id == group), None)
    dataset = next((table.dataset for table in tables if table.dataset), None)
    return MetricTables(
        group=group, dataset=dataset, metric=metric, cells=cells, problems=problems, left=frozenset(left)
    )
