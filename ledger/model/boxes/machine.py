"""The boxes of a run record on its machine: hardware and its use, platforms, the software environment."""

from typing import Literal

from ledger.model.boxes.box import Box
from ledger.model.values import Document, Moment, Status

MOST_STRETCHES = 60
"""Most stretches of a run, each with the use of a GPU: 200 bytes."""


class GpuTimeline(Document, frozen=True, kw_only=True):
    """How busy a GPU was in equal stretches of a run, from its start on."""

    stretch_seconds: float
    """Length of each stretch in seconds."""
    percent: list[int | None]
    """Mean utilisation in each stretch (0 to 100); none where it was not seen."""


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
    """Share of the time with utilisation under 5 % (0..1)."""
    use: GpuTimeline | None = None
    """How busy it was over the time of the run; none where that was not sampled."""
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
    """Share of the time (0..1) in which its clocks were held down, by reason."""
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
