"""The build of a ledger's site: only the pages that changed, with the same bytes every time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from ledger.analysis.advice.budget import Budget
from ledger.analysis.advice.milestones import Milestones
from ledger.analysis.comparing.comparable import Leaderboard
from ledger.analysis.hosts.idle import NO_HOSTS, HostUse
from ledger.errors import LedgerError
from ledger.model.document import uncollected
from ledger.model.entries import Contents, LogEntry, StoredRun
from ledger.model.values import Document
from ledger.publish.data.feed import FEED_PATH, render_feed
from ledger.publish.data.page_list import PAGES_PATH, listed_pages, render_pages
from ledger.publish.data.summary import SUMMARY_PATH, render_summary, summary_of
from ledger.publish.pages import (
    addresses,
    board_page,
    dataset_pages,
    experiment_pages,
    overview_pages,
)
from ledger.publish.pages.cost_page import render_costs
from ledger.publish.pages.home_page import render_home
from ledger.publish.pages.list_pages import render_lists
from ledger.publish.pages.machine_page import render_machines
from ledger.publish.pages.milestone_page import render_milestones, survey_milestones
from ledger.publish.pages.not_found import render_not_found
from ledger.publish.pages.page import Page
from ledger.publish.pages.parts.version_view import picture_files
from ledger.publish.pages.project_page import Project, found_in, render_projects
from ledger.publish.site.output import Progress, SiteReport, claim, read_memory, write_memory
from ledger.publish.site.placing import Placing, Render, Unit, finished
from ledger.publish.site.renderer import key_of, renderer_key
from ledger.publish.site.run_units import RunUnits
from ledger.publish.site.shells import Shells
from ledger.publish.site.site_data import Atlas, board_path, survey
from ledger.publish.site.table_units import table_units
from ledger.store.branch.policy import SPLITS, SitePolicy

ReadBlob = Callable[[str], bytes]


def build_site(
    contents: Contents,
    read_blob: ReadBlob,
    log: Sequence[LogEntry],
    output: Path,
    *,
    title: str = "Experiment ledger",
    repository_url: str | None = None,
    budget: Budget | None = None,
    splits: Mapping[str, str] = SPLITS,
    run_pages: int = SitePolicy().run_pages,
    hosts: HostUse = NO_HOSTS,
    proposals: Sequence[str] = (),
    notice: str = "",
    projects: Sequence[Project] = (),
    beside: str = "",
    inputs: str = "",
    progress: Progress | None = None,
    elsewhere: Callable[[str], Render] | None = None,
) -> SiteReport:
    """Build the site of `contents` in `output`, touching only what changed since the last build there.

    Args:
        contents: the whole ledger.
        read_blob: git blob id to its bytes, for files beside records.
        log: commits of the ledger branch, newest first.
        output: folder of the site; new, empty, or made by an earlier build.
        title: name of the site.
        repository_url: where commits are shown on the web (http or https), for links.
        budget: what one model may take up, as policy states it.
        splits: other names of splits, as policy states them.
        run_pages: number of newest runs with a page of their own, at least.
        hosts: days of watched hosts, with the prices of their GPUs.
        proposals: names of proposed runs that wait for a review.
        notice: what the home page says above everything.
        projects: other ledgers, which a page shows beside this one.
        beside: address of that page from the home page; empty where there is none.
        inputs: hash of all of these, by which the next build knows them; empty where it may not.
        progress: called with what is done, how many are done, and of how many.
        elsewhere: given the shell of a run's page, returns what renders pages of runs in other processes.

    Raises:
        Conflict: `output` holds something that no build made.
        LedgerError: the handbook cannot be built, or the output cannot be written.
    """
    started = time.monotonic()
    before, problems = read_memory(output)
    try:
        claim(output)
        site = Placing(output, before, progress)
        with uncollected():
            atlas = survey(contents, log, repository_url, splits, run_pages)
            shells = site.place_handbook(title, atlas.repository_url)
            not_found = finished(addresses.NOT_FOUND, {addresses.NOT_FOUND: render_not_found(title)})
            feed = finished(FEED_PATH, {FEED_PATH: render_feed(atlas, title)})
            around = _Around(
                title=title,
                budget=budget or Budget(),
                hosts=hosts,
                proposals=proposals,
                notice=notice,
                projects=projects,
                beside=beside,
            )
            render = elsewhere(shells["run"]) if elsewhere else None
            site.place_all([not_found, feed, *_units(atlas, read_blob, Shells(shells, atlas), around)], render)
        site.sweep()
        found = [f"{problem.path}: {problem.message}" for problem in atlas.problems]
        write_memory(output, site.memory(shells, inputs, found))
    except OSError as error:
        raise LedgerError(f"the site cannot be written: {error.strerror}: `{error.filename}`") from error
    return SiteReport(
        written=sum(path.endswith(".html") for path in site.written),
        kept=site.kept,
        deleted=sum(path.endswith(".html") for path in site.deleted),
        changed=tuple(sorted([*site.written, *site.deleted])),
        seconds=time.monotonic() - started,
        output=str(output),
        problems=(*problems, *found),
    )


class _Around(Document, frozen=True, kw_only=True):
    """What a site shows besides its ledger."""

    title: str
    budget: Budget
    hosts: HostUse
    proposals: Sequence[str]
    notice: str
    projects: Sequence[Project]
    beside: str


def _units(atlas: Atlas, read_blob: ReadBlob, shells: Shells, around: _Around) -> Iterator[Unit]:
    """Yield every unit of the site. Overviews are rendered at once: their bytes are their key."""
    renderer = renderer_key(atlas.repository_url)
    experiment_shell = key_of(renderer, shells.text("experiment"))
    budget = around.budget
    milestones = survey_milestones(atlas, budget)
    summary = summary_of(atlas, milestones, around.title)
    if around.beside and not around.projects:  # one of several: the page of all is made of these
        yield finished(SUMMARY_PATH, {SUMMARY_PATH: render_summary(summary)})
    found = [*listed_pages(atlas, milestones), *found_in(around.projects)]
    yield finished(PAGES_PATH, {PAGES_PATH: render_pages(found)})
    overviews = [*_overviews(atlas, milestones, around)]
    if around.projects:
        overviews.append(render_projects(summary, around.projects))
    for page in overviews:
        yield finished(page.path, {page.path: shells.join(page)})
    for name, versions in atlas.datasets.items():
        page = dataset_pages.render_dataset(name, atlas)
        pictures = picture_files(versions, atlas, read_blob)
        yield finished(page.path, {page.path: shells.join(page), **pictures})
    of_runs = RunUnits(atlas, read_blob, shells, budget, renderer)
    marks, places = of_runs.marks, of_runs.places
    yield from table_units(atlas, marks, renderer)
    yield from _boards(atlas, shells, key_of(renderer, shells.text("board")), marks)
    for name, runs in atlas.experiments.items():
        key = key_of(
            experiment_shell,
            [marks[run.record.id] for run in runs],
            sorted(_datasets_used(atlas, runs)),
            [places[run.record.id] for run in runs],
            [(atlas.names[run.record.id], atlas.is_older(run.record.id)) for run in runs],
            atlas.inquiries.get(name),
        )
        yield Unit(
            name=addresses.experiment_page(name),
            key=key,
            render=partial(_experiment_files, name, atlas, read_blob, shells),
        )
    yield from of_runs.units()


def _overviews(atlas: Atlas, milestones: Milestones, around: _Around) -> Iterator[Page]:
    hosts = around.hosts
    yield render_home(atlas, milestones, hosts, around.proposals, around.beside, around.notice)
    yield render_costs(atlas)
    yield render_milestones(atlas, milestones)
    yield render_machines(hosts, atlas.log[0].time.date() if atlas.log else None)
    yield overview_pages.render_runs(atlas)
    yield experiment_pages.render_experiments(atlas)
    yield dataset_pages.render_datasets(atlas)
    yield overview_pages.render_boards(atlas)
    if atlas.listed:
        yield overview_pages.render_other_boards(atlas)
    yield overview_pages.render_compare()
    yield from render_lists(atlas)
    yield overview_pages.render_glossary()


def _boards(atlas: Atlas, shells: Shells, renderer: str, marks: Mapping[str, str]) -> Iterator[Unit]:
    siblings: dict[str, list[object]] = {}
    for board in atlas.boards:
        ids = [standing.run.record.id for standing in board.standings]
        told = board.group, key_of(sorted(ids)), len(ids), atlas.address_of(board.group)
        siblings.setdefault(board.group.key, []).append(told)
    for board in atlas.own_pages:
        group = board.group
        ids = [standing.run.record.id for standing in board.standings]
        shown = [(marks[run_id], atlas.names[run_id], atlas.is_older(run_id)) for run_id in ids]
        aside = [(one, atlas.names.get(one.run), atlas.is_older(one.run)) for one in atlas.ranked[group.id].withdrawn]
        retired = atlas.retired.get(group.dataset)
        yield Unit(
            name=board_path(group),
            key=key_of(renderer, group, board.direction, shown, siblings[group.key], aside, retired),
            render=partial(_board_files, board, atlas, shells),
        )


def _board_files(board: Leaderboard, atlas: Atlas, shells: Shells) -> dict[str, bytes]:
    page = board_page.render_board(board, atlas)
    return {page.path: shells.join(page)}


def _experiment_files(name: str, atlas: Atlas, read_blob: ReadBlob, shells: Shells) -> dict[str, bytes]:
    page = experiment_pages.render_experiment(name, atlas, read_blob)
    return {page.path: shells.join(page)}


def _datasets_used(atlas: Atlas, runs: Sequence[StoredRun]) -> set[str]:
    return {use.name for run in runs for use in run.record.datasets.used if use.name and use.name in atlas.datasets}
