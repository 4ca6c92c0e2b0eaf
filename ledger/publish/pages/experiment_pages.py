"""The list of experiments and the page of one: settings with their spread, varied params, curves, best results."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from ledger.analysis.advice.inquiry import NO_INQUIRY, Inquiry
from ledger.analysis.comparing.comparable import (
    Group,
    Leaderboard,
    Standing,
    counts,
    leaderboards,
)
from ledger.analysis.comparing.leaderboard import SettingBoard, settings_on, short_key
from ledger.analysis.comparing.param_ranking import rank_params
from ledger.analysis.comparing.settings import Setting, Spread, is_seed, settings_of, spread_of, spread_of_runs
from ledger.model.entries import StoredRun
from ledger.model.values import Document, Number
from ledger.publish.charts.curve_panels import try_points
from ledger.publish.charts.growth_chart import growth_section
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page
from ledger.publish.pages.parts.experiment_curves import experiment_curves
from ledger.publish.pages.parts.experiment_parallel import experiment_parallel
from ledger.publish.pages.parts.experiment_ranges import ranges_of
from ledger.publish.pages.parts.experiment_scatters import experiment_scatters, headline_values, is_number
from ledger.publish.pages.parts.run_sparks import run_sparks
from ledger.publish.pages.parts.run_tables import common_groups, run_table
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render
from ledger.publish.text import param_text, short_hash

EARLIER_SHOWN = 20
"""Most former questions, hypotheses and conclusions on the page, the latest."""
RUNS_SHOWN = 50
"""Most rows of an experiment's table; the table of all runs has the rest."""
BESTS_SHOWN = 20
"""Most comparable groups whose best setting the page names."""
_BESTS_LOOKED_AT = 40
VARIED_SHOWN = 16
"""Most params of which the values are listed."""
SETTINGS_SHOWN = 30
"""Most settings in the table of settings, those with most runs."""
_SETTING_GROUPS = 3
"""Most comparable groups in the table of settings: the headline metric on its dataset versions."""

_CONTENTS = (
    ("best", "Best results"),
    ("settings", "Settings"),
    ("varied", "What was varied"),
    ("growth", "Growth"),
    ("curves", "Learning curves"),
    ("runs", "Runs"),
)


class Best(Document, frozen=True, kw_only=True):
    """The best setting of a comparable group."""

    group: Group
    """The group."""
    run: StoredRun
    """The run."""
    value: Number
    """The mean of its setting."""
    count: int
    """Number of runs that it is the best of."""
    spread: Spread | None = None
    """Spread over the runs of its setting: the effect of chance alone."""
    tied: bool = False
    """Whether another setting has the same mean."""
    leading: bool = False
    """Whether it may be the best of these settings: its lead over others is no more than noise."""


class ExperimentRow(Document, frozen=True, kw_only=True):
    """One experiment in the list of experiments."""

    name: str
    """Its name."""
    runs: tuple[StoredRun, ...]
    """Its runs, oldest first."""
    statuses: list[tuple[str, int]]
    """How they ended, the most frequent end first."""
    best: Best | None
    """The best setting by its headline metric on the newest version of the data, where one is known."""
    inquiry: Inquiry
    """What people said that it asks and showed."""


class SettingRow(Document, frozen=True, kw_only=True):
    """One setting in the table of settings."""

    shown: list[tuple[str, str]]
    """Params that distinguish it from the other settings, as typed."""
    code: str
    """Commit and patch, shortened, where settings differ in code; else empty."""
    count: int
    """Number of runs."""
    numbers: str
    """Numbers of these runs among those of the page, separated by spaces."""
    spreads: list[Spread | None]
    """Spread in each comparable group; none where no run has a finite value."""


