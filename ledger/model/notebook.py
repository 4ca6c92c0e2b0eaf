"""The part of the code box that runs in a notebook have: the cells that the kernel executed, in their order."""

from typing import Literal

from ledger.model.values import Document, Status, counted, listed

_NAMED = 5
"""Most executions that a warning names."""


Change = Literal["edited", "unsaved"]
"""How the cell of an execution differs from what was executed."""


class CellExecution(Document, frozen=True, kw_only=True):
    """One execution of a cell."""

    number: int
    """Number of the execution, as in `In [7]`."""
    cell: str | None = None
    """Id of the cell, where the frontend states it."""
    position: int | None = None
    """Place of the cell among the code cells of the notebook file, from 1; none where it is not known."""
    hash: str
    """Hash of its source as it stands in `file`, secrets removed."""
    line: int | None = None
    """Line of `file` at which its source begins; none where the source was too large to be kept."""
    lines: int
    """Number of lines of its source."""
    left_out: int = 0
    """Number of characters at its end that are not in `file`."""
    before: bool = False
    """Whether it had ended when the run began: it may have defined what the run used."""
    seconds: float | None = None
    """Seconds that it took; none where that was not watched, and for the cell in which the run ended."""
    status: Status | None = None
    """How it ended; none where that was not watched, and for the cell in which the run ended."""
    reason: str | None = None
    """Exception that ended it."""
    late: bool = False
    """Whether a cell that stands below it in the notebook, or it itself, had been executed before."""
    changed: Change | None = None
    """`edited` afterwards; `unsaved` where the notebook file differs, but was not saved since and may be just older."""


class Notebook(Document, frozen=True, kw_only=True):
    """The notebook that a run was in, and what its kernel had executed when the run ended."""

    path: str | None = None
    """Path of the notebook file, inside the repository where it is in there."""
    source: str | None = None
    """What stated the path: a variable of the frontend, or `LEDGER_NOTEBOOK`."""
    kernel: str | None = None
    """Program that executed the cells, with its version."""
    command: list[str] = []
    """Command that would execute the notebook from top to bottom; derived from its path, nobody gave it."""
    file: str = "notebook.py"
    """File beside the record with the sources that were executed, each once, in the percent format."""
    hash: str
    """Hash of that file."""
    bytes: int
    """Size of that file in bytes."""
    exact: bool = True
    """Whether that file has all sources as they were executed; false when something was redacted or left out."""
    executions: list[CellExecution] = []
    """Every execution, in order."""
    skipped: int | None = None
    """Number of code cells that stand above an executed one and were never executed; none where it is not known."""
    identity: str | None = None
    """Hash of all sources in the order of their execution; runs that share it executed the same."""
    unknown: dict[str, str] = {}
    """What is not known, and why."""

    def warnings(self) -> list[str]:
        """Return why executing the notebook from top to bottom would do something else than this run did."""
        late = [one.number for one in self.executions if one.late]
        edited = [one.number for one in self.executions if one.changed == "edited"]
        failed = [one.number for one in self.executions if one.status not in {None, "finished"} and one.before]
        said = []
        if late:
            said.append(f"{_cells(late)} ran out of order: after a cell below, or again")
        if edited:
            said.append(f"{_cells(edited)} ran with a source that was edited afterwards")
        if failed:
            said.append(f"{_cells(failed)} failed before the run began")
        if self.skipped:
            said.append(f"{counted(self.skipped, 'cell')} above an executed one never ran")
        return said


def _cells(numbers: list[int]) -> str:
    return listed([f"In [{number}]" for number in numbers], _NAMED)
