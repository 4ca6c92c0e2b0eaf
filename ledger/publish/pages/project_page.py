"""The page of several ledgers side by side: what each holds, what it cost, and its best settings."""

from collections.abc import Sequence

from ledger.model.values import Document
from ledger.publish.charts.week_bars import render_week_bars
from ledger.publish.data.page_list import Found
from ledger.publish.data.summary import SUMMARY_WEEKS, SiteSummary
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.site.templating import render

_COLOURED = 8
_FEWEST = 8
"""Fewest weeks that are drawn."""


class Project(Document, frozen=True, kw_only=True):
    """One ledger among those of a team."""

    name: str
    """Name, which is its folder too."""
    summary: SiteSummary
    """What its site says of itself."""

    @property
    def folder(self) -> str:
        """Folder of its site, with a slash at its end."""
        return f"{addresses.project_folder(self.name)}/"


def found_in(projects: Sequence[Project]) -> list[Found]:
    """Return what the search of the team's site finds in projects; each hit names its project."""
    return [
        (f"{project.folder}{path}", title, f"{project.name} · {text}")
        for project in projects
        for path, title, text in project.summary.found
    ]


def render_projects(own: SiteSummary, projects: Sequence[Project]) -> Page:
    """Return the page of the ledger that the site is of and of the others, the one with the latest run first.

    Args:
        own: the ledger at the top of the site.
        projects: the others.
    """
    shown = [("", own, ""), *((one.name, one.summary, one.folder) for one in projects)]
    shown.sort(key=lambda one: one[1].last.isoformat() if one[1].last else "", reverse=True)
    currencies = [summary.currency for _, summary, _ in shown if summary.currency]
    currency = max(set(currencies), key=lambda one: (currencies.count(one), one)) if currencies else None
    weeks = sorted({week.week for _, summary, _ in shown for week in summary.weeks})[-SUMMARY_WEEKS:]
    sums: dict[str, dict[str, float]] = {week: {} for week in weeks}
    for name, summary, _ in shown:
        if summary.currency == currency:
            for week in summary.weeks:
                if week.week in sums and week.amount:
                    sums[week.week][name or summary.title] = week.amount
    names = sorted({name for parts in sums.values() for name in parts})
    first = next((at for at, week in enumerate(weeks) if sums[week]), 0)
    drawn = weeks[min(first, max(0, len(weeks) - _FEWEST)) :]
    bars = (
        render_week_bars([(week, sums[week]) for week in drawn], names[:_COLOURED], f"Cost in {currency}")
        if currency
        else ""
    )
    content = render(
        "projects",
        shown=[(name or summary.title, summary, folder, _latest(summary)) for name, summary, folder in shown],
        week=weeks[-1] if weeks else "",
        currency=currency,
        bars=markup(bars),
        legend=names[:_COLOURED],
        others=max(0, len(names) - _COLOURED),
        uncounted=[name or summary.title for name, summary, _ in shown if summary.currency not in {currency, None}],
        depth=1,
    )
    return Page(
        kind="list",
        path=addresses.PROJECTS,
        title="All projects",
        description=f"{len(shown)} ledgers side by side: runs, cost and best settings of each",
        content=content,
    )


def _latest(summary: SiteSummary) -> tuple[str, int, int, float]:
    """Return the last week of a project, with its runs, those that failed, and the cost."""
    if not summary.weeks:
        return "", 0, 0, 0.0
    week = summary.weeks[-1]
    return week.week, week.runs, week.failed, week.amount
