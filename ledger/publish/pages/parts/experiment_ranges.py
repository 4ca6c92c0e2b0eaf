"""What the sliders of an experiment limit: the params that matter most and the headline metric, for each run."""

from collections.abc import Mapping, Sequence

from ledger.analysis.comparing.comparable import Group
from ledger.analysis.comparing.settings import is_seed
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.pages.parts.experiment_scatters import is_number

PARAMS_ASKED = 4
"""Most params with a slider."""
_FEWEST_RUNS = 3
"""Fewest runs of which a part is worth choosing."""


class Ranges(Document, frozen=True, kw_only=True):
    """Values that a reader can limit."""

    names: tuple[str, ...]
    """Params, then the headline metric."""
    rows: str
    """Values of each run, oldest first: `;` between runs, `,` between values; nothing where a run has none."""


def ranges_of(
    runs: Sequence[StoredRun], ranked: Sequence[str], headline: Group | None, values: Mapping[str, float]
) -> Ranges | None:
    """Return what can be limited; none where there is too little to choose from.

    Args:
        runs: of the experiment, oldest first.
        ranked: params that differ, those that matter most first.
        headline: the group of the headline metric.
        values: headline value of each run that counts.
    """
    columns: dict[str, list[str]] = {}
    for param in ranked:
        given = [run.record.params.values.get(param) for run in runs]
        told = [f"{value:.6g}" if is_number(value) else "" for value in given]
        if not is_seed(param) and _is_worth(told):
            columns[param] = told
        if len(columns) == PARAMS_ASKED:
            break
    if headline is not None:
        measured = (values.get(run.record.id) for run in runs)
        told = ["" if value is None else f"{value:.6g}" for value in measured]
        if _is_worth(told):
            columns[headline.key] = told
    if not columns or len(runs) < _FEWEST_RUNS:
        return None
    return Ranges(names=tuple(columns), rows=";".join(map(",".join, zip(*columns.values(), strict=True))))


def _is_worth(told: Sequence[str]) -> bool:
    """Return whether at least half of the runs have a value, and not all the same."""
    known = [text for text in told if text]
    return len(set(known)) > 1 and 2 * len(known) >= len(told)
