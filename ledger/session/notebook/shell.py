"""The IPython shell of this process, where there is one; IPython is never imported here."""

import sys
import traceback
from pathlib import Path
from typing import Any

_FOREIGN = {"IPython", "ipykernel"}
"""Packages whose frames stand above those of a cell in a traceback."""


def find_shell() -> Any | None:  # noqa: ANN401  # IPython's shell
    """Return the shell that executes cells in this process; none where there is none. Never raises."""
    try:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        return shell if hasattr(shell, "history_manager") and hasattr(shell, "events") else None
    except Exception:  # noqa: BLE001  # whatever only looks like IPython
        return None


def in_kernel() -> bool:
    """Return whether a Jupyter kernel runs this process: it has no command line of its own. Never raises."""
    return getattr(find_shell(), "kernel", None) is not None


def in_notebook() -> bool:
    """Return whether cells are executed in this process. Never raises."""
    return find_shell() is not None


def kernel_name() -> str | None:
    """Return the program that executes the cells, with its version."""
    for name in ("ipykernel", "IPython") if in_kernel() else ("IPython",):
        module = sys.modules.get(name)
        if module is not None:
            return f"{name} {getattr(module, '__version__', '')}".strip()
    return None


def cell_trace(error: BaseException) -> str:
    """Return the traceback of an exception as Python prints it, from the frame of the cell on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        parts = Path(trace.tb_frame.f_code.co_filename).parts
        if "site-packages" not in parts or not set(parts) & _FOREIGN:
            break
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))
