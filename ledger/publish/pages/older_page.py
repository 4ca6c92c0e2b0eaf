"""The one page that shows every run without a page of its own: a script puts the run into it that the address names."""

from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page
from ledger.publish.site.templating import render


def render_older(count: int) -> Page:
    """Return the page for `count` older runs."""
    return Page(
        kind="run",
        path=addresses.OLDER,
        title="An older run",
        description=f"One of the {count} oldest runs, which have no page of their own",
        content=render("older", count=count, depth=1),
    )
