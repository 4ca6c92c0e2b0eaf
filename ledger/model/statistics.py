"""Statistics of a dataset version and of the drift between two, as the ledger stores them."""

from typing import Literal

from ledger.model.values import Document, Number

DriftTest = Literal["ks", "psi", "js", "c2st"]
"""Test that compares two samples: Kolmogorov-Smirnov, population stability, Jensen-Shannon, classifier two-sample."""


class FeatureSummary(Document, frozen=True, kw_only=True):
    """Summary of one numeric feature: a column, or a measure of each sample, such as the length of a text."""

    name: str
    """Name of the feature."""
    count: int
    """Number of samples with a value."""
    missing: int = 0
    """Number of samples without a value, or with one that is not a number."""
    mean: Number
    """Arithmetic mean."""
    deviation: Number
    """Sample standard deviation (n - 1)."""
    quantiles: list[Number]
    """Smallest value, 5, 25, 50, 75 and 95 per cent, largest value."""
    edges: list[float] = []
    """Bin edges of the histogram: one more than there are bins."""
    counts: list[int] = []
    """Number of samples in each bin of the histogram."""


class ImageSummary(Document, frozen=True, kw_only=True):
    """Summary of the images of a version."""

    count: int
    """Number of images that could be read."""
    unreadable: list[str] = []
    """Names of the images that could not be read, at most one hundred."""
    sizes: dict[str, int] = {}
    """Number of images by width x height in pixels, for the fifty most frequent sizes."""
    modes: dict[str, int] = {}
    """Number of images by pixel format (`L`, `RGB`, …)."""
    means: list[float] = []
    """Mean of each channel, 0 to 1."""
    deviations: list[float] = []
    """Standard deviation of each channel, 0 to 1."""


class DatasetSlice(Document, frozen=True, kw_only=True):
    """A part of a version whose samples share a value, such as those of one camera."""

    name: str
    """Name of the column or the folder level."""
    value: str
    """Value that they share."""
    samples: int
    """Number of samples."""


class DatasetStatistics(Document, frozen=True, kw_only=True):
    """Statistics of a dataset version."""

    samples: int
    """Number of samples."""
    labels: dict[str, int] = {}
    """Number of samples by label."""
    unlabelled: int = 0
    """Number of samples without a label."""
    slices: list[DatasetSlice] = []
    """Parts whose samples share a value."""
    features: list[FeatureSummary] = []
    """Summaries of numeric features, in the order of the data."""
    images: ImageSummary | None = None
    """Summary of its images; none where it has none."""
    warnings: list[str] = []
    """Warnings for evaluations on this version, such as slices that are too small."""


class DriftFigure(Document, frozen=True, kw_only=True):
    """The result of one drift test on two samples."""

    subject: str
    """What was compared: a feature, `labels`, `images`, `texts` or `embeddings`."""
    test: DriftTest
    """Test that was used."""
    value: Number
    """Value of the test statistic: the distance, or the accuracy of the classifier."""
    expected: Number | None = None
    """Mean of the statistic when nothing has changed, at these sample sizes."""
    p: float
    """p-value: probability of a statistic at least as large when nothing has changed."""
    adjusted: float
    """p-value after correction for all comparisons made together (Benjamini-Hochberg)."""
    drifted: bool
    """Whether the statistic is larger than chance explains."""
    reference: int
    """Number of samples taken from the reference."""
    compared: int
    """Number of samples compared with them."""


class Drift(Document, frozen=True, kw_only=True):
    """The drift of a dataset against a reference."""

    reference: str
    """Reference: a dataset version, or a path."""
    reference_hash: str
    """Content hash of the reference."""
    alpha: float
    """Significance level: how often one or more drifts are reported when nothing has changed, at most."""
    figures: list[DriftFigure]
    """Every comparison, in the order of the features."""
    skipped: dict[str, str] = {}
    """What could not be compared, each with the reason."""

    @property
    def drifted(self) -> bool:
        """Whether any comparison found drift."""
        return any(figure.drifted for figure in self.figures)
