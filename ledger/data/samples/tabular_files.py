"""Tables as columns of numbers and of words: CSV, TSV, JSON lines, Parquet and two-dimensional arrays."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.data.optional_packages import needing
from ledger.data.samples.sample_files import TABLES
from ledger.errors import LedgerError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

SUFFIXES = TABLES
"""Suffixes of table files."""
COLUMNS = 64
"""Most numeric columns that are read: the summary of each has half a kilobyte on the ledger."""
_TEXT_LENGTH = 20
"""Mean length from which a column of words is text, in characters: labels and names are shorter."""


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """A table by columns: every list and array has one entry for each row."""

    rows: int
    """Number of rows."""
    numbers: "dict[str, NDArray[np.float64]]" = field(default_factory=dict)
    """Numeric columns; NaN where a value is missing."""
    words: dict[str, list[str | None]] = field(default_factory=dict)
    """Columns that were requested as words, and every column of words."""
    left_out: list[str] = field(default_factory=list)
    """Numeric columns beyond the limit."""


def read_table(path: Path) -> "pa.Table":
    """Return the table in a file.

    Raises:
        LedgerError: it cannot be read, is malformed, or pyarrow is not installed.
    """
    with needing("reading a table"):
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.json
        import pyarrow.parquet
    try:
        match path.suffix.lower():
            case ".parquet" | ".pq":
                table = pyarrow.parquet.read_table(path)
            case ".jsonl" | ".ndjson":
                table = pyarrow.json.read_json(path)
            case suffix:
                table = _read_csv(path, "\t" if suffix == ".tsv" else _delimiter(path))
        table.validate(full=True)  # what is not UTF-8 would only be found when it is read
        _ = table.column_names  # the same
    except FileNotFoundError:
        raise LedgerError(f"no such table: `{path}`", hint="check the path") from None
    except OSError as error:
        raise LedgerError(f"the table cannot be read ({_why(error)}): `{path}`") from None
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise LedgerError(f"the table is malformed ({_why(error)}): `{path}`", hint="mend it") from None
    return table


def _delimiter(path: Path) -> str:
    """Return the delimiter of cells: comma, semicolon or tab, whichever is most frequent in the header."""
    with path.open("rb") as file:
        head = re.sub(rb'"[^"]*"', b"", file.readline(_HEAD))
    return max(",;\t", key=lambda sign: head.count(sign.encode()))


_HEAD = 1 << 16
"""Bytes of the header that are read."""
_ID = r"^\s*[-+]?0[0-9]|^\s*[0-9]+[eE][0-9]{3,}\s*$"
"""Cells that pyarrow reads as numbers and that are ids: `0012` would lose its zeros, `61e9540` become infinite."""


def _read_csv(path: Path, delimiter: str) -> "pa.Table":
    """Return a CSV file as a table; a column with an id that has leading zeros is text as a whole."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv

    options = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    table = pyarrow.csv.read_csv(path, parse_options=options)
    names = table.column_names
    numbers = [
        name
        for name in names
        if names.count(name) == 1
        and (pa.types.is_integer(kind := table.schema.field(name).type) or pa.types.is_floating(kind))
    ]
    if not numbers:
        return table
    texts = pyarrow.csv.read_csv(
        path,
        parse_options=options,
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=numbers, column_types={name: pa.string() for name in numbers}, strings_can_be_null=True
        ),
    )
    for name in numbers:
        column = texts.column(name)
        if pc.any(pc.match_substring_regex(column, _ID)).as_py():
            table = table.set_column(names.index(name), name, column)
    return table


def _why(error: Exception) -> str:
    said = str(error).strip().splitlines() or [type(error).__name__]
    first = said[0][:160]
    return first if first[:2].isupper() else first[:1].lower() + first[1:]


def read_words(table: "pa.Table", column: str, source: str) -> list[str | None]:
    """Return a column as words.

    Args:
        table: the table.
        column: name of the column.
        source: where the table came from, for messages.

    Raises:
        LedgerError: there is no such column, or there are two.
    """
    if column not in table.column_names:
        raise LedgerError(
            f"the table has no such column: `{ascii(column)[1:-1]}` in `{source}`",
            hint=f"one of {', '.join(map(str, table.column_names[:30]))}",
        )
    if table.column_names.count(column) > 1:
        raise LedgerError(
            f"the table has two such columns: `{ascii(column)[1:-1]}` in `{source}`", hint="rename one of them"
        )
    return [word_of(value) for value in table.column(column).to_pylist()]


def is_number(table: "pa.Table", column: str) -> bool:
    """Return whether the cells of a column are numbers."""
    import pyarrow as pa

    kind = table.schema.field(column).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def word_of(value: Any) -> str | None:  # noqa: ANN401  # whatever a cell holds
    """Return the value of a cell as a word; none for an empty one, and for one that is no number."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if value is None or value == "" or value != value:  # noqa: PLR0124  # NaN marks a missing value
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def columns_of(tables: Sequence["pa.Table"], wanted: Sequence[str]) -> TableColumns:
    """Return several tables as one, by columns.

    Args:
        tables: tables with the same columns, or some of them.
        wanted: columns to return as words, such as labels and slices; they are no features.

    Raises:
        LedgerError: the tables do not fit together.
    """
    import numpy as np
    import pyarrow as pa

    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise LedgerError(
            f"the tables of the dataset do not fit together: {_why(error)}", hint="name one of them as the dataset"
        ) from None
    numbers: dict[str, NDArray[np.float64]] = {}
    words: dict[str, list[str | None]] = {}
    left_out = []
    for name in table.column_names:
        kind = table.schema.field(name).type
        if name in wanted or pa.types.is_string(kind) or pa.types.is_large_string(kind):
            words[name] = read_words(table, name, "the dataset")
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            values = table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
            if _counts_rows(values):
                continue
            if len(numbers) < COLUMNS:
                numbers[name] = np.asarray(values, dtype=np.float64)
            else:
                left_out.append(name)
    return TableColumns(rows=table.num_rows, numbers=numbers, words=words, left_out=left_out)


def _counts_rows(values: "NDArray[np.float64]") -> bool:
    """Return whether a column only numbers the rows, so that it would differ between any two versions."""
    import numpy as np

    with np.errstate(all="ignore"):  # steps between the largest floats are no number
        return len(values) > 2 and bool(np.all(np.diff(values) == 1))  # noqa: PLR2004  # two rows may be alike by chance


def table_of(array: "NDArray[np.generic]", name: str) -> "pa.Table":
    """Return an array of one or two dimensions as a table: (rows,) or (rows, columns)."""
    import numpy as np
    import pyarrow as pa

    values = np.asarray(array)
    if values.ndim == 1:
        return pa.table({name: pa.array(values)})
    return pa.table(
        {f"x{column}": pa.array(np.ascontiguousarray(values[:, column])) for column in range(values.shape[1])}
    )


def text_column(columns: TableColumns, but: Sequence[str]) -> str | None:
    """Return the column of words that reads like text, the longest on average; none where there is none."""
    lengths = {}
    for name, words in columns.words.items():
        said = [word for word in words[:1_000] if word]
        if name not in but and said:
            lengths[name] = sum(map(len, said)) / len(said)
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return longest if longest is not None and lengths[longest] >= _TEXT_LENGTH else None
