"""What pages look like where it once went wrong: values in one piece, pictures, tabs, phones, lost addresses."""

import io
import re
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from ledger.hashing import hash_bytes
from ledger.model.boxes.outputs import Figure
from ledger.model.entries import Contents
from ledger.publish.pages import addresses
from ledger.publish.site.build import build_site
from tests.browser.screenshots import pages_of
from tests.samples import START, Blobs, keep_beside, sample_reader, sample_run

pytestmark = pytest.mark.browser

PHONE = ViewportSize(width=390, height=844)

BROKEN_VALUES = """
[...document.querySelectorAll('.lg-table :is(td, th) :is(code:not(.lg-wrap), .lg-num, .lg-id, time)')]
  .filter(e => e.textContent && e.getClientRects().length > 1).map(e => e.textContent)"""

CODE_IN_PIECES = """
[...document.querySelectorAll('.md-typeset__table code')]
  .filter(e => e.getClientRects().length > e.textContent.split(/[-\\s\\/]+/).length).map(e => e.textContent)"""

TABS = {
    "index.html": "Home", "runs": "Runs", "experiments": "Experiments", "datasets": "Datasets",
    "leaderboards": "Leaderboards", "milestones": "Milestones", "costs": "Costs", "machines": "Machines",
    "lists": "More", "compare.html": "Compare", "handbook": "Handbook",
}  # fmt: skip


def matplotlib_svg() -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figure.subplots().imshow([[5, 1], [0, 4]], cmap="Purples")
    target = io.BytesIO()
    figure.savefig(target, format="svg", transparent=True)
    return target.getvalue()


@pytest.fixture
def with_figure(tmp_path: Path) -> Path:
    """The page of a run that kept a figure of matplotlib's."""
    blobs: Blobs = {}
    run = sample_run(blobs, 1, experiment="figures", params={"lr": 0.1}, accuracy=0.9, started=START)
    svg = matplotlib_svg()
    figure = Figure(file="figures/confusion.svg", title="Confusion", hash=hash_bytes(svg), bytes=len(svg))
    results = msgspec.structs.replace(run.record.results, figures=[figure])
    shown = keep_beside(blobs, msgspec.structs.replace(run.record, results=results), {figure.file: svg}, ())
    build_site(Contents(tip="1" * 40, runs=(shown,)), sample_reader(blobs), [], tmp_path / "site")
    return tmp_path / "site" / addresses.run_page(run.record.id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_figure_of_matplotlib_is_seen_before_anybody_scrolls(scheme: str, tab: Page, with_figure: Path) -> None:
    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.goto(with_figure.as_uri())
    picture = tab.get_by_role("img", name="Confusion")
    assert picture.evaluate("e => [e.complete, e.naturalWidth > 100, e.naturalHeight > 100]") == [True] * 3
    box = picture.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) > 100
    assert picture.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"


def test_every_kind_of_page_shows_the_tabs_with_its_own_active(tab: Page, address: str, folder: Path) -> None:
    for path in pages_of(folder).values():
        if path == addresses.NOT_FOUND:
            continue
        tab.goto("about:blank")
        tab.goto(address + path)
        expect(tab.locator(".md-tabs")).to_be_visible()
        expect(tab.locator(".md-tabs__item--active")).to_have_text(TABS[re.split("[/#]", path)[0]])


def test_a_page_opened_at_a_heading_has_its_tabs_at_the_top(tab: Page, address: str) -> None:
    tab.goto(f"{address}{addresses.dataset_page('digits-validation')}#boards")
    tab.wait_for_load_state("networkidle")
    assert tab.evaluate("scrollY") > 500
    faint = tab.locator(".md-tabs__link").evaluate_all("all => all.filter(e => getComputedStyle(e).opacity !== '1')")
    assert faint == []


def test_no_value_breaks_within_itself(tab: Page, address: str, folder: Path) -> None:
    for width in (1440, 1000):
        tab.set_viewport_size({"width": width, "height": 900})
        for path in pages_of(folder).values():
            tab.goto("about:blank")
            tab.goto(address + path)
            tab.wait_for_load_state("networkidle")
            assert tab.evaluate(BROKEN_VALUES) == [], f"{path} at {width}"


