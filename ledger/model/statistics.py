"""What a dataset version looks like, and how far two of them are apart: the numbers that stand on the ledger."""

from typing import Literal

from ledger.model.values import Document, Number

DriftTest = Literal["ks", "psi", "js", "c2st"]
"""How two samples are compared: Kolmogorov-Smirnov, population stability, Jensen-Shannon, classifier two-sample."""


class FeatureSummary(Document, frozen=True, kw_only=True):
    """One numeric feature: a column, or what is measured on each sample, such as the length of a text."""

    name: str
    """Name of the feature."""
    count: int
    """Samples that have a value."""
    missing: int = 0
    """Samples that have none, or one that is no number."""
    mean: Number
    """Arithmetic mean."""
    deviation: Number
    """Standard deviation, with one degree of freedom taken off."""
    quantiles: list[Number]
    """Smallest value, 5, 25, 50, 75 and 95 per cent, largest value."""
    edges: list[float] = []
    """Borders of the histogram, one more than it has bins."""
    counts: list[int] = []
    """Samples in each bin of the histogram."""


class ImageSummary(Document, frozen=True, kw_only=True):
    """What the images of a version have in common."""

    count: int
    """Images that could be read."""
    unreadable: list[str] = []
    """Names of images that could not be read, the first hundred."""
    sizes: dict[str, int] = {}
    """Width x height in pixels to how many have it, the fifty most frequent."""
    modes: dict[str, int] = {}
    """Kind of pixel (`L`, `RGB`, …) to how many have it."""
    means: list[float] = []
    """Mean of each channel, 0 to 1."""
    deviations: list[float] = []
    """Standard deviation of each channel, 0 to 1."""


class DatasetSlice(Document, frozen=True, kw_only=True):
    """A part of a version whose samples share a value, such as those of one camera."""

    name: str
    """What they share: the column or the folder level."""
    value: str
    """Its value."""
    samples: int
    """How many there are."""


class DatasetStatistics(Document, frozen=True, kw_only=True):
    """What a dataset version looks like."""

    samples: int
    """How many samples there are."""
    labels: dict[str, int] = {}
    """Label to how many samples carry it."""
    unlabelled: int = 0
    """Samples without a label."""
    slices: list[DatasetSlice] = []
    """Parts by a shared value."""
    features: list[FeatureSummary] = []
    """Numeric features, in the order they are found."""
    images: ImageSummary | None = None
    """What its images have in common; none where it has none."""
    warnings: list[str] = []
    """What a judge of models should know, such as slices too small to judge by."""


class DriftFigure(Document, frozen=True, kw_only=True):
    """One comparison of two samples by one test."""

    subject: str
    """What was compared: a feature, `labels`, `images`, `texts` or `embeddings`."""
    test: DriftTest
    """How."""
    value: Number
    """The figure itself: the distance, or the part that the classifier got right."""
    expected: Number | None = None
    """What the figure comes to on average when nothing has changed, at these sample sizes."""
    p: float
    """Probability of a figure at least as large when nothing has changed."""
    adjusted: float
    """The same after correction for all comparisons made together (Benjamini-Hochberg)."""
    drifted: bool
    """Whether it is larger than chance explains."""
    reference: int
    """Samples of the reference that were compared."""
    compared: int
    """Samples compared with it."""


class Drift(Document, frozen=True, kw_only=True):
    """How far a dataset is from a reference."""

    reference: str
    """What it was compared with: a dataset version, or a path."""
    reference_hash: str
    """Content hash of the reference."""
    alpha: float
    """How often at most one or more figures are called drifted when nothing has changed."""
    figures: list[DriftFigure]
    """Every comparison, in the order of the features."""
    skipped: dict[str, str] = {}
    """What could not be compared, and why."""

    @property
    def drifted(self) -> bool:
        """Whether anything drifted."""
        return any(figure.drifted for figure in self.figures)
