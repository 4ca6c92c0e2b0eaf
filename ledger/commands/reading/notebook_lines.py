"""The lines of `ledger show` about the notebook of a run."""

import shlex
from collections.abc import Iterator

from ledger.formatting import duration
from ledger.model.notebook import CellExecution, Notebook
from ledger.model.values import counted

_SHOWN = 12
"""Most executions that are shown, the last ones; the record has more."""


def notebook_lines(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield name and value of each line."""
    told = f" (stated by {notebook.source})" if notebook.source else ""
    path = notebook.path or f"unknown: {notebook.unknown.get('path', 'nothing states it')}"
    yield "notebook", f"{path}{told}{f', executed by {notebook.kernel}' if notebook.kernel else ''}"
    yield "would run it", f"{shlex.join(notebook.command)} (derived)" if notebook.command else ""
    exact = "" if notebook.exact else ", something was redacted or left out"
    distinct = len({one.hash for one in notebook.executions})
    yield "cells", f"{counted(len(notebook.executions), 'execution')} of {distinct} sources ({notebook.file}{exact})"
    shown = notebook.executions[-_SHOWN:]
    if len(shown) < len(notebook.executions):
        yield "earlier cells", f"{len(notebook.executions) - len(shown)}, in the record"
    for one in shown:
        yield f"In [{one.number}]", _execution(one)
    for why in notebook.warnings():
        yield "warning", why
    for field in ("order", "executions", "seconds"):
        if field in notebook.unknown:
            yield f"{field} of cells unknown", notebook.unknown[field]


def _execution(one: CellExecution) -> str:
    facts = [
        counted(one.lines, "line"),
        "before the run" if one.before else "",
        duration(one.seconds) if one.seconds is not None else "",
        one.status if one.status not in {None, "finished"} else "",
        one.reason or "",
        "out of order" if one.late else "",
        {"edited": "edited afterwards", "unsaved": "the file differs, not saved since"}.get(one.changed or "", ""),
    ]
    place = f"cell {one.position}: " if one.position is not None else ""
    return place + ", ".join(fact for fact in facts if fact)
