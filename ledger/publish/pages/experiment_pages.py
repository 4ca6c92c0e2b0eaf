"""The list of experiments and the page of one: settings with their spread, varied params, curves, best results."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from ledger.analysis.comparing.comparable import (
    Group,
    agreed_direction,
    counts,
    data_of_curve,
    group_of,
    leaderboards,
    rank_key,
)
from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.leaderboard import Score, setting_board, short_key
from ledger.analysis.comparing.param_ranking import rank_params
from ledger.analysis.comparing.ranks import encode_trace, trace_of
from ledger.analysis.comparing.settings import Setting, Spread, is_seed, settings_of, spread_of, spread_of_runs
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import StoredRun
from ledger.model.values import Document, Number
from ledger.publish.charts.charts import DOTS_SHOWN, Dot, Line, dot_title, render_lines, render_scatter
from ledger.publish.charts.curve_panels import axis_of, line_of, try_points
from ledger.publish.charts.growth_chart import growth_section
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.run_tables import common_groups, run_table
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render
from ledger.publish.text import param_text, short_hash, visible

RUNS_SHOWN = 200
"""Most rows of an experiment's table; the table of all runs has the rest."""
BESTS_SHOWN = 20
"""Most comparable groups whose best setting the page names."""
_BESTS_LOOKED_AT = 40
CURVES_SHOWN = 8
"""Most runs in a chart of curves: as many as there are colours."""
SCATTERS_SHOWN = 6
"""Most params in charts against the headline metric."""
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


class Overlay(Document, frozen=True, kw_only=True):
    """One series of several runs in one chart."""

    series: str
    """Name of the series."""
    svg: str
    """The chart."""
    run_ids: tuple[str, ...]
    """Its runs, in the order of their colours."""
    on: str | None
    """Dataset version that all of them were measured on; none when nobody named it."""
    total: int
    """Number of runs that measured it on that data, drawn or not."""
    elsewhere: int
    """Number of runs that measured it on other data, which are not drawn."""


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


class SettingRow(Document, frozen=True, kw_only=True):
    """One setting in the table of settings."""

    shown: list[tuple[str, str]]
    """Params that distinguish it from the other settings, as typed."""
    code: str
    """Commit and patch, shortened, where settings differ in code; else empty."""
    count: int
    """Number of runs."""
    spreads: list[Spread | None]
    """Spread in each comparable group; none where no run has a finite value."""


