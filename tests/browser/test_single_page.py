"""A run as one file in a real browser: it shows, and asks for nothing else."""

from pathlib import Path

from playwright.sync_api import Page

from ledger.model.entries import Contents
from ledger.publish.site.single_page import render_single
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
