"""The ten boxes that every run record answers, and the types of their fields.

A box that could not be captured, wholly or in part, says so in `unknown`: the name of the field
(`all` for the whole box) and why.
"""

import math
from datetime import date
from typing import Literal, NamedTuple

from ledger.model.datasets import Leak, Preparation
from ledger.model.feed import Feed
from ledger.model.notebook import Notebook
from ledger.model.values import (
    Direction,
    Document,
    Moment,
    Number,
    Origin,
    ParamValue,
    Reduction,
    Role,
    Status,
    StepStage,
    TableKind,
)


class Box(Document, frozen=True, kw_only=True):
    """The base of every box."""

    unknown: dict[str, str] = {}
    """What could not be captured, and why: field name (`all` for the whole box) to reason."""
    found: dict[str, str] = {}
    """Values that nobody stated: field name (`all` for the whole box) to the place where they were found."""

    @property
    def known(self) -> bool:
        """Whether anything in the box was captured."""
        return "all" not in self.unknown

    @property
    def found_in(self) -> dict[str, list[str]]:
        """Values that nobody stated, by the place where they were found."""
        places: dict[str, list[str]] = {}
        for name, place in self.found.items():
            places.setdefault(place, []).append("everything" if name == "all" else name)
        return places


class OmittedFile(Document, frozen=True, kw_only=True):
    """A changed file that the patch leaves out, or holds only in altered form: its path, size and hash instead."""

    path: str
    """Path inside the repository; a path that ends with a slash stands for all such files of a folder."""
    bytes: int
    """Size in bytes."""
    hash: str | None = None
    """Hash of its content; for a folder, of the sorted listing of paths, sizes and hashes."""
    why: str | None = None
    """Why it is not in the patch; none in records of older versions, which left out only large files."""
    files: int | None = None
    """Number of files that a folder stands for."""
    code: bool = True
    """Whether it counts as code: runs that differ in it are not repeats of one another."""


class InnerRepository(Document, frozen=True, kw_only=True):
    """A repository beside the recorded one: a submodule, one inside the work tree, or the one that holds the script."""

    path: str
    """Its folder, relative to the top of the work tree."""
    kind: Literal["submodule", "nested", "outside"]
    """How it relates to the recorded one: a submodule, a repository put inside the work tree, or one elsewhere."""
    commit: str | None = None
    """Commit that was checked out in it, with its hash algorithm."""
    remote: str | None = None
    """URL of its remote, credentials removed."""
    pushed: bool | None = None
    """Whether one of its own remote branches contains the commit."""
    dirty: bool | None = None
    """Whether it had uncommitted changes; for a submodule, the patch holds them too."""
    tree: str | None = None
    """Tree that results from its commit and its part of the patch; none where that is not exact."""


class Patch(Document, frozen=True, kw_only=True):
    """Uncommitted changes against the commit: staged, unstaged and untracked together."""

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
    """The training code: the commit and the uncommitted changes."""

    commit: str | None = None
    """Commit that was checked out, with its hash algorithm (`git:…`)."""
    branch: str | None = None
    """Branch that was checked out; none when HEAD was detached."""
    remote: str | None = None
    """URL of the remote, credentials removed."""
    pushed: bool | None = None
    """Whether a remote branch contains the commit, as far as this clone knows."""
    dirty: bool | None = None
    """Whether there were uncommitted changes, untracked files included."""
    patch: Patch | None = None
    """The uncommitted changes."""
    tree: str | None = None
    """Tree that results from commit and patch, with its hash algorithm; proves that a restore is exact."""
    identity: str | None = None
    """Hash that runs of the same code share: files that runs write left out, executed cells in place of notebooks."""
    beside_notebooks: str | None = None
    """As `identity`, of the files that are no notebooks; none where the run was in no notebook."""
    omitted: list[OmittedFile] = []
    """Changed files that are not in the patch: too large, not source code by their kind, or results of runs."""
    not_code: list[str] = []
    """Files in the patch that do not count as code: those that options name, and those that runs wrote."""
    repositories: list[InnerRepository] = []
    """Submodules and other repositories whose code the run may have used."""
    notebook: Notebook | None = None
    """The notebook that the run was in, and its executed cells; none where it was in none."""


