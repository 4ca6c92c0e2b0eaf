"""The list of experiments and the page of one: settings with their spread, varied params, curves, best results."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from ledger.analysis.advice.inquiry import NO_INQUIRY, Inquiry
from ledger.analysis.comparing.comparable import (
    Group,
    Leaderboard,
    agreed_direction,
    counts,
    group_of,
    leaderboards,
    rank_key,
)
from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.leaderboard import SettingBoard, settings_on, short_key
from ledger.analysis.comparing.param_ranking import rank_params
from ledger.analysis.comparing.settings import Setting, Spread, is_seed, settings_of, spread_of, spread_of_runs
from ledger.model.boxes.outputs import Metric
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
    """The best setting of a comparable group, or its best run."""

    group: Group
    """The group."""
    run: StoredRun
    """The run."""
    value: Number
    """Its value; the mean of its setting on the page of an experiment."""
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
    bests: list[Best]
    """The best headline value, where one is known."""
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
    rows = [
        ExperimentRow(
            name=name,
            runs=runs,
            statuses=_statuses(runs),
            bests=_headline_best(runs),
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
    bests = []
    headlines = {run.record.results.headline for run in runs}
    boards = sorted(boards, key=lambda board: (board.group.key not in headlines, atlas.is_training(board.group)))
    for board in boards[:_BESTS_LOOKED_AT]:
        by_id = {standing.run.record.id: standing.run for standing in board.standings}
        ranked = settings_on(board, keys)
        first = next((place for place in ranked.places if place.rank == 1), None)
        if first is None or first.spread is None:
            continue
        spread = spread_of_runs(
            [one.metric.number for one in board.standings if one.run.record.id in first.runs[: first.spread.count]]
        )
        bests.append(
            Best(
                group=board.group,
                run=by_id[first.runs[0]],
                value=first.spread.mean,
                count=ranked.runs,
                spread=spread,
                tied=first.tied,
                leading=first.leading,
            )
        )
    return bests


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


def _headline_best(runs: Sequence[StoredRun]) -> list[Best]:
    """Return the best headline value in the group that most of the runs share; cheap enough for every experiment."""
    members: dict[Group, list[tuple[Metric, StoredRun]]] = {}
    for run in filter(counts, runs):
        if (headline := run.record.headline) and math.isfinite(headline.number):
            members.setdefault(group_of(headline), []).append((headline, run))
    for group, standings in sorted(members.items(), key=lambda item: (-len(item[1]), item[0])):
        direction = agreed_direction(metric for metric, _ in standings)
        if group.known and direction:
            strange = outside_range(group.key, [metric.number for metric, _ in standings], direction)
            kept = [pair for pair, outside in zip(standings, strange, strict=True) if not outside]
            metric, run = min(kept, key=lambda pair: rank_key(pair[0], direction, pair[1].record.id))
            return [Best(group=group, run=run, value=metric.value, count=len(standings))]
    return []


def _values(runs: Sequence[StoredRun], param: str) -> list[tuple[str, int]]:
    """Return the values of a param as typed, the most frequent first, then by size where they are numbers."""
    values = [run.record.params.values[param] for run in runs if param in run.record.params.values]
    counts = Counter(param_text(value) for value in values)
    sizes = {param_text(value): float(value) for value in values if is_number(value)}  # type: ignore[arg-type]  # checked
    return sorted(counts.items(), key=lambda item: (-item[1], sizes.get(item[0], math.inf), item[0]))[:12]
