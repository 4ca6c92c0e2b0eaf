"""axe finds no serious barrier on any kind of page, light and dark, on a screen and on a phone."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.screenshots import WIDTHS, pages_of
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

AXE = ROOT / ".venv/javascript/node_modules/axe-core/axe.min.js"

BARRIERS = """
rules => axe.run(document, {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})}).then(found =>
  found.violations.filter(rule => rule.impact === 'serious' || rule.impact === 'critical')
    .flatMap(rule => rule.nodes.slice(0, 3).map(node => `${rule.id}: ${node.html.slice(0, 160)}`)))"""

COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules whose answer another theme can change."""

ALIKE = {"handbook-index", "handbook-recording", "handbook-reference-commands"}
"""Pages that hold nothing that other pages of the handbook do not hold."""

PARTS = 4


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.exists() and "CI" not in os.environ:
        pytest.skip("axe-core is not installed: make .venv/javascript")
    return AXE.read_text("utf-8")


def barriers_on(tab: Page) -> list[str]:
    """Return what axe finds at both widths in both themes; a rule that reads no colours is asked once per width."""
    found: list[str] = []
    themes = [("default", list[str]()), ("slate", COLOURS)]
    for width, height in WIDTHS.items():
        tab.set_viewport_size({"width": width, "height": height})
        for theme, rules in themes:
            tab.evaluate("theme => document.body.setAttribute('data-md-color-scheme', theme)", theme)
            found += [f"{width} {theme} {barrier}" for barrier in tab.evaluate(BARRIERS, rules)]
        themes = [("slate", list[str]()), ("default", COLOURS)]
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_axe_finds_nothing_serious_on_any_kind_of_page(
    part: int, chromium: Browser, address: str, folder: Path, axe: str
) -> None:
    kinds = {name: path for name, path in pages_of(folder).items() if name not in ALIKE}
    found: dict[str, list[str]] = {}
    with chromium.new_context(reduced_motion="reduce") as context:
        tab = context.new_page()
        for name, path in list(kinds.items())[part::PARTS]:
            tab.goto("about:blank")
            tab.goto(address + path, wait_until="networkidle" if name in {"runs-index", "compare"} else "load")
            tab.evaluate(axe)  # as the developer tools do: the policy of the page lets no script be added
            if barriers := barriers_on(tab):
                found[name] = barriers
    assert found == {}
