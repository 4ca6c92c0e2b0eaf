"""Growth of a metric with data, model size, time or money, and its prediction for ten times more.

The error of a model falls as a power of these quantities, over many orders of magnitude (Hestness et al., Deep
Learning Scaling is Predictable, Empirically, arXiv:1712.00409; Kaplan et al., arXiv:2001.08361). On logarithmic axes
that is a line, fitted by least squares; intervals are those of linear regression (Draper and Smith, Applied
Regression Analysis, 3rd edition, sections 1.4 and 3.1).
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal

from ledger.analysis.comparing.comparable import Group, agreed_direction, counts, group_of
from ledger.formatting import number
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document

Against = Literal["samples", "parameters", "duration", "cost"]
"""Quantity that varies: training samples, parameters of the model, seconds, money."""

FACTOR = 10.0
"""Factor of the prediction."""
_SIZES = 4
"""Fewest distinct sizes: a line through three points has a useless interval."""
_SPAN = 4.0
"""Smallest ratio of the largest to the smallest size: the prediction is for ten times the largest."""
_CONFIDENCE = 0.95
_BAND = 24
"""Number of segments in which the line is drawn: its interval is curved."""


class GrowthPoint(Document, frozen=True, kw_only=True):
    """One run of a growth."""

    run: str
    """Run id."""
    size: float
    """Size of the quantity."""
    value: float
    """Value of the metric."""


class GrowthBand(Document, frozen=True, kw_only=True):
    """The line at one size."""

    size: float
    """Size of the quantity."""
    low: float
    """Lower end of the 95 % interval for the error of one run of that size."""
    error: float
    """Expected error of such a run: its distance from perfect."""
    high: float
    """Upper end of that interval."""


class Growth(Document, frozen=True, kw_only=True):
    """The growth of a metric with a quantity."""

    group: Group
    """Comparable group of the values."""
    against: Against
    """The quantity."""
    points: list[GrowthPoint]
    """One point for each run, by size."""
    direction: Direction | None = None
    """Which values are better."""
    band: list[GrowthBand] = []
    """The fitted line, from the smallest size to ten times the largest; empty where none is fitted."""
    why_not: str | None = None
    """Why no line is fitted; none where one is."""
    exponent: float | None = None
    """Exponent: the error is proportional to the size to this power; negative is better."""
    exponent_interval: tuple[float, float] | None = None
    """95 % interval of the exponent."""
    expected_at: float | None = None
    """Ten times the largest size."""
    expected: float | None = None
    """Expected value of the metric at that size."""
    expected_interval: tuple[float, float] | None = None
    """95 % interval for a run of that size."""
    flattens: bool = False
    """Whether the line flattens, so that the expected value is too optimistic."""


def growth_of(runs: Sequence[StoredRun], key: str, against: Against) -> list[Growth]:
    """Return the growth of one metric for each comparable group of the runs, the one with most runs first.

    Args:
        runs: the runs; those that do not count are left out.
        key: metric and split.
        against: the quantity.
    """
    measured: dict[GroupId, list[tuple[GrowthPoint, Metric]]] = {}
    groups: dict[GroupId, Group] = {}
    for run in runs:
        size = _SIZE[against](run)
        if not counts(run) or size is None or not size > 0:
            continue
        latest = {
            metric.group_id: metric
            for metric in run.metrics()
            if metric.key == key and metric.dataset_hash and math.isfinite(metric.number)
        }
        for identity, metric in latest.items():
            groups.setdefault(identity, group_of(metric))
            point = GrowthPoint(run=run.record.id, size=size, value=metric.number)
            measured.setdefault(identity, []).append((point, metric))
    grown = [
        fit(groups[identity], against, [point for point, _ in members], agreed_direction(m for _, m in members))
        for identity, members in measured.items()
    ]
    return sorted(grown, key=lambda growth: (-len(growth.points), growth.group))


def fit(group: Group, against: Against, points: Sequence[GrowthPoint], direction: Direction | None) -> Growth:
    """Return the growth that points show, or why they show none.

    Args:
        group: comparable group of the values.
        against: the quantity.
        points: one for each run.
        direction: which values are better.
    """
    ordered = sorted(points, key=lambda point: (point.size, point.run))
    why_not, errors = _errors(ordered, direction)
    if why_not:
        return Growth(group=group, against=against, points=ordered, direction=direction, why_not=why_not)
    sizes = [point.size for point in ordered]
    line = _Line([math.log(size) for size in sizes], [math.log(error) for error in errors])
    beyond = FACTOR * sizes[-1]
    low, middle, high = line.predicted(math.log(beyond))

    def as_metric(error: float) -> float:
        return max(0.0, 1 - error) if direction == "higher" else error

    ends = sorted((as_metric(math.exp(low)), as_metric(math.exp(high))))
    width = line.quantile * line.slope_error
    return Growth(
        group=group,
        against=against,
        points=ordered,
        direction=direction,
        band=line.band(sizes[0], beyond),
        exponent=line.slope,
        exponent_interval=(line.slope - width, line.slope + width),
        expected_at=beyond,
        expected=as_metric(math.exp(middle)),
        expected_interval=(ends[0], ends[1]),
        flattens=line.bends_up(),
    )


def _errors(points: Sequence[GrowthPoint], direction: Direction | None) -> tuple[str | None, list[float]]:
    """Return why no line can be fitted, and the distance of each value from perfect."""
    if direction is None:
        return "no direction is recorded: set it under `directions` in policy.yaml", []
    sizes = sorted({point.size for point in points})
    if len(sizes) < _SIZES:
        return f"not enough points: {len(sizes)} different sizes, {_SIZES} are needed", []
    if sizes[-1] / sizes[0] < _SPAN:
        times = number(sizes[-1] / sizes[0], 2)
        return f"not enough points: the largest size is {times} times the smallest, not {_SPAN:g}", []
    values = [point.value for point in points]
    if direction == "higher" and not all(0 <= value <= 1 for value in values):
        return "its distance from perfect is unknown: its values are not between 0 and 1", []
    errors = [1 - value if direction == "higher" else value for value in values]
    if min(errors) <= 0:
        return "some values are perfect, and the logarithm of an error of 0 is not a number", []
    return None, errors


class _Line:
    """A straight line by least squares, with the sums for its intervals."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        from scipy.stats import t

        self.xs, self.ys = xs, ys
        self.count = len(xs)
        self.mean = sum(xs) / self.count
        self.spread = sum((x - self.mean) ** 2 for x in xs)
        average = sum(ys) / self.count
        self.slope = sum((x - self.mean) * (y - average) for x, y in zip(xs, ys, strict=True)) / self.spread
        self.start = average - self.slope * self.mean
        left = sum((y - self.start - self.slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
        self.noise = math.sqrt(left / (self.count - 2))
        self.slope_error = self.noise / math.sqrt(self.spread)
        self.quantile = float(t.ppf((1 + _CONFIDENCE) / 2, self.count - 2))

    def predicted(self, x: float) -> tuple[float, float, float]:
        """Return the interval of a new point at `x`: low, expected, high."""
        middle = self.start + self.slope * x
        error = self.noise * math.sqrt(1 + 1 / self.count + (x - self.mean) ** 2 / self.spread)
        return middle - self.quantile * error, middle, middle + self.quantile * error

    def band(self, first: float, last: float) -> list[GrowthBand]:
        """Return the line and its interval at sizes with equal distances on a logarithmic axis."""
        found = []
        for step in range(_BAND + 1):
            size = first * (last / first) ** (step / _BAND)
            low, middle, high = (math.exp(value) for value in self.predicted(math.log(size)))
            found.append(GrowthBand(size=size, low=low, error=middle, high=high))
        return found

    def bends_up(self) -> bool:
        """Return whether a parabola fits better than chance explains, and opens upwards (F test, 5 per cent)."""
        import numpy as np
        from scipy.stats import f

        if self.count <= _SIZES:
            return False
        squared, _, _ = np.polyfit(self.xs, self.ys, 2)
        bent = np.polyval(np.polyfit(self.xs, self.ys, 2), self.xs)
        left = float(np.sum((np.asarray(self.ys) - bent) ** 2))
        straight = self.noise**2 * (self.count - 2)
        if squared <= 0 or left <= 0:
            return bool(squared > 0 and straight > left)
        ratio = (straight - left) / (left / (self.count - 3))
        return float(f.sf(ratio, 1, self.count - 3)) < 1 - _CONFIDENCE


def _samples(run: StoredRun) -> float | None:
    counts = [
        use.samples if use.samples is not None else use.files for use in run.record.datasets.used if use.role == "train"
    ]
    known = [count for count in counts if count is not None]
    return float(sum(known)) if known and len(known) == len(counts) else None


_SIZE: dict[Against, Callable[[StoredRun], float | None]] = {
    "samples": _samples,
    "parameters": lambda run: run.record.model.parameters,
    "duration": lambda run: run.record.timing.took,
    "cost": lambda run: run.record.cost.amount,
}
