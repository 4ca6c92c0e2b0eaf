"""Statistics of a dataset version: counts, balance, slices, features; and which slices are too small."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.data.samples.reading import Reading
from ledger.model.statistics import DatasetSlice, DatasetStatistics, FeatureSummary
from ledger.model.values import LABEL_LENGTH, is_plain_text, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_TO_JUDGE = 97
"""Number of samples from which an accuracy is known to within 10 points, 19 times out of 20.

n = t² p (1 - p) / d² with t = 1.96, d = 0.1 and the worst case p = 0.5 (Cochran, Sampling Techniques, 3rd edition,
1977, section 4.4).
"""
_LABELS = 1_000
_SLICE_VALUES = 200
_BINS = 20
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def summarise(reading: Reading) -> DatasetStatistics:
    """Return the statistics of a dataset.

    Args:
        reading: reading of the dataset.
    """
    labels = Counter(shown(label) for carried in reading.labels or () for label in carried)
    slices = [
        DatasetSlice(name=shown(name), value=value, samples=count)
        for name, values in reading.slices.items()
        for value, count in _counted([value for value in values if value is not None])[:_SLICE_VALUES]
    ]
    warnings = list(reading.warnings)
    if len(labels) > _LABELS:
        warnings.append(f"{len(labels)} different labels, of which the {_LABELS} most frequent are listed")
    unlabelled = sum(not carried for carried in reading.labels or ())
    if unlabelled:
        warnings.append(f"{unlabelled} of {len(reading.names)} samples have no label")
    warnings += _too_small("label", dict(labels))
    for name in reading.slices:
        warnings += _too_small(shown(name), {one.value: one.samples for one in slices if one.name == shown(name)})
    features = reading.samples.features
    return DatasetStatistics(
        samples=len(reading.names),
        labels=dict(sorted(labels.most_common(_LABELS))),
        unlabelled=unlabelled,
        slices=slices,
        features=[_summary(name, values) for name, values in features.items() if _has_finite(values)],
        images=reading.images,
        warnings=[shown(warning, length=500) for warning in warnings],
    )


def shown(text: str, *, length: int = LABEL_LENGTH) -> str:
    """Return a name from the data in a form for records: no control characters, not long."""
    return (text if is_plain_text(text) else ascii(text)[1:-1])[:length] or "''"


def _counted(values: Sequence[str]) -> list[tuple[str, int]]:
    return sorted(Counter(map(shown, values)).items(), key=lambda item: (-item[1], item[0]))


def _too_small(name: str, sizes: dict[str, int]) -> list[str]:
    """Return a warning about slices that are too small to evaluate a model on; none where all are large enough."""
    small = sorted((count, value) for value, count in sizes.items() if count < FEWEST_TO_JUDGE)
    if not small or len(sizes) == 1:
        return []
    count, value = small[0]
    points = 1.96 * 0.5 / count**0.5 * 100
    few = f"{name}: {len(small)} of {len(sizes)} have fewer than {FEWEST_TO_JUDGE} samples"
    least = f"smallest: {value} with {count}, where it is known to {points:.0f} points up or down"
    return [f"{few}, so an accuracy on them is not known to 10 points; {least} (Cochran 1977, 4.4)"]


def _has_finite(values: "NDArray[np.float64]") -> bool:
    import numpy as np

    return bool(np.isfinite(values).any())


def _summary(name: str, values: "NDArray[np.float64]") -> FeatureSummary:
    import numpy as np

    finite = values[np.isfinite(values)]
    # Near the largest float, differences overflow; such a column is counted, and has no histogram.
    with np.errstate(all="ignore"):
        spread = float(np.ptp(finite))
        drawn = 0 < spread < float(np.finfo(np.float64).max) / _BINS
        counts, edges = np.histogram(finite if drawn else [], bins=_BINS)
        quantiles = [float(value) for value in np.quantile(finite, _QUANTILES)]
        mean, deviation = float(finite.mean()), float(finite.std(ddof=1)) if len(finite) > 1 else 0.0
    return FeatureSummary(
        name=shown(name),
        count=len(finite),
        missing=len(values) - len(finite),
        mean=number(_rounded(mean)),
        deviation=number(_rounded(deviation)),
        quantiles=[number(_rounded(value)) for value in quantiles],
        edges=[_rounded(float(edge)) for edge in edges] if drawn else [],
        counts=[int(count) for count in counts] if drawn else [],
    )


def _rounded(value: float) -> float:
    """Return a number with six significant digits: enough for readers, and less than half the bytes."""
    return float(f"{value:.6g}")
