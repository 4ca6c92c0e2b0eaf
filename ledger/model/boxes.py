"""The ten boxes that every run record answers, and what fills them.

A box that could not be captured, wholly or in part, says so in `unknown`: the name of the field
(`all` for the whole box) and why.
"""

import math
from typing import Literal, NamedTuple

from ledger.model.datasets import Leak, Preparation
from ledger.model.values import Direction, Document, Number, Origin, ParamValue, Role, TableKind


class Box(Document, frozen=True, kw_only=True):
    """What every box has."""

    unknown: dict[str, str] = {}
    """What could not be captured, and why: field name (`all` for the whole box) to reason."""

    @property
    def known(self) -> bool:
        """Whether anything at all was captured."""
        return "all" not in self.unknown


class OmittedFile(Document, frozen=True, kw_only=True):
    """A changed file that is not in the patch, or not as it was: named and hashed instead."""

    path: str
    """Path inside the repository; with a slash at the end it stands for all such files of a folder."""
    bytes: int
    """Size in bytes."""
    hash: str | None = None
    """Hash of its content; of a folder, that of the sorted listing of paths, sizes and hashes."""
    why: str | None = None
    """Why it is not in the patch; none in records of versions that left out large files only."""
    files: int | None = None
    """How many files of a folder it stands for."""
    code: bool = True
    """Whether it counts as code: runs that differ in it are no repeats."""


class InnerRepository(Document, frozen=True, kw_only=True):
    """A repository beside the one that is recorded: a submodule, one inside the work tree, or that of the script."""

    path: str
    """Its folder, as seen from the top of the work tree."""
    kind: Literal["submodule", "nested", "outside"]
    """How it is there: known to the repository around it, only put there, or somewhere else."""
    commit: str | None = None
    """Commit that was checked out in it, with its hash algorithm."""
    remote: str | None = None
    """URL of its remote, credentials removed."""
    pushed: bool | None = None
    """Whether a remote branch of its own reaches the commit."""
    dirty: bool | None = None
    """Whether anything was uncommitted in it; of a submodule, the patch holds that too."""
    tree: str | None = None
    """Tree that its commit and its part of the patch give; none where that is not exact."""


class Patch(Document, frozen=True, kw_only=True):
    """Uncommitted changes: staged, unstaged and untracked together, against the commit."""

    file: str = "code.patch"
    """File beside the record that holds the patch."""
    hash: str
    """Hash of the patch file."""
    bytes: int
    """Size of the patch file in bytes."""
    files: int
    """How many files it changes."""
    added: int
    """Lines added."""
    removed: int
    """Lines removed."""
    exact: bool = True
    """Whether commit plus patch give `tree` exactly; false when something was redacted or left out."""


class Code(Box, frozen=True, kw_only=True):
    """The training code: the commit and what was changed since."""

    commit: str | None = None
    """Commit that was checked out, with its hash algorithm (`git:…`)."""
    branch: str | None = None
    """Branch that was checked out; none when HEAD was detached."""
    remote: str | None = None
    """URL of the remote, credentials removed."""
    pushed: bool | None = None
    """Whether a remote branch reaches the commit, as far as this clone knows."""
    dirty: bool | None = None
    """Whether anything was uncommitted, untracked files included."""
    patch: Patch | None = None
    """The uncommitted changes."""
    tree: str | None = None
    """Tree that commit and patch give, with its hash algorithm; the proof that a restore is exact."""
    identity: str | None = None
    """What runs of the same code share: the tree without what runs write. None where it cannot be told."""
    omitted: list[OmittedFile] = []
    """Changed files that are not in the patch: too large, no source by their kind, results of runs."""
    not_code: list[str] = []
    """Files in the patch that do not count as code: what options name, and what runs wrote."""
    repositories: list[InnerRepository] = []
    """Submodules and other repositories whose code the run may have used."""


class Params(Box, frozen=True, kw_only=True):
    """The inputs that a person or a sweep chose."""

    values: dict[str, ParamValue] = {}
    """Every param by its dotted name."""
    sources: list[str] = []
    """Files that params were read from."""
    places: list[str] = []
    """Params that say where things are put, by the policy of then: runs that differ in them alone are repeats."""


