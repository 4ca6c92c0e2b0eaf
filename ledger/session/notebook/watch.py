"""A run in a notebook: tells its spool which notebook it is, what was executed before, and each cell from now on."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ledger.session.notebook.cells import CellWatch
from ledger.session.notebook.inline_figures import InlineFigures
from ledger.session.notebook.place import read_notebook
from ledger.session.run.figures import write_figure
from ledger.session.spool.events import AnyEvent, CellEvent, FigureEvent, NotebookEvent

Say = Callable[[AnyEvent], None]


class NotebookWatch:
    """Follows the notebook of one run.

    Args:
        shell: IPython shell.
        say: appends an event to the spool.
        failed: is given each exception that a cell ends with.
        top: work tree of the repository.
    """

    def __init__(
        self,
        shell: Any,  # noqa: ANN401  # IPython is not imported
        say: Say,
        failed: Callable[[BaseException], None],
        top: Path | None,
    ) -> None:
        self._shell = shell
        self._say = say
        self._failed = failed
        self._top = top
        self._cells: CellWatch | None = None
        self._figures: InlineFigures | None = None

    def start(self) -> None:
        """Tell what is known now; the notebook file as it is now counts for a run that is killed."""
        self._cells = watch = CellWatch.of(self._shell)
        self._say_of_file()
        cells = watch.cells()
        for cell in cells[:-1]:
            self._say(CellEvent(cell=msgspec.structs.replace(cell, before=True)))
        for cell in cells[-1:]:  # the one that runs now
            running = msgspec.structs.replace(cell, at=cell.at or time.time(), before=cell.status is not None)
            watch.adopt(running)
            self._say(CellEvent(cell=running))
        watch.listen(self._say, self._failed)

    def keep_figures(self, folder: Path, say: Say) -> str | None:
        """Keep the figures that the notebook shows from now on; return why that is not possible, if so."""

        def keep(picture: bytes, title: str) -> None:
            say(FigureEvent(title=title, path=str(write_figure(picture, folder, title))))

        watch = CellWatch.of(self._shell)
        self._figures = InlineFigures(self._shell, lambda: watch.number, keep)
        return self._figures.start()

    def stop(self) -> None:
        """Compare with the notebook file once more, and follow no longer; never raises."""
        if self._figures is not None:
            self._figures.stop()
        if self._cells is not None:
            self._cells.leave(self._say)
            self._say_of_file()

    def _say_of_file(self) -> None:
        self._say(NotebookEvent(notebook=read_notebook(self._shell, self._top, os.environ)))
