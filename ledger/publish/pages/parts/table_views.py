"""Tables of a run on its page: a matrix, bars by class, a reliability diagram, slices with intervals.

A table comes from a record, so its content is data: read again, checked for its kind, bounded, escaped.
"""

import math
import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ledger.analysis.data.prediction_statistics import (
    Bin,
    Confusion,
    calibration_error,
    confused_pairs,
    is_share_of,
    wilson_interval,
)
from ledger.errors import LedgerError
from ledger.model.boxes.outputs import Table
from ledger.model.directions import known_direction
from ledger.model.entries import StoredRun
from ledger.model.tables import Cells, check_cells, load_cells, number_in
from ledger.model.values import Direction, Document, TableKind
from ledger.publish.charts.reliability import render_reliability

TABLES_SHOWN = 50
"""Most tables on a page: as many as a run may have."""
ROWS_SHOWN = 50
"""Most rows of a table on a page."""
LAYERS_SHOWN = 200
"""Most layers of a shape trace on a page."""
COLUMNS_SHOWN = 30
"""Most columns of a table on a page, and classes of a confusion matrix."""
_DEEPEST = 8
"""Deepest indentation of a layer."""
_BYTES = 8 << 20
"""Largest file that is read, in bytes; a larger one is only named."""
_FILE = re.compile(r"tables/[a-z0-9][a-z0-9._-]{0,120}\.csv")
"""Characters that are safe in a command that people paste."""
_HITS = (0.0, 0.5, 0.8, 0.95)
"""Shares of right predictions of a class from which its cell is one shade stronger."""
_MISSES = (0.0, 0.05, 0.2, 0.5)
"""The same for shares of confusions: one in twenty is visible."""


class MatrixRowView(Document, frozen=True, kw_only=True):
    """One true class of a confusion matrix."""

    label: str
    """The class."""
    cells: list[tuple[int, str]]
    """Count of predictions of each class, and the style of the cell."""
    support: int
    """Samples of the class."""


class PairRow(Document, frozen=True, kw_only=True):
    """A pair of confused classes."""

    truth: str
    """True class."""
    predicted: str
    """Predicted class."""
    count: int
    """Number of samples."""
    share: float
    """Share of the samples of the class (0..1)."""


class ClassRow(Document, frozen=True, kw_only=True):
    """One class with its scores."""

    label: str
    """The class."""
    scores: list[float | None]
    """A number for each column; none where it is undefined."""


class SliceRow(Document, frozen=True, kw_only=True):
    """One slice with its value."""

    name: str
    """The slice."""
    value: float | None
    """Value of the metric."""
    samples: int
    """Samples in it."""
    interval: tuple[float, float] | None
    """95 % interval of the share, where the value is a share of the samples."""


class LayerRow(Document, frozen=True, kw_only=True):
    """One layer of a shape trace."""

    name: str
    """Name of the layer in the model."""
    depth: int
    """Number of layers around it, at most 8."""
    kind: str
    """Class of the layer."""
    input: str
    """Shapes of its inputs."""
    output: str
    """Shapes of its outputs; empty where the pass failed in it."""
    calls: int
    """Number of calls."""
    parameters: int
    """Parameters of its own."""
    parameters_share: float | None
    """Share of those of all layers (0..1)."""
    flops: int | None
    """FLOPs of its calls, those of the layers inside included."""
    flops_share: float | None
    """Share of those of the model (0..1)."""
    note: str
    """Whether the pass failed here, or inside of it."""


