"""The rank of a process: of several that a launcher started for one training, rank 0 keeps the record.

Knows the variables of launchers and nothing of runs. Nothing is imported to find out: `torch.distributed` is asked
only where the training has imported and initialised it.
"""

import hashlib
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence

from ledger.recorder.record.draft import Rank
from ledger.settings import RANK_VARIABLE

_LAUNCHERS = (
    ("torchrun", ("RANK",), ("WORLD_SIZE",)),
    ("jsrun", ("JSM_NAMESPACE_RANK",), ("JSM_NAMESPACE_SIZE",)),
    ("mpi", ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_RANK", "MPIRUN_RANK", "PMI_ID"),
     ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "MV2_COMM_WORLD_SIZE", "MPIRUN_NPROCS")),
    ("horovod", ("HOROVOD_RANK",), ("HOROVOD_SIZE",)),
    ("paddle", ("PADDLE_TRAINER_ID",), ("PADDLE_TRAINERS_NUM",)),
    ("jax", ("JAX_PROCESS_ID",), ("JAX_NUM_PROCESSES",)),
    ("flux", ("FLUX_TASK_RANK",), ("FLUX_JOB_SIZE",)),
    ("pals", ("PALS_RANKID",), ("PALS_SIZE", "PALS_NRANKS")),
    ("aprun", ("ALPS_APP_PE",), ("ALPS_APP_SIZE",)),
)  # fmt: skip
"""Launcher, variables of its rank, and of its number of processes; frameworks come before schedulers:
who starts torchrun under srun means the ranks of torchrun."""

_JOBS = (
    "TORCHELASTIC_RUN_ID",
    "SLURM_JOB_ID",
    "SLURM_JOBID",
    "LSB_JOBID",
    "PBS_JOBID",
    "COBALT_JOBID",
    "FLUX_JOB_ID",
    "PMIX_NAMESPACE",
    "OMPI_MCA_ess_base_jobid",
)
"""Variables that name a job; without an id, torchrun writes `none`."""

_MEETING = ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")
"""Variables that are the same for all ranks of one training, and seldom for two."""

_LOCAL_RANKS = (
    "LOCAL_RANK",
    "SLURM_LOCALID",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "MPI_LOCALRANKID",
    "MV2_COMM_WORLD_LOCAL_RANK",
    "JSM_NAMESPACE_LOCAL_RANK",
    "PALS_LOCAL_RANKID",
)
"""Variables with the rank of a process among those of its host."""

_LOCAL_SIZES = (
    "LOCAL_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "MPI_LOCALNRANKS",
    "MV2_COMM_WORLD_LOCAL_SIZE",
    "JSM_NAMESPACE_LOCAL_SIZE",
    "PALS_LOCAL_SIZE",
)
"""Variables with the number of processes on this host."""
_HOSTS = ("GROUP_WORLD_SIZE", "SLURM_STEP_NUM_NODES", "SLURM_NNODES", "SLURM_JOB_NUM_NODES")
"""Variables with the number of hosts."""

_GROUP = 16
"""Characters of the key of a group."""
ON_HOST = "host-"
"""Beginning of the key of a group whose ranks are all on one host."""

_INTERACTIVE = {"bash", "sh", "interactive"}
"""Names of SLURM jobs that are a shell: they have a task number and are not a task of a step."""


def find_rank(environment: Mapping[str, str], stated: int | None = None) -> Rank | None:
    """Return the rank of this process; none where it is the only one of its job; never raises.

    Sources, in this order: what the training states, `LEDGER_RANK`, `torch.distributed` where it is initialised,
    torchrun and all that set its variables, `jsrun`, MPI, Horovod, Paddle, TensorFlow, and SLURM inside `srun`.

    Args:
        environment: environment variables of the process.
        stated: rank that the training states.
    """
    for rank, processes, launcher in _answers(environment, stated):
        if rank == 0 and processes in {None, 1}:
            # One process, or rank 0 of an unknown number: it keeps the record, as any other process does.
            return None
        named = launcher if processes is not None or launcher == "stated" else None
        job = _job(environment)
        return Rank(
            rank=rank,
            processes=processes,
            launcher=named,
            job=job,
            local=_first(environment, _LOCAL_RANKS),
            devices=environment.get("CUDA_VISIBLE_DEVICES") or None,
            group=_group(environment, job, processes),
        )
    return None