class Step(Document, frozen=True, kw_only=True):
    """A step around the model, such as augmentation or post-processing; its params are those that its name begins."""

    name: str
    """Name of the step, such as `augment`: the param `augment.flip` is a param of this step."""
    stage: StepStage
    """Place of the step: `input` between data and model, `output` between model and metric."""
    code: str | None = None
    """Hash of its code, of the project's code that it calls, and of its objects' state; none where none was given."""
    function: str | None = None
    """Name of the function, or text of the object, whose code it is."""
    unknown: str | None = None
    """Why its code has no hash, although it was given."""


class Params(Box, frozen=True, kw_only=True):
    """The inputs that a person or a sweep chose."""

    values: dict[str, ParamValue] = {}
    """Every param by its dotted name."""
    sources: list[str] = []
    """Files that the params were read from."""
    places: list[str] = []
    """Params that only say where files go, by the policy of that time: runs that differ only in them are repeats."""
    chain: list[Step] = []
    """Steps around the model, in their order: those of its input first, then those of its output."""

    def of_step(self, step: Step) -> dict[str, ParamValue]:
        """Return the params of a step, by their names within it; a param of exactly its name keeps that name."""
        start = f"{step.name}."
        return {
            name.removeprefix(start): value
            for name, value in self.values.items()
            if name.startswith(start) or name == step.name
        }


class DatasetUse(Document, frozen=True, kw_only=True):
    """One dataset version as a run used it."""

    role: Role
    """What the run used it for."""
    split: str
    """Split that it stands for in metric names."""
    name: str | None = None
    """Name of the dataset on the ledger."""
    version: str | None = None
    """Label of the dataset version on the ledger."""
    hash: str | None = None
    """Content hash of the version's listing of paths, sizes and hashes; `declared:…` where its bytes were not read."""
    declared: bool = False
    """Whether it was only declared, by name and version or by address, so that its bytes were not read or verified."""
    memory: str | None = None
    """Type of the object in memory, with its shape or length; none for files."""
    path: str | None = None
    """Path at which the run found it."""
    files: int | None = None
    """Number of files."""
    bytes: int | None = None
    """Size of all its files in bytes."""
    samples: int | None = None
    """Number of samples, where the run stated it."""
    prepared: Preparation | None = None
    """How it was made from other data, when a step of `ledger prepare` or `@ledger.cached` made it."""
    aliases: list[str] = []
    """Other names of its split in metrics and curves, by the policy of that time, such as `val` or `eval`."""

    @property
    def label(self) -> str:
        """The name shown to people: `name@version`, or the best that is known."""
        name = self.name or self.path or self.role
        version = f"@{self.version}" if self.name and self.version else ""
        return f"{name}{version}{' (declared)' if self.declared else ''}"


class Datasets(Box, frozen=True, kw_only=True):
    """The datasets that the run trained and was evaluated on."""

    used: list[DatasetUse] = []
    """Every dataset version the run used."""
    leaks: list[Leak] = []
    """Content that evaluation datasets share with training datasets."""
    feeds: list[Feed] = []
    """How `ledger.batches` fed the run: the plan of the batches, and what of it was served."""


class Gpu(Document, frozen=True, kw_only=True):
    """One GPU as its driver names it, and how it was used during the run."""

    name: str
    """Product name."""
    uuid: str | None = None
    """Id of the card, the same in every process and on every day; its number is not."""
    memory_bytes: int | None = None
    """Memory in bytes."""
    driver: str | None = None
    """Version of the GPU driver."""
    cuda: str | None = None
    """Newest CUDA that the driver runs."""
    compute_capability: str | None = None
    """Compute capability of the card, such as `9.0`."""
    power_limit_watts: float | None = None
    """Power that the card may use, in watts."""
    clock_limit_mhz: float | None = None
    """Highest clock of its multiprocessors, in MHz."""
    utilisation_mean: float | None = None
    """Mean share of time in which a kernel ran (0..1): some kernel, which need not fill the card."""
    sm_activity_mean: float | None = None
    """Mean share of the multiprocessors that were busy (0..1), where the card measures it."""
    memory_peak_bytes: int | None = None
    """Largest memory use seen, in bytes."""
    gpu_idle_fraction: float | None = None
    """Share of samples with utilisation under 5 % (0..1)."""
    energy_kwh: float | None = None
    """Energy used during the run, in kWh."""
    energy_source: Literal["counter", "integral"] | None = None
    """Source of the energy: the counter of the card, or its power over time."""
    energy_integral_kwh: float | None = None
    """Power over time in kWh, beside the counter; the two should agree."""
    power_mean_watts: float | None = None
    """Mean power, in watts."""
    temperature_max_celsius: float | None = None
    """Highest temperature, in degrees Celsius."""
    clock_mean_mhz: float | None = None
    """Mean clock of its multiprocessors, in MHz."""
    throttled: dict[str, float] = {}
    """Share of samples (0..1) in which its clocks were held down, by reason."""
    pcie_bytes_per_second: float | None = None
    """Mean traffic over PCI Express in both directions, in bytes per second."""
    nvlink_bytes: float | None = None
    """Bytes that went over NVLink in both directions."""
    other_processes: int | None = None
    """Most processes of others that held memory on the card at the same time."""
    unknown: dict[str, str] = {}
    """What of its use is not known, and why; empty in records of versions that did not look."""


