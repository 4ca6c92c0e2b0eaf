"""Builds the handbook and one shell page per kind with MkDocs and Material, and joins content into the shells.

MkDocs costs a second and grows with every page it renders, so it never sees a record: it renders each
kind of page once, with marks where the content belongs. The marks are replaced here.
"""

import contextlib
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path

import msgspec

from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.publish.text import escaped, visible
from ledger.resources import shipped

KINDS = {
    "home": "index.html",
    "runs": "runs/index.html",
    "run": "runs/run.html",
    "experiments": "experiments/index.html",
    "experiment": "experiments/experiment.html",
    "datasets": "datasets/index.html",
    "dataset": "datasets/dataset.html",
    "boards": "leaderboards/index.html",
    "board": "leaderboards/board.html",
    "milestones": "milestones/index.html",
    "costs": "costs/index.html",
    "machines": "machines/index.html",
    "compare": "compare.html",
    "list": "lists/index.html",
    "glossary": "handbook/glossary.html",
}
"""Kind of page to the page that MkDocs renders as its shell."""

_MARK = re.compile(r"\{ledger:(title|description|content|toc)\}")

_UNUSED = ("404.html", "sitemap.xml", "sitemap.xml.gz", "search/")
_UNUSED_ASSETS = ("assets/javascripts/lunr/", "assets/javascripts/workers/", "assets/images/")
"""Files of MkDocs and Material that none of our pages uses: maps, search workers, a default icon."""


class Handbook(Document, frozen=True, kw_only=True):
    """The output of MkDocs: finished pages and assets, and the shells for pages of the ledger."""

    shells: dict[str, str]
    """Kind of page to its HTML with marks."""
    files: dict[str, bytes]
    """Path in the site to content: handbook pages, style sheets, scripts, pictures."""


class _IndexEntry(msgspec.Struct):
    location: str
    title: str
    text: str


class _SearchIndex(msgspec.Struct):
    docs: list[_IndexEntry]


def read_handbook(title: str, repository_url: str | None) -> Handbook:
    """Run MkDocs on the shipped `site` folder and return its output.

    Raises:
        LedgerError: MkDocs found something wrong; a handbook or theme override is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="ledger-site-") as folder:
        target = Path(folder)
        _build(target, title, repository_url)
        shells = {
            kind: _with_own_scripts(kind, _close_up((target / page).read_text(encoding="utf-8")))
            for kind, page in KINDS.items()
        }
        files = {path: (target / path).read_bytes() for path in _output_files(target)}
        index = (target / "search" / "search_index.json").read_bytes()
    files["data/handbook.js"] = _search_data(index)
    return Handbook(shells=shells, files=files)


def join(shell: str, parts: Mapping[str, str]) -> bytes:
    """Return a page: `parts` (title and description as plain text, content and toc as HTML) in the shell's marks."""
    plain = {name: escaped(text) if name in {"title", "description"} else text for name, text in parts.items()}
    return _MARK.sub(lambda mark: plain[mark[1]], shell).encode()


def _close_up(shell: str) -> str:
    """Remove the blank lines and indents of theme templates: a third of a shell, which is part of every page."""
    return re.sub(r"\n\s+", "\n", shell)


_SCRIPTS = {
    "explorer/": ("runs",),
    "compare/chosen.js": ("runs", "compare"),
    "compare/": ("compare",),
    "experiment/": ("experiment",),
}
"""Scripts of some kinds of pages alone: the first that matches a path says which."""


def _with_own_scripts(kind: str, shell: str) -> str:
    """Return a shell without scripts that only other kinds of pages need: 2 KB of every page."""

    def kept(found: "re.Match[str]") -> str:
        kinds = next((kinds for start, kinds in _SCRIPTS.items() if found[1].startswith(start)), (kind,))
        return found[0] if kind in kinds else ""

    return re.sub(r'<script src="[^"]*assets/ledger/([^"]+)" defer></script>\n?', kept, shell)


def _build(target: Path, title: str, repository_url: str | None) -> None:
    with _quiet() as warnings:
        from mkdocs.commands.build import build
        from mkdocs.config import load_config
        from mkdocs.exceptions import MkDocsException

        try:
            config = load_config(str(shipped("site") / "mkdocs.yml"), site_dir=str(target), site_name=_title(title))
            config["extra"]["repository"] = repository_url
            config.plugins.on_startup(command="build", dirty=False)
            build(config)
            config.plugins.on_shutdown()
        except (MkDocsException, SystemExit) as error:
            raise LedgerError(f"mkdocs could not build the handbook: `{warnings or error}`") from error


def _title(title: str) -> str:
    """Return the title as HTML that the theme will not escape a second time."""
    from markupsafe import escape as escape_once

    return escape_once(visible(title))


@contextlib.contextmanager
def _quiet() -> Iterator[list[str]]:
    """Keep MkDocs and Material from talking on the terminal; gather their warnings instead."""
    import os

    os.environ.setdefault("NO_MKDOCS_2_WARNING", "true")  # Material prints a banner on import without it
    warnings: list[str] = []
    keeper = logging.Handler(logging.WARNING)
    keeper.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]  # a handler's one job
    logger = logging.getLogger("mkdocs")
    before = (logger.propagate, logger.level)
    logger.addHandler(keeper)
    logger.propagate = False
    try:
        yield warnings
    finally:
        logger.removeHandler(keeper)
        logger.propagate = before[0]
        logger.setLevel(before[1])


def _output_files(target: Path) -> list[str]:
    """Return the files of MkDocs that the site needs, sorted; the shells themselves are no pages."""
    shells = set(KINDS.values())
    found = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    return [
        path
        for path in found
        if path not in shells and not path.startswith(_UNUSED + _UNUSED_ASSETS) and not path.endswith(".map")
    ]


def _plain(html: str) -> str:
    """Return the text of the handbook's own HTML, as scripts put it on a page: as text."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _search_data(index: bytes) -> bytes:
    """Return the handbook's sections as a script, so that it also loads in pages opened from a folder."""
    docs = msgspec.json.decode(index, type=_SearchIndex).docs
    sections = [[doc.location, _plain(doc.title), _plain(doc.text)] for doc in docs]
    return b'ledgerData("handbook", ' + msgspec.json.encode(sections) + b");\n"
