"""The list of datasets and the page of one: its versions and the results on each."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from ledger.analysis.comparing.comparable import agreed_direction
from ledger.analysis.data.cases import case_stories
from ledger.model.datasets import OVERRIDES_BEFORE_WARNING
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.publish.charts.charts import DOTS_SHOWN, Dot, Stretch, dot_title, render_history
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.version_view import Story, tell
from ledger.publish.site.site_data import Atlas, Measurement
from ledger.publish.site.templating import render
from ledger.publish.text import visible

CHARTS_SHOWN = 12
"""Most metrics with a chart over time."""
MATRIX_ROWS = 30
"""Most runs in the matrix of results by dataset version."""

_CONTENTS = (
    ("versions", "Versions"),
    ("history", "Over time"),
    ("matrix", "Run by version"),
    ("cases", "Cases that must pass"),
    ("boards", "Leaderboards"),
)


def render_datasets(atlas: Atlas) -> Page:
    """Return the list of datasets with their versions."""
    rows = [(name, _stories(versions, atlas)) for name, versions in atlas.datasets.items()]
    return Page(
        kind="datasets",
        path=addresses.DATASETS,
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
        charts=[(key, markup(chart)) for key in drawn if (chart := _history(key, versions, measured))],
        undrawn=len(keys) - len(drawn),
        main=main,
        matrix=_matrix([members.get(main or "", []) for members in measured]),
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


def _history(key: str, versions: Sequence[DatasetVersion], measured: Sequence[Mapping[str, list[Measurement]]]) -> str:
    stretches, directions = [], []
    for slot, (version, members) in enumerate(zip(versions, measured, strict=True)):
        ours = [m for m in members.get(key, ()) if math.isfinite(m.metric.number)][-DOTS_SHOWN:]
        directions += [m.metric for m in ours]
        evaluators = sorted({m.metric.evaluator or "" for m in ours})
        for evaluator in evaluators:  # a line across two versions would show a step that no model made
            dots = [_dot_of(m, version.version, slot) for m in ours if (m.metric.evaluator or "") == evaluator]
            label = f"{version.version} by {evaluator or 'unknown'}" if len(evaluators) > 1 else version.version
            stretches.append(Stretch(label=label, dots=dots))
    if not stretches:
        return ""
    title = f"{key} over time, broken where the dataset version changes"
    return render_history(stretches, title=title, y_label=visible(key), direction=agreed_direction(directions))


def _dot_of(measurement: Measurement, version: str, slot: int) -> Dot:
    run_id = measurement.run.record.id
    return Dot(
        x=measurement.at.timestamp(),
        y=measurement.metric.number,
        title=dot_title(f"{run_id} on {version}", measurement.metric.number),
        url=addresses.link(addresses.run_page(run_id), 1),
        slot=slot,
    )


def _matrix(measured: Sequence[Sequence[Measurement]]) -> list[tuple[StoredRun, list[float | str | None]]]:
    """Return the latest runs with the latest value of one metric on each version; none where it was not measured."""
    values = [{m.run.record.id: m.metric.value for m in members} for members in measured]
    runs = {m.run.record.id: m.run for members in measured for m in members}
    latest = sorted(runs, reverse=True)[:MATRIX_ROWS]
    return [(runs[run_id], [column.get(run_id) for column in values]) for run_id in latest]