class Usage(Document, frozen=True, kw_only=True):
    """How the run used the machine, as sampled."""

    samples: int
    """Number of samples taken."""
    interval_seconds: float
    """Seconds between two samples."""
    cpu_seconds: float | None = None
    """CPU time of the run and its child processes, in seconds."""
    cpu_fraction_mean: float | None = None
    """Mean share of the available cores that the run kept busy (0..1)."""
    memory_peak_bytes: int | None = None
    """Largest resident memory of the run and its child processes, in bytes."""
    data_wait_seconds: float | None = None
    """Seconds that training waited for its next batch, where `run.loading` measured them."""
    disk_read_bytes: int | None = None
    """Bytes that the run and its child processes read from disks."""
    disk_written_bytes: int | None = None
    """Bytes that they wrote to disks."""
    network_received_bytes: int | None = None
    """Bytes that came over the network to the host or its container during the run, InfiniBand included."""
    network_sent_bytes: int | None = None
    """Bytes that were sent from there."""


class Node(Document, frozen=True, kw_only=True):
    """One of the hosts of a job whose processes trained together."""

    host: str
    """Host name."""
    ranks: list[int] = []
    """Ranks of the processes that ran on it."""
    cpu: str | None = None
    """CPU product name."""
    cores: int | None = None
    """Logical cores of the machine."""
    cores_limit: float | None = None
    """Cores that one of its processes was allowed to use (affinity and cgroup)."""
    memory_bytes: int | None = None
    """Memory of the machine in bytes."""
    gpus: list[Gpu] = []
    """GPUs that its processes could see, and how they were used."""
    unknown: dict[str, str] = {}
    """What is not known of it, and why."""


class RankLife(Document, frozen=True, kw_only=True):
    """One process of a job, from its first to its last sign of life."""

    rank: int
    """Rank of the process."""
    host: str
    """Host on which it ran."""
    started_at: Moment
    """When its run began, UTC."""
    last_seen_at: Moment
    """Its last sign of life, UTC."""
    status: Status | None = None
    """How its run ended; none for a process that was still running when the record was made."""
    reason: str | None = None
    """Cause of that end."""
    usage: Usage | None = None
    """What its sampler measured, and how long it waited for data."""


class Platform(Document, frozen=True, kw_only=True):
    """A place that a run was in: scheduler, managed service, rented machine, cloud; what is unknown is absent."""

    name: str
    """Name of the platform, such as `slurm`, `sagemaker` or `ec2`."""
    job: str | None = None
    """Id of the job there, or of the machine in a cloud; only its hash where the id may open something."""
    link: str | None = None
    """Page of the job."""
    instance: str | None = None
    """Type of machine, or the partition, queue, pool or tier that stands for it."""
    region: str | None = None
    """Region, or name of the cluster."""
    image: str | None = None
    """Image or release of the software that the platform started."""
    life_cycle: str | None = None
    """How long the machine may be kept: `spot` or `on-demand`."""
    inputs: dict[str, str] = {}
    """Commit of each repository of data that the platform handed in, by name."""


class Hardware(Box, frozen=True, kw_only=True):
    """The machine, and how much of it the run used."""

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
    """What the sampler measured."""
    processes: int | None = None
    """Number of processes of the job (its world size), where a launcher started several for one training."""
    rank: int | None = None
    """Rank of the process that keeps the record; rank 0 leads the others."""
    job: str | None = None
    """Id of the job that the processes share, as the launcher or scheduler names it."""
    launcher: str | None = None
    """Source of the rank: `torchrun`, `mpi`, `slurm`, `torch.distributed`, `stated`."""
    nodes: list[Node] = []
    """Hosts of a job of several processes, that of rank 0 first; empty where the run had one process."""
    ranks: list[RankLife] = []
    """Processes of such a job that left a trace, by rank."""
    platforms: list[Platform] = []
    """Platforms that the run was on, innermost first; the first with a job names the job."""


