"""A draft: all that is known of a run before it is a record, given by the user or kept by the session."""

from datetime import datetime
from typing import Literal

from ledger.analysis.data.curves import Gathered
from ledger.model.boxes.code import Code
from ledger.model.boxes.inputs import Step
from ledger.model.boxes.machine import Environment, Gpu, Hardware, Node, RankLife, Usage
from ledger.model.boxes.outputs import Metric, Model
from ledger.model.entries import EnvironmentFile, ManifestLine
from ledger.model.feed import Feed
from ledger.model.record import Attempt, ImportOrigin, RunFields
from ledger.model.values import DECLARED, Document, ParamValue, Role, Status, TableKind


class Dataset(Document, frozen=True, kw_only=True):
    """A dataset that a run used: a path, or already hashed.

    Example:
        >>> data = ledger.Dataset(role="validation", path="data/val", name="digits-validation", version="v2")
    """

    role: Role
    """What the run used it for."""
    path: str
    """Path of the data."""
    split: str | None = None
    """Split that it stands for in metric names; the role by default."""
    name: str | None = None
    """Name of the dataset on the ledger."""
    version: str | None = None
    """Label of this version."""
    parent: str | None = None
    """Label of the version that it is based on."""
    reason: str | None = None
    """Why this version was made."""
    source: str | None = None
    """Where its data comes from."""
    samples: int | None = None
    """Number of samples."""
    hash: str | None = None
    """Content hash, if it was computed at the time of use; `declared:…` where the data was only declared."""
    lines: list[ManifestLine] = []
    """Manifest, if it was hashed at the time of use."""
    bytes: int | None = None
    """Size in bytes, if it was hashed at the time of use and its manifest is too long to keep."""
    memory: str | None = None
    """Type of the object in memory, with shape or length."""
    unknown: str | None = None
    """Why it has no hash, if that was found at the time of use."""

    @property
    def declared(self) -> bool:
        """Whether it was declared without reading its bytes."""
        return self.hash is not None and self.hash.startswith(DECLARED)


class CaptureProblem(Document, frozen=True, kw_only=True):
    """Something that the run wanted to store and that could not be captured."""

    field: str
    """Its field: `metrics.accuracy`, `figures.roc`, …"""
    message: str
    """The reason."""


class FigureSource(Document, frozen=True, kw_only=True):
    """A picture to store."""

    title: str
    """What it shows."""
    path: str
    """File that holds it: PNG or SVG."""


