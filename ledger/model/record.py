"""The record of a run: the document that people read, review and compare."""

from typing import Any

from ledger.model.boxes.box import Box
from ledger.model.boxes.code import Code
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.inputs import Datasets, Params
from ledger.model.boxes.machine import Environment, Hardware
from ledger.model.boxes.outputs import Logs, Metric, Model, Results, Statistics
from ledger.model.values import Document, Moment, Status

RECORD_FORMAT = 1
"""Format that this version of the tool writes; older ones are upgraded when read."""


class Author(Document, frozen=True, kw_only=True):
    """Author of an entry, as git knows them."""

    name: str
    """Name."""
    email: str
    """E-mail address."""


class Link(Document, frozen=True, kw_only=True):
    """A link: a paper, a ticket, a discussion."""

    url: str
    """Its address (http, https or mailto)."""
    title: str | None = None
    """Title of the page."""


class Attempt(Document, frozen=True, kw_only=True):
    """One attempt of a run that was stopped and resumed."""

    run: str
    """Run id that it had by itself; that of the first is the run's."""
    host: str
    """Host on which it ran."""
    started_at: Moment
    """Start, UTC."""
    ended_at: Moment
    """End, UTC; for a lost attempt its last sign of life."""
    duration_seconds: float
    """Seconds between them, by a monotonic clock."""
    status: Status
    """How it ended."""
    reason: str | None = None
    """Cause of that end."""
    last_step: int | None = None
    """Last step that it logged."""


class ImportOrigin(Document, frozen=True, kw_only=True):
    """The store of another tracker that a run comes from."""

    tracker: str
    """Kind of that store, such as `mlflow`."""
    id: str
    """Id of the run there."""
    store: str
    """Name of the store, without the folders above it."""
    content: str
    """Hash of all that was read of the run; a run that changed there is another one."""
    author: str | None = None
    """Who ran it, according to the store."""
    reader: str
    """Name and version of the tool that read it."""
    at: Moment
    """When it was read, UTC."""
    losses: list[str] = []
    """What the store has of it and this record has not."""


class Timing(Document, frozen=True, kw_only=True):
    """When the run took place."""

    started_at: Moment
    """Start, UTC; where it is unknown, the moment of recording."""
    ended_at: Moment
    """End, UTC; for a lost run its last sign of life; where the end is unknown, the moment of recording."""
    duration_seconds: float | None = None
    """Seconds between them, by a monotonic clock; none where unknown (0 in older records)."""
    recorded_at: Moment
    """When the record was made, UTC."""
    source: str = "clock"
    """Where the times come from: `clock` (measured by ledger), `options` (stated), `log` or `store` (of a tracker)."""
    unknown: dict[str, str] = {}
    """Fields that are unknown, and why."""
    attempts: list[Attempt] = []
    """Attempts of a run that was resumed, oldest first; its duration is the sum of theirs."""

    @property
    def took(self) -> float | None:
        """Duration of the run in seconds; none where unknown."""
        return self.duration_seconds or None


class RunFields(Document, frozen=True, kw_only=True):
    """The fields of a run that people set: by options, in Python, or during the run.

    A record declares the same fields once more, because their order is that of its canonical bytes.
    """

    tags: list[str] = []
    """Free words to find the run by."""
    note: str | None = None
    """Comment of the author."""
    seed: int | None = None
    """Random seed."""
    parent: str | None = None
    """Run that this one continues or was derived from, or the `ledger run` that started it."""
    baseline: str | None = None
    """Run that this one should be compared with."""
    links: list[Link] = []
    """Papers, tickets, discussions."""


def fields_of(source: RunFields) -> dict[str, Any]:
    """Return the fields that somebody set, by name."""
    return {name: getattr(source, name) for name in RunFields.__struct_fields__}


class Record(Document, frozen=True, kw_only=True):
    """One run: who, when, how it ended, and the ten boxes."""

    format: int
    """Format of this document."""
    id: str
    """Run id."""
    status: Status
    """How the run ended."""
    reason: str | None = None
    """Cause of that end: the exception, the signal, the exit code."""
    exit_code: int | None = None
    """Exit code of the process, where there was one."""
    experiment: str
    """Named group of runs that answer one question."""
    tags: list[str] = []
    """Free words to find the run by."""
    note: str | None = None
    """Comment of the author."""
    author: Author
    """Who ran it."""
    command: list[str] = []
    """Command line, secrets removed."""
    folder: str | None = None
    """Folder in which the command was started, inside the repository."""
    seed: int | None = None
    """Random seed."""
    parent: str | None = None
    """Run that this one continues or was derived from, or the `ledger run` that started it."""
    children: list[str] = []
    """Runs that were started within this one and have records of their own."""
    baseline: str | None = None
    """Run that this one should be compared with."""
    links: list[Link] = []
    """Papers, tickets, discussions."""
    timing: Timing
    """When the run took place."""
    code: Code
    """Box 1: training code."""
    params: Params
    """Box 2: parameters."""
    datasets: Datasets
    """Box 3: datasets."""
    hardware: Hardware
    """Box 4: hardware."""
    environment: Environment
    """Box 5: environment."""
    cost: Cost
    """Box 6: cost."""
    model: Model
    """Box 7: model."""
    logs: Logs
    """Box 8: logs."""
    results: Results
    """Box 9: results."""
    statistics: Statistics
    """Box 10: statistics."""
    imported: ImportOrigin | None = None
    """Where it was imported from; none where this tool recorded it."""
    redactions: dict[str, int] = {}
    """Number of secrets that were replaced before anything was stored, by kind."""
    tool: str
    """Name and version of the tool that made the record."""

    def boxes(self) -> dict[str, Box]:
        """Return the ten boxes by name, in their order."""
        return {name: getattr(self, name) for name in BOXES}

    def metric(self, key: str) -> Metric | None:
        """Return the metric with that key (`split/name`), or none; of several the last, which is the final value."""
        for metric in reversed(self.results.metrics):
            if key.endswith(metric.name) and metric.key == key:  # most are told apart by their names alone
                return metric
        return None

    @property
    def headline(self) -> Metric | None:
        """The metric that represents the run."""
        return self.metric(self.results.headline) if self.results.headline else None


BOXES = (
    "code",
    "params",
    "datasets",
    "hardware",
    "environment",
    "cost",
    "model",
    "logs",
    "results",
    "statistics",
)
"""The ten boxes in the order of the record."""
