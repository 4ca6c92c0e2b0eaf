"""Learning curves of repeats as one line with a band: the mean over seeds, between the smallest and the largest."""

from collections.abc import Sequence

from ledger.model.values import Document

LARGEST = 1e100
"""Values beyond it are drawn as gaps: no axis has ticks for them."""
_POINTS = 400
"""Most places of a band: more than a printed column has dots of a line."""


class CurveBand(Document, frozen=True, kw_only=True):
    """The curves of one setting; a place where one of them has no finite value is a gap: NaN."""

    xs: list[float]
    """Steps, epochs, seconds or positions, ascending."""
    mean: list[float]
    """Mean over the runs."""
    low: list[float]
    """Smallest of the runs."""
    high: list[float]
    """Largest of the runs."""


def band_of(curves: Sequence[tuple[Sequence[float], Sequence[float]]]) -> CurveBand | None:
    """Return the band of curves of one setting, over the places that all of them span; none where they share none.

    Args:
        curves: places and values of each run; between two places a curve is a straight line.
    """
    import numpy as np

    drawn = [(np.asarray(xs, float), np.asarray(ys, float)) for xs, ys in curves if len(xs)]
    if not drawn:
        return None
    ordered = []
    for xs, ys in drawn:
        places, last = np.unique(xs[::-1], return_index=True)  # of two values at one place the later counts
        ordered.append((places, ys[::-1][last]))
    start, end = max(xs[0] for xs, _ in ordered), min(xs[-1] for xs, _ in ordered)
    grid = np.unique(np.concatenate([xs for xs, _ in ordered]))
    grid = grid[(grid >= start) & (grid <= end)]
    if not len(grid):
        return None
    if len(grid) > _POINTS:
        grid = grid[np.linspace(0, len(grid) - 1, _POINTS).round().astype(int)]
    rows = []
    for xs, ys in ordered:
        known = np.where(np.isfinite(ys) & (np.abs(ys) < LARGEST), ys, np.nan)
        rows.append(np.interp(grid, xs, known))
    table = np.vstack(rows)
    return CurveBand(
        xs=grid.tolist(),
        mean=table.mean(axis=0).tolist(),
        low=table.min(axis=0).tolist(),
        high=table.max(axis=0).tolist(),
    )
