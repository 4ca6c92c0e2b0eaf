"""The pages of the runs: one each for the newest, and those of older ones together in files that one page shows.

A site of a hundred thousand runs would have a page of 45 KB for each, where hosts take a gigabyte. Decided in
`.github/decisions/older-runs.md`.
"""

import gzip
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from ledger.analysis.advice.budget import Budget, spent_of
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.values import Document
from ledger.publish.pages import addresses, run_page
from ledger.publish.pages.older_page import render_older
from ledger.publish.pages.page import Page
from ledger.publish.pages.parts.verdict_line import verdict_lines
from ledger.publish.pages.parts.weak_view import WeakReader
from ledger.publish.site.placing import Unit, finished
from ledger.publish.site.renderer import key_of
from ledger.publish.site.shells import Shells
from ledger.publish.site.site_data import OLDER_TOGETHER, Atlas, board_paths_of

_LEVEL = 6
"""Level of compression: the highest takes three times as long and saves a fiftieth."""


class OlderRun(Document, frozen=True, kw_only=True):
    """The page of an older run, as its script shows it."""

    title: str
    """Title of the page, plain text."""
    content: list[int]
    """Its HTML, made by our templates: which lines it has, in their order."""
    toc: list[int]
    """The same of its table of contents."""
    curves: msgspec.Raw = msgspec.Raw(b"null")
    """Its learning curves, as the script of a run with a page of its own has them; null where it has none."""


class OlderRuns(Document, frozen=True, kw_only=True):
    """The pages of some older runs."""

    lines: list[str]
    """Each line once: pages are much alike, but further apart than a compressor looks back (32 KB)."""
    runs: dict[str, OlderRun]
    """Run to its page."""


class RunUnits:
    """What the pages of runs are made of, and the keys that say whether they must be made again.

    Args:
        atlas: the whole ledger.
        read_blob: git blob id to its bytes.
        shells: what pages are put into.
        budget: what one model may take up.
        renderer: key of all that renders pages.
    """

    marks: Mapping[str, str]
    """Run to the hash of everything on the ledger about it."""
    places: Mapping[str, Sequence[str]]
    """Run to the leaderboards of its values."""

    def __init__(
        self,
        atlas: Atlas,
        read_blob: Callable[[str], bytes],
        shells: Shells,
        budget: Budget,
        renderer: str,
    ) -> None:
        self.atlas = atlas
        self.read_blob = read_blob
        self.shells = shells
        self.budget = budget
        self.marks = {run.record.id: _mark(run) for run in atlas.runs}
        self.places = {run.record.id: board_paths_of(run, atlas) for run in atlas.runs}
        self.renderer = key_of(renderer, shells.text("run"), budget)
        self.known = sorted(atlas.datasets)
        self.verdicts = verdict_lines(atlas)
        self.by_hash: dict[str, DatasetVersion] = {
            one.hash: one for members in atlas.datasets.values() for one in members
        }
        self.weak = WeakReader(atlas, read_blob, [*self.by_hash.values()])

    def units(self) -> Iterator[Unit]:
        """Yield what is made of the runs, those without a page of their own first."""
        runs, older = self.atlas.runs, self.atlas.older
        for number, start in enumerate(range(0, older, OLDER_TOGETHER)):
            members = runs[start : start + OLDER_TOGETHER]
            yield Unit(
                name=addresses.older_data(number),
                key=key_of([self._key(run) for run in members]),
                render=partial(self._older_files, number, members),
                of_runs=True,
            )
        if older:
            page = render_older(older)
            yield finished(page.path, {page.path: self.shells.join(page)})
            # Ids sort by time, so the first of each file tell in which one a run stands.
            firsts = [run.record.id for run in runs[:older:OLDER_TOGETHER]]
            script = b'ledgerData("older", ' + msgspec.json.encode(firsts) + b");\n"
            yield finished(addresses.OLDER_DATA, {addresses.OLDER_DATA: script})
        for run in runs[older:]:
            name = addresses.run_page(run.record.id)
            yield Unit(name=name, key=self._key(run), render=partial(self._files, run), of_runs=True)

    def _key(self, run: StoredRun) -> str:
        atlas, record, marks = self.atlas, run.record, self.marks
        compared = atlas.baselines.get(record.experiment)
        related = [compared, *(marks.get(run_id or "") for run_id in (record.baseline, compared, record.parent))]
        used = [use.name for use in record.datasets.used if use.name in self.known]
        # Advice is made with the page: it follows from the run, these versions and the budget.
        measured_on = [self.by_hash[use.hash].label for use in record.datasets.used if use.hash in self.by_hash]
        attempts = [note.attempt for note in run.notes]
        linked = (*atlas.neighbours[record.id], *attempts, record.baseline, compared, record.parent)
        named = [(atlas.names.get(run_id or ""), atlas.is_older(run_id)) for run_id in (record.id, *linked)]
        nearby = (atlas.neighbours[record.id], named, run_page.ways_to_compare(run, atlas))
        around = (related, used, measured_on, self.verdicts.get(record.id), self.places[record.id])
        return key_of(self.renderer, marks[record.id], nearby, *around, atlas.has_documents(run))

    def _files(self, run: StoredRun) -> dict[str, bytes]:
        page, curves, files = self._render(run)
        if curves:
            script = b'ledgerData("curves:%s", %s);\n' % (run.record.id.encode(), curves)
            files[addresses.curve_data(run.record.id)] = script
        return {page.path: self.shells.join(page), **files}

    def _older_files(self, number: int, members: Sequence[StoredRun]) -> dict[str, bytes]:
        lines: dict[str, int] = {}
        pages: dict[str, OlderRun] = {}
        files: dict[str, bytes] = {}
        for run in members:
            page, curves, pictures = self._render(run)
            files |= pictures
            parts = self.shells.parts(page)
            pages[run.record.id] = OlderRun(
                title=parts["title"],
                content=[lines.setdefault(line, len(lines)) for line in parts["content"].split("\n")],
                toc=[lines.setdefault(line, len(lines)) for line in parts["toc"].split("\n")],
                curves=msgspec.Raw(curves or b"null"),
            )
        data = msgspec.json.encode(OlderRuns(lines=list(lines), runs=pages))
        packed = b64encode(gzip.compress(data, _LEVEL, mtime=0))
        script = b'ledgerData("older:%d", "%s");\n' % (number, packed)
        return {addresses.older_data(number): script, **files}

    def _render(self, run: StoredRun) -> tuple[Page, bytes, dict[str, bytes]]:
        return run_page.render_run(
            run,
            self.atlas,
            self.read_blob,
            self.verdicts.get(run.record.id),
            run_page.advice_for(run, self.by_hash, self.budget),
            self.weak.read(run),
            spent_of(run.record, self.budget),
        )


def _mark(run: StoredRun) -> str:
    """Return the hash of everything on the ledger about a run; blob ids represent the files beside the record."""
    return key_of(
        run.path, sorted(run.files.items()), run.evaluations, run.notes, run.record if not run.files else None
    )
