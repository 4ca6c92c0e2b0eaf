"""The page of costs: what every week cost, by experiment and by author, and what of it was lost or idle."""

from collections.abc import Callable, Sequence

from ledger.analysis.advice.weekly_cost import WeekCost, main_currency, started_week, weekly_costs, weeks_until
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.charts.week_bars import render_week_bars
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render

_WEEKS = 26
"""Most weeks that are drawn, up to that of the last entry."""
_FEWEST = 8
"""Fewest weeks that are drawn: a single bar says nothing of its size."""
_ROWS = 52
_COLOURED = 7


class CostBy(Document, frozen=True, kw_only=True):
    """The cost of weeks, split in one way."""

    title: str
    """What an amount is split by."""
    picture: str
    """Bars by week, as SVG; empty where nothing was spent."""
    legend: list[str]
    """Names with a colour of their own, the dearest first."""
    others: int
    """How many further names there are."""


def render_costs(atlas: Atlas) -> Page:
    """Return the page of costs, in the currency in which most runs have a cost."""
    currency = main_currency(atlas.runs)
    started = {started_week(run) for run in atlas.runs}
    weeks = weeks_until(atlas.last_day, _WEEKS)
    first = next((at for at, week in enumerate(weeks) if week in started), 0)
    weeks = weeks[min(first, _WEEKS - _FEWEST) :]
    splits: list[tuple[str, Callable[[StoredRun], str]]] = [
        ("experiment", lambda run: run.record.experiment),
        ("author", lambda run: run.record.author.name),
    ]
    sums = weekly_costs(atlas.runs, sorted(started), currency, splits[0][1])
    content = render(
        "costs",
        currency=currency,
        views=[_view(atlas, weeks, currency, title, part) for title, part in splits] if currency else [],
        weeks=sums[::-1][:_ROWS],
        left_out=max(0, len(sums) - _ROWS),
        total=_total(sums),
        depth=1,
    )
    return Page(
        kind="costs",
        path=addresses.COSTS,
        title="Costs",
        description="What the runs of each week cost, by experiment and author, and what of it was lost or idle",
        content=content,
    )


def _view(
    atlas: Atlas, weeks: Sequence[str], currency: str | None, title: str, part: Callable[[StoredRun], str]
) -> CostBy:
    sums = weekly_costs(atlas.runs, weeks, currency, part)
    amounts: dict[str, float] = {}
    for one in sums:
        for name, amount in one.parts.items():
            amounts[name] = amounts.get(name, 0.0) + amount
    names = sorted(amounts, key=lambda name: (-amounts[name], name))
    bars = render_week_bars([(one.week, one.parts) for one in sums], names[:_COLOURED], f"Cost in {currency}")
    return CostBy(title=title, picture=markup(bars), legend=names[:_COLOURED], others=max(0, len(names) - _COLOURED))


def _total(sums: Sequence[WeekCost]) -> WeekCost:
    return WeekCost(
        week="all",
        runs=sum(one.runs for one in sums),
        unknown=sum(one.unknown for one in sums),
        failed=sum(one.failed for one in sums),
        amount=sum(one.amount for one in sums),
        lost=sum(one.lost for one in sums),
        idle=sum(one.idle for one in sums),
        gpu_hours=sum(one.gpu_hours for one in sums),
    )
