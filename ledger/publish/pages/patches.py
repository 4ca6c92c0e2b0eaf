"""Uncommitted changes as HTML: one block per file, coloured by class through Pygments, bounded in size."""

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ledger.model.values import Document
from ledger.publish.text import visible

if TYPE_CHECKING:
    from pygments.formatters import HtmlFormatter
    from pygments.lexers.diff import DiffLexer

LINES_SHOWN = 1500
"""Most lines of a patch on a page; the whole patch is beside the record."""
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


def _highlighted(text: str) -> Markup:
    lexer, formatter = _tools()
    from pygments import highlight

    return Markup(highlight(visible(text), lexer, formatter))  # noqa: S704  # Pygments escapes what it colours


@cache
def _tools() -> "tuple[DiffLexer, HtmlFormatter[str]]":
    from pygments.formatters import HtmlFormatter
    from pygments.lexers.diff import DiffLexer

    return DiffLexer(stripnl=False), HtmlFormatter(nowrap=True)
