"""Runs without a page of their own, in a browser: old addresses, table, search and compare page show them."""

import functools
import http.server
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ledger.model.entries import Contents
from ledger.publish.pages import addresses
from ledger.publish.site import site_data
from ledger.publish.site.build import build_site
from tests.browser.conftest import Quiet
from tests.samples import Blobs, sample_log, sample_reader

pytestmark = pytest.mark.browser


class _Host(Quiet):
    """A host that answers what is missing with the site's own page, as GitHub Pages does."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        if code != HTTPStatus.NOT_FOUND:
            super().send_error(code, message, explain)
            return
        body = (Path(self.directory) / "lab" / addresses.NOT_FOUND).read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def older_site(ledger: tuple[Contents, Blobs], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    contents, blobs = ledger
    root = tmp_path_factory.mktemp("older")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(site_data, "OLDER_TOGETHER", 4)
        patched.setattr("ledger.publish.site.run_units.OLDER_TOGETHER", 4)
        build_site(
            contents, sample_reader(blobs), sample_log(contents), root / "lab", title="Vision · Lab", run_pages=4
        )
    handler = functools.partial(_Host, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/lab/"
        server.shutdown()


@pytest.fixture
def oldest(ledger: tuple[Contents, Blobs]) -> str:
    return min(run.record.id for run in ledger[0].runs if run.record.results.curves is not None)


def test_the_old_address_of_a_run_shows_it_whole(tab: Page, older_site: str, oldest: str, troubles: list[str]) -> None:
    tab.goto(f"{older_site}{addresses.run_page(oldest)}#params")
    expect(tab.locator("h1")).to_contain_text(oldest)
    assert tab.url == f"{older_site}{addresses.older_run(oldest)}#params"
    assert oldest in tab.title()
    assert tab.title().endswith(" · Vision · Lab")
    expect(tab.locator(".lg-tools label", has_text="logarithmic scale").first).to_be_visible()
    assert tab.locator("[data-md-component=toc] a").count() >= 10
    troubles[:] = [one for one in troubles if "404" not in one]  # the host's own answer


def test_the_table_and_the_search_lead_there(tab: Page, older_site: str, oldest: str) -> None:
    tab.goto(f"{older_site}{addresses.RUNS}")
    tab.wait_for_selector("[data-runs-table][data-ready]")
    link = tab.locator(f".lg-runs tbody a[href*='{oldest}']").first
    assert (link.get_attribute("href") or "").endswith(addresses.older_run(oldest))
    tab.get_by_label("Search runs and handbook").fill(oldest[16:])
    tab.locator(".lg-hit", has_text=oldest).click()
    expect(tab.locator("h1")).to_contain_text(oldest)


def test_older_runs_are_compared_with_their_curves(
    tab: Page, older_site: str, oldest: str, ledger: tuple[Contents, Blobs]
) -> None:
    newest = max(run.record.id for run in ledger[0].runs if run.record.results.curves is not None)
    tab.goto(f"{older_site}{addresses.COMPARE}#runs={oldest},{newest}")
    expect(tab.locator("canvas").first).to_be_visible()


def test_an_address_that_names_no_run_says_so(tab: Page, older_site: str) -> None:
    for query, said in (
        ("", "names no run"),
        ("?run=20200101-000000-aaaaaa", "No older run"),
        ("?run=<b>", "No older"),
    ):
        tab.goto(f"{older_site}{addresses.OLDER}{query}")
        expect(tab.locator("[data-older-run] [role=status]")).to_contain_text(said)
