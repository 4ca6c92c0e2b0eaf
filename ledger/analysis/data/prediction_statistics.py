"""Statistics of single predictions: by class, by slice, by confidence. Only counts and their ratios."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ledger.errors import LedgerError
from ledger.model.tables import number_in
from ledger.model.values import Document

BINS = 15
"""Bins of a calibration table: as many as Guo et al. 2017 (arXiv:1706.04599, section 4) report."""
_EXACT = 1_000
"""Most changes for which the sign test is exact."""
QUARTILES_FROM = 4
"""Fewest values for which quartiles are more informative than the values themselves."""


class Confusion(Document, frozen=True, kw_only=True):
    """A confusion matrix as counts."""

    labels: tuple[str, ...]
    """Every class, sorted as numbers where all are numbers, else by name."""
    pairs: dict[tuple[str, str], int]
    """Count of each pair of true and predicted class; pairs without samples are absent."""

    def row(self, truth: str) -> list[int]:
        """Return the counts of predictions for a true class, in the order of `labels`."""
        return [self.pairs.get((truth, predicted), 0) for predicted in self.labels]

    @property
    def right(self) -> int:
        """The number of right predictions."""
        return sum(count for (truth, predicted), count in self.pairs.items() if truth == predicted)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return sum(self.pairs.values())


class ClassScore(Document, frozen=True, kw_only=True):
    """Scores of one class; a ratio of zero to zero is none."""

    label: str
    """The class."""
    precision: float | None
    """Share of predictions of the class that are right (0..1)."""
    recall: float | None
    """Share of the class that was predicted as such (0..1)."""
    f1: float | None
    """Harmonic mean of both (0..1)."""
    support: int
    """Samples of the class."""


class Bin(Document, frozen=True, kw_only=True):
    """Predictions with similar confidence."""

    confidence: float
    """Mean confidence (0..1)."""
    accuracy: float
    """Share of right predictions (0..1)."""
    samples: int
    """Number of predictions."""


class SliceScore(Document, frozen=True, kw_only=True):
    """The score of one slice of the samples."""

    name: str
    """The slice."""
    value: float
    """Share of right predictions (0..1)."""
    samples: int
    """Samples in the slice."""


def confusion_table(truth: Sequence[str], predicted: Sequence[str]) -> Confusion:
    """Return the confusion matrix of predictions.

    Raises:
        LedgerError: there is no sample, or not one prediction for each.
    """
    if not truth:
        raise LedgerError("there is no sample")
    if len(truth) != len(predicted):
        raise LedgerError(f"one prediction for each sample expected: `{len(predicted)} for {len(truth)}`")
    labels = _ordered({*truth, *predicted})
    return Confusion(labels=labels, pairs=dict(Counter(zip(truth, predicted, strict=True))))


def class_table(confusion: Confusion) -> list[ClassScore]:
    """Return precision, recall and F1 of each class (Van Rijsbergen, Information Retrieval, 1979, chapter 7).

    With TP right ones, FP others taken for the class and FN of the class taken for others: precision is
    TP / (TP + FP), recall TP / (TP + FN), F1 2 TP / (2 TP + FP + FN).
    """
    support: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for (truth, predicted), count in confusion.pairs.items():
        support[truth] += count
        taken[predicted] += count
    scores = []
    for label in confusion.labels:
        right = confusion.pairs.get((label, label), 0)
        scores.append(
            ClassScore(
                label=label,
                precision=_ratio(right, taken[label]),
                recall=_ratio(right, support[label]),
                f1=_ratio(2 * right, support[label] + taken[label]),
                support=support[label],
            )
        )
    return scores


def confused_pairs(confusion: Confusion, most: int) -> list[tuple[str, str, int]]:
    """Return the pairs of a true and another predicted class, the most frequent first."""
    wrong = [(truth, taken, count) for (truth, taken), count in confusion.pairs.items() if truth != taken and count]
    return sorted(wrong, key=lambda pair: (-pair[2], pair[0], pair[1]))[:most]


def calibration_table(confidence: Sequence[float], right: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Return mean confidence and accuracy in bins of equal width; a bin without samples is left out.

    Bin m of M holds confidences above (m - 1)/M up to m/M, the first one 0 too (Guo et al. 2017,
    arXiv:1706.04599, section 2).

    Raises:
        LedgerError: there is not one confidence for each sample, or one is no number from 0 to 1.
    """
    if len(confidence) != len(right):
        raise LedgerError(f"one confidence for each sample expected: `{len(confidence)} for {len(right)}`")
    held: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for value, is_right in zip(confidence, right, strict=True):
        if not 0 <= value <= 1:  # NaN too
            raise LedgerError(
                f"a confidence is a number from 0 to 1: `{value!r}`",
                hint="give the probability of the predicted class, such as probabilities.max(1)",
            )
        held[max(0, math.ceil(value * bins) - 1)].append((value, is_right))
    return [
        Bin(
            confidence=math.fsum(value for value, _ in members) / len(members),
            accuracy=sum(is_right for _, is_right in members) / len(members),
            samples=len(members),
        )
        for members in held
        if members
    ]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Return the expected calibration error (0..1), none without samples (Guo et al. 2017, equation 3).

    It is the mean distance of accuracy from confidence over the bins, each weighted by its samples.
    """
    samples = sum(each.samples for each in bins)
    if not samples:
        return None
    return math.fsum(each.samples * abs(each.accuracy - each.confidence) for each in bins) / samples


def slice_table(right: Sequence[bool], slices: Mapping[str, Sequence[int]]) -> list[SliceScore]:
    """Return the share of right predictions in each slice, the worst first; a slice without samples is left out.

    Args:
        right: whether each prediction is right.
        slices: positions in `right` by name of the slice; slices may overlap.
    """
    scores = [
        SliceScore(name=name, value=sum(right[place] for place in places) / len(places), samples=len(places))
        for name, places in slices.items()
        if places
    ]
    return sorted(scores, key=lambda score: (score.value, -score.samples, score.name))


def wilson_interval(share: float, samples: int, level: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of a share of `samples` (Wilson 1927, J. Am. Stat. Assoc. 22, p. 209).

    Unlike the textbook interval it keeps its level with few samples and with shares near 0 and 1 (Brown, Cai and
    DasGupta 2001, Statistical Science 16, p. 101).
    """
    from statistics import NormalDist  # it imports fractions and decimals, which a training does not need

    z = NormalDist().inv_cdf(0.5 + level / 2)
    middle = share + z * z / (2 * samples)
    reach = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def newcombe_interval(
    share: float, samples: int, before: float, before_samples: int, level: float = 0.95
) -> tuple[float, float]:
    """Return the confidence interval of the difference of two shares of independent samples, `share - before`.

    Method 10 of Newcombe 1998 (Statistics in Medicine 17, p. 873), from the Wilson interval of each. For two models on
    the same samples it is wider than needed: their mistakes go together.
    """
    low, high = wilson_interval(share, samples, level)
    before_low, before_high = wilson_interval(before, before_samples, level)
    difference = share - before
    down = math.hypot(share - low, before_high - before)
    up = math.hypot(high - share, before - before_low)
    return difference - down, difference + up


