"""The samples of a dataset as read, the common input of statistics and drift."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The samples of one dataset, in one order: every list and array has one entry for each."""

    names: list[str]
    """Name of each: a path inside the dataset, or a path and a row."""
    labels: list[str | None] | None = None
    """Label of each; none where the dataset has no labels."""
    slices: dict[str, list[str | None]] = field(default_factory=dict)
    """Value of each sample, by name of a property such as a camera."""
    features: "dict[str, NDArray[np.float64]]" = field(default_factory=dict)
    """Value of each sample, by name of a numeric feature; NaN where it is missing."""
    images: "NDArray[np.float32] | None" = None
    """Small grey versions of the images, (samples, height, width), 0 to 1; NaN where one cannot be read."""
    texts: list[str] | None = None
    """Text of each."""
    embeddings: "NDArray[np.float64] | None" = None
    """The user's own vectors, (samples, dimensions)."""
