"""`ledger idle`: which GPUs were held and did nothing, by host, user, job, kind or time, and what that cost."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import click

from ledger.analysis.hosts.day_sums import Minutes
from ledger.analysis.hosts.idle import HostCalendar, IdleGroup, IdleReport, IdleSum, calendars, idle_report
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, UsageError
from ledger.formatting import money, number, share
from ledger.model.values import counted, plain
from ledger.store.branch.branch import Branch
from ledger.store.index.idle import price_in, read_host_days

_BACK = re.compile(r"(\d{1,4})\s*(d|days?|w|weeks?)")
_SHADES = " ░▒▓█"
_NOTHING, _UNCLEAR = "·", "?"


@click.command("idle")
@click.option(
    "--since", metavar="DAY", default="7d", show_default=True, help="From then on: 2026-11-20, or 7d, 4w back."
)
@click.option("--until", metavar="DAY", help="Up to that day, included.")
@click.option(
    "--by", type=click.Choice(get_args(IdleGroup)), default="host", show_default=True, help="What sums are over."
)
@click.option("--host", metavar="NAME", help="Only this host.")
@click.option("--calendar", is_flag=True, help="Draw host by hour: the darker, the more was held idle.")
@click.option(
    "--also", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Another repository to sum up."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def idle_command(
    since: str,
    until: str | None,
    by: IdleGroup,
    host: str | None,
    calendar: bool,
    also: tuple[Path, ...],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show how the GPUs of watched hosts were used: busy, held idle, free, in hours of GPUs and in money.

    Held idle means that a process or a job held a GPU and less than 5 % of it worked. ledger watch records it, run or
    no run; days are UTC, and the price is that of the policy.

    Example: ledger idle --since 4w --by user
    """
    ledger = open_ledger()
    today = datetime.now(UTC).date().isoformat()
    first, last = _day(since), _day(until) if until is not None else today
    days = [
        one
        for branch in [ledger, *(Branch.open(path) for path in also)]
        for one in read_host_days(branch, first, last)
        if host is None or one.host == host
    ]
    catalogue = ledger.policy.prices
    report = idle_report(days, by, price_in(catalogue), catalogue.currency)
    if report is None:
        whose = f"no day of the host `{plain(host)}`" if host is not None else "no day of any host"
        raise LedgerError(f"{whose} is known from {first} to {last}", hint="ledger idle --since 4w; ledger watch")
    for why in report.left_out[:5]:
        say(f"warning: left out: {why}")
    if calendar:
        _draw(calendars(days))
    elif as_json:
        write_json(report)
    else:
        _write(report, as_csv=as_csv)


def _day(text: str) -> str:
    """Return a day that was given as one, or as days or weeks back from today.

    Raises:
        UsageError: it is neither.
    """
    back = _BACK.fullmatch(text.strip().lower())
    if back is not None:
        days = int(back[1]) * (7 if back[2].startswith("w") else 1)
        return (datetime.now(UTC).date() - timedelta(days=max(0, days - 1))).isoformat()
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError as error:
        raise UsageError(f"no day: `{plain(text)}`", hint="such as 2026-11-20, 7d or 4w") from error


def _write(report: IdleReport, *, as_csv: bool) -> None:
    header = [
        report.by,
        "busy h",
        "held idle h",
        "of held",
        "unclear h",
        "free h",
        "no answer h",
        "not watched h",
        "cost idle",
    ]
    shown = [*report.groups, *([report.all] if len(report.groups) > 1 else [])]
    rows = [_row(one, report.currency) for one in shown]
    if as_csv:
        write_csv(header, rows)
        return
    write_table(header, rows)
    planted = ", planted for the demo" if report.planted else ""
    say(f"hours of GPUs of {counted(report.hosts, 'host')}, {report.first} to {report.last} (UTC){planted}")


def _row(one: IdleSum, currency: str) -> list[str]:
    cost = money(one.held_amount, currency) if one.held_amount is not None else ""
    if one.unpriced_hours:
        cost = f"{number(one.unpriced_hours)} h without a price"
    part = "" if one.held_share is None else share(one.held_share)
    hours = (one.busy_hours, one.held_hours, one.unclear_hours, one.free_hours, one.missing_hours, one.unwatched_hours)
    busy, held, *others = (number(amount, 3) if amount else "" for amount in hours)
    return [plain(one.name), busy, held, part, *others, cost]


def _draw(hosts: list[HostCalendar]) -> None:
    """Print a line a host and day with a character an hour."""
    wide = max(len(one.host) for one in hosts)
    click.echo(f"{'':{wide}}  {'':10}  0     6     12    18    24 UTC")
    for one in hosts:
        for day, hours in one.days.items():
            click.echo(f"{plain(one.host):{wide}}  {day}  {''.join(map(_shade, hours))}")
    say(
        f"held idle: `{_SHADES[1]}` under a quarter of the time, `{_SHADES[4]}` over three;"
        f" `{_UNCLEAR}` use not known, `{_NOTHING}` not watched"
    )


def _shade(minutes: Minutes) -> str:
    if not sum(minutes):
        return _NOTHING
    if not minutes.known:
        return _UNCLEAR
    return _SHADES[0] if not minutes.held else _SHADES[min(4, 1 + int(4 * minutes.held / minutes.known))]
