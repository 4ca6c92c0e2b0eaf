"""The page of machines: which GPUs worked, which were held and did nothing, by host, hour and user, and in money."""

from collections.abc import Sequence
from datetime import date, timedelta

from ledger.analysis.hosts.day_sums import DaySums, Minutes
from ledger.analysis.hosts.idle import HostCalendar, HostUse, IdleGroup, calendars, idle_report
from ledger.model.hosts import HOURS
from ledger.publish.charts.idle_grid import render_idle_grid
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.site.templating import render

DAYS = 28
"""Days that the page shows, up to the last one that is known."""
_HOSTS = 60
"""Most hosts of the grid, those with most idle hours first."""
_DRAWN = 6
"""Most hosts that are drawn day by day."""
_DRAWN_DAYS = 14
_ROWS = 30
_TABLES: tuple[tuple[IdleGroup, str], ...] = (("week", "Week"), ("user", "User"), ("gpu", "Kind of GPU"))


def render_machines(hosts: HostUse, until: date | None = None) -> Page:
    """Return the page of machines.

    Args:
        hosts: days of watched hosts, with the prices of their GPUs.
        until: day of the last entry on the ledger; days after it are none that anybody has seen.
    """
    past = [one for one in hosts.days if until is None or one.day <= until.isoformat()]
    days = _latest(past)
    by_host = idle_report(days, "host", hosts.price_of, hosts.currency)
    reports = [
        (label, report)
        for by, label in _TABLES
        if (report := idle_report(days, by, hosts.price_of, hosts.currency)) is not None
    ]
    names = [group.name for group in by_host.groups] if by_host is not None else []
    ranked = sorted(calendars(days), key=lambda one: names.index(one.host))
    grid = render_idle_grid([_together(one) for one in ranked[:_HOSTS]], "Share held idle by host and hour of the day")
    content = render(
        "machines",
        report=by_host,
        future=len(hosts.days) - len(past),
        reports=reports,
        grid=markup(grid) if ranked else None,
        left_out=max(0, len(ranked) - _HOSTS),
        drawn=[(one.host, one.cards, markup(_day_by_day(one))) for one in ranked[:_DRAWN]],
        drawn_days=_DRAWN_DAYS,
        rows=_ROWS,
        depth=1,
    )
    return Page(
        kind="machines",
        path=addresses.MACHINES,
        title="Machines",
        description=f"How the GPUs of {len(ranked)} watched hosts were used, run or no run",
        content=content,
    )


def _latest(days: Sequence[DaySums]) -> list[DaySums]:
    if not days:
        return []
    last = date.fromisoformat(max(one.day for one in days))
    first = (last - timedelta(days=DAYS - 1)).isoformat()
    return [one for one in days if one.day >= first]


def _together(one: HostCalendar) -> tuple[str, list[Minutes]]:
    hours = [Minutes() for _ in range(HOURS)]
    for minutes in one.days.values():
        hours = [before.plus(more) for before, more in zip(hours, minutes, strict=True)]
    return one.host, hours


def _day_by_day(one: HostCalendar) -> str:
    rows = list(one.days.items())[-_DRAWN_DAYS:]
    return render_idle_grid(rows, f"Share held idle on {one.host}, by day and hour")
