"""The shells of a site with what every page in them has in common: where the runs stand that it links to."""

import re
from collections.abc import Mapping

from ledger.model.ids import ID
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page
from ledger.publish.site.frames import join
from ledger.publish.site.site_data import Atlas

_RUN_LINK = re.compile(rf'href="((?:\.\./)*)runs/({ID.pattern})\.html"')
"""A link to the page of a run, as `addresses.link` writes it in a template."""


class Shells:
    """Kinds of pages, each with the HTML around it."""

    def __init__(self, shells: Mapping[str, str], atlas: Atlas) -> None:
        self._shells = shells
        self._atlas = atlas

    def text(self, kind: str) -> str:
        """Return the shell of a kind, which keys of its pages contain."""
        return self._shells[kind]

    def join(self, page: Page) -> bytes:
        """Return a page in its shell."""
        return join(self._shells[page.kind], self.parts(page))

    def parts(self, page: Page) -> dict[str, str]:
        """Return the parts of a page; links to runs without a page of their own lead to where they are shown."""
        parts = page.parts()
        if self._atlas.older:
            parts["content"] = _RUN_LINK.sub(self._target, parts["content"])
        return parts

    def _target(self, found: "re.Match[str]") -> str:
        up, run_id = found[1], found[2]
        return f'href="{up}{addresses.older_run(run_id)}"' if self._atlas.is_older(run_id) else found[0]
