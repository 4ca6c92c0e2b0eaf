"""The code cells of a Jupyter notebook file (nbformat 4), as plain values; outputs are never looked at."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.errors import LedgerError, NotFound

_MOST_BYTES = 256 << 20
"""Largest file that is read: outputs hold pictures."""
_MOST_CELLS = 5_000


class CodeCell(NamedTuple):
    """One code cell."""

    id: str | None
    """Its id; none in formats before 4.5."""
    source: str
    """Its source."""


class _Cell(msgspec.Struct):
    cell_type: str
    source: str | list[str] = ""
    id: str | None = None


class _File(msgspec.Struct):
    cells: list[_Cell]


def read_code_cells(path: Path) -> list[CodeCell]:
    """Return the code cells of a notebook file, in their order.

    Raises:
        NotFound: there is no such file.
        LedgerError: it cannot be read, is too large, or is no notebook of format 4.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no such notebook: `{path}`") from None
    except OSError as error:
        raise LedgerError(f"the notebook cannot be read ({(error.strerror or '').lower()}): `{path}`") from error
    if len(data) > _MOST_BYTES:
        raise LedgerError(f"the notebook is larger than {_MOST_BYTES:,} bytes: `{path}`")
    try:
        cells = [cell for cell in msgspec.json.decode(data, type=_File).cells if cell.cell_type == "code"]
    except (msgspec.DecodeError, RecursionError) as error:
        raise LedgerError(f"it is no notebook of format 4 ({error}): `{path}`") from error
    if len(cells) > _MOST_CELLS:
        raise LedgerError(f"the notebook has more than {_MOST_CELLS:,} code cells: `{path}`")
    return [CodeCell(cell.id, cell.source if isinstance(cell.source, str) else "".join(cell.source)) for cell in cells]
