"""A run or experiment as one file in a real browser: it shows, its sliders work, and it asks for nothing else."""

from pathlib import Path

from playwright.sync_api import Page, expect

from ledger.api.explore import Exploration
from ledger.model.entries import Contents
from ledger.publish.site.single_page import render_single, render_single_experiment
from ledger.publish.site.site_data import survey
from tests.samples import Blobs, sample_log, sample_reader


def test_it_shows_and_asks_for_nothing_else(tab: Page, ledger: tuple[Contents, Blobs], tmp_path: Path) -> None:
    contents, blobs = ledger
    atlas = survey(contents, sample_log(contents), None)
    run = next(run for run in atlas.runs if run.record.experiment == "augmentation")
    file = tmp_path / "run.html"
    file.write_bytes(render_single(run, atlas, sample_reader(blobs), title="Digits", tip=None))
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    for width in (390, 1440):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto(file.as_uri())
        assert {one for one in asked if not one.startswith("data:")} == {file.as_uri()}
        assert tab.locator("h1").is_visible()
        assert tab.locator("svg.lg-chart").first.is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_sliders_of_an_experiment_dim_runs_in_a_file_and_in_a_frame_of_a_notebook(
    tab: Page, ledger: tuple[Contents, Blobs], tmp_path: Path
) -> None:
    contents, blobs = ledger
    atlas = survey(contents, sample_log(contents), None)
    name = "mlp-learning-rate"
    runs = len(atlas.experiments[name])
    page = render_single_experiment(name, atlas, sample_reader(blobs), title="Digits", tip=None).decode()
    file, notebook = tmp_path / "experiment.html", tmp_path / "notebook.html"
    file.write_text(page, "utf-8")
    frame = Exploration(name=name, runs=runs, html=page)._repr_html_()
    notebook.write_text(f'<!doctype html><meta charset="utf-8"><title>Notebook</title><h1>In [1]</h1>{frame}', "utf-8")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    for width in (390, 1440):
        tab.set_viewport_size({"width": width, "height": 900})
        for place in (file, notebook):
            tab.goto(place.as_uri())
            shown = tab.frame_locator("iframe") if place == notebook else tab
            count = shown.locator(".lg-ranges .lg-count-line")
            expect(count).to_have_text(f"All {runs} runs.")
            assert shown.locator(".lg-out").count() == 0
            shown.get_by_label("optimizer.lr, least").press("ArrowRight")
            expect(count).to_contain_text(f"of {runs} runs inside; the others are dimmed.")
            inside = int(count.inner_text().split()[0])
            assert shown.locator("tr[data-lg-run]:not(.lg-out)").count() == inside < runs
            shown.get_by_label("logarithmic scale").first.check()
            expect(shown.locator(".lg-plot-name").first).to_contain_text("(log)")
            for part in ("a[data-lg-run]", "g[data-lg-runs]", "tr[data-lg-runs]"):
                assert 0 < shown.locator(f"{part}.lg-out").count() < shown.locator(part).count(), part
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert {one.partition("#")[0] for one in asked if not one.startswith("data:")} == {file.as_uri(), notebook.as_uri()}
