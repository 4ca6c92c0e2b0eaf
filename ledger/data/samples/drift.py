"""Drift: whether two samples of data differ by more than chance, and by how much.

Each comparison gives a statistic, its mean when nothing has changed, and a p-value; all
p-values of one report are corrected together. So the number of features and of samples does not decide how
often a report raises a false alarm: `ALPHA` does. See `.github/decisions/drift.md`.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from ledger import formatting
from ledger.data.samples.samples import Samples
from ledger.errors import LedgerError
from ledger.model.statistics import Drift, DriftFigure, DriftTest
from ledger.model.values import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA = 0.05
"""Highest rate of reports that call anything drifted when nothing has changed."""
_BINS = 10
"""Bins of the population stability index: deciles, as in credit scoring (Siddiqi, Credit Risk Scorecards, 2006)."""
_PER_BIN = 10
"""Fewest expected samples in a bin: below, the chi-square distribution is too rough (measured: see the decision)."""
_PER_LABEL = 5
"""Fewest expected samples of a label (Cochran 1954, Biometrics 10:417); rarer labels are merged."""
_FEWEST = 20
"""Fewest samples of a side for any comparison: with fewer, only the grossest change would be found."""
_FEWEST_TO_LEARN = 50
"""Fewest samples of a side for a classifier."""
_MOST_TO_LEARN = 5_000
"""Most samples of a side for the classifier: more make it slow, and no better at large changes."""
_COMPONENTS = 50
"""Most principal components for the classifier."""


class _Comparison(msgspec.Struct, frozen=True):
    subject: str
    test: DriftTest
    value: float
    p: float
    expected: float | None
    sizes: tuple[int, int]


def measure_drift(reference: Samples, compared: Samples, *, name: str, content: str, alpha: float = ALPHA) -> Drift:
    """Compare samples with a reference, feature by feature and as a whole.

    Args:
        reference: earlier samples.
        compared: new samples.
        name: name of the reference.
        content: its content hash.
        alpha: allowed rate of reports that call anything drifted when nothing has changed.

    Raises:
        LedgerError: scipy or scikit-learn is not installed.
    """
    skipped: dict[str, str] = {}
    try:
        made = list(_comparisons(reference, compared, skipped))
        adjusted = _adjusted([one.p for one in made])
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"measuring drift needs a package: `{error.name}`", hint="pip install 'git-ledger[data]'"
        ) from None
    figures = [
        DriftFigure(
            subject=one.subject,
            test=one.test,
            value=number(one.value),
            expected=None if one.expected is None else number(one.expected),
            p=one.p,
            adjusted=together,
            drifted=together <= alpha,
            reference=one.sizes[0],
            compared=one.sizes[1],
        )
        for one, together in zip(made, adjusted, strict=True)
    ]
    return Drift(reference=name, reference_hash=content, alpha=alpha, figures=figures, skipped=skipped)


def _comparisons(reference: Samples, compared: Samples, skipped: dict[str, str]) -> Iterator[_Comparison]:
    if reference.labels is not None and compared.labels is not None:
        yield from _note_skipped(skipped, "labels", compare_labels(reference.labels, compared.labels))
    for feature in reference.features:
        if feature not in compared.features:
            skipped[feature] = "only the reference has it"
            continue
        yield from compare_numbers(feature, reference.features[feature], compared.features[feature], skipped)
    skipped |= dict.fromkeys(compared.features.keys() - reference.features.keys(), "the reference does not have it")
    wholes = (
        ("images", _flat(reference.images), _flat(compared.images)),
        ("texts", _hashed(reference.texts), _hashed(compared.texts)),
        ("embeddings", _finite(reference.embeddings), _finite(compared.embeddings)),
    )
    for subject, ours, theirs in wholes:
        if ours is None or theirs is None:
            continue
        if ours.shape[1] != theirs.shape[1]:
            skipped[subject] = "they have another shape"
            continue
        yield from _note_skipped(skipped, subject, classifier_auc(subject, ours, theirs))


def _note_skipped(skipped: dict[str, str], subject: str, made: _Comparison | None) -> Iterator[_Comparison]:
    if made is None:
        skipped[subject] = "too few samples, or all are alike"
    else:
        yield made


def compare_numbers(
    feature: str, reference: "NDArray[np.float64]", compared: "NDArray[np.float64]", skipped: dict[str, str]
) -> Iterator[_Comparison]:
    """Yield the Kolmogorov-Smirnov distance and the population stability index of one numeric feature.

    Values that are no number are left out; a feature with fewer than twenty numbers on a side is skipped.
    """
    import numpy as np
    from scipy.stats import ks_2samp

    ours, theirs = reference[np.isfinite(reference)], compared[np.isfinite(compared)]
    if min(len(ours), len(theirs)) < _FEWEST:
        skipped[feature] = f"fewer than {_FEWEST} numbers on one side"
        return
    together = np.concatenate([ours, theirs])
    if together.min() == together.max():
        skipped[feature] = "every value is the same"
        return
    if np.abs(together).max() > np.finfo(np.float64).max / 4:
        ours, theirs = ours / 4, theirs / 4  # the distance of two quantiles would overflow; both look at ranks alone
    distance = ks_2samp(ours, theirs, method="auto")
    sizes = (len(ours), len(theirs))
    yield _Comparison(feature, "ks", float(distance.statistic), float(distance.pvalue), None, sizes)
    yield from _stability(feature, ours, theirs, sizes)


def _stability(
    feature: str, ours: "NDArray[np.float64]", theirs: "NDArray[np.float64]", sizes: tuple[int, int]
) -> Iterator[_Comparison]:
    """Yield the population stability index, judged by its distribution instead of by fixed thresholds.

    PSI is the sum over bins of (p - q) ln(p / q). With nothing changed, PSI / (1/n + 1/m) follows a chi-square law
    with one degree of freedom fewer than bins, so PSI is expected at (B - 1)(1/n + 1/m)
    (Yurdakul and Naranjo, Journal of Risk Model Validation 14(4), 2020). Bins hold equal parts of both samples
    together, so neither side is favoured; half a sample is added to each count, so that an empty bin is finite.
    """
    import numpy as np
    from scipy.stats import chi2

    bins = min(_BINS, *(size // _PER_BIN for size in sizes))
    together = np.concatenate([ours, theirs])
    edges = np.unique(np.quantile(together, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(edges, side, side="right"), minlength=len(edges) + 1) for side in (ours, theirs)
    ]
    filled = (counts[0] + counts[1]) > 0
    kept = int(filled.sum())
    if kept < 2:  # noqa: PLR2004  # a single bin is no comparison
        return
    p, q = ((side[filled] + 0.5) / (side.sum() + kept / 2) for side in counts)
    index = float(np.sum((p - q) * np.log(p / q)))
    noise = 1 / sizes[0] + 1 / sizes[1]
    yield _Comparison(feature, "psi", index, float(chi2.sf(index / noise, kept - 1)), (kept - 1) * noise, sizes)


def compare_labels(reference: Sequence[str | None], compared: Sequence[str | None]) -> _Comparison | None:
    """Return the Jensen-Shannon divergence of two label balances, in bits (0 the same, 1 nothing in common).

    Its probability is that of Pearson's chi-square test of homogeneity: the G-test, which is nearer to the divergence,
    gave 8 false alarms in 100 at 30 labels and 200 samples, Pearson's 5. Labels too rare to test are counted
    together. None where there is nothing to compare.
    """
    import numpy as np
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import chi2_contingency

    ours, theirs = (Counter(label for label in side if label is not None) for side in (reference, compared))
    sizes = (ours.total(), theirs.total())
    labels = sorted(ours.keys() | theirs.keys())
    if min(sizes) < _FEWEST or len(labels) < 2:  # noqa: PLR2004  # a single label has no balance
        return None
    table = np.array([[side[label] for label in labels] for side in (ours, theirs)], dtype=float)
    divergence = float(jensenshannon(table[0], table[1], base=2)) ** 2
    least = table.sum(axis=0) * min(sizes) / sum(sizes)
    rare = least < _PER_LABEL
    tested = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)]) if rare.any() else table
    tested = tested[:, tested.sum(axis=0) > 0]
    if tested.shape[1] < 2:  # noqa: PLR2004  # as above
        return None
    p = float(chi2_contingency(tested, correction=False).pvalue)
    # Near equality the divergence is an eighth of the chi-square distance (Lin 1991, IEEE Trans. Inf. Theory 37:145).
    expected = (len(labels) - 1) * (1 / sizes[0] + 1 / sizes[1]) / (8 * np.log(2))
    return _Comparison("labels", "js", divergence, p, float(expected), sizes)


def classifier_auc(
    subject: str, reference: "NDArray[np.float64]", compared: "NDArray[np.float64]"
) -> _Comparison | None:
    """Return the AUC of a classifier between two samples: 0.5 is not distinguishable, 1 always.

    Classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017): logistic regression on principal components learns
    from one half of each side and is judged on the other; with nothing changed, what it gets right follows a
    binomial law. Halves, and the samples of the larger side, are drawn by a fixed seed. None below fifty a side.

    Args:
        subject: name of the comparison.
        reference: (samples, dimensions).
        compared: the same dimensions.
    """
    import numpy as np
    from scipy.stats import binom
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    size = min(len(reference), len(compared), _MOST_TO_LEARN) // 2 * 2
    if size < _FEWEST_TO_LEARN:
        return None
    draw = np.random.default_rng(0)
    sides = [side[draw.choice(len(side), size, replace=False)] for side in (reference, compared)]
    half = size // 2
    learned = np.concatenate([side[:half] for side in sides])
    judged = np.concatenate([side[half:] for side in sides])
    answers = np.repeat([0, 1], half)
    varies = learned.std(axis=0) > 0
    if not varies.any():
        return None
    components = min(_COMPONENTS, int(varies.sum()), half)
    model = make_pipeline(
        StandardScaler(), PCA(components, svd_solver="full"), LogisticRegression(C=0.1, max_iter=1_000)
    ).fit(learned[:, varies], answers)
    right = int((model.predict(judged[:, varies]) == answers).sum())
    p = float(binom.sf(right - 1, 2 * half, 0.5))
    return _Comparison(subject, "c2st", right / (2 * half), p, 0.5, (len(reference), len(compared)))


def _adjusted(probabilities: list[float]) -> list[float]:
    """Return p-values corrected for multiple comparisons (Benjamini and Hochberg 1995, JRSS B 57:289).

    With nothing changed anywhere, the chance that any of them is at most alpha is at most alpha.
    """
    from scipy.stats import false_discovery_control

    return [float(p) for p in false_discovery_control(probabilities, method="bh")] if probabilities else []


def _flat(images: "NDArray[np.float32] | None") -> "NDArray[np.float64] | None":
    return None if images is None else _finite(images.reshape(len(images), -1).astype("float64"))


def _finite(vectors: "NDArray[np.float64] | None") -> "NDArray[np.float64] | None":
    if vectors is None:
        return None
    import numpy as np

    return vectors[np.isfinite(vectors).all(axis=1)]


_WORD_COLUMNS = 512


def _hashed(texts: Sequence[str] | None) -> "NDArray[np.float64] | None":
    """Return texts as counts of their words in hashed columns, the same on every machine."""
    if texts is None:
        return None
    import numpy as np

    vectors = np.zeros((len(texts), _WORD_COLUMNS))
    for row, text in enumerate(texts):
        for word in text.lower().split():
            vectors[row, zlib.crc32(word.encode("utf-8", "surrogatepass")) % _WORD_COLUMNS] += 1
    return np.log1p(vectors)


_WORDS: dict[DriftTest, tuple[str, str]] = {
    "ks": ("largest gap between the two cumulative curves", "Kolmogorov-Smirnov, scipy.stats.ks_2samp"),
    "psi": ("population stability index", "Yurdakul and Naranjo 2020: chi-square law, not fixed thresholds"),
    "js": (
        "Jensen-Shannon divergence of the balances, in bits",
        "chi-square test of homogeneity, scipy.stats.chi2_contingency",
    ),
    "c2st": ("part that a classifier tells apart rightly", "Lopez-Paz and Oquab 2017: binomial law"),
}


def describe(figure: DriftFigure) -> str:
    """Return a statistic in words, with its size, its distribution and the source of that."""
    what, source = _WORDS[figure.test]
    usual = f", {formatting.number(figure.expected, 3)} when nothing has changed" if figure.expected is not None else ""
    said = "more than chance explains" if figure.drifted else "no more than chance explains"
    value = figure.value if isinstance(figure.value, str) else formatting.number(figure.value, 3)
    chance = formatting.number(figure.adjusted, 2)
    return f"{figure.subject}: {said}; {what} {value}{usual} (adjusted p {chance}; {source})"
