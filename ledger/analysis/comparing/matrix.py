"""Matrix of runs by dataset version: what was measured, and what was not."""

from collections import Counter
from collections.abc import Sequence

from ledger.analysis.comparing.comparable import counts
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.values import Document


class MatrixRow(Document, frozen=True, kw_only=True):
    """One run on every version."""

    run: str
    """Run id."""
    experiment: str
    """Its experiment."""
    cells: list[Metric | None]
    """The latest measurement on each version; none where there is none."""


class Matrix(Document, frozen=True, kw_only=True):
    """One metric of many runs on every version of a dataset."""

    dataset: str
    """Name of the dataset."""
    versions: list[str]
    """Labels of its versions, oldest first."""
    key: str
    """Metric and split."""
    rows: list[MatrixRow]
    """One row for each run that was measured on one of them, newest first."""

    @property
    def gaps(self) -> list[tuple[str, str]]:
        """Return run and version of every empty cell."""
        return [
            (row.run, version)
            for row in self.rows
            for version, cell in zip(self.versions, row.cells, strict=True)
            if cell is None
        ]


def main_metric(versions: Sequence[DatasetVersion], runs: Sequence[StoredRun]) -> str | None:
    """Return the most frequent metric on these versions; none without measurements."""
    hashes = {version.hash for version in versions}
    counts = Counter(metric.key for run in runs for metric in run.metrics() if metric.dataset_hash in hashes)
    return min(counts, key=lambda key: (-counts[key], key)) if counts else None


def matrix_of(versions: Sequence[DatasetVersion], runs: Sequence[StoredRun], key: str) -> Matrix:
    """Return the values of one metric for each run on each version.

    Args:
        versions: versions of one dataset, oldest first.
        runs: runs, oldest first; those that do not count are left out.
        key: metric and split.
    """
    rows = []
    for run in reversed(runs):
        latest = {metric.dataset_hash: metric for metric in run.metrics() if metric.key == key}
        cells = [latest.get(version.hash) for version in versions]
        if counts(run) and any(cell is not None for cell in cells):
            rows.append(MatrixRow(run=run.record.id, experiment=run.record.experiment, cells=cells))
    return Matrix(
        dataset=versions[0].name if versions else "",
        versions=[version.version for version in versions],
        key=key,
        rows=rows,
    )