def render_experiment(name: str, atlas: Atlas, read_blob: Callable[[str], bytes]) -> Page:
    """Return the page of an experiment: its runs, varied params, curves and the best per comparable group."""
    runs = atlas.experiments[name]
    groups = common_groups(runs)
    headline = groups[0] if groups else None
    judged = [group for group in groups if headline and group.known and group.key == headline.key][:_SETTING_GROUPS]
    settings = settings_of(runs)
    inquiry = atlas.inquiries.get(name, NO_INQUIRY)
    numbers = {run.record.id: number for number, run in enumerate(runs)}
    boards, keys = leaderboards(runs), {run.record.id: short_key(run) for run in runs}
    board = _headline_board(boards, headline, keys)
    ranked, values = rank_params(runs), headline_values(runs, headline)
    growth = growth_section(runs, headline)
    points_of = cache(lambda run_id: try_points(atlas.by_id[run_id], read_blob)[0])  # each run is read once
    curves = experiment_curves(runs, headline, board, atlas, points_of)
    table = run_table(runs, atlas, limit=RUNS_SHOWN)
    series = curves[0].series if curves else None
    best = board.direction if board is not None and board.group.key == series else None
    content = render(
        "experiment",
        names=atlas.names,
        name=name,
        runs=runs,
        note=next((run for run in runs if run.record.note), None),
        inquiry=inquiry,
        earlier_shown=EARLIER_SHOWN,
        runs_since=inquiry.runs_since(runs),
        table=table,
        sparks=run_sparks([row.run for row in table.rows], series, best, points_of),
        bests=_bests(runs, boards, keys, atlas)[:BESTS_SHOWN],
        judged=judged,
        settings=_setting_rows(settings, judged, numbers),
        settings_total=len(settings),
        address_of=atlas.address_of,
        varied_total=len(ranked),
        varied=[(param, _values(runs, param)) for param in ranked[:VARIED_SHOWN]],
        headline=headline,
        scatters=experiment_scatters(runs, ranked, headline, values),
        parallel=experiment_parallel(runs, ranked, headline, values, board.direction if board else None),
        ranges=ranges_of(runs, ranked, headline, values),
        numbers=numbers,
        growth=growth,
        curves=curves,
        statuses=_statuses(runs),
        authors=list(dict.fromkeys(run.record.author.name for run in runs)),
        depth=1,
    )
    return Page(
        kind="experiment",
        path=addresses.experiment_page(name),
        title=name,
        description=f"Experiment {name}: {len(runs)} runs, what was varied and what came out",
        content=content,
        contents=_CONTENTS if growth.views or growth.why_not else [one for one in _CONTENTS if one[0] != "growth"],
    )


def render_experiments(atlas: Atlas) -> Page:
    """Return the list of experiments, the one with the latest run first."""
    bests = _newest_bests(atlas)
    rows = [
        ExperimentRow(
            name=name,
            runs=runs,
            statuses=_statuses(runs),
            best=bests.get(name),
            inquiry=atlas.inquiries.get(name, NO_INQUIRY),
        )
        for name, runs in atlas.experiments.items()
    ]
    asked = [(name, inquiry) for name, inquiry in atlas.inquiries.items() if name not in atlas.experiments]
    return Page(
        kind="experiments",
        path=addresses.EXPERIMENTS,
        title="Experiments",
        description=f"{len(rows)} experiments: groups of runs that answer one question",
        content=render("experiments", rows=rows, asked=asked, depth=1),
    )


def _statuses(runs: Sequence[StoredRun]) -> list[tuple[str, int]]:
    """Return how the runs ended, the most frequent end first; a retracted run counts as nothing else."""
    return Counter(run.standing for run in runs).most_common()


def _bests(
    runs: Sequence[StoredRun], boards: Sequence[Leaderboard], keys: Mapping[str, str], atlas: Atlas
) -> list[Best]:
    """Return the best setting in each group where it is known, among these runs alone; of training data last."""
    headlines = {run.record.results.headline for run in runs}
    boards = sorted(boards, key=lambda board: (board.group.key not in headlines, atlas.is_training(board.group)))
    return list(_bests_on(boards[:_BESTS_LOOKED_AT], keys))


