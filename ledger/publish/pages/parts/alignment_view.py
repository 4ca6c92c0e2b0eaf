"""Production on a leaderboard's page: correlation with online metrics, and online metrics over their periods."""

import math
from collections.abc import Mapping

from ledger.analysis.comparing.alignment import Alignment, align
from ledger.analysis.comparing.comparable import Leaderboard
from ledger.model.values import Document
from ledger.publish.charts.charts import Dot, Stretch, dot_title, render_history, render_scatter
from ledger.publish.pages.addresses import link, run_page
from ledger.publish.site.site_data import Atlas
from ledger.publish.text import visible


class AlignmentView(Document, frozen=True, kw_only=True):
    """An alignment with its picture."""

    alignment: Alignment
    """The numbers."""
    chart: str
    """One dot for each run, as SVG."""
    path: str
    """Leaderboard of the online metric."""


def alignment_views(board: Leaderboard, atlas: Atlas, *, depth: int) -> list[AlignmentView]:
    """Return the alignment of an offline board's metric with each online metric of its runs."""
    # All values of a group have the same period, or none: one is enough.
    online = {other.group.key for other in atlas.boards if other.standings[0].metric.period}
    if not online or not board.group.known or board.group.key in online:
        return []
    runs = [standing.run for standing in board.standings]
    try:
        found = [one for key in sorted(online) for one in align(runs, board.group.key, key)]
    except ModuleNotFoundError:  # scipy is part of the extra; without it pages have no correlations
        return []
    return [
        AlignmentView(alignment=one, chart=_scatter(one, depth), path=path)
        for one in found
        if one.offline.id == board.group.id and (path := atlas.address_of(one.online))
    ]


def render_periods(board: Leaderboard, *, depth: int) -> str:
    """Return a chart of an online metric over its periods; empty for a single period.

    Each run is a dot, the oldest first. No line joins them: periods are different
    data.
    """
    if not board.standings[0].metric.period:
        return ""
    periods: dict[str, dict[str, float]] = {}
    for run in (standing.run for standing in board.standings):
        for metric in run.metrics():
            if metric.key == board.group.key and metric.period and math.isfinite(metric.number):
                periods.setdefault(metric.period, {})[run.record.id] = metric.number
    if len(periods) < 2:  # noqa: PLR2004  # one period has no others
        return ""
    stretches = [Stretch(label=visible(period), dots=_dots(periods[period], depth)) for period in sorted(periods)]
    title = f"{visible(board.group.key)} of the runs above, in each period"
    return render_history(stretches, title=title, y_label=visible(board.group.key), direction=None, joined=False)


def _dots(values: Mapping[str, float], depth: int) -> list[Dot]:
    return [
        Dot(x=float(at), y=value, title=dot_title(run, value), url=link(run_page(run), depth))
        for at, (run, value) in enumerate(sorted(values.items()))
    ]


def _scatter(alignment: Alignment, depth: int) -> str:
    dots = [
        Dot(x=pair.offline, y=pair.online, title=dot_title(pair.run, pair.online), url=link(run_page(pair.run), depth))
        for pair in alignment.pairs
    ]
    if not dots:
        return ""
    return render_scatter(dots, x_label=visible(alignment.offline.key), y_label=visible(alignment.online.key))
