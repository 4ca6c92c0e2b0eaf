"""Pages about one subject: an experiment, or a dataset with the history of its versions."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ledger.analysis.comparable import Group, agreed_direction, group_of, leaderboards, rank_key
from ledger.model.boxes import Metric
from ledger.model.entries import DatasetVersion, Run
from ledger.model.values import Document, Number
from ledger.publish import names
from ledger.publish.atlas import Atlas, Measurement, board_path
from ledger.publish.charts import Dot, Line, Stretch, dot_title, render_history, render_lines, render_scatter
from ledger.publish.curve_panels import axis_of, line_of, try_points
from ledger.publish.page import Page, markup
from ledger.publish.run_tables import common_groups, run_table, varied_params
from ledger.publish.templating import render
from ledger.publish.text import param_text, visible

RUNS_SHOWN = 200
"""Rows of an experiment's table; the table of all runs has the rest."""
CURVES_SHOWN = 8
"""Runs whose curves are laid over each other: as many as there are colours."""
SCATTERS_SHOWN = 6
"""Params drawn against the headline metric."""
DOTS_SHOWN = 300
"""Measurements drawn per dataset version, the latest."""
MATRIX_ROWS = 30
"""Runs in the matrix of measurements by dataset version."""


_EXPERIMENT_CONTENTS = (
    ("best", "Best results"),
    ("varied", "What was varied"),
    ("curves", "Learning curves"),
    ("runs", "Runs"),
)
_DATASET_CONTENTS = (
    ("versions", "Versions"),
    ("history", "Over time"),
    ("matrix", "Run by version"),
    ("boards", "Leaderboards"),
)


class Overlay(Document, frozen=True, kw_only=True):
    """One series of several runs in one chart."""

    series: str
    """Name of the series."""
    svg: str
    """The chart."""
    run_ids: tuple[str, ...]
    """Its runs, in the order of their colours."""


class Best(Document, frozen=True, kw_only=True):
    """The best run of a comparable group."""

    group: Group
    """The group."""
    run: Run
    """The run."""
    value: Number
    """Its value."""
    count: int
    """How many runs it is the best of."""


class VersionFacts(Document, frozen=True, kw_only=True):
    """A dataset version with what was measured on it."""

    version: DatasetVersion
    """The version."""
    judged: int
    """Runs measured on it."""
    trained: int
    """Runs trained on it."""


def render_experiment(name: str, atlas: Atlas, read_blob: Callable[[str], bytes]) -> Page:
    """Return the page of an experiment: its runs, what was varied, curves and the best per comparable group."""
    runs = atlas.experiments[name]
    headline = next(iter(common_groups(runs)), None)
    content = render(
        "experiment",
        name=name,
        runs=runs,
        question=next((run for run in runs if run.record.note), None),
        table=run_table(runs, limit=RUNS_SHOWN),
        bests=_bests(runs),
        board_path=board_path,
        varied=[(param, _values(runs, param)) for param in varied_params(runs)[:24]],
        headline=headline,
        scatters=[markup(svg) for svg in _scatters(runs, headline)],
        overlay=_overlay(runs, headline, read_blob),
        statuses=Counter(run.record.status for run in runs).most_common(),
        markup=markup,
        depth=1,
    )
    return Page(
        kind="experiment",
        path=names.experiment_page(name),
        title=name,
        description=f"Experiment {name}: {len(runs)} runs, what was varied and what came out",
        content=content,
        contents=_EXPERIMENT_CONTENTS,
    )


def render_experiments(atlas: Atlas) -> Page:
    """Return the list of experiments, the one with the latest run first."""
    rows = []
    for name, runs in atlas.experiments.items():
        rows.append((name, runs, Counter(run.record.status for run in runs).most_common(), _headline_best(runs)))
    return Page(
        kind="experiments",
        path=names.EXPERIMENTS,
        title="Experiments",
        description=f"{len(rows)} experiments: groups of runs that answer one question",
        content=render("experiments", rows=rows, depth=1),
    )


def render_datasets(atlas: Atlas) -> Page:
    """Return the list of datasets with their versions."""
    rows = [(name, [_facts(version, atlas) for version in versions]) for name, versions in atlas.datasets.items()]
    return Page(
        kind="datasets",
        path=names.DATASETS,
        title="Datasets",
        description=f"{len(rows)} datasets and the history of every validation set",
        content=render("datasets", rows=rows, depth=1),
    )


def render_dataset(name: str, atlas: Atlas) -> Page:
    """Return the page of a dataset: its versions, and each metric over time, broken where the version changes."""
    versions = atlas.datasets[name]
    measured = [_by_key(atlas.measurements.get(version.hash, ())) for version in versions]
    keys: Counter[str] = Counter()
    for members in measured:
        keys.update({key: len(measurements) for key, measurements in members.items()})
    main = keys.most_common(1)[0][0] if keys else None
    content = render(
        "dataset",
        name=name,
        facts=[_facts(version, atlas) for version in versions],
        charts=[(key, markup(chart)) for key in sorted(keys) if (chart := _history(key, versions, measured))],
        main=main,
        matrix=_matrix([members.get(main or "", []) for members in measured]),
        versions=versions,
        boards=[
            (board, board_path(board.group))
            for version in versions
            for board in atlas.boards
            if board.group.dataset_hash == version.hash
        ],
        depth=1,
    )
    return Page(
        kind="dataset",
        path=names.dataset_page(name),
        title=name,
        description=f"Dataset {name}: {len(versions)} versions, why each exists, and what was measured on it",
        content=content,
        contents=_DATASET_CONTENTS,
    )