def _group(environment: Mapping[str, str], job: str | None, processes: int | None) -> str:
    """Return a key that all ranks of this training share, on every host; other trainings seldom have it.

    A job may run several trainings, one after the other or side by side: the address at which the ranks meet, and how
    often a launcher has restarted them, tell these apart. Without an address only the parent process does.
    """
    meeting = [environment.get(name, "") for name in _MEETING]
    if cluster := _cluster(environment.get("TF_CONFIG")):
        meeting.append(json.dumps(cluster, sort_keys=True))
    here = not any(meeting) and job is None
    if here:
        meeting = [socket.gethostname(), str(os.getppid())]
    told = "\0".join([job or "", str(processes or ""), *meeting])
    return (ON_HOST if here else "") + hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:_GROUP]


def may_have_hosts(rank: Rank, environment: Mapping[str, str]) -> bool:
    """Return whether the ranks of a training may be on several hosts: a launcher says so, or nothing says otherwise.

    Args:
        rank: one of them.
        environment: environment variables of its process.
    """
    if (rank.group or ON_HOST).startswith(ON_HOST):
        return False
    here = _first(environment, _LOCAL_SIZES)
    if here and rank.processes:
        return here < rank.processes
    hosts = _first(environment, _HOSTS)
    return hosts is None or hosts > 1


def _cluster(config: str | None) -> object:
    """Return the hosts and ports of all tasks in `TF_CONFIG`."""
    try:
        return json.loads(config or "")["cluster"]
    except (ValueError, KeyError, TypeError):
        return None


def is_silent(rank: Rank | None) -> bool:
    """Return whether a process leaves the record to rank 0.

    A rank without a number of processes may have another meaning, such as the rank of an adapter: its process keeps a
    record, which states the rank, so that it is not merged with another rank of its job.
    """
    if rank is None or rank.rank == 0 or not rank.launcher:
        return False
    return rank.processes is None or rank.processes > max(rank.rank, 1)  # rank 5 of 2 cannot be: nothing may be lost


