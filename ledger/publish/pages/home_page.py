"""The home page, one screen: what was learned, what waits, what changed in the data, what is best, what it cost."""

from collections.abc import Sequence
from datetime import date

from ledger.analysis.advice.milestones import Milestones
from ledger.analysis.advice.weekly_cost import main_currency, weekly_costs, weeks_until
from ledger.analysis.comparing.leaderboard import Place, SettingBoard
from ledger.analysis.hosts.idle import NO_HOSTS, HostUse, IdleReport, idle_report
from ledger.formatting import day, iso_week
from ledger.model.entries import DatasetVersion, Note, StoredRun
from ledger.model.values import Document
from ledger.publish.charts.charts import render_calendar
from ledger.publish.charts.week_bars import render_sparkline
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.run_tables import run_table
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render

WEEKS = 12
"""Weeks of the sparkline."""
_BESTS, _LEARNED, _CHANGES, _FAILED, _RUNS, _LOG = 7, 5, 4, 4, 3, 8
_LEARNED_KINDS = {
    "milestone": "milestone",
    "acceptance": "accepted",
    "rejection": "rejected",
    "retest": "to be repeated",
    "retraction": "retracted",
    "comment": "note",
    "conclusion": "concluded",
}
"""Kinds of notes that say what was learned, in one word."""


class BestSetting(Document, frozen=True, kw_only=True):
    """The best setting of a metric on the newest version of its dataset that anything was measured on."""

    board: SettingBoard
    """Its leaderboard."""
    place: Place
    """The setting with the best mean."""
    run: StoredRun
    """Its best run."""
    name: str
    """Name of the setting."""
    newer: str | None
    """A newer version of the dataset, on which nothing was measured; none where there is none."""


class Learned(Document, frozen=True, kw_only=True):
    """A note that says what was learned from a run or an experiment."""

    word: str
    """Kind of the note."""
    note: Note
    """The note."""


def render_home(
    atlas: Atlas,
    milestones: Milestones,
    hosts: HostUse = NO_HOSTS,
    proposals: Sequence[str] = (),
    beside: str = "",
    notice: str = "",
) -> Page:
    """Return the home page; for an empty ledger it explains how to begin.

    Args:
        atlas: the whole ledger.
        milestones: stages that models reached.
        hosts: days of watched hosts, with the prices of their GPUs.
        proposals: names of proposed runs that wait for a review.
        beside: address of the page of all projects; empty where there is one ledger only.
        notice: what it says above everything.
    """
    last = atlas.last_day
    currency = main_currency(atlas.runs)
    weeks = weekly_costs(atlas.runs, weeks_until(last, WEEKS), currency, lambda run: run.record.experiment)
    line = [one.amount for one in weeks] if currency else [one.runs for one in weeks]
    furthest = milestones.models[0] if milestones.models else None
    claimed = [step for step in furthest.steps if step.note and not step.withdrawn] if furthest else []
    content = render(
        "home",
        atlas=atlas,
        names=atlas.names,
        furthest=furthest,
        lacking=sum(len(step.missing) for step in claimed),
        week=weeks[-1],
        currency=currency,
        sparkline=markup(render_sparkline(line, f"{'Cost' if currency else 'Runs'} of each of the last {WEEKS} weeks")),
        idle=_idle(hosts, last),
        proposals=proposals,
        beside=beside,
        notice=notice,
        bests=best_settings(atlas)[:_BESTS],
        learned=_learned(atlas)[:_LEARNED],
        changes=_changes(atlas)[:_CHANGES],
        failed=[run for run in reversed(atlas.runs) if run.record.status not in {"finished", "pruned"}][:_FAILED],
        table=run_table(atlas.runs, atlas, limit=_RUNS, params=0, metrics=0),
        calendar=markup(_calendar(atlas)),
        log=atlas.log[:_LOG],
        depth=0,
    )
    return Page(
        kind="home",
        path=addresses.HOME,
        title="Home",
        description=f"{len(atlas.runs)} runs in {len(atlas.experiments)} experiments: learned, best, waiting and cost",
        content=content,
    )


def best_settings(atlas: Atlas) -> list[BestSetting]:
    """Return the best setting of each metric and dataset, on the newest version that has one; headlines first.

    What was measured on training data is no result, and a retired version is history. Which version is newest is
    decided by content: a name that a run made up makes nothing new.
    """
    found: dict[tuple[str, str, str], SettingBoard] = {}
    for board in atlas.ranked.values():
        group = board.group
        if group.dataset in atlas.retired or atlas.is_training(group) or atlas.leader_of(group) is None:
            continue
        same = (group.key, group.dataset.partition("@")[0], group.evaluator)
        if same not in found or atlas.age_of(group) > atlas.age_of(found[same].group):
            found[same] = board
    headlines = {run.record.results.headline for run in atlas.runs}
    boards = sorted(found.values(), key=lambda one: (one.group.key not in headlines, -one.runs, one.group))
    return [best for board in boards if (best := _best(atlas, board)) is not None]


def _best(atlas: Atlas, board: SettingBoard) -> BestSetting | None:
    place, group = atlas.leader_of(board.group), board.group
    if place is None or place.runs[0] not in atlas.by_id:
        return None
    run = atlas.by_id[place.runs[0]]
    versions = atlas.datasets.get(group.dataset.partition("@")[0], ())
    newest = versions[-1] if versions else None
    newer = newest is not None and newest.hash != group.dataset_hash and newest.label not in atlas.retired
    return BestSetting(
        board=board,
        place=place,
        run=run,
        name=atlas.setting_names[run.record.id],
        newer=newest.label if newest and newer else None,
    )


def _learned(atlas: Atlas) -> list[Learned]:
    notes = [
        Learned(word=_LEARNED_KINDS[note.kind], note=note)
        for note in (*(note for run in atlas.runs for note in run.notes), *_conclusions(atlas))
        if note.kind in _LEARNED_KINDS
    ]
    return sorted(notes, key=lambda one: one.note.noted_at, reverse=True)


def _conclusions(atlas: Atlas) -> list[Note]:
    """Return the conclusions that stand, of experiments with a page."""
    return [one.conclusion for name, one in atlas.inquiries.items() if one.conclusion and name in atlas.experiments]


def _changes(atlas: Atlas) -> list[DatasetVersion]:
    """Return the versions of datasets that models are judged on, newest first."""
    versions = [one for members in atlas.datasets.values() for one in members if one.role in {"validation", "test"}]
    return sorted(versions, key=lambda one: one.added_at, reverse=True)


def _idle(hosts: HostUse, last: date) -> IdleReport | None:
    days = [one for one in hosts.days if iso_week(date.fromisoformat(one.day)) == iso_week(last)]
    return idle_report(days, "host", hosts.price_of, hosts.currency) if days else None


def _calendar(atlas: Atlas) -> str:
    counts: dict[str, tuple[int, int]] = {}
    for run in atlas.runs:
        at = day(run.record.timing.started_at)
        runs, bad = counts.get(at, (0, 0))
        counts[at] = (runs + 1, bad + (run.record.status not in {"finished", "pruned"}))
    return render_calendar(counts, date.fromisoformat(max(counts))) if counts else ""