class DatasetUse(Document, frozen=True, kw_only=True):
    """One dataset version as a run used it."""

    role: Role
    """What it was used for."""
    split: str
    """Split it stands for in metric names."""
    name: str | None = None
    """Name of the dataset on the ledger."""
    version: str | None = None
    """Label of the dataset version on the ledger."""
    hash: str | None = None
    """Content hash of the version: of its listing of paths, sizes and hashes; `declared:…` where nobody saw it."""
    declared: bool = False
    """Whether it was only declared, by name and version or address: nobody saw its bytes or verified them."""
    memory: str | None = None
    """What it was where it lay in memory: the type, with shape or length. None for files."""
    path: str | None = None
    """Where the run found it."""
    files: int | None = None
    """How many files it holds."""
    bytes: int | None = None
    """Size of all its files in bytes."""
    samples: int | None = None
    """How many samples it holds, where the run said so."""
    prepared: Preparation | None = None
    """How it was made from other data, where a step of `ledger prepare` or `@ledger.cached` made it."""
    aliases: list[str] = []
    """Other names of its split in metrics and curves, by the policy of the time: `val`, `eval`."""

    @property
    def label(self) -> str:
        """How people name it: `name@version`, else what there is."""
        name = self.name or self.path or self.role
        version = f"@{self.version}" if self.name and self.version else ""
        return f"{name}{version}{' (declared)' if self.declared else ''}"


class Datasets(Box, frozen=True, kw_only=True):
    """The datasets that were trained and judged on."""

    used: list[DatasetUse] = []
    """Every dataset version the run used."""
    leaks: list[Leak] = []
    """Content that datasets to judge by share with what was trained on."""


class Gpu(Document, frozen=True, kw_only=True):
    """One GPU as NVML names it, and how it was used while the run lived."""

    name: str
    """Product name."""
    memory_bytes: int | None = None
    """Memory in bytes."""
    driver: str | None = None
    """Driver version."""
    utilisation_mean: float | None = None
    """Mean share of time in which a kernel ran (0..1)."""
    memory_peak_bytes: int | None = None
    """Largest memory use seen, in bytes."""
    gpu_idle_fraction: float | None = None
    """Share of samples with utilisation under 5 % (0..1)."""
    energy_kwh: float | None = None
    """Energy used while the run lived, in kWh."""


class Usage(Document, frozen=True, kw_only=True):
    """What was seen of the run while it lived."""

    samples: int
    """How many samples were taken."""
    interval_seconds: float
    """Seconds between two samples."""
    cpu_seconds: float | None = None
    """CPU time of the run and its children, in seconds."""
    cpu_fraction_mean: float | None = None
    """Mean share of the cores the run may use that it kept busy (0..1)."""
    memory_peak_bytes: int | None = None
    """Largest resident memory of the run and its children, in bytes."""
    data_wait_seconds: float | None = None
    """Seconds that training waited for its next batch, where `run.loading` counted them."""


class Hardware(Box, frozen=True, kw_only=True):
    """The machine, and how much of it was used."""

    host: str | None = None
    """Host name."""
    cpu: str | None = None
    """CPU product name."""
    cores: int | None = None
    """Logical cores of the machine."""
    cores_limit: float | None = None
    """Cores the run was allowed to use (affinity and cgroup)."""
    memory_bytes: int | None = None
    """Memory of the machine in bytes."""
    memory_limit_bytes: int | None = None
    """Memory the run was allowed to use (cgroup), in bytes."""
    disk_bytes: int | None = None
    """Size of the disk the run worked on, in bytes."""
    disk_free_bytes: int | None = None
    """Free space on that disk, in bytes."""
    gpus: list[Gpu] = []
    """GPUs the run could see; empty when the machine has none."""
    usage: Usage | None = None
    """What the sampler saw."""
    processes: int | None = None
    """Processes of the job (its world size), where a launcher started several for one training."""
    rank: int | None = None
    """Rank of the process that keeps the record; 0 leads the others."""
    job: str | None = None
    """Id of the job that the processes share, as launcher or scheduler name it."""
    launcher: str | None = None
    """What told the rank: `torchrun`, `mpi`, `slurm`, `torch.distributed`, `stated`."""


