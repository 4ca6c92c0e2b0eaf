"""The software environment of a run: Python, packages, operating system, container, frameworks, variables."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ledger.capture.code.working_copies import look_at_copy
from ledger.capture.machine.containers import container_of
from ledger.capture.machine.interpreter import find_interpreter
from ledger.capture.machine.package_index import index_of
from ledger.capture.machine.packages import frameworks_of, read_packages
from ledger.capture.machine.python_path import python_path_of, shadowed_by
from ledger.capture.secrets.names import secret_name
from ledger.capture.secrets.redactor import Redactor
from ledger.hashing import hash_bytes
from ledger.model.boxes.machine import Environment
from ledger.model.document import dump
from ledger.model.entries import ENVIRONMENT_FORMAT, EnvironmentFile

VARIABLES = frozenset(
    {
        "CUDA_VISIBLE_DEVICES",
        "CUDA_DEVICE_ORDER",
        "CUDA_LAUNCH_BLOCKING",
        "CUBLAS_WORKSPACE_CONFIG",
        "NVIDIA_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES",
        "ROCR_VISIBLE_DEVICES",
        "PYTORCH_CUDA_ALLOC_CONF",
        "TORCH_CUDNN_V8_API_ENABLED",
        "TF_DETERMINISTIC_OPS",
        "TF_ENABLE_ONEDNN_OPTS",
        "XLA_FLAGS",
        "JAX_PLATFORMS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "PYTHONHASHSEED",
        "PYTHONOPTIMIZE",
        "WORLD_SIZE",
        "LOCAL_WORLD_SIZE",
        "SLURM_JOB_NAME",
        "SLURM_JOB_NUM_NODES",
        "SLURM_NNODES",
        "SLURM_NTASKS",
        "SLURM_CPUS_PER_TASK",
        "SLURM_GPUS",
        "SLURM_GPUS_PER_NODE",
        "SLURM_JOB_PARTITION",
        "SLURM_MEM_PER_NODE",
        "SLURM_ARRAY_JOB_ID",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_PROCID",
        "LSB_JOBID",
        "PBS_JOBID",
    }
)
"""Variables that configure a run. An allow-list, since most secrets are in variables."""
PREFIXES = ("NCCL_",)
_VALUE_LIMIT = 500


def capture_environment(python: Path | None = None) -> tuple[Environment, EnvironmentFile]:
    """Return the environment in short and in full, with the reason for everything unknown.

    Args:
        python: interpreter of the training; by default that of the active environment, else this one.
    """
    unknown: dict[str, str] = {}
    interpreter = find_interpreter(python, os.environ)
    if interpreter.version is None:
        unknown["python"] = "the interpreter did not answer"
    installed = read_packages(interpreter.folders)
    packages = installed.packages
    if not packages:
        unknown["packages"] = "no package was found where the interpreter keeps them"
    frameworks = frameworks_of(packages, interpreter.folders) | _loaded_versions()
    file = EnvironmentFile(
        format=ENVIRONMENT_FORMAT,
        python=interpreter.version or "unknown",
        executable=_inside(interpreter.executable),
        os=_os(),
        machine=os.uname().machine,
        container=container_of(Path("/"), os.environ),
        frameworks=dict(sorted(frameworks.items())),
        packages=packages,
        variables=_variables(os.environ) | python_path_of(os.environ),
        sources=installed.sources,
        tags=installed.tags,
        index=index_of(os.environ, Path(interpreter.executable).parent.parent),
        shadowed=shadowed_by(os.environ, interpreter.folders),
    )
    short = Environment(
        hash=hash_bytes(dump(file)),
        python=interpreter.version,
        os=file.os,
        container=file.container,
        packages=len(packages) if packages else None,
        frameworks=file.frameworks,
        working_copies={name: look_at_copy(folder) for name, folder in installed.working_copies.items()},
        unknown=unknown,
    )
    return short, file


def _inside(executable: str) -> str:
    """Return an interpreter's path within its environment: `.venv/bin/python`, not its path on this machine."""
    prefix = Path(executable).parent.parent
    if (prefix / "pyvenv.cfg").is_file() or (prefix / "conda-meta").is_dir():
        return str(Path(executable).relative_to(prefix.parent))
    home = os.path.expanduser("~")  # noqa: PTH111  # never raises, where `Path.home` does
    return f"~{executable[len(home) :]}" if len(home) > 1 and executable.startswith(f"{home}/") else executable


def _os() -> str:
    system = os.uname()
    kernel = f"{system.sysname} {system.release}"
    try:
        lines = Path("/etc/os-release").read_text("utf-8", "replace").splitlines()
    except OSError:
        return kernel
    name = next((line.partition("=")[2].strip("\"' ") for line in lines if line.startswith("PRETTY_NAME=")), "")
    return f"{name} ({kernel})" if name else kernel


def _loaded_versions() -> dict[str, str]:
    """Return CUDA and cuDNN as the loaded torch reports them; torch is never imported for it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    found: dict[str, str] = {}
    try:
        if torch.version.cuda:
            found["cuda"] = str(torch.version.cuda)
            cudnn = torch.backends.cudnn.version()
            found |= {"cudnn": str(cudnn)} if cudnn else {}
        if torch.version.hip:
            found["rocm"] = str(torch.version.hip)
    except Exception:  # noqa: BLE001  # a half-imported or broken torch must not harm the run
        return found
    return found


def _variables(variables: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in sorted(variables.items()):
        allowed = name in VARIABLES or name.startswith(PREFIXES)
        if not allowed or len(value) > _VALUE_LIMIT or secret_name(name) or not value.isprintable():
            continue
        if Redactor().text(f"{name}={value}") == f"{name}={value}":
            kept[name] = value
    return kept