def _bests(runs: Sequence[Run]) -> list[Best]:
    """Return the best of the runs in each group where that can be said; of these runs alone, never of others."""
    return [
        Best(group=board.group, run=board.best.run, value=board.best.metric.value, count=len(board.standings))
        for board in leaderboards(runs)
        if board.best
    ]


def _headline_best(runs: Sequence[Run]) -> list[Best]:
    """Return the best headline value in the group that most of the runs share; cheap enough for every experiment."""
    members: dict[Group, list[tuple[Metric, Run]]] = {}
    for run in runs:
        if (headline := run.record.headline) and math.isfinite(headline.number):
            members.setdefault(group_of(headline), []).append((headline, run))
    for group, standings in sorted(members.items(), key=lambda item: (-len(item[1]), item[0])):
        direction = agreed_direction(metric for metric, _ in standings)
        if group.known and direction:
            metric, run = min(standings, key=lambda pair: rank_key(pair[0], direction, pair[1].record.id))
            return [Best(group=group, run=run, value=metric.value, count=len(standings))]
    return []


def _values(runs: Sequence[Run], param: str) -> list[tuple[str, int]]:
    counts = Counter(param_text(run.record.params.values[param]) for run in runs if param in run.record.params.values)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:12]


def _scatters(runs: Sequence[Run], headline: Group | None) -> list[str]:
    """Draw each numeric param that varies against the headline metric, within one comparable group."""
    if headline is None:
        return []
    charts: list[str] = []
    values = {run.record.id: m.number for run in runs for m in run.metrics() if group_of(m) == headline}
    for param in varied_params(runs):
        dots = []
        for run in runs:
            value, x = values.get(run.record.id), run.record.params.values.get(param)
            if value is not None and math.isfinite(value) and _is_number(x):
                title = dot_title(f"{run.record.id}, {param} {param_text(x)}", value)
                page = names.link(names.run_page(run.record.id), 1)
                dots.append(Dot(x=float(x), y=value, title=title, url=page))  # type: ignore[arg-type]  # checked above
        if len({dot.x for dot in dots}) > 1:
            charts.append(render_scatter(dots[-DOTS_SHOWN:], x_label=visible(param), y_label=visible(headline.key)))
    return charts[:SCATTERS_SHOWN]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _overlay(runs: Sequence[Run], headline: Group | None, read_blob: Callable[[str], bytes]) -> Overlay | None:
    """Lay the latest runs' curves of one series over each other: the headline's, else the one that most have."""
    kept = [run for run in runs if run.record.results.curves is not None]
    logged = [run.record.results.curves.series for run in kept if run.record.results.curves]
    counts = Counter(name for names_of_run in logged for name in names_of_run)
    if not counts:
        return None
    series = headline.key if headline and headline.key in counts else counts.most_common(1)[0][0]
    chosen = [run for run in kept if run.record.results.curves and series in run.record.results.curves.series]
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
    return Overlay(series=series, svg=svg, run_ids=tuple(ids)) if svg else None


def _facts(version: DatasetVersion, atlas: Atlas) -> VersionFacts:
    members = atlas.measurements.get(version.hash, ())
    trained = sum(
        any(use.hash == version.hash and use.role == "train" for use in run.record.datasets.used) for run in atlas.runs
    )
    return VersionFacts(version=version, judged=len({member.run.record.id for member in members}), trained=trained)


def _by_key(measurements: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        found.setdefault(measurement.metric.key, []).append(measurement)
    return found


def _history(key: str, versions: Sequence[DatasetVersion], measured: Sequence[Mapping[str, list[Measurement]]]) -> str:
    stretches, directions = [], []
    for slot, (version, members) in enumerate(zip(versions, measured, strict=True)):
        ours = [m for m in members.get(key, ()) if math.isfinite(m.metric.number)][-DOTS_SHOWN:]
        directions += [m.metric for m in ours]
        if ours:
            dots = [_measured_dot(m, version.version, slot) for m in ours]
            stretches.append(Stretch(label=version.version, dots=dots))
    if not stretches:
        return ""
    title = f"{key} over time, broken where the dataset version changes"
    return render_history(stretches, title=title, y_label=visible(key), direction=agreed_direction(directions))


def _measured_dot(measurement: Measurement, version: str, slot: int) -> Dot:
    run_id = measurement.run.record.id
    return Dot(
        x=measurement.at.timestamp(),
        y=measurement.metric.number,
        title=dot_title(f"{run_id} on {version}", measurement.metric.number),
        url=names.link(names.run_page(run_id), 1),
        slot=slot,
    )


def _matrix(measured: Sequence[Sequence[Measurement]]) -> list[tuple[Run, list[float | str | None]]]:
    """Return the latest runs with the latest of one metric on each version; none where it was not measured."""
    values = [{m.run.record.id: m.metric.value for m in members} for members in measured]
    runs = {m.run.record.id: m.run for members in measured for m in members}
    latest = sorted(runs, reverse=True)[:MATRIX_ROWS]
    return [(runs[run_id], [column.get(run_id) for column in values]) for run_id in latest]
