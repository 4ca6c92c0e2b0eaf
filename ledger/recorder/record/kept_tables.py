"""Tables that a run stores: read, checked, freed of secrets, hashed, linked to their metric."""

import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ledger.capture.outputs.table_input import read_cells, too_large
from ledger.capture.secrets.names import secret_name
from ledger.capture.secrets.redactor import Redactor
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric, Statistics, Table
from ledger.model.tables import Cells, check_cells, dump_cells, kind_of, number_in
from ledger.model.values import TableKind, plain, slug
from ledger.recorder.data.datasets import attach_datasets
from ledger.recorder.record.draft import CaptureProblem, Draft, TableSource

_MOST = 50
"""Most tables of one run."""
_SHORTEST = 6
"""Fewest characters of a cell that is searched: no detectable secret is shorter."""


def statistics_of(
    draft: Draft,
    side: dict[str, bytes],
    *,
    metrics: Sequence[Metric],
    uses: Sequence[DatasetUse],
    redactor: Redactor,
    limit: int,
    strict: bool,
) -> Statistics:
    """Return box 10: summaries of the logged series, and the tables; arguments and errors as for `read_tables`.

    Raises:
        LedgerError: strict, and a table cannot be kept.
    """
    made = draft.curves.statistics if draft.curves else Statistics(unknown={"all": "nothing was logged"})
    tables, problems = read_tables(
        draft.tables, side, metrics=metrics, uses=uses, redactor=redactor, limit=limit, strict=strict
    )
    if tables and not made.known:
        made = Statistics(unknown={"series": made.unknown["all"]})
    said = {problem.field: problem.message for problem in draft.problems if is_of_table(problem)}
    return msgspec.structs.replace(made, tables=tables, unknown=made.unknown | said | problems)


def is_of_table(problem: CaptureProblem) -> bool:
    """Return whether a capture problem is about a table."""
    return problem.field.startswith(f"{paths.TABLES}.")


def read_tables(
    sources: Sequence[TableSource],
    side: dict[str, bytes],
    *,
    metrics: Sequence[Metric],
    uses: Sequence[DatasetUse],
    redactor: Redactor,
    limit: int,
    strict: bool,
) -> tuple[list[Table], dict[str, str]]:
    """Return the tables and the problems; contents are added to `side` by file name.

    Of two tables with one name the later wins.

    Args:
        sources: tables that the run or its user named.
        side: files beside the record.
        metrics: final metrics of the run: a table inherits dataset and evaluator of the metric that it explains.
        uses: datasets of the run.
        redactor: replaces secrets in cells.
        limit: largest table in bytes.
        strict: raise on the first problem instead of noting it.

    Raises:
        LedgerError: strict, and a table is missing, too large, malformed, or one too many.
    """
    tables: list[Table] = []
    problems: dict[str, str] = {}
    for number, source in enumerate({source.name: source for source in sources}.values()):
        try:
            if number >= _MOST:
                raise LedgerError(f"a run keeps {_MOST} tables at most: `{plain(source.name)}` is one more")  # noqa: TRY301  # noted or raised like every other one
            kind, cells = _checked(source, limit)
            data = _as_text(dump_cells(_without_secrets(cells, redactor)), redactor, source)
            if len(data) > limit:
                raise too_large(source.path, limit)
        except LedgerError as error:
            if strict:
                raise
            problems[f"tables.{slug(source.name)}"] = error.message
            continue
        file = _free_name(f"{paths.TABLES}/{slug(source.name)}", side)
        side[file] = data
        tables.append(
            _described(
                Table(
                    file=file,
                    name=source.name,
                    kind=kind,
                    metric=source.metric,
                    dataset=source.dataset,
                    dataset_hash=source.dataset_hash,
                    evaluator=source.evaluator,
                    hash=hash_bytes(data),
                    bytes=len(data),
                    rows=len(cells.rows),
                    columns=len(cells.columns),
                ),
                metrics,
                uses,
            )
        )
    return tables, problems


def _checked(source: TableSource, limit: int) -> tuple[TableKind, Cells]:
    cells = read_cells(Path(source.path), limit=limit)
    kind = source.kind or kind_of(cells.columns)
    if kind == "samples" and source.metric is None:
        if source.kind is None:
            kind = "table"
        else:
            raise LedgerError(
                f"a table of samples must name the metric whose values it holds: `{plain(source.name)}`",
                hint="such as --table samples:validation/accuracy=samples.csv",
            )
    return kind, check_cells(kind, cells, source.path)


def _described(table: Table, metrics: Sequence[Metric], uses: Sequence[DatasetUse]) -> Table:
    """Return the table with the dataset version and the evaluator of the metric that it explains."""
    if table.metric is None and table.dataset is None:
        return table
    split, _, name = (table.metric or "").rpartition("/")
    as_metric = Metric(
        name=name, split=split or None, value=0.0, dataset=table.dataset, dataset_hash=table.dataset_hash
    )
    (where,) = attach_datasets([as_metric], uses)
    same = [
        metric
        for metric in metrics
        if metric.key == where.key and where.dataset_hash in {None, metric.dataset_hash}
    ]  # fmt: skip
    measured = same[-1] if same else where
    return msgspec.structs.replace(
        table,
        metric=where.key if table.metric and where.said else table.metric,
        dataset=where.dataset or measured.dataset,
        dataset_hash=where.dataset_hash or measured.dataset_hash,
        evaluator=table.evaluator or measured.evaluator,
    )


def _without_secrets(cells: Cells, redactor: Redactor) -> Cells:
    """Return the table without secrets; numbers stay, or every count under a name such as `token` would be one."""
    columns = [redactor.text(name) for name in cells.columns]
    # Only a name that promises a secret changes how a cell is judged.
    names = [name if secret_name(name) else "" for name in cells.columns]
    known: dict[tuple[str, str], str] = {}

    def cell(text: str, name: str) -> str:
        if len(text) < _SHORTEST or number_in(text) is not None:
            return text
        if (name, text) not in known:
            (found,) = redactor.params({name: text}).values() if name else (redactor.text(text),)
            known[name, text] = str(found)
        return known[name, text]

    rows = [[cell(text, name) for text, name in zip(row, names, strict=True)] for row in cells.rows]
    return Cells(columns=columns, rows=rows)


def _as_text(data: bytes, redactor: Redactor, source: TableSource) -> bytes:
    """Return a table without texts that look like a secret only when its cells are read side by side.

    Raises:
        LedgerError: the result would be another table.
    """
    redacted = redactor.content(data)
    if redacted is data:
        return data
    shapes = [[len(row) for row in csv.reader(text.decode().splitlines())] for text in (data, redacted)]
    if shapes[0] != shapes[1]:
        raise LedgerError(
            f"neighbouring cells together look like a secret: `{plain(source.name)}`", hint="rename its columns"
        )
    return redacted


def _free_name(stem: str, taken: dict[str, bytes]) -> str:
    name, number = f"{stem}.csv", 2
    while name in taken:
        name, number = f"{stem}-{number}.csv", number + 1
    return name
