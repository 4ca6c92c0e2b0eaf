"""Export of runs for other tools: CSV, JSON lines, Parquet, pandas. The only file that uses pandas and pyarrow."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ledger.analysis.query.export_columns import Cell, flat_columns
from ledger.errors import UsageError
from ledger.model.characters import escaped, plain
from ledger.model.document import encode
from ledger.model.entries import StoredRun
from ledger.model.values import number

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["parquet", "csv", "jsonl"]


def render_export(runs: Sequence[StoredRun], kind: Format) -> bytes:
    """Return runs as a flat table in a file format; its columns are those of `flat_columns`.

    Raises:
        UsageError: Parquet was asked for and pyarrow is not installed.
    """
    columns = flat_columns(runs)
    if kind == "parquet":
        return _parquet(columns)
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


def _parquet(columns: dict[str, list[Cell]]) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise _missing("pyarrow") from error
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


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
