"""What a lead asks on Monday, each within two clicks from home, and what is taken along on paper."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from ledger.formatting import minute
from ledger.model.entries import Contents
from ledger.publish.pages import addresses
from tests.samples import Blobs

pytestmark = pytest.mark.browser


def test_five_questions_are_answered_within_two_clicks_from_home(tab: Page, address: str) -> None:
    home = address + addresses.HOME
    tab.goto(home)
    best = tab.get_by_role("region", name="Best setting of each metric")
    best.get_by_role("link", name="validation/accuracy").click()
    expect(tab.locator("h1")).to_contain_text("validation/accuracy")
    expect(tab.locator("main")).to_contain_text("digits-validation@v2")
    tab.get_by_role("link", name="Compare the first two").click()
    expect(tab.locator(".lg-verdicts").first).to_be_visible()
    tab.goto(home)
    tab.locator(".lg-tile", has_text="cost of runs").click()
    expect(tab.locator("h1")).to_have_text("Costs")
    expect(tab.locator(".lg-weeks").first).to_be_visible()
    tab.goto(home)
    tab.locator(".lg-tile", has_text="GPUs held idle").click()
    expect(tab.locator("h1")).to_have_text("Machines")
    tab.goto(home)
    tab.locator(".lg-news").get_by_role("link", name="digits-validation@v2").click()
    expect(tab.locator("#v2")).to_contain_text("not measured on it: ledger reevaluate digits-validation@v2")
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


def test_home_says_how_long_ago_and_paper_says_when(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    latest = max(ledger[0].runs, key=lambda run: run.record.id).record.timing.started_at
    tab.clock.set_fixed_time(latest + timedelta(days=3, hours=1))
    tab.goto(address + addresses.HOME)
    started = tab.locator(".lg-k-when time").first
    expect(started).to_have_text("3 days ago")
    expect(started).to_have_attribute("title", f"{minute(latest)} UTC")
    expect(tab.locator(".lg-zone").first).to_be_hidden()
    tab.emulate_media(media="print")
    expect(started).to_have_text(minute(latest))
    expect(tab.locator(".lg-zone").first).to_be_visible()
    tab.emulate_media(media="screen")
    tab.clock.set_fixed_time(latest - timedelta(days=1))
    tab.reload()
    expect(started).to_have_text(minute(latest))
