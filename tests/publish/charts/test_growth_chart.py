"""Growth on the page of an experiment: a law where there is one, one line for too few sizes, else nothing."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from ledger.model.boxes.cost import Cost
from ledger.model.boxes.inputs import Datasets
from ledger.model.boxes.outputs import Metric, Model, Results
from ledger.model.entries import Contents, StoredRun
from ledger.publish.charts.growth_chart import GrowthSection, growth_section
from ledger.publish.pages import addresses
from ledger.publish.pages.experiment_pages import render_experiment
from ledger.publish.pages.parts.run_tables import common_groups
from ledger.publish.site.site_data import survey
from tests.samples import START, Blobs, sample_reader, sample_run

SIZES = (100, 300, 1_000, 3_000, 10_000)
WOBBLE = (1.0, 1.05, 0.96, 1.02, 0.98)


def law(size: float) -> float:
    return float(2 * size**-0.5)


def runs_of(
    sizes: tuple[int, ...], error: Callable[[float], float] = law, *, seconds: tuple[float, ...] = (30,), blobs: Blobs
) -> list[StoredRun]:
    """Return one run for each number of parameters, whose error is as a law says but for some noise."""
    runs = []
    for number, size in enumerate(sizes):
        value = 1 - error(size) * WOBBLE[number % 5]
        metric = Metric(
            name="accuracy", split="validation", value=value, direction="higher", dataset="d@v1", dataset_hash="h"
        )
        run = sample_run(
            blobs, number, experiment="sizes", params={"width": size, "seed": number}, accuracy=value,
            started=START + timedelta(minutes=number), model=Model(parameters=size), cost=Cost(),
            results=Results(headline="validation/accuracy", metrics=[metric]), datasets=Datasets(),
        )  # fmt: skip
        runs.append(_lasting(run, seconds[number % len(seconds)]))
    return runs


def _lasting(run: StoredRun, seconds: float) -> StoredRun:
    timing = replace(run.record.timing, duration_seconds=seconds)
    return replace(run, record=replace(run.record, timing=timing))


def section(runs: list[StoredRun]) -> GrowthSection:
    groups = common_groups(runs)
    return growth_section(runs, groups[0] if groups else None)


def test_a_law_is_drawn_with_its_interval_and_what_ten_times_more_would_give() -> None:
    blobs: Blobs = {}
    runs = runs_of(SIZES, blobs=blobs)
    (view,) = section(runs).views
    assert view.svg.count('<circle class="lg-dot') == len(runs)
    assert all(f"../{addresses.run_page(run.record.id)}" in view.svg for run in runs)
    assert all(part in view.svg for part in ("lg-growth-band", "lg-growth-reach", "lg-growth-next", "10 times"))
    assert "At 100\N{NARROW NO-BREAK SPACE}000 parameters, ten times the largest" in view.says
    stated = re.search(r"accuracy of (0\.\d+) would", view.says)
    assert stated is not None
    assert float(stated[1]) == pytest.approx(1 - law(100_000), abs=0.002)
    page = render_experiment("sizes", survey(Contents(tip="1" * 40, runs=tuple(runs)), [], None), sample_reader(blobs))
    assert view.svg in page.content
    assert ("growth", "Growth") in page.contents
    assert not view.flattens


def test_too_few_sizes_are_one_line_and_sizes_that_do_not_differ_are_nothing() -> None:
    blobs: Blobs = {}
    few = section(runs_of((100, 300, 1_000), blobs=blobs))
    assert few.views == ()
    assert few.why_not == (
        "validation/accuracy against parameters: not enough points: 3 different sizes, 4 are needed",
    )
    alike = runs_of((100, 100, 100), blobs=blobs)
    assert section(alike) == GrowthSection(views=(), why_not=())
    page = render_experiment("sizes", survey(Contents(tip="1" * 40, runs=tuple(alike)), [], None), sample_reader(blobs))
    assert 'id="growth"' not in page.content
    assert "growth" not in dict(page.contents)
    assert growth_section(alike, None) == GrowthSection(views=(), why_not=())


def test_time_that_bought_nothing_is_no_growth_and_time_that_did_is() -> None:
    blobs: Blobs = {}
    flat = runs_of((100,) * 5, lambda _: 0.1, seconds=(10, 30, 100, 300, 1_000), blobs=blobs)
    assert section(flat).views == ()
    longer = runs_of((1_000,) * 5, seconds=(10, 30, 100, 300, 1_000), blobs=blobs)
    paid = [_learned(run) for run in longer]
    (view,) = section(paid).views
    assert "seconds of training" in view.says


def _learned(run: StoredRun) -> StoredRun:
    """Return the run with an error that its time bought."""
    (metric,) = run.record.results.metrics
    value = 1 - law(run.record.timing.took or 0.0)
    results = replace(run.record.results, metrics=[replace(metric, value=value)])
    return replace(run, record=replace(run.record, results=results))


def test_an_error_of_more_than_all_answers_is_not_drawn() -> None:
    runs = runs_of(SIZES, lambda size: min(0.9, 300 * size**-1.1), blobs={})
    (view,) = section(runs).views
    grid = re.findall(r'text-anchor="end">([\d.]+)</text>', view.svg)
    assert max(float(text) for text in grid) <= 1.0