class WorkingCopy(Document, frozen=True, kw_only=True):
    """A package that was installed from a working copy (`pip install -e`), so that its code is the folder's."""

    remote: str | None = None
    """URL of the remote of its repository, credentials removed."""
    commit: str | None = None
    """Commit that was checked out, with its hash algorithm; none where the folder is in no repository."""
    dirty: bool | None = None
    """Whether the folder had uncommitted changes; none where that is unknown."""


class Environment(Box, frozen=True, kw_only=True):
    """The software environment in short; the file beside the record lists all of it."""

    file: str = "environment.json"
    """File beside the record that lists every package."""
    hash: str | None = None
    """Hash of that file; equal hashes mean equal environments."""
    python: str | None = None
    """Python version."""
    os: str | None = None
    """Operating system and kernel."""
    container: str | None = None
    """Container that the run was in (`docker`, `kubernetes`, …); none outside a container."""
    packages: int | None = None
    """Number of installed packages."""
    frameworks: dict[str, str] = {}
    """Version of each installed deep-learning framework, of CUDA and of cuDNN; the run need not have used them."""
    imported: dict[str, str] | None = None
    """Version of each framework that the run had imported by its end; none where that was not observed."""
    working_copies: dict[str, WorkingCopy] = {}
    """Packages that were installed from a working copy, by name."""


PriceKind = Literal["on-demand", "spot", "reserved", "owned"]
"""On what terms a machine is held."""


class Ownership(Document, frozen=True, kw_only=True):
    """What an owned machine or GPU costs, from which the price of an hour follows."""

    price: float
    """Price that was paid for it."""
    years: float
    """Years over which the price is spread."""
    use: float
    """Share of all hours in which it is expected to be used (above 0, at most 1)."""
    watts: float | None = None
    """Mean electric power while it is used, in watts."""
    energy_per_hour: float | None = None
    """Part of the price of an hour that pays for these watts; none where no tariff was known."""

    @property
    def label(self) -> str:
        """How the price of an hour follows: `bought for 30,000, over 4 years, used 60 % of the time`."""
        power = f", {self.watts:g} W while used" if self.watts is not None else ""
        return f"bought for {self.price:,.10g}, over {self.years:g} years, used {self.use * 100:g} % of the time{power}"


class PriceRow(Document, frozen=True, kw_only=True):
    """A row of the policy's prices, as it stood when the run was recorded."""

    provider: str | None = None
    """Platform that the row is for, such as `ec2` or `slurm`; any where none is stated."""
    instance: str | None = None
    """Type of the machine whose price this is, the whole machine with all of its GPUs."""
    gpu: str | None = None
    """Words in the product name of the GPU whose price this is, one GPU with its share of the host."""
    partition: str | None = None
    """Partition, queue or pool in which one GPU has this price; one core on machines without a GPU."""
    region: str | None = None
    """Region that the row is for; any where none is stated."""
    kind: PriceKind
    """On what terms the machine is held."""
    price_per_hour: float
    """Price of one hour; of an owned machine it follows from `owned`."""
    owned: Ownership | None = None
    """What the machine was bought for, where it is owned."""
    currency: str
    """Currency of the price (ISO 4217)."""
    valid_from: date
    """First day on which it holds, UTC (`from` in the policy)."""
    valid_to: date | None = None
    """Last day on which it holds, UTC (`to` in the policy); none where it still holds."""
    source: str
    """Where the price comes from."""

    @property
    def label(self) -> str:
        """What the row is for, and since when: `ec2 p5.48xlarge, on-demand, from 2026-01-01`."""
        of = f"partition {self.partition}" if self.partition else self.instance or self.gpu
        what = " ".join(part for part in (self.provider, of, self.region and f"in {self.region}") if part)
        until = f" to {self.valid_to}" if self.valid_to else ""
        return f"{what}, {self.kind}, from {self.valid_from}{until}"

    @property
    def origin(self) -> str:
        """Where the price comes from, and for an owned machine how it follows."""
        return f"{self.source}; {self.owned.label}" if self.owned else self.source


