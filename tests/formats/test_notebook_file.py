"""Code cells of a notebook file, from all that a file of that name may hold."""

import json
from pathlib import Path

import pytest

from ledger.errors import LedgerError, NotFound
from ledger.formats.notebook_file import CodeCell, read_code_cells


def write(path: Path, *cells: object, **more: object) -> Path:
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}, **more}), "utf-8")
    return path


def test_code_cells_are_read_with_their_ids_and_nothing_else(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.ipynb",
        {"cell_type": "markdown", "source": "words"},
        {"cell_type": "code", "id": "a1", "source": ["x = 1\n", "y = 2"], "outputs": [{"text": ["out"]}]},
        {"cell_type": "code", "source": "z = 3", "execution_count": None},
    )
    assert read_code_cells(path) == [CodeCell("a1", "x = 1\ny = 2"), CodeCell(None, "z = 3")]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"worksheets": []}', '{"cells": [1]}', "[" * 100_000])
def test_what_is_no_notebook_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(LedgerError, match="no notebook of format 4"):
        read_code_cells(path)


def test_a_missing_file_a_folder_and_too_many_cells_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_code_cells(tmp_path / "none.ipynb")
    with pytest.raises(LedgerError, match="cannot be read"):
        read_code_cells(tmp_path)
    many = write(tmp_path / "x.ipynb", *[{"cell_type": "code"}] * 5001)
    with pytest.raises(LedgerError, match="more than 5,000"):
        read_code_cells(many)
