"""The page of an experiment as a reader uses it: sliders that dim runs and say so, an address, a choice of series."""

import re

import pytest
from playwright.sync_api import Page, expect

from ledger.publish.pages import addresses

pytestmark = pytest.mark.browser

PAGE = addresses.experiment_page("mlp-learning-rate")


def bright(tab: Page, part: str) -> int:
    return tab.locator(f"{part}:not(.lg-out)").count()


def test_sliders_moved_by_keys_dim_what_is_outside_in_charts_and_tables_and_count_it(tab: Page, address: str) -> None:
    tab.goto(address + PAGE)
    count, rows = tab.locator(".lg-ranges .lg-count-line"), tab.locator("tr[data-lg-run]").count()
    expect(count).to_have_text(f"All {rows} runs.")
    dots, lines = bright(tab, "[data-lg-run] circle"), bright(tab, "g[data-lg-runs]")
    least = tab.get_by_label("optimizer.lr, least")
    least.focus()
    least.press("ArrowRight")
    expect(count).to_contain_text(f"of {rows} runs inside")
    shown = int(count.inner_text().split()[0])
    assert bright(tab, "tr[data-lg-run]") == shown < rows
    assert 0 < tab.locator("a[data-lg-run]:not(.lg-out)").count() < dots
    assert 0 < bright(tab, "g[data-lg-runs]") < lines
    assert "optimizer.lr=" in tab.url
    assert (least.get_attribute("aria-valuetext") or "?") in tab.locator(".lg-range output").first.inner_text()
    tab.reload()
    expect(count).to_contain_text(f"{shown} of {rows} runs inside")
    tab.get_by_role("button", name="All runs").click()
    expect(count).to_have_text(f"All {rows} runs.")
    assert bright(tab, "tr[data-lg-run]") == rows
    assert "#" not in tab.url


def test_an_address_that_names_what_the_page_does_not_have_says_so_and_a_heading_is_no_range(
    tab: Page, address: str
) -> None:
    tab.goto(f"{address}{PAGE}#gone=1..2")
    expect(tab.locator(".lg-ranges .lg-count-line")).to_contain_text("also asks for gone")
    tab.goto(f"{address}{PAGE}#optimizer.lr=1e9..")
    tab.reload()
    expect(tab.locator(".lg-ranges .lg-count-line")).to_contain_text("No run lies where the address asks for optimizer")
    tab.goto("about:blank")
    tab.goto(f"{address}{PAGE}#curves")
    expect(tab.locator(".lg-ranges .lg-count-line")).to_contain_text("All")
    assert tab.url.endswith("#curves")


def test_one_series_of_learning_curves_is_shown_and_others_can_be_chosen(tab: Page, address: str) -> None:
    tab.goto(address + PAGE)
    charts = tab.locator("[data-lg-name]")
    choice = tab.get_by_label("series")
    names = choice.locator("option").all_inner_texts()
    assert len(names) == charts.count() > 1
    assert names[0] == "validation/accuracy"
    expect(charts.nth(0)).to_be_visible()
    expect(charts.nth(1)).to_be_hidden()
    choice.select_option(index=1)
    expect(charts.nth(0)).to_be_hidden()
    expect(charts.nth(1)).to_be_visible()


def test_curves_have_a_logarithmic_scale_and_a_zoom_and_are_dimmed_with_their_runs(tab: Page, address: str) -> None:
    tab.goto(address + PAGE)
    chart = tab.locator("[data-lg-name]:not([hidden])")
    plot = chart.locator(".lg-live")
    expect(plot).to_be_visible()
    assert not chart.locator(".lg-plot > svg").is_visible()
    chart.get_by_label("logarithmic scale").check()
    expect(chart.locator(".lg-plot-name")).to_contain_text("(log)")
    over = chart.locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] - 2, box["y"] + 30)
    step = chart.locator(".lg-plot-at")
    expect(step).to_have_text(re.compile(r"^step \d"))
    last = step.inner_text()
    assert all(chart.locator(".lg-legend output").all_inner_texts())
    tab.mouse.move(box["x"] + 10, box["y"] + 30)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=5)
    tab.mouse.up()
    tab.mouse.move(box["x"] + box["width"] - 2, box["y"] + 30)
    assert step.inner_text() != last
    over.dblclick(position={"x": 20, "y": 20})
    tab.mouse.move(box["x"] + box["width"] - 2, box["y"] + 30)
    expect(step).to_have_text(last)
    tab.mouse.move(0, 0)
    before = plot.locator("canvas").screenshot()
    tab.get_by_label("optimizer.lr, least").press("ArrowRight")
    expect(chart.locator(".lg-legend li.lg-out")).not_to_have_count(0)
    tab.wait_for_timeout(100)
    assert plot.locator("canvas").screenshot() != before


@pytest.mark.parametrize("width", [390, 1024])
def test_sliders_lie_in_the_window_and_their_ends_can_be_taken(tab: Page, address: str, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 844})
    tab.goto(address + PAGE)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = tab.locator(".lg-range-pair").first.bounding_box()
    assert box is not None
    tab.locator(".lg-range-pair").first.scroll_into_view_if_needed()
    box = tab.locator(".lg-range-pair").first.bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2, steps=4)
    tab.mouse.up()
    expect(tab.locator(".lg-ranges .lg-count-line")).to_contain_text("runs inside")