class Carbon(Document, frozen=True, kw_only=True):
    """How much CO2e a kWh stands for at a place: a figure of a year, never of an hour."""

    place: str | None = None
    """Country (ISO 3166) or cloud region (`gcp:europe-west1`)."""
    g_per_kwh: float
    """Grams of CO2e for each kWh."""
    year: int | None = None
    """Year of the figure."""
    source: str
    """Where the figure comes from."""

    @property
    def label(self) -> str:
        """The figure with place, year and source: `369 g per kWh, USA, year 2023 (Our World in Data …)`."""
        year = f"year {self.year}" if self.year is not None else None
        said = ", ".join(part for part in (f"{self.g_per_kwh:g} g per kWh", self.place, year) if part)
        return f"{said} ({self.source})"


class Cost(Box, frozen=True, kw_only=True):
    """What the run cost."""

    amount: float | None = None
    """Price of the run, in `currency`."""
    currency: str | None = None
    """Currency of `amount`, `idle_amount` and `price_per_hour` (ISO 4217)."""
    device: str | None = None
    """Entry of the price catalogue that the price comes from."""
    device_count: float | None = None
    """Number of these devices that the run occupied."""
    price_per_hour: float | None = None
    """Price of one device per hour, in `currency`."""
    catalogue: str | None = None
    """Price catalogue used, with its date."""
    energy_kwh: float | None = None
    """Energy used by all GPUs in kWh, where it was measured; that of the rest of the machine is in no number."""
    idle_amount: float | None = None
    """Part of `amount` spent while the GPUs were idle, in `currency`."""
    row: PriceRow | None = None
    """Row of the policy's prices that the price comes from; none where it is from the list of devices."""
    tariff: float | None = None
    """Price of a kWh by the policy of that time, in `energy_currency`."""
    pue: float | None = None
    """Energy of the site for each unit that its machines use (PUE), by the policy; none counts as 1."""
    energy_amount: float | None = None
    """Price of the GPUs' energy (kWh, times PUE, times tariff), in `energy_currency`; it is never added to `amount`."""
    energy_currency: str | None = None
    """Currency of `tariff` and `energy_amount` (ISO 4217)."""
    co2e_kg: float | None = None
    """CO2e that the GPUs' energy stands for, in kg (kWh, times PUE, times the figure of `carbon`)."""
    carbon: Carbon | None = None
    """Figure that `co2e_kg` was computed with."""


class Model(Box, frozen=True, kw_only=True):
    """The trained model: its file, and what a forward pass of it costs."""

    path: str | None = None
    """Path at which the run left it."""
    hash: str | None = None
    """Hash of the file, or of the folder's listing."""
    bytes: int | None = None
    """Size in bytes."""
    parameters: int | None = None
    """Number of parameters."""
    trainable: int | None = None
    """Number of trainable parameters."""
    format: str | None = None
    """Format of the file (`torch`, `safetensors`, `onnx`, …)."""
    flops: int | None = None
    """Floating-point operations of one forward pass, of the kinds that `flops_counter` names."""
    flops_counter: str | None = None
    """Counter of these operations, and what it counts."""
    input_shapes: list[str] = []
    """Shape of each input of that pass."""
    latency_seconds: float | None = None
    """Median time of a forward pass in seconds, after warm-up, in eval mode and without gradients."""
    latency_p99_seconds: float | None = None
    """Time in seconds that 99 of 100 such passes do not exceed."""
    latency_calls: int | None = None
    """Number of passes that were timed."""
    device: str | None = None
    """Device on which they were timed."""
    threads: int | None = None
    """Threads that torch used on the CPU."""
    pass_memory_bytes: int | None = None
    """Peak memory of such a pass in bytes, weights included, on a GPU."""


class Logs(Box, frozen=True, kw_only=True):
    """The training log in short; the file beside the record holds head, tail, progress, and each problem once."""

    file: str = "log.txt"
    """File beside the record that holds the summary."""
    hash: str | None = None
    """Hash of the full log."""
    bytes: int | None = None
    """Size of the full log in bytes."""
    lines: int | None = None
    """Number of lines in the full log."""
    warnings: dict[str, int] = {}
    """Every distinct warning, with its count."""
    errors: dict[str, int] = {}
    """Every distinct error, with its count."""