class WorkingCopy(Document, frozen=True, kw_only=True):
    """A package that was installed from a working copy (`pip install -e`): its code is that of the folder."""

    remote: str | None = None
    """URL of the remote of its repository, credentials removed."""
    commit: str | None = None
    """Commit that was checked out, with its hash algorithm; none where it is in no repository."""
    dirty: bool | None = None
    """Whether anything was uncommitted in its folder; none where that is unknown."""


class Environment(Box, frozen=True, kw_only=True):
    """The software the run stood on, in short; the file has it whole."""

    file: str = "environment.json"
    """File beside the record that lists every package."""
    hash: str | None = None
    """Hash of that file; equal hashes are equal environments."""
    python: str | None = None
    """Python version."""
    os: str | None = None
    """Operating system and kernel."""
    container: str | None = None
    """Container the run was in (`docker`, `kubernetes`, …); none when in none."""
    packages: int | None = None
    """How many packages were installed."""
    frameworks: dict[str, str] = {}
    """Version of each deep-learning framework and of CUDA and cuDNN, as installed; the run need not have used it."""
    imported: dict[str, str] | None = None
    """Version of each framework that the run had imported at its end; none where nobody saw."""
    working_copies: dict[str, WorkingCopy] = {}
    """Packages that were installed from a working copy, by name."""


class Cost(Box, frozen=True, kw_only=True):
    """What the run cost."""

    amount: float | None = None
    """Price of the run, in `currency`."""
    currency: str | None = None
    """Currency of every amount (ISO 4217)."""
    device: str | None = None
    """Catalogue entry that the price comes from."""
    device_count: float | None = None
    """How many of them the run held."""
    price_per_hour: float | None = None
    """Price of one of them per hour, in `currency`."""
    catalogue: str | None = None
    """Price catalogue used, with its date."""
    energy_kwh: float | None = None
    """Energy of all GPUs, in kWh, where measured."""
    idle_amount: float | None = None
    """Share of `amount` in which the GPUs did nothing, in `currency`."""


class Model(Box, frozen=True, kw_only=True):
    """The trained model's file."""

    path: str | None = None
    """Where the run left it."""
    hash: str | None = None
    """Hash of the file, or of the folder's listing."""
    bytes: int | None = None
    """Size in bytes."""
    parameters: int | None = None
    """How many parameters it has."""
    trainable: int | None = None
    """How many of them are trained."""
    format: str | None = None
    """Format of the file (`torch`, `safetensors`, `onnx`, …)."""


class Logs(Box, frozen=True, kw_only=True):
    """The training log, in short; the file beside the record has its head, tail and every problem once."""

    file: str = "log.txt"
    """File beside the record that holds the summary."""
    hash: str | None = None
    """Hash of the full log."""
    bytes: int | None = None
    """Size of the full log in bytes."""
    lines: int | None = None
    """Lines of the full log."""
    warnings: dict[str, int] = {}
    """Every different warning, and how often it came."""
    errors: dict[str, int] = {}
    """Every different error, and how often it came."""


class GroupId(NamedTuple):
    """What measurements must share to be comparable; the names of datasets are for people."""

    key: str
    """Metric and split: `validation/accuracy`."""
    dataset_hash: str
    """Content hash of the dataset version; empty when unknown, and then they are comparable with nothing."""
    evaluator: str
    """Version of the evaluator; empty when none was given."""


