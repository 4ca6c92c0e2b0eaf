"""The record of a run: the document that people read, review and compare."""

from typing import Any

from ledger.model.boxes import (
    Box,
    Code,
    Cost,
    Datasets,
    Environment,
    Hardware,
    Logs,
    Metric,
    Model,
    Params,
    Results,
    Statistics,
)
from ledger.model.values import Document, Moment, Status

RECORD_FORMAT = 1
"""The format this version of the tool writes; older ones are upgraded when read."""


class Author(Document, frozen=True, kw_only=True):
    """Who made an entry, as git knows them."""

    name: str
    """Name."""
    email: str
    """E-mail address."""


class Link(Document, frozen=True, kw_only=True):
    """Something worth following: a paper, a ticket, a discussion."""

    url: str
    """Where it leads (http, https or mailto)."""
    title: str | None = None
    """What it is."""


class Timing(Document, frozen=True, kw_only=True):
    """When the run lived."""

    started_at: Moment
    """Start, UTC; where it is unknown, the moment of recording."""
    ended_at: Moment
    """End, UTC; for a lost run the last sign of life, and where it is unknown, the moment of recording."""
    duration_seconds: float | None = None
    """Seconds between them, by a clock that never jumps; none where nobody knows. Older records have 0 then."""
    recorded_at: Moment
    """When the record was made, UTC."""
    source: str = "clock"
    """Where the times come from: `clock` is our own, `options` what was stated, `log` the times in the log."""
    unknown: dict[str, str] = {}
    """What of it is unknown, and why."""

    @property
    def took(self) -> float | None:
        """Seconds that the run took; none where nobody knows."""
        return self.duration_seconds or None


class RunFields(Document, frozen=True, kw_only=True):
    """What people say of a run, wherever they say it: by options, in Python, while it lives.

    A record has the same fields. It declares them once more, since their order is that of its canonical bytes.
    """

    tags: list[str] = []
    """Free words to find the run by."""
    note: str | None = None
    """What the author wanted to say."""
    seed: int | None = None
    """Random seed."""
    parent: str | None = None
    """Run this one continues or was derived from, or the `ledger run` that it was started in."""
    baseline: str | None = None
    """Run this one wants to be compared with."""
    links: list[Link] = []
    """Papers, tickets, discussions."""


def fields_of(source: RunFields) -> dict[str, Any]:
    """Return what somebody said of a run, by name of the field."""
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
    """Why it ended so: the exception, the signal, the exit code."""
    exit_code: int | None = None
    """Exit code of the process, where there was one."""
    experiment: str
    """Named group of runs that answer one question."""
    tags: list[str] = []
    """Free words to find the run by."""
    note: str | None = None
    """What the author wanted to say."""
    author: Author
    """Who ran it."""
    command: list[str] = []
    """Command line, secrets removed."""
    folder: str | None = None
    """Folder the command was given in, inside the repository."""
    seed: int | None = None
    """Random seed."""
    parent: str | None = None
    """Run this one continues or was derived from, or the `ledger run` that it was started in."""
    children: list[str] = []
    """Runs that were started in it and have records of their own."""
    baseline: str | None = None
    """Run this one wants to be compared with."""
    links: list[Link] = []
    """Papers, tickets, discussions."""
    timing: Timing
    """When it lived."""
    code: Code
    """Box 1: training code."""
    params: Params
    """Box 2: parameters."""
    datasets: Datasets
    """Box 3: datasets."""
    hardware: Hardware
    """Box 4: used hardware."""
    environment: Environment
    """Box 5: environment."""
    cost: Cost
    """Box 6: experiment cost."""
    model: Model
    """Box 7: model."""
    logs: Logs
    """Box 8: logs."""
    results: Results
    """Box 9: results."""
    statistics: Statistics
    """Box 10: statistics."""
    redactions: dict[str, int] = {}
    """Secrets replaced before anything was stored: kind to count."""
    tool: str
    """Name and version of the tool that made the record."""

    def boxes(self) -> dict[str, Box]:
        """Return the ten boxes by name, in their order."""
        return {name: getattr(self, name) for name in BOXES}

    def metric(self, key: str) -> Metric | None:
        """Return the metric of that key (`split/name`) that was stated last, or none: of many steps the final one."""
        return next((metric for metric in reversed(self.results.metrics) if metric.key == key), None)

    @property
    def headline(self) -> Metric | None:
        """The metric that speaks for the run."""
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