def sign_test(one: int, other: int) -> float:
    """Return the two-sided p-value of the exact sign test: how likely so uneven a split of changes is by chance.

    For samples that changed between right and wrong it is the exact form of McNemar's test (Psychometrika 12, 1947);
    of many changes the normal distribution says the same, with his correction for continuity.
    """
    changed = one + other
    if changed > _EXACT:
        return math.erfc(max(0.0, abs(one - other) - 1) / math.sqrt(2 * changed))
    tail = sum(math.comb(changed, count) for count in range(min(one, other) + 1))
    return min(1.0, tail / (1 << changed) * 2)


def is_share_of(value: float | None, samples: int) -> bool:
    """Return whether a value can be a share of the samples, as an accuracy is and a loss is not."""
    if value is None or not samples:
        return True
    return 0 <= value <= 1 and abs(value * samples - round(value * samples)) < 1e-6 * samples


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return first quartile, median and third of finite values, at least one.

    Type 7 of Hyndman and Fan 1996 (The American Statistician 50, p. 361), numpy's default: the quantile p lies at
    the place (n - 1) p of the values in their order, between two of them in proportion.
    """
    ordered = sorted(values)

    def at(share: float) -> float:
        place = (len(ordered) - 1) * share
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        part = place - low
        # Weighted and not stepped: the difference of two large values may exceed the largest float.
        return ordered[low] * (1 - part) + ordered[high] * part if part else ordered[low]

    return at(0.25), at(0.5), at(0.75)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _ordered(labels: Iterable[str]) -> tuple[str, ...]:
    numbers = {label: number_in(label) for label in labels}
    if all(value is not None and math.isfinite(value) for value in numbers.values()):
        return tuple(sorted(numbers, key=lambda label: (numbers[label], label)))
    return tuple(sorted(numbers))
