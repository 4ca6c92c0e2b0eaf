"""The tables that a run kept about single predictions of one metric on one dataset version."""

from collections.abc import Callable, Sequence
from typing import Literal

from ledger.errors import LedgerError
from ledger.model.boxes import GroupId, Metric, Table
from ledger.model.entries import StoredRun
from ledger.model.tables import MISTAKE_COLUMNS, PAIR_COLUMNS, Cells, check_cells, load_cells
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


def read_metric_tables(run: StoredRun, read_blob: ReadBlob, metric: str | None = None) -> MetricTables | None:
    """Return the tables about a metric; none where the run kept none.

    Args:
        run: the run.
        read_blob: reads a file beside the record.
        metric: metric and split; by default the headline if it has tables, else one of validation, else the first.
    """
    groups: dict[GroupId, list[Table]] = {}
    for table in run.record.statistics.tables:
        if table.metric is not None and (table.kind in _KINDS or table.kind == "table"):
            group = GroupId(table.metric, table.dataset_hash or "", table.evaluator or "")
            groups.setdefault(group, []).append(table)
    chosen = _choose([*groups], metric or run.record.results.headline, strict=metric is not None)
    return None if chosen is None else _read(run, chosen, groups[chosen], read_blob)


def read_same_tables(run: StoredRun, read_blob: ReadBlob, group: GroupId) -> MetricTables | None:
    """Return the tables of another run about the same metric, dataset version and evaluator; none where it has none."""
    tables = [
        table
        for table in run.record.statistics.tables
        if GroupId(table.metric or "", table.dataset_hash or "", table.evaluator or "") == group
    ]
    return _read(run, group, tables, read_blob) if tables and group.dataset_hash else None


def _choose(groups: Sequence[GroupId], metric: str | None, *, strict: bool) -> GroupId | None:
    named = [group for group in groups if group.key == metric]
    if named or strict:
        return named[-1] if named else None
    judged = [group for group in groups if group.key.startswith("validation/")]
    return next(iter([*judged, *groups]), None)


def _read(run: StoredRun, group: GroupId, tables: Sequence[Table], read_blob: ReadBlob) -> MetricTables:
    cells: dict[Kind, Cells] = {}
    problems: dict[str, str] = {}
    for table in tables:
        blob = run.files.get(table.file)
        try:
            if blob is None or table.bytes > _BYTES:
                raise LedgerError("its file is missing" if blob is None else "it is too large to be read here")  # noqa: TRY301  # told in one place
            found = check_cells(table.kind, load_cells(read_blob(blob), table.file), table.file)
        except LedgerError as error:
            problems[table.name] = error.message
            continue
        kind = _KINDS.get(table.kind) or _BY_COLUMNS.get(tuple(found.columns))
        if kind is not None:
            cells[kind] = found
    metric = next((one for one in reversed(run.metrics()) if one.group_id == group), None)
    dataset = next((table.dataset for table in tables if table.dataset), None)
    return MetricTables(group=group, dataset=dataset, metric=metric, cells=cells, problems=problems)