class Metric(Document, frozen=True, kw_only=True):
    """One measured number, with all that decides what it may be compared with."""

    name: str
    """Name of the metric, such as `accuracy`."""
    value: Number
    """Measured value."""
    split: str | None = None
    """Split it was measured on."""
    direction: Direction | None = None
    """Which values are better; none when nobody has said."""
    dataset: str | None = None
    """Dataset version as people name it, such as `digits-validation@v2`."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""
    step: int | None = None
    """Step it was measured at; none for the run's final value."""
    epoch: float | None = None
    """Epoch it was measured at."""
    period: str | None = None
    """Days it was counted over in production, first and last (`2026-11-01/2026-11-07`); none for offline metrics."""
    derived_from: str | None = None
    """Metric it was made of by a rule of `policy.yaml`, such as the mean over dataset versions."""
    said: str | None = None
    """Name it was given, where another stands for it: `val/accuracy` for the split `validation`."""
    origin: Origin = "said"
    """Where it comes from; `curve`: nobody said it, it is the last value of a learning curve."""
    folds: list[Number] = []
    """Values on the folds of a cross-validation, of which `value` is the mean; folds are no repeats."""

    @property
    def key(self) -> str:
        """How people name it: `split/name`, or `name` alone."""
        return f"{self.split}/{self.name}" if self.split else self.name

    @property
    def group_id(self) -> GroupId:
        """What tells the measurements that it may be compared with."""
        return GroupId(self.key, self.dataset_hash or "", self.evaluator or "")

    @property
    def number(self) -> float:
        """The value as a float; NaN and the infinities are themselves again."""
        return float(self.value)

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over the folds (n - 1); none where there are no two."""
        values = [float(value) for value in self.folds]
        if len(values) < 2:  # noqa: PLR2004  # one value has no spread
            return None
        mean = sum(values) / len(values)
        return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


class Curves(Document, frozen=True, kw_only=True):
    """The learning curves beside the record."""

    file: str = "curves.csv"
    """File beside the record: step, epoch, seconds, then one column per series."""
    hash: str
    """Hash of that file."""
    series: list[str]
    """Names of the columns."""
    points: int
    """Rows in the file."""
    logged: int
    """Points that were logged before down-sampling."""


class Figure(Document, frozen=True, kw_only=True):
    """A picture that the run chose to keep."""

    file: str
    """File beside the record (`figures/…`)."""
    title: str
    """What it shows."""
    hash: str
    """Hash of the file."""
    bytes: int
    """Size in bytes."""


class Results(Box, frozen=True, kw_only=True):
    """What came out."""

    headline: str | None = None
    """Key of the metric that speaks for the run, such as `validation/accuracy`."""
    metrics: list[Metric] = []
    """Every final metric."""
    curves: Curves | None = None
    """The learning curves."""
    figures: list[Figure] = []
    """Pictures the run chose to keep."""


class SeriesSummary(Document, frozen=True, kw_only=True):
    """One logged series in short, over every point that was logged."""

    count: int
    """Points logged."""
    first: Number
    """First value."""
    last: Number
    """Last value."""
    min: Number
    """Smallest finite value."""
    max: Number
    """Largest finite value."""
    mean: Number
    """Mean of the finite values."""
    stdev: Number
    """Sample standard deviation of the finite values (n - 1); 0 for one value."""
    not_finite: int = 0
    """How many values were NaN or infinite."""


class Table(Document, frozen=True, kw_only=True):
    """A table that the run kept: results by class or slice, a confusion matrix, a value for each sample."""

    file: str
    """File beside the record (`tables/…`): CSV."""
    name: str
    """What it shows."""
    kind: TableKind = "table"
    """Which table it is, and so which columns it has."""
    metric: str | None = None
    """Key of the metric that it explains, such as `validation/accuracy`."""
    dataset: str | None = None
    """Dataset version that it was measured on, as people name it."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""
    hash: str
    """Hash of the file."""
    bytes: int
    """Size in bytes."""
    rows: int
    """Rows below the line of column names."""
    columns: int
    """Columns."""


class Statistics(Box, frozen=True, kw_only=True):
    """What the logged series say in numbers, and the tables that the run kept."""

    steps: int | None = None
    """Last step logged."""
    epochs: float | None = None
    """Epochs trained, by what was logged: the last epoch, and one more where they are whole numbers counted from 0."""
    series: dict[str, SeriesSummary] = {}
    """Every logged series in short."""
    tables: list[Table] = []
    """Tables that the run kept."""
