"""Weak points of a model, as values: slices, classes, pairs, mistakes, and what changed against another run."""

from typing import Literal

from ledger.analysis.weak.step_changes import StepChange
from ledger.model.values import Document


class WeakShare(Document, frozen=True, kw_only=True):
    """One slice or class with its share of right predictions."""

    name: str
    """Slice or class."""
    value: float
    """Value of the metric on the slice; of a class, its recall."""
    samples: int
    """Samples in it."""
    low: float | None = None
    """Lower end of the 95 % interval (Wilson 1927); none where the value is no share of the samples."""
    high: float | None = None
    """Upper end."""
    weak: bool = False
    """Whether it is worse than all samples together by more than chance, corrected for the number of slices."""
    before: float | None = None
    """Value in the run compared with."""
    moved: Literal["better", "worse"] | None = None
    """Whether it changed by more than chance since then (Newcombe 1998), corrected for the number of slices."""


class ConfusedPair(Document, frozen=True, kw_only=True):
    """A class that was taken for another."""

    truth: str
    """True class."""
    predicted: str
    """Predicted class."""
    count: int
    """Number of samples."""
    share: float | None = None
    """Share of the samples of the class (0..1); none where their number is unknown."""
    low: float | None = None
    """Lower end of its 95 % interval (Wilson 1927)."""
    high: float | None = None
    """Upper end."""


class SampleThumbnail(Document, frozen=True, kw_only=True):
    """A picture of a sample: a figure that the run titled with its id, or a small one that a dataset version kept."""

    dataset: str | None = None
    """Name of the dataset that kept it; none for a figure of the run."""
    path: str
    """Path of the picture on the ledger branch."""
    hash: str
    """Hash of the picture."""


class Mistake(Document, frozen=True, kw_only=True):
    """A single wrong prediction."""

    sample: str
    """Id of the sample."""
    truth: str
    """True class."""
    predicted: str
    """Predicted class."""
    confidence: float
    """Probability that the model gave to it (0..1)."""
    picture: SampleThumbnail | None = None
    """Picture of the sample, where a version of the dataset kept one."""


class Flips(Document, frozen=True, kw_only=True):
    """Samples whose result changed against another run."""

    broken: int
    """Samples that it got right and this run gets wrong."""
    mended: int
    """Samples that it got wrong and this run gets right."""
    p_value: float
    """Probability of so uneven a split by chance (sign test; McNemar 1947)."""
    broken_samples: list[str]
    """Some of the broken ones, the surest mistakes first."""
    mended_samples: list[str]
    """Some of the mended ones."""


class Guess(Document, frozen=True, kw_only=True):
    """One sentence on what to change next: a guess from a stated rule."""

    about: Literal["data", "augmentation", "architecture"]
    """Part of the training that it is about."""
    say: str
    """Suggestion and reason."""
    rule: str
    """Rule that it follows from, with its source."""


class WeakPoints(Document, frozen=True, kw_only=True):
    """Where a model is weak, and what to change next."""

    run: str
    """Run id."""
    metric: str
    """Metric and split."""
    dataset: str | None
    """Dataset version that it was measured on."""
    value: float | None
    """Value on all samples."""
    against: str | None = None
    """Run compared with; none where there is none that kept such tables."""
    word: str | None = None
    """Why it is compared with that run: `baseline`, `parent`, `best`, `given`."""
    slices: list[WeakShare] = []
    """The worst slices."""
    classes: list[WeakShare] = []
    """The classes with the lowest recall."""
    pairs: list[ConfusedPair] = []
    """The pairs that were confused most often."""
    mistakes: list[Mistake] = []
    """The mistakes that the model was surest of."""
    flips: Flips | None = None
    """Samples whose result changed."""
    cases: list[str] = []
    """Registered cases that this run fails and the run before it passed."""
    moved: list[WeakShare] = []
    """Slices and classes that changed by more than chance."""
    steps: list[StepChange] = []
    """Steps around the model that changed."""
    beside: list[str] = []
    """Other params that changed, and `code` where that did."""
    guesses: list[Guess] = []
    """What to change next."""
    missing: dict[str, str] = {}
    """What could not be answered, and what to record for it."""