class TableView(Document, frozen=True, kw_only=True):
    """One table on a page; fields of other kinds are empty."""

    table: Table
    """The table in the record."""
    command: str = ""
    """Command that prints the whole file."""
    problem: str = ""
    """Why it cannot be shown."""
    columns: list[str] = []
    """Names of the columns that are shown."""
    matrix: list[MatrixRowView] = []
    """Rows of a confusion matrix."""
    pairs: list[PairRow] = []
    """The most confused pairs, where there are too many classes for a matrix."""
    classes: list[ClassRow] = []
    """Rows by class."""
    slices: list[SliceRow] = []
    """Rows by slice, the worst first where it is known which values are better."""
    layers: list[LayerRow] = []
    """Layers of a shape trace, in the order of their first call."""
    svg: str = ""
    """Reliability diagram."""
    bins: list[Bin] = []
    """Data of that diagram."""
    error: float | None = None
    """Expected calibration error."""
    rows: list[list[str]] = []
    """Rows of any other table."""
    numbers: list[bool] = []
    """Whether each column has only numbers."""
    left_out: str = ""
    """What is not shown."""


def tables_of(run: StoredRun, read_blob: Callable[[str], bytes]) -> list[TableView]:
    """Return the run's tables in the order they were stored, at most 50; one that cannot be shown has the reason."""
    directions = {metric.key: metric.direction for metric in run.record.results.metrics}
    return [_view(run, table, read_blob, directions) for table in run.record.statistics.tables[:TABLES_SHOWN]]


def _view(
    run: StoredRun, table: Table, read_blob: Callable[[str], bytes], directions: dict[str, Direction | None]
) -> TableView:
    blob = run.files.get(table.file)
    if blob is None:
        return TableView(table=table, problem="its file is missing from the ledger")
    view = TableView(
        table=table, command=f"git show ledger:{run.path}/{table.file}" if _FILE.fullmatch(table.file) else ""
    )
    if table.kind == "samples":
        return view
    try:
        cells = _cells(table, read_blob(blob))
    except LedgerError as error:
        return replace(view, problem=error.message)
    view = replace(view, columns=cells.columns)
    if table.kind == "slices":
        return _slices(view, cells, directions.get(table.metric or "") or known_direction(cells.columns[1]))
    return _DRAWN.get(table.kind, _plain)(view, cells)


def _cells(table: Table, data: bytes) -> Cells:
    if len(data) > _BYTES:
        raise LedgerError("it is too large for a page")
    return check_cells(table.kind, load_cells(data, table.file), table.file)


def _confusion(view: TableView, cells: Cells) -> TableView:
    labels = list(dict.fromkeys([*cells.columns[1:], *(row[0] for row in cells.rows)]))
    pairs = {
        (row[0], label): int(count)
        for row in cells.rows
        for label, count in zip(cells.columns[1:], row[1:], strict=True)
        if count != "0"
    }
    support = {row[0]: sum(map(int, row[1:])) for row in cells.rows}
    if len(labels) > COLUMNS_SHOWN:
        worst = confused_pairs(Confusion(labels=tuple(labels), pairs=pairs), ROWS_SHOWN)
        rows = [
            PairRow(truth=truth, predicted=taken, count=count, share=count / support[truth])
            for truth, taken, count in worst
        ]
        left = f"{len(labels)} classes are too many for a matrix on a page: the pairs that were confused most often"
        return replace(view, pairs=rows, left_out=left)
    matrix = [
        MatrixRowView(
            label=row[0],
            cells=[
                (int(count), _shade(int(count), support[row[0]], hit=label == row[0]))
                for label, count in zip(cells.columns[1:], row[1:], strict=True)
            ],
            support=support[row[0]],
        )
        for row in cells.rows
    ]
    return replace(view, matrix=matrix, columns=cells.columns[1:])


def _shade(count: int, support: int, *, hit: bool) -> str:
    if not count:
        return ""
    level = sum(count / support > start for start in (_HITS if hit else _MISSES))
    return f"lg-{'hit' if hit else 'miss'}{level}"


