"""The usual table of runs, from one line of text for each, as an index keeps it.

Loads no library, nothing of the model and not even `typing`: `ledger list` is asked in loops, and starting is most
of what it costs.
"""

from collections.abc import Sequence

Line = tuple[str, str, str]
"""What the table needs of a run: its id, the names of its params, and its cells, as `line_of` makes them."""

BETWEEN = "\t"
"""Stands between two names and between two cells; neither can hold it."""
EXACTLY = "\x01"
"""Parts what is shown of a param from what tells it from others that are shown alike."""
FACTS = ("status", "experiment", "headline", "measured on", "took", "cost")
"""What the first cells are; those of the params follow."""
_PARAMS_SHOWN = 6


def runs_table(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the usual table; of the params it shows the first that are not the same in all."""
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
