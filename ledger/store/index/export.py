"""Export of runs for other tools: CSV, JSON lines, Parquet, pandas. The only file that uses pandas and pyarrow."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ledger.analysis.query.export_columns import Cell, flat_columns, in_order, is_large, plain_columns
from ledger.errors import UsageError
from ledger.model.characters import escaped, plain
from ledger.model.document import encode
from ledger.model.entries import StoredRun
from ledger.model.values import number

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["parquet", "csv", "jsonl"]
_GROUP = 100_000
"""Runs of a row group, the part of a Parquet file that one thread reads."""


def render_export(runs: Sequence[StoredRun], kind: Literal["csv", "jsonl"]) -> bytes:
    """Return runs as a flat table in a file format; its columns are those of `flat_columns`."""
    columns = flat_columns(runs)
    rows = zip(*columns.values(), strict=True)
    if kind == "jsonl":
        lines = ({name: _plain(cell) for name, cell in zip(columns, row, strict=True)} for row in rows)
        return b"".join(escaped(encode(line).decode()).encode() + b"\n" for line in lines)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_inert(name) for name in columns])
    writer.writerows([_inert(_plain(cell)) for cell in row] for row in rows)
    return text.getvalue().encode()


def frame_of(runs: Sequence[StoredRun]) -> "pd.DataFrame":
    """Return runs as a data frame, one row each.

    Raises:
        UsageError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise _missing("pandas") from error
    return pd.DataFrame(flat_columns(runs))


class ParquetPart:
    """Some runs of a table, packed: a thirtieth of the memory that the runs take.

    Args:
        runs: the runs, in order.

    Raises:
        UsageError: pyarrow is not installed.
    """

    def __init__(self, runs: Sequence[StoredRun]) -> None:
        try:
            import pyarrow as pa
        except ImportError as error:
            raise _missing("pyarrow") from error
        self.rows = len(runs)
        self.kinds: dict[str, set[type]] = {}
        self._cells: dict[str, Any] = {}  # an array, or a list of cells of several types
        for name, cells in plain_columns(runs).items():
            kinds = {type(cell) for cell in cells if cell is not None}
            self.kinds[name] = kinds
            if len(kinds) > 1 or any(map(is_large, cells)):
                self._cells[name] = cells
                self.kinds[name] = kinds | ({float} if any(map(is_large, cells)) else set())
            elif kinds:
                array = pa.array(cells, type=_types()[next(iter(kinds))])
                self._cells[name] = array.dictionary_encode() if kinds == {str} else array

    def column(self, name: str, kind: type) -> Any:  # noqa: ANN401  # pyarrow's stubs have a class for each type
        """Return a column as values of a type."""
        import pyarrow as pa

        cells = self._cells.get(name)
        if cells is None:
            return pa.nulls(self.rows, _types()[kind])
        if kind is str and self.kinds[name] != {str}:
            values = cells if isinstance(cells, list) else cells.to_pylist()
            return pa.array([None if cell is None else str(cell) for cell in values], type=pa.string())
        if isinstance(cells, list):
            return pa.array([None if cell is None else kind(cell) for cell in cells], type=_types()[kind])
        return cells.cast(_types()[kind], safe=False)


def render_parquet(parts: Sequence[ParquetPart]) -> bytes:
    """Return the parts of a table as one Parquet file, the table of `flat_columns` of all their runs.

    A column without any value has the type of its field, or is text, so that files can be read together.
    """
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {name: _kind(name, parts) for name in in_order(name for part in parts for name in part.kinds)}
    schema = pa.schema([(name, _types()[kind]) for name, kind in kinds.items()])
    out = io.BytesIO()
    with parquet.ParquetWriter(out, schema) as writer:
        waiting: list[pa.RecordBatch] = []
        for part in parts:
            columns = [part.column(name, kind) for name, kind in kinds.items()]
            waiting.append(pa.RecordBatch.from_arrays(columns, schema=schema))
            if sum(batch.num_rows for batch in waiting) >= _GROUP:
                writer.write_table(pa.Table.from_batches(waiting), row_group_size=_GROUP)
                waiting.clear()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting), row_group_size=_GROUP)
    return out.getvalue()


def _kind(name: str, parts: Sequence[ParquetPart]) -> type:
    """Return the type of a column, by the rules of `one_kind`."""
    kinds = {kind for part in parts for kind in part.kinds.get(name, ())}
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds:
        return float if kinds <= {int, float} else str
    return _EMPTY.get(name, float if name.startswith("metrics.") else str)


_EMPTY: dict[str, type] = {
    "started": datetime, "ended": datetime, "duration": float, "cost": float, "seed": int, "parameters": int,
    "dirty": bool, "retracted": bool,
}  # fmt: skip
"""Types of fields that may be empty in every run."""


@cache
def _types() -> dict[type, Any]:  # pyarrow's stubs have a class for each type
    import pyarrow as pa

    return {
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        str: pa.string(),
        datetime: pa.timestamp("us", tz="UTC"),
    }


def _missing(package: str) -> UsageError:
    return UsageError(f"this needs a package: `{package}`", hint="pip install 'git-ledger[export]'")


def _plain(cell: Cell) -> Cell:
    """Return NaN and the infinities by the names that the ledger writes."""
    return number(cell) if isinstance(cell, float) else cell


def _inert(cell: Cell) -> Cell:
    """Return a text that is neither a formula in a spreadsheet nor able to control a terminal.

    Control characters become escapes for every output, since a file ends up in a terminal, too. JSON lines and
    Parquet hold them unchanged.
    """
    if not isinstance(cell, str):
        return cell
    return plain(f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell)
