"""What was read of a dataset, sample by sample: the common ground of statistics and drift."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The samples of one dataset, in one order: every list and array has one entry for each."""

    names: list[str]
    """What each is called: a path inside the dataset, or a path and a row."""
    labels: list[str | None] | None = None
    """Label of each; none where the dataset has no labels."""
    slices: dict[str, list[str | None]] = field(default_factory=dict)
    """What samples may share, such as a camera: name to the value of each."""
    features: "dict[str, NDArray[np.float64]]" = field(default_factory=dict)
    """Numeric features: name to the value of each, not a number where it is missing."""
    images: "NDArray[np.float32] | None" = None
    """Small grey versions of the images, (samples, height, width), 0 to 1; not a number where one cannot be read."""
    texts: list[str] | None = None
    """Text of each."""
    embeddings: "NDArray[np.float64] | None" = None
    """Vectors of the user's own, (samples, dimensions)."""
