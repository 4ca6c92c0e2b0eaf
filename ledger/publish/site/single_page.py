"""One run or experiment as one file: its page with style, scripts and pictures inside; it loads nothing."""

import base64
import hashlib
import posixpath
import shlex
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from html import escape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

from ledger.analysis.advice.budget import Budget, spent_of
from ledger.errors import NotFound
from ledger.model.entries import StoredRun
from ledger.model.values import plain
from ledger.publish.pages import run_page
from ledger.publish.pages.experiment_pages import render_experiment
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.verdict_line import verdict_lines
from ledger.publish.pages.parts.version_view import picture_files
from ledger.publish.pages.parts.weak_view import WeakReader
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render
from ledger.resources import shipped

_THEME = ("main", "palette")
"""Style sheets of the theme, in their order; the rest of their names is a hash."""
_SCRIPTS = (
    *("vendor/uplot/uPlot.iife.min", "ledger/formatting", "ledger/loader", "ledger/data", "ledger/curves"),
    *("ledger/plot", "ledger/charts"),
    *("ledger/experiment/series", "ledger/experiment/stops", "ledger/experiment/ranges"),
)
"""Scripts of the page of an experiment, each behind those that it needs."""
_SHEETS = ("ledger/experiment/experiment.css", "vendor/uplot/uPlot.min.css")
"""Style sheets of the page of an experiment, beside those of every page."""
_OUTSIDE = ("https://", "http://", "mailto:")
_NEAR = 3
"""Most experiments that are named where one is unknown."""


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
    beside = {**_samples(run, atlas, read_blob), **beside}
    return _file(page, beside, title, tip, what="run", command=f"ledger show {run.record.id}")


def render_single_experiment(
    name: str, atlas: Atlas, read_blob: Callable[[str], bytes], *, title: str, tip: str | None
) -> bytes:
    """Return the page of an experiment, with its sliders, as one HTML file; arguments as of `render_single`.

    Raises:
        NotFound: no experiment has this name.
    """
    if name not in atlas.experiments:
        raise NotFound(f"no experiment has this name: `{plain(name)}`", hint=near_names(name, atlas))
    page = render_experiment(name, atlas, read_blob)
    command = f"ledger experiment {name if shlex.quote(name) == name else 'NAME'}"
    return _file(page, {}, title, tip, _SCRIPTS, what="experiment", command=command)


def near_names(name: str, atlas: Atlas) -> str:
    """Return a hint with the experiments whose names are nearest to one that is unknown."""
    near = [f"`{plain(one)}`" for one in get_close_matches(name, atlas.experiments, n=_NEAR)]
    return f"did you mean {' or '.join(near)}?" if near else "ledger list"


def _file(
    page: Page,
    beside: Mapping[str, bytes],
    title: str,
    tip: str | None,
    scripts: tuple[str, ...] = (),
    **said: str,
) -> bytes:
    """Return a page as one file; a browser runs the scripts in it, by their hashes, and no others."""
    texts = [(_assets() / f"{script}.js").read_text("utf-8") for script in scripts]
    return render(
        "single",
        title=f"{page.title} · {title}",
        description=page.description,
        style=_style(page.kind),
        scripts=[markup(text) for text in texts],
        hashes=[base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts],
        content=_alone(page.content, page.path, beside),
        ledger=title,
        tip=tip,
        **said,
    ).encode()


def _samples(run: StoredRun, atlas: Atlas, read_blob: Callable[[str], bytes]) -> dict[str, bytes]:
    """Return the pictures of samples of the datasets that a run used, by their paths in the site."""
    names = sorted({use.name or "" for use in run.record.datasets.used})
    versions = [version for name in names for version in atlas.datasets.get(name, ())]
    return picture_files(versions, atlas, read_blob)


def _assets() -> Path:
    return shipped("site") / "docs" / "assets"


def _style(kind: str) -> str:
    folder = files("material").joinpath("templates", "assets", "stylesheets")
    theme = {one.name.partition(".")[0]: one for one in folder.iterdir() if one.name.endswith(".min.css")}
    own = [_assets() / sheet for sheet in ("ledger/ledger.css", *(_SHEETS if kind == "experiment" else ()))]
    sheets = [sheet.read_text("utf-8") for sheet in (*(theme[name] for name in _THEME), *own)]
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


def default_name(page: str) -> str:
    """Return the file that the page at a path of the site is exported to unless somebody names one."""
    return posixpath.basename(page)