class GroupId(NamedTuple):
    """What measurements must share to be comparable; the names of datasets play no part."""

    key: str
    """Metric and split: `validation/accuracy`."""
    dataset_hash: str
    """Content hash of the dataset version; empty when unknown, which makes a measurement comparable with nothing."""
    evaluator: str
    """Version of the evaluator; empty when none was stated."""


class Metric(Document, frozen=True, kw_only=True):
    """One measured number, with everything that decides which others it may be compared with."""

    name: str
    """Name of the metric, such as `accuracy`."""
    value: Number
    """Measured value."""
    split: str | None = None
    """Split that it was measured on."""
    direction: Direction | None = None
    """Which values are better; none when nobody stated it."""
    dataset: str | None = None
    """Dataset version as shown to people, such as `digits-validation@v2`."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""
    step: int | None = None
    """Step at which it was measured; none for the final value of the run."""
    epoch: float | None = None
    """Epoch at which it was measured."""
    period: str | None = None
    """First and last day of measurement in production (`2026-11-01/2026-11-07`); none for offline metrics."""
    derived_from: str | None = None
    """Metric that a rule of `policy.yaml` computed it from, such as a mean over dataset versions."""
    said: str | None = None
    """Name that was logged, where it differs from the name here: `val/accuracy` for the split `validation`."""
    origin: Origin = "said"
    """Source of the value: said, the last one of a learning curve, or in a file that the training left."""
    folds: list[Number] = []
    """Values on the folds of a cross-validation, whose mean is `value`; folds do not count as repeats."""

    @property
    def key(self) -> str:
        """The name shown to people: `split/name`, or `name` alone."""
        return f"{self.split}/{self.name}" if self.split else self.name

    @property
    def group_id(self) -> GroupId:
        """The identity that comparable measurements share."""
        return GroupId(self.key, self.dataset_hash or "", self.evaluator or "")

    @property
    def number(self) -> float:
        """The value as a float; the names of NaN and the infinities become floats again."""
        return float(self.value)

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over the folds (n - 1); none with fewer than two folds."""
        values = [float(value) for value in self.folds]
        if len(values) < 2:  # noqa: PLR2004  # a single value has no spread
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
    """Number of points that were logged, before down-sampling."""


class Figure(Document, frozen=True, kw_only=True):
    """A picture that the run stored."""

    file: str
    """File beside the record (`figures/…`)."""
    title: str
    """What it shows."""
    hash: str
    """Hash of the file."""
    bytes: int
    """Size in bytes."""


class Results(Box, frozen=True, kw_only=True):
    """The outcome of the run: metrics, curves and figures."""

    headline: str | None = None
    """Key of the metric that represents the run, such as `validation/accuracy`."""
    metrics: list[Metric] = []
    """Every final metric."""
    curves: Curves | None = None
    """The learning curves."""
    figures: list[Figure] = []
    """Pictures that the run stored."""


class SeriesSummary(Document, frozen=True, kw_only=True):
    """Summary of one logged series, over every point that was logged."""

    count: int
    """Number of points logged."""
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
    """Number of values that were NaN or infinite."""
    reduced: Reduction | None = None
    """How the values of several ranks became one; none for those of a single rank, the lowest that logged it."""


class Table(Document, frozen=True, kw_only=True):
    """A table that the run stored: results by class or slice, a confusion matrix, a value for each sample."""

    file: str
    """File beside the record (`tables/…`): CSV."""
    name: str
    """What it shows."""
    kind: TableKind = "table"
    """Kind of the table, which decides its columns."""
    metric: str | None = None
    """Key of the metric that the table explains, such as `validation/accuracy`."""
    dataset: str | None = None
    """Dataset version that it was measured on, as shown to people."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""
    hash: str
    """Hash of the file."""
    bytes: int
    """Size in bytes."""
    rows: int
    """Number of rows, without the header line."""
    columns: int
    """Names of the columns."""


class Statistics(Box, frozen=True, kw_only=True):
    """Summaries of the logged series, and the tables that the run stored."""

    steps: int | None = None
    """Last step logged."""
    epochs: float | None = None
    """Epochs trained, from the logged epochs: the last one, plus one where they are whole numbers counted from 0."""
    series: dict[str, SeriesSummary] = {}
    """Summary of every logged series."""
    tables: list[Table] = []
    """Tables that the run stored."""
