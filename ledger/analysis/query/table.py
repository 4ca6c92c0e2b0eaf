"""The table of `ledger list`, made from one line of text per run, as an index stores it.

Imports no library, nothing of the model and not even `typing`: `ledger list` is called in loops, and starting up is
most of its cost.
"""

from collections.abc import Sequence

Line = tuple[str, str, str]
"""The row of a run in the index: id, names of its params, and cells, as `line_of` makes them."""

BETWEEN = "\t"
"""Separator of two names and of two cells; neither can contain it."""
EXACTLY = "\x01"
"""Separator between the shown name of a param and its exact name, where two would look alike."""
FACTS = ("status", "experiment", "headline", "measured on", "took", "cost")
"""Names of the first cells, which hold the fields of a run; the cells of params follow."""
_PARAMS_SHOWN = 6


def runs_table(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table; its param columns are the first that differ between runs."""
    params = [dict(zip(_parts(names), cells.split(BETWEEN)[len(FACTS) :], strict=False)) for _, names, cells in lines]
    shown = _that_differ(params)[:_PARAMS_SHOWN] if len(lines) > 1 else []
    rows = []
    for (run, _, cells), values in zip(lines, params, strict=True):
        *facts, cost = cells.split(BETWEEN)[: len(FACTS)]
        rows.append([run, *facts, *(values.get(name, "").partition(EXACTLY)[0] for name in shown), cost])
    return ["run", *FACTS[:-1], *shown, FACTS[-1]], rows


def _that_differ(params: Sequence[dict[str, str]]) -> list[str]:
    names = sorted({name for values in params for name in values})
    return [name for name in names if len({values.get(name) for values in params}) > 1]


def _parts(names: str) -> list[str]:
    return names.split(BETWEEN) if names else []