def render_experiment(name: str, atlas: Atlas, read_blob: Callable[[str], bytes]) -> Page:
    """Return the page of an experiment: its runs, varied params, curves and the best per comparable group."""
    runs = atlas.experiments[name]
    groups = common_groups(runs)
    headline = groups[0] if groups else None
    judged = [group for group in groups if headline and group.known and group.key == headline.key][:_SETTING_GROUPS]
    settings = settings_of(runs)
    growth = growth_section(runs, headline)
    content = render(
        "experiment",
        names=atlas.names,
        name=name,
        runs=runs,
        question=next((run for run in runs if run.record.note), None),
        table=run_table(runs, atlas, limit=RUNS_SHOWN),
        bests=_bests(runs, atlas)[:BESTS_SHOWN],
        judged=judged,
        settings=_setting_rows(settings, judged),
        settings_total=len(settings),
        address_of=atlas.address_of,
        varied=[(param, _values(runs, param)) for param in rank_params(runs)[:24]],
        headline=headline,
        scatters=[markup(svg) for svg in _scatters(runs, headline)],
        growth=growth,
        overlay=_overlay(runs, headline, read_blob),
        statuses=_statuses(runs),
        authors=list(dict.fromkeys(run.record.author.name for run in runs)),
        markup=markup,
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
    rows = []
    for name, runs in atlas.experiments.items():
        rows.append((name, runs, _statuses(runs), _headline_best(runs)))
    return Page(
        kind="experiments",
        path=addresses.EXPERIMENTS,
        title="Experiments",
        description=f"{len(rows)} experiments: groups of runs that answer one question",
        content=render("experiments", rows=rows, depth=1),
    )


def _statuses(runs: Sequence[StoredRun]) -> list[tuple[str, int]]:
    """Return how the runs ended, the most frequent end first; a retracted run counts as nothing else."""
    return Counter(run.standing for run in runs).most_common()


def _bests(runs: Sequence[StoredRun], atlas: Atlas) -> list[Best]:
    """Return the best setting in each group where it is known, among these runs alone; of training data last."""
    keys = {run.record.id: short_key(run) for run in runs}
    traces = {run.record.id: encode_trace(trace_of(run)) for run in runs}
    bests = []
    headlines = {run.record.results.headline for run in runs}
    boards = sorted(
        leaderboards(runs), key=lambda board: (board.group.key not in headlines, atlas.is_training(board.group))
    )
    for board in boards[:_BESTS_LOOKED_AT]:
        by_id = {standing.run.record.id: standing.run for standing in board.standings}
        scores = [
            Score(
                run=name,
                setting=keys[name],
                value=standing.metric.number,
                trace=traces[name],
            )
            for standing in board.standings
            for name in [standing.run.record.id]
        ]
        ranked = setting_board(board.group, board.direction, scores)
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


def _setting_rows(settings: Sequence[Setting], groups: Sequence[Group]) -> list[SettingRow]:
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
    sizes = {param_text(value): float(value) for value in values if _is_number(value)}  # type: ignore[arg-type]  # checked
    return sorted(counts.items(), key=lambda item: (-item[1], sizes.get(item[0], math.inf), item[0]))[:12]


def _scatters(runs: Sequence[StoredRun], headline: Group | None) -> list[str]:
    """Return a chart of each varied numeric param against the headline metric, within one comparable group."""
    if headline is None:
        return []
    charts: list[str] = []
    values = {run.record.id: m.number for run in filter(counts, runs) for m in run.metrics() if group_of(m) == headline}
    direction = agreed_direction(m for run in runs for m in run.metrics() if group_of(m) == headline)
    strange = outside_range(headline.key, list(values.values()), direction)
    values = {name: value for (name, value), outside in zip(values.items(), strange, strict=True) if not outside}
    for param in (name for name in rank_params(runs) if not is_seed(name)):
        if len(charts) == SCATTERS_SHOWN:
            break
        dots = []
        for run in runs:
            value, x = values.get(run.record.id), run.record.params.values.get(param)
            if value is not None and math.isfinite(value) and _is_number(x):
                title = dot_title(f"{run.record.id}, {param} {param_text(x)}", value)
                page = addresses.link(addresses.run_page(run.record.id), 1)
                dots.append(Dot(x=float(x), y=value, title=title, url=page))  # type: ignore[arg-type]  # checked above
        if len({dot.x for dot in dots}) > 1:
            charts.append(render_scatter(dots[-DOTS_SHOWN:], x_label=visible(param), y_label=visible(headline.key)))
    return charts


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _overlay(runs: Sequence[StoredRun], headline: Group | None, read_blob: Callable[[str], bytes]) -> Overlay | None:
    """Return the latest runs' curves of one series in one chart: the headline's, else the most frequent one."""
    kept = [run for run in runs if run.record.results.curves is not None]
    logged = [run.record.results.curves.series for run in kept if run.record.results.curves]
    counts = Counter(name for names_of_run in logged for name in names_of_run)
    if not counts:
        return None
    series = headline.key if headline and headline.key in counts else counts.most_common(1)[0][0]
    having = [run for run in kept if run.record.results.curves and series in run.record.results.curves.series]
    on = data_of_curve(having[-1], series)
    wanted = on.hash if on else None
    chosen = [run for run in having if (use.hash if (use := data_of_curve(run, series)) else None) == wanted]
    lines: list[Line] = []
    ids: list[str] = []
    axis = "step"
    for run in chosen[-CURVES_SHOWN:]:
        points, _ = try_points(run, read_blob)
        if points:
            axis, places = axis_of(points)
            lines.append(line_of(points, places, series, run.record.id))
            ids.append(run.record.id)
    svg = render_lines(lines, title="Learning curves", x_label=axis, y_label=visible(series), width=800)
    if not svg:
        return None
    label = visible(on.label) if on else None
    return Overlay(
        series=series, svg=svg, run_ids=tuple(ids), on=label, total=len(chosen), elsewhere=len(having) - len(chosen)
    )
