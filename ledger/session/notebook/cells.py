"""The cells that a shell executes: those of before from its history, those from now on as they begin and end."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from ledger.hashing import hash_bytes
from ledger.recorder.record.draft import ExecutedCell
from ledger.session.process.endings import ending_of
from ledger.session.spool.events import CellEnded, CellEvent

_MOST_CHARACTERS = 1 << 20
"""Longest source that is kept; of a longer one its beginning."""
_VSCODE = "vscode-notebook-cell:"

Say = Callable[[CellEvent | CellEnded], None]


class CellWatch:
    """Watches the cells of a shell. There is one of it in a shell; the shell itself holds it, by its callbacks.

    Args:
        shell: IPython shell.
    """

    def __init__(self, shell: Any) -> None:  # noqa: ANN401  # IPython is not imported
        self._shell = shell
        self._cells: dict[int, ExecutedCell] = {}
        self._clocks: dict[int, float] = {}
        self._listeners: list[tuple[Say, Callable[[BaseException], None]]] = []

    @classmethod
    def of(cls, shell: Any) -> "CellWatch":  # noqa: ANN401  # IPython is not imported
        """Return the watch of a shell; the first call starts it."""
        for callback in shell.events.callbacks.get("post_run_cell", []):
            owner = getattr(callback, "__self__", None)
            if isinstance(owner, cls):
                return owner
        watch = cls(shell)
        shell.events.register("pre_run_cell", watch._before)  # its own
        shell.events.register("post_run_cell", watch._after)
        return watch

    def stop(self) -> None:
        """Stop watching, unless a run needs it."""
        if not self._listeners:
            for name, callback in (("pre_run_cell", self._before), ("post_run_cell", self._after)):
                with suppress(ValueError):
                    self._shell.events.unregister(name, callback)

    def cells(self) -> list[ExecutedCell]:
        """Return every cell that was executed so far, in order; the last may still be running.

        Of cells from before the watch only the sources are known, from the history of the shell.
        """
        history = getattr(self._shell.history_manager, "input_hist_raw", [])
        known = {
            number: make_cell(number, source)
            for number, source in enumerate(history)
            if isinstance(source, str) and source.strip()
        }
        for number, cell in self._cells.items():
            if known.get(number, cell).hash == cell.hash:
                known[number] = cell
        return [known[number] for number in sorted(known)]

    def listen(self, say: Say, failed: Callable[[BaseException], None]) -> None:
        """Report every cell that begins or ends from now on, and every exception that a cell ends with."""
        self._listeners.append((say, failed))

    def leave(self, say: Say) -> None:
        """Report to this listener no longer."""
        self._listeners = [one for one in self._listeners if one[0] != say]

    def adopt(self, cell: ExecutedCell) -> None:
        """Watch for the end of a cell that began before the watch."""
        self._cells.setdefault(cell.number, cell)

    @property
    def number(self) -> int:
        """Number of the cell that is running, or ran last."""
        return max(0, len(getattr(self._shell.history_manager, "input_hist_raw", [])) - 1)

    def _before(self, info: Any) -> None:  # noqa: ANN401  # IPython's ExecutionInfo
        with suppress(Exception):  # a cell is executed, whatever is wrong with us
            if not info.store_history or not info.raw_cell.strip():
                return
            cell = make_cell(self._next(), info.raw_cell, getattr(info, "cell_id", None), at=time.time())
            self._cells[cell.number] = cell
            self._clocks[cell.number] = time.monotonic()
            self._report(CellEvent(cell=cell))

    def _after(self, result: Any) -> None:  # noqa: ANN401  # IPython's ExecutionResult
        with suppress(Exception):
            error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
            number = getattr(result, "execution_count", None)
            if not isinstance(number, int) or (cell := self._cells.get(number)) is None or cell.status is not None:
                return
            status, reason, _ = ending_of(error)
            began = self._clocks.pop(number, None)
            seconds = None if began is None else time.monotonic() - began
            self._cells[number] = msgspec.structs.replace(cell, seconds=seconds, status=status, reason=reason)
            if isinstance(error, BaseException):
                for _, failed in list(self._listeners):
                    failed(error)
            self._report(CellEnded(number=number, seconds=seconds, status=status, reason=reason))

    def _next(self) -> int:
        """Return the number of the cell that begins; older versions of IPython count it when it has ended."""
        count, known = self._shell.execution_count, len(self._shell.history_manager.input_hist_raw)
        return int(known if count == known else count - 1)

    def _report(self, event: CellEvent | CellEnded) -> None:
        for say, _ in list(self._listeners):
            say(event)


def make_cell(number: int, source: str, cell: str | None = None, at: float | None = None) -> ExecutedCell:
    """Return the execution of a cell that has not ended."""
    return ExecutedCell(
        number=number,
        cell=_short_id(cell),
        source=source[:_MOST_CHARACTERS],
        characters=len(source),
        hash=hash_source(source),
        at=at,
    )


def hash_source(source: str) -> str:
    """Return the hash of a cell's source, without white space at its end."""
    return hash_bytes(source.rstrip().encode("utf-8", "replace"))


def _short_id(cell: str | None) -> str | None:
    """Return the id of a cell without the path of the notebook, which VS Code puts in front of it."""
    if not isinstance(cell, str) or not cell:
        return None
    return (cell.rpartition("#")[2] if cell.startswith(_VSCODE) else cell)[:200]
