"""Tables of a living run, written into its spool at once."""

import os
from pathlib import Path

from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model.tables import KINDS, Cells, check_cells, dump_cells
from ledger.model.values import TableKind, slug

CEILING = 32 << 20
"""Largest table in a spool, in bytes; the policy's limit applies when the run ends."""


def checked_kind(kind: str, metric: str | None) -> TableKind:
    """Return the kind when it exists, and when the arguments that it needs are given.

    Raises:
        LedgerError: it does not exist, or a table of samples names no metric.
    """
    if kind == "samples" and metric is None:
        raise LedgerError("a table of samples must name the metric whose values it holds", hint="metric='accuracy'")
    for known in KINDS:
        if kind == known:
            return known
    raise LedgerError(f"no such kind of table: `{kind}`", hint=f"one of {', '.join(KINDS)}")


def write_table(cells: Cells, folder: Path, name: str, kind: TableKind) -> Path:
    """Write a table into `folder` and return its file; a later one of the same name replaces it atomically.

    Raises:
        InvalidDocument: it does not fit its kind; the message names row and column.
        LedgerError: it is larger than 32 MiB.
        OSError: it cannot be written.
    """
    data = dump_cells(check_cells(kind, cells, name, row_word="row", first_row=1))
    if len(data) > CEILING:
        raise LedgerError(f"the table is larger than {CEILING} bytes: `{name}`", hint="keep fewer rows")
    digits = hash_bytes(name.encode("utf-8", "surrogatepass")).rpartition(":")[2][:12]
    target = folder / f"table-{slug(name)}-{digits}.csv"
    beside = target.with_name(f"{target.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(target)
    return target