def test_no_word_of_code_in_a_handbook_table_is_a_column_of_letters(tab: Page, address: str) -> None:
    tab.set_viewport_size(PHONE)
    for name in ("hooks", "checking", "verdicts"):
        tab.goto(f"{address}handbook/{name}.html")
        assert tab.evaluate(CODE_IN_PIECES) == [], name


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_shows_each_run_as_a_card_with_its_value(
    chromium: Browser, address: str, ledger: tuple[Contents, Blobs], *, scripts: bool
) -> None:
    run = next(run for run in ledger[0].runs if run.record.experiment == "augmentation")
    with chromium.new_context(viewport=PHONE, java_script_enabled=scripts) as context:
        tab = context.new_page()
        for path in (addresses.RUNS, addresses.experiment_page("augmentation")):
            tab.goto(address + path)
            if scripts and path == addresses.RUNS:
                tab.wait_for_selector("[data-runs-table][data-ready]")
            card = tab.locator("tr", has=tab.get_by_role("link", name=run.record.id)).last
            expect(card.locator(".lg-k-value")).to_contain_text("0.934validation/accuracy on digits-validation@v2")
            expect(card.locator(".lg-badge")).to_have_text("finished")
            seen = card.bounding_box()
            assert seen is not None
            assert seen["x"] + seen["width"] <= PHONE["width"]
            assert seen["height"] < 150, path
            value, id_ = (card.locator(css).bounding_box() for css in (".lg-k-value", ".lg-k-id"))
            assert value is not None
            assert id_ is not None
            assert value["y"] < id_["y"]


def test_a_phone_sorts_without_headings(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    tab.set_viewport_size(PHONE)
    tab.goto(address + addresses.RUNS)
    tab.wait_for_selector("[data-runs-table][data-ready]")
    tab.get_by_label("Order").select_option("oldest first")
    expect(tab.locator(".lg-runs tbody .lg-id").first).to_have_text(ledger[0].runs[0].record.id)
    tab.get_by_label("Order").select_option("by validation/accuracy on digits-validation@v1")
    on_v1 = [
        (metric.number, run.record.id)
        for run in ledger[0].runs
        for metric in run.metrics()
        if metric.key == "validation/accuracy" and metric.dataset == "digits-validation@v1"
    ]
    expect(tab.locator(".lg-runs tbody .lg-id").first).to_have_text(max(on_v1)[1])


def test_the_calendar_opens_at_its_latest_day(tab: Page, address: str) -> None:
    tab.set_viewport_size(PHONE)
    tab.goto(address + addresses.HOME)
    tab.locator("summary", has_text="Activity").click()
    calendar = tab.get_by_role("region", name="Runs per day")
    edges = calendar.evaluate(
        "e => [e.querySelector('svg').getBoundingClientRect().right, e.getBoundingClientRect().right]"
    )
    assert edges[0] <= edges[1] + 1


@pytest.mark.parametrize("lost", ["404.html", "runs/2026/11/nothing.html", "nothing"])
def test_a_lost_address_leads_back_from_any_depth(lost: str, chromium: Browser, address: str, folder: Path) -> None:
    with chromium.new_context() as context:
        context.route(
            f"{address}{lost}",
            lambda route: route.fulfill(
                status=404, content_type="text/html", body=(folder / addresses.NOT_FOUND).read_text("utf-8")
            ),
        )
        tab = context.new_page()
        tab.goto(address + lost)
        tab.get_by_role("link", name="Runs").click()
        expect(tab).to_have_url(address + addresses.RUNS)
        expect(tab.locator("h1")).to_have_text("Runs")


def test_the_screenshots_show_every_kind_of_page(folder: Path) -> None:
    shown = pages_of(folder)
    assert {"index", "runs-index", "run", "experiment", "dataset", "leaderboard", "compare", "404"} <= shown.keys()
    assert all((folder / path.partition("#")[0]).is_file() for path in shown.values())
