"""The request to add a dataset version."""

from ledger.model.datasets import DatasetKind
from ledger.model.values import Document, Role


class VersionRequest(Document, frozen=True, kw_only=True):
    """A request to add a dataset version."""

    name: str
    """Name of the dataset."""
    path: str
    """Path of the data."""
    role: Role | None = None
    """Role of the dataset; the parent's by default."""
    reason: str | None = None
    """Why this version is made; only the first version needs no reason."""
    version: str | None = None
    """Label of the version; the next `vN` by default."""
    parent: str | None = None
    """Version that it is based on; the latest by default."""
    source: str | None = None
    """Where the data comes from."""
    kind: DatasetKind | None = None
    """Origin of its labels."""
    labels: str | None = None
    """Where labels are read from, as typed."""
    slices: list[str] = []
    """Columns that group samples into slices."""
    against: list[str] = []
    """References for drift: each a path, or `name@version:path`."""
