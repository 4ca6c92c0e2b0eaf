"""What a lead asks on Monday, each within two clicks from home, and what is taken along on paper."""

import re

import pytest
from playwright.sync_api import Page, expect

from ledger.publish.pages import addresses

pytestmark = pytest.mark.browser


def test_five_questions_are_answered_within_two_clicks_from_home(tab: Page, address: str) -> None:
    home = address + addresses.HOME
    tab.goto(home)
    best = tab.get_by_role("region", name="Best setting of each metric")
    best.get_by_role("link", name="validation/accuracy").click()
    expect(tab.locator("h1")).to_contain_text("validation/accuracy")
    expect(tab.locator("main")).to_contain_text("digits-validation@v2")
    tab.goto(home)
    tab.locator(".lg-tile", has_text="cost of week").click()
    expect(tab.locator("h1")).to_have_text("Costs")
    expect(tab.locator(".lg-weeks").first).to_be_visible()
    tab.goto(home)
    tab.locator(".lg-tile", has_text="GPUs held idle").click()
    expect(tab.locator("h1")).to_have_text("Machines")
    tab.goto(home)
    tab.locator(".lg-news").get_by_role("link", name="digits-validation@v2").click()
    tab.get_by_role("link", name="Run by version").first.click()
    expect(tab.locator("#matrix ~ p").first).to_contain_text("not measured on digits-validation@v2: ledger matrix")
    tab.goto(home)
    best.locator(".lg-k-id a").first.click()
    tab.locator(".lg-ways a").first.click()
    expect(tab.locator("h1")).to_have_text("Compare runs")
    expect(tab.locator(".lg-chip")).not_to_have_count(0)
    tab.goto(home)
    tab.locator(".lg-tile", has_text="did not finish").click()
    expect(tab).to_have_url(re.compile("status=unfinished"))


def test_paper_is_white_whatever_the_screen_was_and_shows_every_column(tab: Page, address: str) -> None:
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size({"width": 794, "height": 1123})
    tab.goto(address + addresses.RUNS)
    tab.wait_for_selector("[data-runs-table][data-ready]")
    luminance = "e => getComputedStyle(e).backgroundColor.match(/[0-9.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"
    assert tab.locator("body").evaluate(luminance) < 200
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.locator("body").evaluate(luminance) > 700
    assert tab.locator("h1").evaluate(luminance.replace("backgroundColor", "color")) < 200
    edges = tab.locator(".lg-runs").evaluate("e => [e.getBoundingClientRect().right, innerWidth]")
    assert edges[0] <= edges[1]
