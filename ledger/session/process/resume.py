"""The key by which the attempts of one training know each other, as the script, the user or the launcher states it."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from ledger.settings import RESUME_VARIABLE

_SHARED = ("TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT", "SLURM_JOB_ID", "WORLD_SIZE")
"""Variables that stay the same when torchrun restarts its processes."""


class ResumeKey(NamedTuple):
    """The key of a training that may be resumed."""

    key: str | None
    """The key; none where every run is a training of its own."""
    last: bool = False
    """Whether the launcher starts no further attempt."""


def find_resume(environment: Mapping[str, str], stated: str | None) -> ResumeKey:
    """Return the key that the script states, or `LEDGER_RESUME`, or that of a torchrun that restarts its processes.

    Args:
        environment: environment variables of the process.
        stated: key that the script states.
    """
    if key := stated or environment.get(RESUME_VARIABLE):
        return ResumeKey(key)
    restarts, most = (environment.get(f"TORCHELASTIC_{name}", "") for name in ("RESTART_COUNT", "MAX_RESTARTS"))
    if not (restarts.isdigit() and most.isdigit()) or int(most) == 0:
        return ResumeKey(None)
    told = "\0".join(environment.get(name, "") for name in _SHARED)
    key = hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return ResumeKey(f"torchrun-{key}", last=int(restarts) >= int(most))
