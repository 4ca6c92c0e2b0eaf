"""The list of datasets and the page of one: its versions and the results on each."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from ledger.analysis.comparing.comparable import agreed_direction
from ledger.analysis.comparing.matrix import MatrixRow, matrix_of
from ledger.analysis.data.cases import case_stories
from ledger.model.datasets import OVERRIDES_BEFORE_WARNING
from ledger.model.entries import DatasetVersion
from ledger.model.values import Document
from ledger.publish.charts.charts import DOTS_SHOWN, Dot, Stretch, dot_title, render_history
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.version_view import Story, tell
from ledger.publish.site.site_data import Atlas, Measurement
from ledger.publish.site.templating import render
from ledger.publish.text import one_line, visible

CHARTS_SHOWN = 12
"""Most metrics with a chart over time."""
MATRIX_ROWS = 500
"""Most runs in the matrix of results by dataset version."""

_NAME = 40
"""Most characters of a name in a chart."""

_CONTENTS = (
    ("versions", "Versions"),
    ("history", "Over time"),
    ("matrix", "Run by version"),
    ("cases", "Cases that must pass"),
    ("boards", "Leaderboards"),
)


class MatrixView(Document, frozen=True, kw_only=True):
    """One metric of every run on every version of a dataset."""

    rows: list[MatrixRow]
    """Runs with a value on the newest version, then those without, each newest first; at most `MATRIX_ROWS`."""
    counts: list[int]
    """How many of all runs have a value on each version."""
    total: int
    """How many runs were measured on any version."""


class NamedVersion(Document, frozen=True, kw_only=True):
    """A dataset version that runs name and that has no history on the ledger."""

    label: str
    """Its name and version, as runs say them."""
    roles: list[str]
    """What runs used it for."""
    hash: str | None
    """Its content hash, where runs know it."""
    runs: int
    """How many runs name it."""


def render_datasets(atlas: Atlas) -> Page:
    """Return the list of datasets with their versions, and of versions that only runs name."""
    rows = [(name, _stories(versions, atlas)) for name, versions in atlas.datasets.items()]
    return Page(
        kind="datasets",
        path=addresses.DATASETS,
        title="Datasets",
        description=f"{len(rows)} datasets and the history of every validation set",
        content=render("datasets", rows=rows, named=_only_named(atlas), most=MATRIX_ROWS, depth=1),
    )


def _only_named(atlas: Atlas) -> list[NamedVersion]:
    """Return the versions that runs name and nobody added, those that most runs name first."""
    added = {version.hash for versions in atlas.datasets.values() for version in versions}
    labels = {version.label for versions in atlas.datasets.values() for version in versions}
    roles: dict[tuple[str, str | None], set[str]] = {}
    runs: Counter[tuple[str, str | None]] = Counter()
    for run in atlas.runs:
        uses = [*run.record.datasets.used, *(use for one in run.evaluations for use in one.datasets)]
        found: set[tuple[str, str | None]] = set()
        for use in uses:
            known = use.hash in added if use.hash else use.label in labels
            if use.name and not known:
                key = f"{use.name}@{use.version}" if use.version else use.name, use.hash
                roles.setdefault(key, set()).add(use.role)
                found.add(key)
        runs.update(found)
    ordered = sorted(runs, key=lambda key: (-runs[key], key[0], key[1] or ""))
    return [NamedVersion(label=key[0], roles=sorted(roles[key]), hash=key[1], runs=runs[key]) for key in ordered]


def render_dataset(name: str, atlas: Atlas) -> Page:
    """Return the page of a dataset: its versions, and each metric over time, broken where the version changes."""
    versions = atlas.datasets[name]
    measured = [_by_key(atlas.measurements.get(version.hash, ())) for version in versions]
    keys: Counter[str] = Counter()
    for members in measured:
        keys.update({key: len(measurements) for key, measurements in members.items()})
    main = keys.most_common(1)[0][0] if keys else None
    headlines = {run.record.results.headline for run in atlas.runs}
    # A metric for each of a thousand classes would be a thousand charts: headlines come first, then frequent metrics.
    drawn = sorted(sorted(keys, key=lambda key: (key not in headlines, -keys[key], key))[:CHARTS_SHOWN])
    content = render(
        "dataset",
        names=atlas.names,
        name=name,
        facts=_stories(versions, atlas),
        stories=case_stories(atlas.cases.get(name, ()), atlas.runs),
        overrides=[case for case in atlas.cases.get(name, ()) if case.override is not None],
        many_overrides=OVERRIDES_BEFORE_WARNING,
        charts=[(key, markup(chart)) for key in drawn if (chart := _history(key, versions, measured, atlas.names))],
        undrawn=len(keys) - len(drawn),
        main=main,
        matrix=_matrix(versions, atlas, main),
        versions=versions,
        boards=[
            (board, atlas.address_of(board.group))
            for version in versions
            for board in atlas.own_pages
            if board.group.dataset_hash == version.hash
        ],
        depth=1,
    )
    return Page(
        kind="dataset",
        path=addresses.dataset_page(name),
        title=name,
        description=f"Dataset {name}: {len(versions)} versions, why each exists, and what was measured on it",
        content=content,
        contents=_CONTENTS,
    )


def _stories(versions: Sequence[DatasetVersion], atlas: Atlas) -> list[Story]:
    by_label = {version.version: version for version in versions}
    return [tell(version, by_label.get(version.parent or ""), slot, atlas) for slot, version in enumerate(versions)]


def _by_key(measurements: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        found.setdefault(measurement.metric.key, []).append(measurement)
    return found


def _history(
    key: str,
    versions: Sequence[DatasetVersion],
    measured: Sequence[Mapping[str, list[Measurement]]],
    names: Mapping[str, str],
) -> str:
    stretches, directions = [], []
    for slot, (version, members) in enumerate(zip(versions, measured, strict=True)):
        ours = [m for m in members.get(key, ()) if math.isfinite(m.metric.number)][-DOTS_SHOWN:]
        directions += [m.metric for m in ours]
        evaluators = sorted({m.metric.evaluator or "" for m in ours})
        for evaluator in evaluators:  # a line across two versions would show a step that no model made
            dots = [_dot_of(m, version.version, slot, names) for m in ours if (m.metric.evaluator or "") == evaluator]
            label = f"{version.version} by {evaluator or 'unknown'}" if len(evaluators) > 1 else version.version
            stretches.append(Stretch(label=label, dots=dots))
    if not stretches:
        return ""
    title = f"{key} over time, broken where the dataset version changes"
    return render_history(stretches, title=title, y_label=visible(key), direction=agreed_direction(directions))


def _dot_of(measurement: Measurement, version: str, slot: int, names: Mapping[str, str]) -> Dot:
    run_id = measurement.run.record.id
    name = one_line(names.get(run_id, run_id), _NAME)
    return Dot(
        x=measurement.at.timestamp(),
        y=measurement.metric.number,
        title=dot_title(f"{name}, {run_id}, on {version}", measurement.metric.number),
        url=addresses.link(addresses.run_page(run_id), 1),
        slot=slot,
        name=name,
    )


def _matrix(versions: Sequence[DatasetVersion], atlas: Atlas, key: str | None) -> MatrixView | None:
    """Return every run that was measured on a version, those that lack a value on the newest one last."""
    if key is None:
        return None
    matrix = matrix_of(versions, atlas.runs, key)
    rows = sorted(matrix.rows, key=lambda row: row.cells[-1] is None)  # stable: both parts stay newest first
    return MatrixView(
        rows=rows[:MATRIX_ROWS],
        counts=[sum(row.cells[at] is not None for row in rows) for at in range(len(versions))],
        total=len(rows),
    )
