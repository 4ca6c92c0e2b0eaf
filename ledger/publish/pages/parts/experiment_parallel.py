"""Parallel coordinates on the page of an experiment: the params that matter most, and the headline metric, of runs."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ledger.analysis.comparing.comparable import Group
from ledger.analysis.comparing.settings import is_seed
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document
from ledger.publish.charts.parallel_axes import SHADES, ParallelAxis, render_parallel
from ledger.publish.pages.page import markup
from ledger.publish.pages.parts.experiment_scatters import is_number
from ledger.publish.text import param_text, visible

LINES_SHOWN = 200
"""Most runs in the chart, the newest: more lines hide each other."""
_PARAMS_SHOWN = 4
_FEWEST_PARAMS = 2
"""Params below which a scatter chart says the same."""
_FEWEST_RUNS = 5
_MOST_WORDS = 8
"""Most different words on an axis."""


class ParallelChart(Document, frozen=True, kw_only=True):
    """The chart with its words."""

    svg: Markup
    """The chart."""
    says: str
    """What colours mean, how many runs are drawn, and which."""


def experiment_parallel(
    runs: Sequence[StoredRun],
    ranked: Sequence[str],
    headline: Group | None,
    values: Mapping[str, float],
    direction: Direction | None,
) -> ParallelChart | None:
    """Return the chart; none where fewer than two params differ, or too few runs have all values.

    Args:
        runs: of the experiment, oldest first.
        ranked: params that differ, those that matter most first.
        headline: the group of the headline metric.
        values: headline value of each run that counts.
        direction: which of them are better.
    """
    if headline is None:
        return None
    measured = [(number, run) for number, run in enumerate(runs) if run.record.id in values]
    params = [param for param in ranked if not is_seed(param) and _fits([run for _, run in measured], param)]
    params = params[:_PARAMS_SHOWN]
    whole = [pair for pair in measured if all(param in pair[1].record.params.values for param in params)]
    shown = whole[-LINES_SHOWN:]
    if len(params) < _FEWEST_PARAMS or len(shown) < _FEWEST_RUNS:
        return None
    results = tuple(values[run.record.id] for _, run in shown)
    axes = [_axis([run for _, run in shown], param) for param in params]
    axes.append(ParallelAxis(name=visible(headline.key), values=results))
    title = f"Params and {visible(headline.key)} of {len(shown)} runs"
    svg = render_parallel(axes, _shades(results, direction), [number for number, _ in shown], title=title)
    return ParallelChart(svg=markup(svg), says=_says(len(shown), len(whole), len(runs), direction))


def _fits(runs: Sequence[StoredRun], param: str) -> bool:
    """Return whether a param of some runs has an axis: numbers, or a few words; at least half of them have it."""
    given = [run.record.params.values[param] for run in runs if param in run.record.params.values]
    if 2 * len(given) < len(runs) or len(set(map(param_text, given))) < 2:  # noqa: PLR2004  # one value tells nothing apart
        return False
    return all(map(is_number, given)) or len(set(map(param_text, given))) <= _MOST_WORDS


def _axis(runs: Sequence[StoredRun], param: str) -> ParallelAxis:
    given = [run.record.params.values[param] for run in runs]
    if all(map(is_number, given)):
        return ParallelAxis(name=visible(param), values=tuple(float(value) for value in given), log=True)  # type: ignore[arg-type]  # numbers
    words = [visible(param_text(value)) for value in given]
    order = sorted(set(words))
    return ParallelAxis(name=visible(param), values=tuple(order.index(word) for word in words), words=tuple(order))


def _shades(results: Sequence[float], direction: Direction | None) -> list[int]:
    """Return the quarter of each value, the best or else the highest as the strongest; equals have one shade."""
    sign = -1.0 if direction == "lower" else 1.0
    ordered = sorted(sign * value for value in results)
    first = {value: at for at, value in reversed(list(enumerate(ordered)))}
    first[ordered[-1]] = len(ordered) - 1  # the best is the strongest, however many are as good
    return [first[sign * value] * SHADES // len(results) for value in results]


def _says(shown: int, whole: int, runs: int, direction: Direction | None) -> str:
    strong = "better" if direction else "higher"
    said = f"Each line is a run; the stronger its colour, the {strong} its quarter of the results."
    said += " Where an axis has few values, equal ones are set apart a little."
    if shown < whole:
        return f"{said} {shown:,} of {runs:,} runs are drawn: the newest of those that have all values on this data."
    if shown < runs:
        return f"{said} {shown:,} of {runs:,} runs are drawn: those that finished and have all values on this data."
    return said