def _bests_on(boards: Sequence[Leaderboard], keys: Mapping[str, str]) -> Iterator[Best]:
    """Yield the best setting of each board where that is known."""
    for board in boards:
        by_id = {standing.run.record.id: standing.run for standing in board.standings}
        ranked = settings_on(board, keys)
        first = next((place for place in ranked.places if place.rank == 1), None)
        if first is None or first.spread is None:
            continue
        spread = spread_of_runs(
            [one.metric.number for one in board.standings if one.run.record.id in first.runs[: first.spread.count]]
        )
        yield Best(
            group=board.group,
            run=by_id[first.runs[0]],
            value=first.spread.mean,
            count=ranked.runs,
            spread=spread,
            tied=first.tied,
            leading=first.leading,
        )


def _headline_board(
    boards: Sequence[Leaderboard], headline: Group | None, keys: Mapping[str, str]
) -> SettingBoard | None:
    """Return the settings in the group of the headline; none where there is no group, or no run in it counts."""
    board = next((board for board in boards if headline and board.group.id == headline.id), None)
    return None if board is None else settings_on(board, keys)


def _setting_rows(settings: Sequence[Setting], groups: Sequence[Group], numbers: Mapping[str, int]) -> list[SettingRow]:
    """Return the settings with most runs; none when no setting has repeats, as there is no spread to show."""
    if not groups or all(len(setting.runs) == 1 for setting in settings):
        return []
    told = [name for name in rank_params(setting.runs[0] for setting in settings) if not is_seed(name)]
    other_code = len({(setting.commit, setting.patch) for setting in settings}) > 1
    most = sorted(settings, key=lambda setting: -len(setting.runs))[:SETTINGS_SHOWN]
    return [
        SettingRow(
            shown=[(name, param_text(setting.params[name])) for name in told if name in setting.params],
            code=_code_text(setting) if other_code else "",
            count=len(setting.runs),
            numbers=" ".join(str(numbers[run.record.id]) for run in setting.runs),
            spreads=[spread_of(setting, group) for group in groups],
        )
        for setting in most
    ]


def _code_text(setting: Setting) -> str:
    commit = short_hash(setting.commit, 10) if setting.commit else "unknown code"
    return f"{commit} and uncommitted changes" if setting.patch else commit


def _newest_bests(atlas: Atlas) -> dict[str, Best]:
    """Return the best setting of each experiment by its headline metric, on the newest version of the data.

    Means, as everywhere; of training data and retired versions none.
    """
    heads: dict[str, Counter[str]] = {}
    for run in filter(counts, atlas.runs):
        if head := run.record.results.headline:
            heads.setdefault(run.record.experiment, Counter())[head] += 1
    wanted = {name: keys.most_common(1)[0][0] for name, keys in heads.items()}
    newest: dict[str, Leaderboard] = {}
    for board in atlas.boards:
        if not board.ranked or board.group.dataset in atlas.retired or atlas.is_training(board.group):
            continue
        for name, own in _by_experiment(board, wanted).items():
            if name not in newest or atlas.age_of(board.group) > atlas.age_of(newest[name].group):
                newest[name] = own
    keys = {run: str(number) for run, number in atlas.settings.items()}
    found = {name: next(_bests_on([board], keys), None) for name, board in newest.items()}
    return {name: best for name, best in found.items() if best is not None}


def _by_experiment(board: Leaderboard, wanted: Mapping[str, str]) -> dict[str, Leaderboard]:
    """Return the part of a board that each experiment has, of those whose metric it shows."""
    members: dict[str, list[Standing]] = {}
    for standing in board.standings:
        name = standing.run.record.experiment
        if wanted.get(name) == board.group.key:
            members.setdefault(name, []).append(standing)
    return {
        name: Leaderboard(group=board.group, direction=board.direction, standings=tuple(own))
        for name, own in members.items()
    }


def _values(runs: Sequence[StoredRun], param: str) -> list[tuple[str, int]]:
    """Return the values of a param as typed, the most frequent first, then by size where they are numbers."""
    values = [run.record.params.values[param] for run in runs if param in run.record.params.values]
    counts = Counter(param_text(value) for value in values)
    sizes = {param_text(value): float(value) for value in values if is_number(value)}  # type: ignore[arg-type]  # checked
    return sorted(counts.items(), key=lambda item: (-item[1], sizes.get(item[0], math.inf), item[0]))[:12]
