"""Code of a run as HTML, coloured by class through Pygments, bounded in size.

Uncommitted changes are one block per file, the cells of a notebook one per execution.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ledger.model.notebook import CellExecution, Notebook
from ledger.model.values import Document
from ledger.publish.text import visible

if TYPE_CHECKING:
    from pygments.formatters import HtmlFormatter
    from pygments.lexers.diff import DiffLexer
    from pygments.lexers.python import PythonLexer

LINES_SHOWN = 1500
"""Most lines of a patch, or of a notebook, on a page; all of it is beside the record."""
CELLS_SHOWN = 500
"""Most executed cells on a page, the last ones; as many as a record lists."""
LINE_LENGTH = 500
"""Most characters of a line on a page: minified files have lines of megabytes."""

_START = re.compile(r"^diff --git ", re.MULTILINE)
_NAME = re.compile(r'^\+\+\+ "?(?:b/)?(.+?)"?\t?$|^rename to (.+)$|^diff --git .+? "?b/(.+?)"?$', re.MULTILINE)


class FileChange(Document, frozen=True, kw_only=True):
    """The change of one file."""

    name: str
    """Its path."""
    added: int
    """Lines added."""
    removed: int
    """Lines removed."""
    html: Markup
    """The change, coloured."""


def load_patch(data: bytes) -> tuple[list[FileChange], int]:
    """Return the changes by file, and the number of omitted lines of a long patch."""
    text = data.decode("utf-8", "replace")
    starts = [match.start() for match in _START.finditer(text)] or [0]
    changes, budget, left_out = [], LINES_SHOWN, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        lines = text[start:end].rstrip("\n").split("\n")
        shown = lines[:budget]
        left_out += len(lines) - len(shown)
        budget -= len(shown)
        if shown:
            changes.append(_change(lines, shown))
    return changes, left_out


def _change(lines: list[str], shown: list[str]) -> FileChange:
    head = "\n".join(line[:LINE_LENGTH] for line in lines[:8])
    names = [group for match in _NAME.finditer(head) for group in match.groups() if group and group != "/dev/null"]
    body = [line for line in lines if not line.startswith(("+++", "---"))]
    return FileChange(
        name=names[-1] if names else "changes",
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
        html=_highlighted("\n".join(line[:LINE_LENGTH] for line in shown)),
    )


class CellView(Document, frozen=True, kw_only=True):
    """One execution of a cell."""

    execution: CellExecution
    """Its facts."""
    first: str
    """Its first line, shown while the code is folded."""
    html: Markup
    """Its source, coloured; empty where it is not shown."""
    left_out: int
    """Number of its lines that are not shown."""


def load_cells(notebook: Notebook, data: bytes) -> list[CellView]:
    """Return the executed cells of a notebook, in order; `data` is the file with their sources."""
    lines = data.decode("utf-8", "replace").split("\n")
    budget = LINES_SHOWN
    cells = []
    for one in notebook.executions[-CELLS_SHOWN:]:
        source = lines[one.line - 1 : one.line - 1 + one.lines] if one.line else []
        shown = [line[:LINE_LENGTH] for line in source[:budget]]
        budget -= len(shown)
        said = next((line.strip() for line in source if line.strip()), "")
        html = _highlighted("\n".join(shown), python=True) if shown else Markup()
        cells.append(CellView(execution=one, first=said[:LINE_LENGTH], html=html, left_out=one.lines - len(shown)))
    return cells


def _highlighted(text: str, *, python: bool = False) -> Markup:
    diff, code, formatter = _tools()
    from pygments import highlight

    return Markup(highlight(visible(text), code if python else diff, formatter))  # noqa: S704  # Pygments escapes what it colours


@cache
def _tools() -> "tuple[DiffLexer, PythonLexer, HtmlFormatter[str]]":
    from pygments.formatters import HtmlFormatter
    from pygments.lexers.diff import DiffLexer
    from pygments.lexers.python import PythonLexer

    return DiffLexer(stripnl=False), PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)
