"""The real Chromium that tests and screenshots drive."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
NODE = compute_driver_executable()[0]
"""The node that comes with Playwright: the scripts of the site run in it without a page."""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def opened() -> Iterator[Browser]:
    """Start it, and end it afterwards; one process has one at a time, or Playwright refuses."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
