"""A progress bar on stderr for work that takes a moment; none where stderr is no terminal."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ledger.model.characters import plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """One bar, drawn only when the block takes longer than half a second.

    Args:
        title: current work.
    """

    _PATIENCE_SECONDS = 0.5

    def __init__(self, title: str) -> None:
        self._title = title
        self._drawn: tuple[Progress, TaskID] | None = None
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._drawn is not None:
            self._drawn[0].stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Show the current step, how many are done, and of how many."""
        if not sys.stderr.isatty() or time.monotonic() - self._since < self._PATIENCE_SECONDS:
            return
        if self._drawn is None:
            self._drawn = self._draw()
        progress, task = self._drawn
        described = plain(f"{self._title}: {what}" if what else self._title).replace("\n", " ")
        progress.update(task, description=described, completed=done, total=total)

    def count(self, done: int, total: int) -> None:
        """Show how many are done, and of how many."""
        self.show("", done, total)

    def _draw(self) -> "tuple[Progress, TaskID]":
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        described = TextColumn("{task.description}", markup=False)
        columns = (described, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        progress = Progress(*columns, console=Console(stderr=True))
        progress.start()
        return progress, progress.add_task(self._title, total=None)
