"""Weak points of a run on its page: what `ledger weak` says, with pictures of the surest mistakes."""

from collections.abc import Callable, Mapping, Sequence

from ledger.analysis.weak.find import Reference, find_weak_points, versions_until
from ledger.analysis.weak.metric_tables import Kind, MetricTables, choose_group, read_metric_tables
from ledger.analysis.weak.next_changes import with_guesses
from ledger.analysis.weak.weak_points import WeakPoints
from ledger.model.boxes.outputs import GroupId
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.values import Document
from ledger.publish.pages import addresses
from ledger.publish.pages.parts.version_view import is_small_picture
from ledger.publish.pages.pictures import is_png
from ledger.publish.site.site_data import Atlas

_NOTHING: frozenset[Kind] = frozenset()
_SAMPLES: frozenset[Kind] = frozenset({"samples"})
"""The largest table of a run; without another run to compare with, nothing on the page needs it."""
_KEPT = 8
"""Tables of other runs that are kept between pages: many runs are compared with one baseline."""


class WeakView(Document, frozen=True, kw_only=True):
    """The weak points on a page."""

    points: WeakPoints
    """The weak points."""
    pictures: Mapping[str, str]
    """URL of the picture of a sample, relative to the page."""


class WeakReader:
    """Reads the weak points of runs for their pages, and keeps the tables of the runs that they are compared with.

    Args:
        atlas: the whole ledger.
        read_blob: git blob id to its bytes.
        versions: every dataset version.
    """

    def __init__(self, atlas: Atlas, read_blob: Callable[[str], bytes], versions: Sequence[DatasetVersion]) -> None:
        self._atlas = atlas
        self._read_blob = read_blob
        self._versions = versions
        self._known: dict[tuple[str, GroupId], MetricTables | None] = {}

    def read(self, run: StoredRun) -> WeakView | None:
        """Return the weak points of a run; none where it kept no tables of single predictions."""
        group = choose_group(run)
        if group is None:
            return None
        reference = self._reference(run, group)
        flips = reference is not None and reference.tables is not None and "samples" in reference.tables.cells
        tables = read_metric_tables(run, self._read_blob, group, _NOTHING if flips else _SAMPLES)
        if tables is None:
            return None
        baseline = self._atlas.baselines.get(run.record.experiment)
        versions = versions_until(self._versions, group.dataset_hash)
        points = find_weak_points(run, tables, reference, versions, baseline=baseline)
        if run.retraction is None:
            points = with_guesses(run, points, self._versions)
        return WeakView(points=points, pictures={**self._pictures(points), **self._figures(run, points)})

    def _reference(self, run: StoredRun, group: GroupId) -> Reference | None:
        name, word = self._atlas.reference_of(run) or ("", "")
        other = self._atlas.by_id.get(name)
        if other is None or other is run:
            return None
        if not group.dataset_hash:
            return Reference(other, word, None)
        asked = name, group
        if asked not in self._known:
            if len(self._known) == _KEPT:
                del self._known[next(iter(self._known))]
            self._known[asked] = read_metric_tables(other, self._read_blob, group)
        return Reference(other, word, self._known[asked])

    def _pictures(self, points: WeakPoints) -> dict[str, str]:
        """Return the pictures that the page of the dataset has as files."""
        shown = {}
        for mistake in points.mistakes:
            picture = mistake.picture
            blob = self._atlas.pictures.get(picture.path) if picture else None
            if picture and picture.dataset and blob and is_small_picture(self._read_blob(blob)):
                path = addresses.sample_picture(picture.dataset, picture.hash)
                shown[mistake.sample] = addresses.link(path, 1)
        return shown

    def _figures(self, run: StoredRun, points: WeakPoints) -> dict[str, str]:
        """Return the figures of the run that show a sample and are files of the site: those in PNG."""
        own = {one.picture.path: one.sample for one in points.mistakes if one.picture and not one.picture.dataset}
        shown = {}
        for number, figure in enumerate(run.record.results.figures, start=1):
            sample, blob = own.get(f"{run.path}/{figure.file}"), run.files.get(figure.file)
            if sample is not None and blob is not None and is_png(self._read_blob(blob)):
                shown[sample] = addresses.link(addresses.figure_file(run.record.id, number), 1)
        return shown
