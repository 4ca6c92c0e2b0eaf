"""The notebook of this process: which file it is, and the cells in that file.

A kernel is not told which notebook it serves. Some frontends leave its path in a variable.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.formats.notebook_file import read_code_cells
from ledger.recorder.record.draft import NotebookCell, NotebookFile
from ledger.session.notebook.cells import hash_source
from ledger.session.notebook.shell import in_kernel, kernel_name
from ledger.settings import NOTEBOOK_VARIABLE

_NAMES = ("__vsc_ipynb_file__", "PAPERMILL_INPUT_PATH", "__session__")
"""Variables of a cell that frontends set: VS Code, papermill (`inject_paths`), Jupyter."""
_SESSION = "JPY_SESSION_NAME"
"""Variable of the environment that Jupyter's server sets."""


def read_notebook(shell: Any, top: Path | None, environment: Mapping[str, str]) -> NotebookFile:  # noqa: ANN401  # IPython's
    """Return the notebook that a shell executes, as far as it is known; never raises.

    Args:
        shell: IPython shell.
        top: work tree of the repository.
        environment: environment variables.
    """
    kernel = kernel_name()
    try:
        path, source = find_path(getattr(shell, "user_ns", {}), environment)
    except Exception as error:  # noqa: BLE001  # variables of a foreign program
        path, source = None, f"{type(error).__name__}: {error}"
    if path is None:
        why = (
            f"nothing states which notebook this kernel executes; {NOTEBOOK_VARIABLE} can"
            if in_kernel()
            else "cells that are typed into IPython are in no file"
        )
        return NotebookFile(kernel=kernel, unknown={"path": why})
    shown = _shown(path, top)
    try:
        cells = [NotebookCell(id=cell.id, hash=hash_source(cell.source)) for cell in read_code_cells(path)]
        saved_at = path.stat().st_mtime
    except (LedgerError, OSError) as error:
        why = error.message if isinstance(error, LedgerError) else (error.strerror or str(error)).lower()
        return NotebookFile(path=shown, source=source, kernel=kernel, unknown={"order": why.partition(": `")[0]})
    return NotebookFile(path=shown, source=source, kernel=kernel, cells=cells, saved_at=saved_at)


def find_path(variables: Mapping[str, object], environment: Mapping[str, str]) -> tuple[Path | None, str | None]:
    """Return the path of the notebook file, and what stated it; none where nothing does."""
    said: dict[str, object] = {NOTEBOOK_VARIABLE: environment.get(NOTEBOOK_VARIABLE)}
    said |= {name: variables.get(name) for name in _NAMES}
    said |= {_SESSION: environment.get(_SESSION)}
    for source, value in said.items():
        if isinstance(value, str) and value.endswith(".ipynb"):
            return Path(os.path.abspath(value)), source  # noqa: PTH100  # links in it remain: its name is what people know
    return None, None


def _shown(path: Path, top: Path | None) -> str:
    """Return a path relative to the repository, where it is in there."""
    if top is not None:
        for folder in (path.parent, path.parent.resolve()):
            if folder.is_relative_to(top):
                return (folder / path.name).relative_to(top).as_posix()
    return str(path)
