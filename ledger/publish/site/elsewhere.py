"""Pages of runs that are rendered in other processes, on this machine or of a cluster: many pages, one ledger.

A worker opens the repository itself, at the path that the builder has: what is sent is which pages, and what comes back
are their files. It says by which key it made each; the builder takes only those whose key is its own, so a ledger that
moved, or another version of this package there, costs time and never a wrong page.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

from ledger.engine import Engine
from ledger.model.document import uncollected
from ledger.model.values import Document
from ledger.publish.site.placing import Render, Unit
from ledger.publish.site.renderer import renderer_key
from ledger.publish.site.run_units import RunUnits
from ledger.publish.site.shells import Shells
from ledger.publish.site.site_data import survey
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch

TOGETHER = 64
"""Pages of one item of work: 3 MB to send, half a second to make."""


class PagesOf(Document, frozen=True, kw_only=True):
    """The ledger whose pages are made, as every process finds it."""

    repository: str
    """Its git directory."""
    branch: str
    """Its branch."""
    tip: str
    """Commit at which it is read."""
    repository_url: str | None
    """Where commits are shown on the web."""


class Work(Document, frozen=True, kw_only=True):
    """One item of work."""

    source: PagesOf
    """The ledger."""
    shell: str
    """What the pages are put into."""
    names: tuple[str, ...]
    """Units to be made."""


class Rendered(Document, frozen=True, kw_only=True):
    """One unit that was made."""

    name: str
    """Its name."""
    key: str
    """Hash of everything it shows, as the worker sees it."""
    files: Mapping[str, bytes]
    """Its files."""


def render_work(work: Work) -> list[Rendered]:
    """Return the units of an item that this process finds in the ledger.

    Raises:
        LedgerError: the repository cannot be read here.
    """
    with _ONE_AT_A_TIME:
        units, _ = _open(work.source, work.shell)
        found = [units[name] for name in work.names if name in units]
        return [Rendered(name=unit.name, key=unit.key, files=unit.render()) for unit in found]


_ONE_AT_A_TIME = Lock()
"""Workers of a cluster may have threads; a reader of blobs is for one."""


@lru_cache(maxsize=1)
def _open(source: PagesOf, shell: str) -> tuple[Mapping[str, Unit], object]:
    """Return the units of all runs by name, and the open reader that they use; a process reads a ledger once."""
    branch = Branch.open(Path(source.repository), source.branch)
    policy = branch.policy
    with uncollected():
        contents = branch.contents()
        if contents.tip != source.tip:
            return {}, None
        atlas = survey(contents, [], source.repository_url, policy.splits, policy.site.run_pages)
        reader = blob_reader(branch.repository)
        shells = Shells({"run": shell}, atlas)
        units = RunUnits(atlas, reader.__enter__(), shells, policy.budget, renderer_key(atlas.repository_url))
        return {unit.name: unit for unit in units.units()}, reader


def render_elsewhere(engine: Engine, source: PagesOf, shell: str) -> Render:
    """Return what renders units on an engine, and yields the files of each in their order."""

    def render(units: Sequence[Unit]) -> Iterator[Mapping[str, bytes]]:
        parts = [units[start : start + TOGETHER] for start in range(0, len(units), TOGETHER)]
        items = [Work(source=source, shell=shell, names=tuple(unit.name for unit in some)) for some in parts]
        for some, made in zip(parts, engine.map(render_work, items), strict=True):
            found = {one.name: one for one in made}
            for unit in some:
                one = found.get(unit.name)
                yield one.files if one is not None and one.key == unit.key else unit.render()

    return render
