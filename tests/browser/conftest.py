"""A real Chromium on the built sample site, over http in a sub-path and from the folder."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from ledger.model.entries import Contents
from ledger.publish.site.build import build_site
from tests.samples import Blobs, sample_ledger, sample_log, sample_reader


@pytest.fixture(scope="session")
def ledger() -> tuple[Contents, Blobs]:
    return sample_ledger()


@pytest.fixture(scope="session")
def folder(ledger: tuple[Contents, Blobs], tmp_path_factory: pytest.TempPathFactory) -> Path:
    contents, blobs = ledger
    output = tmp_path_factory.mktemp("www") / "team" / "ledger"
    build_site(contents, sample_reader(blobs), sample_log(contents), output, title="Digits lab")
    return output


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain static server that does not write each request to the terminal."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # signature of http.server
        pass


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """The site in a sub-path of a plain static server."""
    handler = functools.partial(Quiet, directory=str(folder.parents[1]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/team/ledger/"
        server.shutdown()


@pytest.fixture
def troubles() -> list[str]:
    """What the browser complained of, and every request that left the site."""
    return []


@pytest.fixture
def context(chromium: Browser, troubles: list[str]) -> Iterator[BrowserContext]:
    with chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as made:
        watch(made, troubles)
        yield made
    assert troubles == []


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    return context.new_page()


def watch(context: BrowserContext, troubles: list[str]) -> None:
    """Note console errors, uncaught exceptions, refused policies and requests to other hosts."""
    context.on(
        "console", lambda message: troubles.append(message.text) if message.type in {"error", "warning"} else None
    )
    context.on("weberror", lambda error: troubles.append(str(error.error)))
    context.on(
        "request",
        lambda request: (
            troubles.append(request.url) if not request.url.startswith(("http://127.0.0.1", "file:", "data:")) else None
        ),
    )
