"""What is known of a run before it is a record: everything the user gave or the session kept."""

from datetime import datetime
from typing import Literal

from ledger.analysis.data.curves import Gathered
from ledger.model.boxes import Code, Environment, Gpu, Hardware, Metric, Model, Usage
from ledger.model.entries import EnvironmentFile, ManifestLine
from ledger.model.record import RunFields
from ledger.model.values import DECLARED, Document, ParamValue, Role, Status, TableKind


class Dataset(Document, frozen=True, kw_only=True):
    """A dataset that a run used: by path, or already hashed."""

    role: Role
    """What it was used for."""
    path: str
    """Where it is."""
    split: str | None = None
    """Split it stands for in metric names; the role when none is given."""
    name: str | None = None
    """Name of the dataset on the ledger."""
    version: str | None = None
    """Label of this version."""
    parent: str | None = None
    """Label of the version it grew from."""
    reason: str | None = None
    """Why this version exists."""
    source: str | None = None
    """Where its data came from."""
    samples: int | None = None
    """How many samples it holds."""
    hash: str | None = None
    """Its content hash, where it was hashed when it was used; `declared:…` where it was only declared."""
    lines: list[ManifestLine] = []
    """Its manifest, where it was hashed when it was used."""
    bytes: int | None = None
    """Its size, where it was hashed when it was used and its manifest is too long to be kept."""
    memory: str | None = None
    """What it was where it lay in memory."""
    unknown: str | None = None
    """Why it has no hash, where that was learned when it was used."""

    @property
    def declared(self) -> bool:
        """Whether nobody saw its bytes."""
        return self.hash is not None and self.hash.startswith(DECLARED)


class CaptureProblem(Document, frozen=True, kw_only=True):
    """Something the run wanted to keep that could not be captured."""

    field: str
    """What of it: `metrics.accuracy`, `figures.roc`, …"""
    message: str
    """Why not."""


class FigureSource(Document, frozen=True, kw_only=True):
    """A picture to keep."""

    title: str
    """What it shows."""
    path: str
    """File that holds it: png or svg."""


class TableSource(Document, frozen=True, kw_only=True):
    """A table to keep."""

    name: str
    """What it shows."""
    path: str
    """File that holds it: CSV."""
    kind: TableKind | None = None
    """Which table it is; told by its columns where nobody says."""
    metric: str | None = None
    """Key of the metric that it explains."""
    dataset: str | None = None
    """Dataset version that it was measured on."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""


class Rank(Document, frozen=True, kw_only=True):
    """Which of several processes of one training kept something."""

    rank: int
    """Its rank; 0 leads."""
    processes: int | None = None
    """How many there are; none where only the rank is known."""
    job: str | None = None
    """What they share and no other job has."""
    launcher: str | None = None
    """What told the rank."""


class Captured(Document, frozen=True, kw_only=True):
    """What the probes saw, at the start of the run where there was one."""

    code: Code
    """Box 1."""
    patch: bytes
    """The patch that belongs to it."""
    hardware: Hardware
    """Box 4."""
    environment: Environment
    """Box 5."""
    environment_file: EnvironmentFile
    """The whole environment."""
    redactions: dict[str, int] = {}
    """Secrets replaced in it: kind to count."""


class Draft(RunFields, frozen=True, kw_only=True):
    """All that a record is made from."""

    id: str
    """Run id."""
    status: Status
    """How the run ended."""
    experiment: str
    """Named group of runs that answer one question."""
    started_at: datetime
    """Start, UTC."""
    ended_at: datetime
    """End, UTC."""
    duration_seconds: float
    """Seconds between them, by a clock that never jumps."""
    timed: bool = True
    """Whether anybody knows how long it took."""
    times: Literal["clock", "options", "log"] = "clock"
    """Where the times come from."""
    times_unknown: dict[str, str] = {}
    """What of the times is unknown, and why."""
    reason: str | None = None
    """Why it ended so."""
    exit_code: int | None = None
    """Exit code of the process."""
    command: list[str] = []
    """Command line."""
    folder: str | None = None
    """Folder it was given in, inside the repository."""
    children: list[str] = []
    """Runs that were started in it and have records of their own."""
    rank: Rank | None = None
    """Which process of a job keeps it; none where it is the only one."""
    params: dict[str, ParamValue] = {}
    """Every param by its dotted name."""
    param_sources: list[str] = []
    """Files that params were read from."""
    result_files: list[str] = []
    """Files that options name as results: they are no code."""
    metrics: list[Metric] = []
    """Final metrics."""
    headline: str | None = None
    """Key of the metric that speaks for the run."""
    datasets: list[Dataset] = []
    """Datasets used."""
    curves: Gathered | None = None
    """Everything logged; none when nothing was."""
    log: str | None = None
    """File with the full training log."""
    model_path: str | None = None
    """File or folder with the trained model."""
    model: Model | None = None
    """The model box, where it was captured when the model was still in memory."""
    figures: list[FigureSource] = []
    """Pictures to keep."""
    tables: list[TableSource] = []
    """Tables to keep."""
    imported: dict[str, str] | None = None
    """Frameworks that its processes had imported at their end; none where no process said so."""
    usage: Usage | None = None
    """What the sampler saw."""
    gpus: list[Gpu] = []
    """What the sampler saw of the GPUs."""
    problems: list[CaptureProblem] = []
    """What the run wanted to keep and could not."""
    captured: Captured | None = None
    """What the probes saw at the start; none to look now."""
