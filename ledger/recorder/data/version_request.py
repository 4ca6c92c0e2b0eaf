"""What somebody says of a dataset version that is to be added."""

from ledger.model.datasets import DatasetKind
from ledger.model.values import Document, Role


class VersionRequest(Document, frozen=True, kw_only=True):
    """A dataset version that somebody wants to add."""

    name: str
    """Name of the dataset."""
    path: str
    """Where the data is."""
    role: Role | None = None
    """What it is for; that of the parent when it is not said."""
    reason: str | None = None
    """Why this version exists; only the first version needs none."""
    version: str | None = None
    """Its label; the next `vN` when it is not said."""
    parent: str | None = None
    """Version it grew from; the latest when it is not said."""
    source: str | None = None
    """Where its data came from."""
    kind: DatasetKind | None = None
    """What its labels are worth."""
    labels: str | None = None
    """Where labels come from, as typed."""
    slices: list[str] = []
    """Columns by which samples are grouped."""
    against: list[str] = []
    """References for drift: a path, or `name@version:path`."""