class TableSource(Document, frozen=True, kw_only=True):
    """A table to store."""

    name: str
    """What it shows."""
    path: str
    """File that holds it: CSV."""
    kind: TableKind | None = None
    """Kind of the table; by default, the one that its columns fit."""
    metric: str | None = None
    """Key of the metric that the table explains."""
    dataset: str | None = None
    """Dataset version that it was measured on."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""


class Rank(Document, frozen=True, kw_only=True):
    """One of several processes of a training."""

    rank: int
    """Rank of the process; 0 leads."""
    processes: int | None = None
    """Number of processes; none where only the rank is known."""
    job: str | None = None
    """Id that the processes of a job share and other jobs do not have."""
    launcher: str | None = None
    """Source of the rank."""
    local: int | None = None
    """Rank among the processes of its host; none where the launcher does not state it."""
    devices: str | None = None
    """GPUs that the launcher gave to this process (`CUDA_VISIBLE_DEVICES`)."""
    group: str | None = None
    """Key that the ranks of one training share on every host."""


class NotebookCell(Document, frozen=True, kw_only=True):
    """A code cell in a notebook file."""

    id: str | None = None
    """Its id; none in formats before 4.5."""
    hash: str
    """Hash of its source without white space at its end."""


class NotebookFile(Document, frozen=True, kw_only=True):
    """The notebook that a run is in."""

    path: str | None = None
    """Path of its file, absolute or relative to the repository."""
    source: str | None = None
    """What stated the path."""
    kernel: str | None = None
    """Program that executes its cells, with its version."""
    cells: list[NotebookCell] | None = None
    """Code cells of the file; none where it could not be read."""
    saved_at: float | None = None
    """When the file was last saved, in seconds since 1970."""
    unknown: dict[str, str] = {}
    """What is not known of it, and why."""


class ExecutedCell(Document, frozen=True, kw_only=True):
    """One execution of a cell, as it was seen."""

    number: int
    """Number of the execution."""
    cell: str | None = None
    """Id of the cell, where the frontend states it."""
    source: str
    """Source, cut where it is very long."""
    characters: int
    """Length of the whole source."""
    hash: str
    """Hash of the whole source without white space at its end."""
    before: bool = False
    """Whether it had ended when the run began."""
    at: float | None = None
    """When it began, in seconds since 1970; none where that was not watched."""
    seconds: float | None = None
    """Seconds that it took; none until it has ended."""
    status: Status | None = None
    """How it ended; none until then."""
    reason: str | None = None
    """Exception that ended it."""


class Captured(Document, frozen=True, kw_only=True):
    """Results of the probes, from the start of the run where it was observed."""

    code: Code
    """Box 1."""
    patch: bytes
    """Content of the patch in box 1."""
    hardware: Hardware
    """Box 4."""
    environment: Environment
    """Box 5."""
    environment_file: EnvironmentFile | None
    """Content of the environment file; none where the environment is unknown."""
    redactions: dict[str, int] = {}
    """Number of secrets replaced in it, by kind."""


class Draft(RunFields, frozen=True, kw_only=True):
    """All the information that a record is made from."""

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
    """Seconds between them, by a monotonic clock."""
    timed: bool = True
    """Whether the duration is known."""
    times: Literal["clock", "options", "log", "store"] = "clock"
    """Where the times come from."""
    times_unknown: dict[str, str] = {}
    """Times that are unknown, and why."""
    elsewhere: bool = False
    """Whether it ended elsewhere, so that nothing of it was observed here."""
    reason: str | None = None
    """Cause of the end."""
    exit_code: int | None = None
    """Exit code of the process."""
    command: list[str] = []
    """Command line."""
    folder: str | None = None
    """Folder in which the command was started, inside the repository."""
    children: list[str] = []
    """Runs that were started in it and have records of their own."""
    rank: Rank | None = None
    """The process of the job that keeps the record; none where it is the only one."""
    notebook: NotebookFile | None = None
    """The notebook that it was in."""
    cells: list[ExecutedCell] = []
    """Cells that the kernel executed until its end, in order."""
    attempts: list[Attempt] = []
    """Attempts of a run that was resumed, oldest first."""
    machines: int = 1
    """Number of kinds of machine that its attempts ran on."""
    ranks: list[RankLife] = []
    """The processes of the job that left a trace, by rank; empty where the run had one process."""
    nodes: list[Node] = []
    """The hosts of the job, that of rank 0 first; empty where the run had one process."""
    ranks_unknown: str | None = None
    """Why nothing is known of some ranks."""
    params: dict[str, ParamValue] = {}
    """Every param by its dotted name."""
    param_sources: list[str] = []
    """Files that params were read from."""
    chain: list[Step] = []
    """Steps around the model, in their order."""
    result_files: list[str] = []
    """Files that options name as results, which are therefore no code."""
    metrics: list[Metric] = []
    """Final metrics."""
    headline: str | None = None
    """Key of the metric that speaks for the run."""
    datasets: list[Dataset] = []
    """Datasets that the run used."""
    feeds: list[Feed] = []
    """How it was fed by `ledger.batches`."""
    curves: Gathered | None = None
    """Everything logged; none when nothing was logged."""
    log: str | None = None
    """File of the full training log."""
    checkpoint: str | None = None
    """Hash of the checkpoint that it went on from; none where none was stated."""
    model_path: str | None = None
    """File or folder of the trained model."""
    model: Model | None = None
    """Model box, captured while the model was in memory."""
    profile: Model | None = None
    """What a forward pass of it costs; fields of the model box."""
    figures: list[FigureSource] = []
    """Pictures to store."""
    tables: list[TableSource] = []
    """Tables to store."""
    imported: dict[str, str] | None = None
    """Frameworks that its processes had imported by their end; none where no process reported any."""
    usage: Usage | None = None
    """Measurements of the sampler."""
    gpus: list[Gpu] = []
    """GPUs as the sampler measured them."""
    problems: list[CaptureProblem] = []
    """What the run wanted to store and could not be captured."""
    origin: ImportOrigin | None = None
    """Store of another tracker that it comes from."""
    found: dict[str, str] = {}
    """Values that nobody stated, and where they were found: `params.lr`, `curves`, `metrics.accuracy`, `model`."""
    captured: Captured | None = None
    """Results of the probes at the start; none to probe now."""
