"""A run as another tracker kept it, before it becomes a record: only what its store says."""

from datetime import datetime

from ledger.formats.scalar import Scalar
from ledger.model.values import Document, Status


class ForeignDataset(Document, frozen=True, kw_only=True):
    """A dataset as another tracker names it; its digest is no content hash of ours."""

    name: str
    """Its name there."""
    digest: str | None = None
    """Its digest there."""
    context: str | None = None
    """What it was used for, in the words of the store, such as `training`."""


class ForeignRun(Document, frozen=True, kw_only=True):
    """One run of another tracker's store."""

    id: str
    """Its id there."""
    name: str | None = None
    """Name that people gave to it."""
    experiment: str | None = None
    """Experiment or project that it belongs to."""
    status: Status = "finished"
    """How it ended; `lost` where the store shows it as running although nobody writes it any more."""
    reason: str | None = None
    """Cause of that end, where the store has one."""
    started_at: datetime | None = None
    """Start, UTC."""
    ended_at: datetime | None = None
    """End, UTC."""
    author: str | None = None
    """User name in the store."""
    params: dict[str, object] = {}
    """Params as they were read: plain JSON values, possibly nested."""
    scalars: list[Scalar] = []
    """Every point of every series, in the order of the store."""
    metrics: dict[str, float] = {}
    """Final values that the store states as such; a series whose last value is its only summary is not among them."""
    directions: dict[str, str] = {}
    """`higher` or `lower` for each metric or series whose direction the store states."""
    datasets: list[ForeignDataset] = []
    """Datasets."""
    tags: list[str] = []
    """Free words."""
    note: str | None = None
    """Comment."""
    parent: str | None = None
    """Id of the run that it belongs to, there."""
    commit: str | None = None
    """Commit of the code that the store names."""
    command: list[str] = []
    """Command line or program that the store names."""
    deleted: bool = False
    """Whether it was deleted there, and only remains in the store."""
    losses: list[str] = []
    """What of it cannot be kept, each in a phrase."""
