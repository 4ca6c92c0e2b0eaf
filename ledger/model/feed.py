"""How a run was fed: the plan of its batches, and what of it was served.

The order of all samples is a pure function of the plan: see `.github/decisions/feeding.md`.
"""

from typing import Annotated, Literal

from msgspec import Meta

from ledger.model.values import Document

FeedOrder = Literal["shuffle", "sequential", "weighted", "blocked"]
"""Order of an epoch: a permutation, the order of the dataset, draws with replacement, or shuffled blocks of rows."""

Tail = Literal["drop", "pad", "short"]
"""What becomes of the rows that do not fill a batch: left out, filled up from the epoch's start, or a short batch."""

Transport = Literal["ipc", "tcp"]
"""How a data server was reached: on the same host, or over the network."""

Count = Annotated[int, Meta(ge=0)]
"""A number of things."""


class FeedStage(Document, frozen=True, kw_only=True):
    """Which samples the epochs of one stage of a curriculum are drawn from, and in which order."""

    from_epoch: Count = 0
    """First epoch of the stage; it lasts until the next one begins."""
    order: FeedOrder = "shuffle"
    """Order of its epochs."""
    samples: Count
    """Number of samples it draws from."""
    block: Annotated[int, Meta(ge=1)] | None = None
    """Rows of a block, where blocks are shuffled."""
    selection: str | None = None
    """Hash of the rows it draws from, in order; none where it draws from the whole dataset."""
    keep: dict[str, list[str]] = {}
    """Values that samples may have, by property: `label`, or a slice."""
    weights: dict[str, float] = {}
    """Share of the draws by label, before they are scaled to 1."""
    groups: dict[str, Count] = {}
    """Number of samples by label, where labels have weights."""


class SkippedBatches(Document, frozen=True, kw_only=True):
    """Batches of one epoch that are left out, such as after a loss spike."""

    epoch: Count
    """The epoch."""
    first: Count
    """The first batch left out."""
    last: Count
    """The last batch left out."""


class FeedPlan(Document, frozen=True, kw_only=True):
    """All that the order of the samples depends on."""

    format: int = 1
    """Format of the plan: which functions make an order of it."""
    dataset_hash: str
    """Content hash of the dataset version."""
    seed: int
    """Seed of the order."""
    global_batch_size: Annotated[int, Meta(ge=1)]
    """Samples of a batch over all ranks."""
    tail: Tail = "drop"
    """What becomes of the rows that do not fill a batch."""
    skip: list[SkippedBatches] = []
    """Batches that are left out."""
    stages: list[FeedStage]
    """Stages by their first epoch; one where there is no curriculum."""


class FeedStretch(Document, frozen=True, kw_only=True):
    """Batches that were served one after the other, and the digest of their order."""

    epoch: Count
    """The epoch."""
    first: Count
    """Number of the first batch."""
    last: Count
    """Number of the last batch."""
    batches: Count
    """Number of batches between them, both included, without those that the plan skips."""
    samples: Count
    """Number of samples in them, over all ranks."""
    digest: str
    """Digest of the order of their samples; the plan alone gives the same."""


class Feed(Document, frozen=True, kw_only=True):
    """What fed a run: a dataset version, in the order of a plan."""

    dataset: str
    """Name of the dataset version, or path of the data."""
    verified: bool
    """Whether its content was seen to be that of the version."""
    plan: FeedPlan
    """The plan."""
    plan_digest: str
    """Digest of the plan; a checkpoint of the order names it."""
    batch_size: Annotated[int, Meta(ge=1)]
    """Samples of a batch on each rank."""
    world: Annotated[int, Meta(ge=1)] = 1
    """Number of ranks that shared each batch."""
    code: str | None = None
    """Hash of the code that transforms and augments samples; none where none does, or where it is unknown."""
    code_unknown: str | None = None
    """Why the code that transforms or augments samples here has no hash."""
    source: str
    """Kind of source that read the samples."""
    server: Transport | None = None
    """How a data server was reached; none where the training read the data itself."""
    reconnects: Count = 0
    """How often the connection to a server was made again."""
    cache_hits: Count = 0
    """Batches that a server had decoded before, for another training or an earlier attempt."""
    batches: Count = 0
    """Number of batches served."""
    samples: Count = 0
    """Number of samples served, over all ranks, repetitions included, without those that this one left out."""
    broken: Count = 0
    """Number of samples that could not be read and were left out, on this rank."""
    broken_named: list[str] = []
    """The first of them, and why."""
    stretches: list[FeedStretch] = []
    """What was served, in order: one for each epoch, and each time that one was resumed."""
    stretches_left_out: Count = 0
    """Number of stretches that are left out between the first and the last ones."""
    unique_samples: Count | None = None
    """Number of different samples served; none where that was not counted."""
    bytes: Count = 0
    """Bytes of the arrays that this rank received."""
    padded: Count = 0
    """Samples that were served a second time to fill a batch."""
    wait_seconds: float = 0.0
    """Seconds that training waited for batches."""
    wait_p50_seconds: float | None = None
    """Half of the batches were waited for no longer, in seconds."""
    wait_p95_seconds: float | None = None
    """The same for 95 of 100 batches."""
    wait_p99_seconds: float | None = None
    """The same for 99 of 100 batches."""
    first_batch_seconds: float | None = None
    """Seconds from the start of the iteration to the first batch."""
