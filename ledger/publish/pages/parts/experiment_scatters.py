"""Params against the headline metric on the page of an experiment: one chart for each param that matters most."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ledger.analysis.comparing.comparable import Group, agreed_direction, counts, group_of
from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.settings import is_seed
from ledger.model.entries import StoredRun
from ledger.model.values import Document, ParamValue
from ledger.publish.charts.charts import FEW_PLACES, LINKS_SHOWN, Dot, dot_title, render_scatter
from ledger.publish.pages import addresses
from ledger.publish.pages.page import markup
from ledger.publish.text import param_text, visible

SCATTERS_SHOWN = 6
"""Most params in charts against the headline metric."""
DOTS_SHOWN = 3000
"""Most runs in a chart, the newest: 12 bytes each."""


class Scatter(Document, frozen=True, kw_only=True):
    """One chart."""

    param: str
    """The param."""
    svg: Markup
    """The chart."""
    says: str
    """How many runs are drawn, and which, where it is not all of them; else empty."""


def headline_values(runs: Sequence[StoredRun], headline: Group | None) -> dict[str, float]:
    """Return the finite values of the headline metric of the runs that count, none outside of the range of others."""
    if headline is None:
        return {}
    values = {run.record.id: m.number for run in filter(counts, runs) for m in run.metrics() if group_of(m) == headline}
    direction = agreed_direction(m for run in runs for m in run.metrics() if group_of(m) == headline)
    strange = outside_range(headline.key, list(values.values()), direction)
    return {
        name: value
        for (name, value), outside in zip(values.items(), strange, strict=True)
        if not outside and math.isfinite(value)
    }


def experiment_scatters(
    runs: Sequence[StoredRun], ranked: Sequence[str], headline: Group | None, values: Mapping[str, float]
) -> list[Scatter]:
    """Return a chart of each varied numeric param against the headline metric, within one comparable group.

    The params that the metric moves with most come first. Seeds have no chart.

    Args:
        runs: of the experiment, oldest first.
        ranked: params that differ, those that matter most first.
        headline: the group that most headlines were measured in; none when there is none.
        values: its value of each run that counts, as `headline_values` returns them.
    """
    if headline is None:
        return []
    charts: list[Scatter] = []
    for param in ranked:
        if not is_seed(param) and (chart := _scatter(runs, param, headline, values)) is not None:
            charts.append(chart)
        if len(charts) == SCATTERS_SHOWN:
            break
    return charts


def is_number(value: ParamValue) -> bool:
    """Return whether a param is a finite number, which can stand on an axis."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _scatter(runs: Sequence[StoredRun], param: str, headline: Group, values: Mapping[str, float]) -> Scatter | None:
    dots = []
    for number, run in enumerate(runs):
        value, x = values.get(run.record.id), run.record.params.values.get(param)
        if value is not None and is_number(x):
            title = dot_title(f"{run.record.id}, {param} {param_text(x)}", value)
            page = addresses.link(addresses.run_page(run.record.id), 1)
            dots.append(Dot(x=float(x), y=value, title=title, url=page, run=number))  # type: ignore[arg-type]  # a number
    if len({dot.x for dot in dots}) <= 1:
        return None
    shown = dots[-DOTS_SHOWN:]
    svg = render_scatter(shown, x_label=visible(param), y_label=visible(headline.key))
    said = [_says(len(shown), len(dots), len(runs))]
    if len(shown) > LINKS_SHOWN and len({dot.x for dot in shown}) <= FEW_PLACES:
        said.append("Points of one value are set apart sideways.")
    return Scatter(param=param, svg=markup(svg), says=" ".join(filter(None, said)))


def _says(shown: int, measured: int, runs: int) -> str:
    """Return how many runs a chart has where that is not all of them."""
    if shown < measured:
        return f"{shown:,} of {runs:,} runs are drawn: the newest of those with both values on this data."
    if measured < runs:
        return f"{measured:,} of {runs:,} runs are drawn: those that finished and have both values on this data."
    return ""
