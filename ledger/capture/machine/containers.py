"""Detection of the container that a run is in, by files and variables of container engines."""

from collections.abc import Mapping
from pathlib import Path

_BY_VARIABLE = (
    ("KUBERNETES_SERVICE_HOST", "kubernetes"),
    ("APPTAINER_CONTAINER", "apptainer"),
    ("APPTAINER_NAME", "apptainer"),
    ("SINGULARITY_CONTAINER", "singularity"),
    ("SINGULARITY_NAME", "singularity"),
)
_BY_FILE = (("run/.containerenv", "podman"), (".dockerenv", "docker"), (".singularity.d", "singularity"))
_BY_CGROUP = (("kubepods", "kubernetes"), ("docker", "docker"), ("libpod", "podman"), ("/lxc", "lxc"))
"""Patterns in `/proc/1/cgroup` under cgroup v1; under v2 a container sees only its own root."""
_SYSTEMD_LIMIT = 64


def container_of(root: Path, variables: Mapping[str, str]) -> str | None:
    """Return the kind of container; none outside a container.

    Args:
        root: root of the file system; `/` except in tests.
        variables: environment variables.
    """
    for variable, kind in _BY_VARIABLE:
        if variables.get(variable):
            return kind
    for name, kind in _BY_FILE:
        if (root / name).exists():
            return kind
    # systemd states what it was started in: docker, podman, systemd-nspawn, wsl, lxc …
    # (https://systemd.io/CONTAINER_INTERFACE)
    told = _text(root / "run/systemd/container")[:_SYSTEMD_LIMIT].strip() or variables.get("container", "")
    if told and told.replace("-", "").isalnum():
        return told
    cgroups = _text(root / "proc/1/cgroup")
    return next((kind for sign, kind in _BY_CGROUP if sign in cgroups), None)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