def _answers(environment: Mapping[str, str], stated: int | None) -> Iterator[tuple[int, int | None, str]]:
    """Yield rank, number of processes and launcher, the most reliable source first."""
    several = _integer(environment.get("WORLD_SIZE"))
    if stated is not None:
        yield stated, _processes(environment), "stated"
    if (asked := _integer(environment.get(RANK_VARIABLE))) is not None:
        yield asked, _processes(environment), "stated"
    if (initialised := _of_torch()) is not None:
        yield *initialised, "torch.distributed"
    for launcher, ranks, sizes in _LAUNCHERS:
        if (rank := _first(environment, ranks)) is not None:
            yield rank, _first(environment, sizes), launcher
    local, node = (_integer(environment.get(name)) for name in ("LOCAL_RANK", "NODE_RANK"))
    if local is not None:  # Lightning starts its processes with these
        nodes_before = (node or 0) * (_integer(environment.get("LOCAL_WORLD_SIZE")) or 1)
        yield nodes_before + local, several, "local rank"
    if (index := _of_tensorflow(environment.get("TF_CONFIG"))) is not None:
        yield *index, "tensorflow"
    if (task := _integer(environment.get("SLURM_PROCID"))) is not None and _inside_srun(environment):
        yield task, _first(environment, ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS")), "slurm"


def _processes(environment: Mapping[str, str]) -> int | None:
    """Return the number of processes that any launcher states."""
    initialised = _of_torch()
    sizes = [name for _, _, names in _LAUNCHERS for name in names]
    return initialised[1] if initialised else _first(environment, [*sizes, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"])


def _of_torch() -> tuple[int, int] | None:
    """Return rank and world size of `torch.distributed`, where the training has initialised it."""
    distributed = sys.modules.get("torch.distributed")
    try:
        if distributed is None or not distributed.is_available() or not distributed.is_initialized():
            return None
        return int(distributed.get_rank()), int(distributed.get_world_size())
    except Exception:  # noqa: BLE001  # half an import, or a process group that is being torn down
        return None


def _of_tensorflow(config: str | None) -> tuple[int, int] | None:
    """Return rank and number of processes that `TF_CONFIG` states: chief first, then workers.

    Source: https://www.tensorflow.org/guide/distributed_training#TF_CONFIG
    """
    try:
        said = json.loads(config or "")
        cluster, task = said["cluster"], said["task"]
        before = len(cluster.get("chief", [])) if task["type"] == "worker" else 0
        total = len(cluster.get("chief", [])) + len(cluster.get("worker", []))
        return (before + int(task["index"]), total) if task["type"] in {"chief", "worker"} else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _inside_srun(environment: Mapping[str, str]) -> bool:
    """Return whether a SLURM task number belongs to a step: a batch script and an interactive shell have one, too."""
    tasks = _first(environment, ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"))
    if "SLURM_STEP_ID" in environment or "SLURM_STEPID" in environment:
        # A shell of `salloc` is a step with one task; a step with several tasks was started with `srun`.
        return environment.get("SLURM_JOB_NAME") not in _INTERACTIVE or (tasks or 1) > 1
    return environment.get("ENVIRONMENT") != "BATCH" and environment.get("SLURM_JOB_NAME") not in _INTERACTIVE


def _job(environment: Mapping[str, str]) -> str | None:
    """Return an id that all processes of the job share and other jobs do not have."""
    named = [environment[name] for name in _JOBS if environment.get(name, "none") not in {"", "none"}]
    if not named:
        return None
    step = environment.get("SLURM_STEP_ID")
    return f"{named[0]}.{step}" if step and named[0] == environment.get("SLURM_JOB_ID") else named[0]


def _first(environment: Mapping[str, str], names: Sequence[str]) -> int | None:
    return next((found for name in names if (found := _integer(environment.get(name))) is not None), None)


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isascii() and text.strip().isdigit() else None


_ASKED = {
    "torchrun": ("--nproc-per-node", "--nproc_per_node"),
    "torch.distributed.run": ("--nproc-per-node", "--nproc_per_node"),
    "torch.distributed.launch": ("--nproc-per-node", "--nproc_per_node"),
    "accelerate": ("--num-processes", "--num_processes"),
    "deepspeed": ("--num-gpus", "--num_gpus"),
    "mpirun": ("-n", "-np", "--np", "-c"),
    "mpiexec": ("-n", "-np", "--np"),
    "srun": ("-n", "--ntasks"),
    "horovodrun": ("-np", "--num-proc"),
}
"""Launchers, and their options for the number of processes, per node or in total."""


def launched_by(command: Sequence[str]) -> Rank | None:
    """Return the number of processes in a launcher's command line; none where it has no launcher or no number.

    What the ranks themselves state takes precedence.
    """
    for position, word in enumerate(command[:3]):
        launcher = word.rpartition("/")[2]
        if launcher not in _ASKED:
            continue
        rest = command[position + 1 :]
        asked = _option(rest, _ASKED[launcher])
        nodes = 1 if _ASKED[launcher][0] != "--nproc-per-node" else _option(rest, ("--nnodes",)) or 1
        if asked is not None and asked * nodes > 1:
            return Rank(rank=0, processes=asked * nodes, launcher=f"the command line of {launcher}")
        return None
    return None


def _option(words: Sequence[str], names: Sequence[str]) -> int | None:
    """Return the whole number after an option, or after its `=`."""
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return _integer(value if equals else next(iter(words[position + 1 : position + 2]), None))
        before = words[position - 1] if position else ""
        if not word.startswith("-") and word != "launch" and (not before.startswith("-") or "=" in before):
            return None  # the launched program: what follows are its arguments
    return None
