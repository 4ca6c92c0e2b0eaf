"""One run as one file: its page with style and pictures inside, to be sent or archived; it loads nothing."""

import base64
import posixpath
from collections.abc import Callable, Mapping
from html import escape
from html.parser import HTMLParser
from importlib.resources import files

from ledger.analysis.advice.budget import Budget, spent_of
from ledger.model.entries import StoredRun
from ledger.publish.pages import addresses, run_page
from ledger.publish.pages.parts.verdict_line import verdict_lines
from ledger.publish.pages.parts.version_view import picture_files
from ledger.publish.pages.parts.weak_view import WeakReader
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render
from ledger.resources import shipped

_THEME = ("main", "palette")
"""Style sheets of the theme, in their order; the rest of their names is a hash."""
_OUTSIDE = ("https://", "http://", "mailto:")


def render_single(
    run: StoredRun,
    atlas: Atlas,
    read_blob: Callable[[str], bytes],
    *,
    title: str,
    tip: str | None,
    budget: Budget | None = None,
) -> bytes:
    """Return the page of a run as one HTML file.

    Args:
        run: the run.
        atlas: the whole ledger, for its names and for what the run is compared with.
        read_blob: git blob id to its bytes.
        title: name of the ledger.
        tip: commit of the ledger branch; none when that is unknown.
        budget: what one model may take up, as policy states it.
    """
    by_hash = {one.hash: one for members in atlas.datasets.values() for one in members}
    budget = budget or Budget()
    page, _, beside = run_page.render_run(
        run,
        atlas,
        read_blob,
        verdict_lines(atlas).get(run.record.id),
        run_page.advice_for(run, by_hash, budget),
        WeakReader(atlas, read_blob, [*by_hash.values()]).read(run),
        spent_of(run.record, budget),
    )
    return render(
        "single",
        title=f"{page.title} · {title}",
        description=page.description,
        style=_style(),
        content=_alone(page.content, page.path, {**_samples(run, atlas, read_blob), **beside}),
        ledger=title,
        tip=tip,
        run=run.record.id,
    ).encode()


def _samples(run: StoredRun, atlas: Atlas, read_blob: Callable[[str], bytes]) -> dict[str, bytes]:
    """Return the pictures of samples of the datasets that a run used, by their paths in the site."""
    names = sorted({use.name or "" for use in run.record.datasets.used})
    versions = [version for name in names for version in atlas.datasets.get(name, ())]
    return picture_files(versions, atlas, read_blob)


def _style() -> str:
    folder = files("material").joinpath("templates", "assets", "stylesheets")
    theme = {one.name.partition(".")[0]: one for one in folder.iterdir() if one.name.endswith(".min.css")}
    own = shipped("site") / "docs" / "assets" / "ledger" / "ledger.css"
    sheets = [*(theme[name].read_text("utf-8") for name in _THEME), own.read_text("utf-8")]
    # A sheet that ends the element would be markup; none does, and none may begin to.
    return "\n".join(sheet.partition("\n/*# sourceMappingURL")[0].replace("</", "<\\/") for sheet in sheets)


def _alone(content: str, path: str, beside: Mapping[str, bytes]) -> str:
    page = _Alone(path, beside)
    page.feed(content)
    page.close()
    return "".join(page.parts)


class _Alone(HTMLParser):
    """Writes a page again: pictures inside of it, links to other pages as text."""

    def __init__(self, path: str, beside: Mapping[str, bytes]) -> None:
        super().__init__(convert_charrefs=False)
        self.path = path
        self.beside = beside
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and not (given.get("href") or "").startswith(("#", *_OUTSIDE)):
            given.pop("href", None)
        elif tag == "img":
            given["src"] = self._inside(given.get("src") or "")
        elif tag == "script":
            raise AssertionError("the content of a page has no script")
        else:
            self.parts.append(self.get_starttag_text() or "")
            return
        told = "".join(f' {name}="{escape(value or "")}"' for name, value in given.items())
        self.parts.append(f"<{tag}{told}>")

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def _inside(self, source: str) -> str:
        """Return a picture as a `data:` address; empty where it is not among the files of the page."""
        if source.startswith("data:image/"):
            return source
        data = self.beside.get(posixpath.normpath(posixpath.join(posixpath.dirname(self.path), source)))
        if data is None:
            return ""
        kind = "svg+xml" if source.endswith(".svg") else "png"
        return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def default_name(run_id: str) -> str:
    """Return the file that a run is exported to unless somebody names one."""
    return posixpath.basename(addresses.run_page(run_id))
