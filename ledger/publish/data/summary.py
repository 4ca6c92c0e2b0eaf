"""What a site says of itself to the site of a team: counts, cost by week, best settings, and what its search finds.

A site that stands beside others writes it, so that they are shown together without reading their ledgers again.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from ledger.analysis.advice.milestones import Milestones
from ledger.analysis.advice.weekly_cost import main_currency, weekly_costs, weeks_until
from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.publish.data.page_list import Found, listed_pages
from ledger.publish.pages import addresses
from ledger.publish.pages.home_page import best_settings
from ledger.publish.site.site_data import Atlas
from ledger.publish.text import one_line

SUMMARY_PATH = "data/summary.json"
SUMMARY_WEEKS = 26
"""Weeks whose cost is told, up to that of the last entry."""
RUNS_FOUND = 2000
"""Newest runs of a project that the search of all projects finds."""
_BESTS, _TEXT = 3, 120


class BestValue(Document, frozen=True, kw_only=True):
    """The best setting of one metric."""

    metric: str
    """Metric and split."""
    dataset: str
    """Dataset version."""
    setting: str
    """Name of the setting."""
    mean: float
    """Its mean."""
    runs: int
    """Number of runs behind it."""
    page: str
    """Its leaderboard."""


class WeekSum(Document, frozen=True, kw_only=True):
    """The sums of one week."""

    week: str
    """Week as ISO 8601 writes it."""
    amount: float
    """Cost of the runs that started in it, where it is known."""
    runs: int
    """How many started in it."""
    failed: int
    """How many of these did not finish."""


class SiteSummary(Document, frozen=True, kw_only=True):
    """One site in short."""

    title: str
    """Name of the site."""
    runs: int
    """Number of runs."""
    experiments: int
    """Number of experiments."""
    last: datetime | None
    """When the latest run ended, UTC; none without runs."""
    currency: str | None
    """Currency of the amounts; none where no cost is known."""
    weeks: list[WeekSum]
    """The last weeks, oldest first."""
    bests: list[BestValue]
    """Best settings, headline metrics first."""
    found: list[Found]
    """What the search finds: its pages and newest runs."""


def summary_of(atlas: Atlas, milestones: Milestones, title: str) -> SiteSummary:
    """Return the summary of a site."""
    currency = main_currency(atlas.runs)
    weeks = weekly_costs(
        atlas.runs, weeks_until(atlas.last_day, SUMMARY_WEEKS), currency, lambda run: run.record.experiment
    )
    runs = [
        (
            addresses.run_page(run.record.id),
            one_line(atlas.names[run.record.id], _TEXT),
            one_line(f"run of {run.record.experiment} · {run.standing} · {run.record.id}", _TEXT),
        )
        for run in reversed(atlas.runs[-RUNS_FOUND:])
    ]
    return SiteSummary(
        title=title,
        runs=len(atlas.runs),
        experiments=len(atlas.experiments),
        last=max((run.record.timing.ended_at for run in atlas.runs), default=None),
        currency=currency,
        weeks=[WeekSum(week=one.week, amount=one.amount, runs=one.runs, failed=one.failed) for one in weeks],
        bests=[
            BestValue(
                metric=best.board.group.key,
                dataset=best.board.group.dataset,
                setting=best.name,
                mean=best.place.spread.mean,
                runs=best.place.spread.count,
                page=atlas.address_of(best.board.group),
            )
            for best in best_settings(atlas)[:_BESTS]
            if best.place.spread is not None
        ],
        found=[*listed_pages(atlas, milestones, overviews=False), *runs],
    )


def render_summary(summary: SiteSummary) -> bytes:
    """Return a summary as a file."""
    return msgspec.json.encode(summary) + b"\n"


def read_summary(output: Path) -> SiteSummary:
    """Return the summary of the site in a folder.

    Raises:
        LedgerError: there is none, or it cannot be read.
    """
    try:
        return msgspec.json.decode((output / SUMMARY_PATH).read_bytes(), type=SiteSummary)
    except (OSError, msgspec.MsgspecError) as error:
        raise LedgerError(f"the summary of a site cannot be read: `{output / SUMMARY_PATH}`: {error}") from error