def _classes(view: TableView, cells: Cells) -> TableView:
    rows = [ClassRow(label=row[0], scores=[number_in(cell) for cell in row[1:COLUMNS_SHOWN]]) for row in cells.rows]
    left = ""
    if len(rows) > ROWS_SHOWN:
        f1 = cells.columns.index("f1") - 1
        rows = sorted(rows, key=lambda row: (_or(row.scores[f1], math.inf), row.label))[:ROWS_SHOWN]
        left = f"the {ROWS_SHOWN} of {len(cells.rows)} classes with the lowest F1"
    return replace(view, classes=rows, columns=cells.columns[:COLUMNS_SHOWN], left_out=left)


def _slices(view: TableView, cells: Cells, direction: Direction | None) -> TableView:
    read = [(row[0], number_in(row[1]), int(row[2])) for row in cells.rows]
    shares = all(is_share_of(value, samples) for _, value, samples in read)
    rows = [
        SliceRow(
            name=name,
            value=value,
            samples=samples,
            interval=wilson_interval(value, samples) if shares and value is not None and samples else None,
        )
        for name, value, samples in read
    ]
    if direction is not None:
        sign = 1 if direction == "higher" else -1
        rows.sort(key=lambda row: (sign * _or(row.value, sign * math.inf), row.name))
    left = f"{ROWS_SHOWN} of {len(rows)} slices" if len(rows) > ROWS_SHOWN else ""
    return replace(view, slices=rows[:ROWS_SHOWN], left_out=left)


def _calibration(view: TableView, cells: Cells) -> TableView:
    bins = [
        Bin(confidence=float(confidence), accuracy=float(accuracy), samples=int(samples))
        for confidence, accuracy, samples in cells.rows
    ]
    shown = sorted(bins, key=lambda each: each.confidence)[: ROWS_SHOWN * 2]
    left = f"{len(shown)} of {len(bins)} bins" if len(shown) < len(bins) else ""
    return replace(view, bins=shown, svg=render_reliability(shown), error=calibration_error(bins), left_out=left)


def _layers(view: TableView, cells: Cells) -> TableView:
    parameters = sum(int(row[5]) for row in cells.rows)
    flops = max((int(row[6] or 0) for row in cells.rows), default=0)
    rows = [
        LayerRow(
            name=name,
            depth=0 if name.startswith("(") else min(name.count(".") + 1, _DEEPEST),
            kind=kind,
            input=given,
            output=returned,
            calls=int(calls),
            parameters=int(own),
            parameters_share=int(own) / parameters if parameters else None,
            flops=int(cost) if cost else None,
            flops_share=int(cost) / flops if cost and flops else None,
            note=note,
        )
        for name, kind, given, returned, calls, own, cost, note in cells.rows
    ]
    shown = [*rows[:LAYERS_SHOWN], *(row for row in rows[LAYERS_SHOWN:] if row.note)][: 2 * LAYERS_SHOWN]
    left = f"{len(shown)} of {len(rows)} layers" if len(shown) < len(rows) else ""
    return replace(view, layers=shown, left_out=left)


def _plain(view: TableView, cells: Cells) -> TableView:
    columns = cells.columns[:COLUMNS_SHOWN]
    rows = [row[:COLUMNS_SHOWN] for row in cells.rows[:ROWS_SHOWN]]
    hidden = []
    if len(cells.rows) > ROWS_SHOWN:
        hidden.append(f"{ROWS_SHOWN} of {len(cells.rows)} rows")
    if len(cells.columns) > COLUMNS_SHOWN:
        hidden.append(f"{COLUMNS_SHOWN} of {len(cells.columns)} columns")
    numbers = [_all_numbers([row[place] for row in rows]) for place in range(len(columns))]
    return replace(view, columns=columns, rows=rows, numbers=numbers, left_out=", ".join(hidden))


def _all_numbers(cells: Sequence[str]) -> bool:
    return any(cells) and all(not cell or number_in(cell) is not None for cell in cells)


_DRAWN: dict[TableKind, Callable[[TableView, Cells], TableView]] = {
    "confusion": _confusion,
    "classes": _classes,
    "calibration": _calibration,
    "layers": _layers,
}
"""View of each kind of table that has one of its own."""


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None or math.isnan(value) else value
