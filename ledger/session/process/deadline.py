"""The moment at which a scheduler ends the job of this process."""

from collections.abc import Mapping
from datetime import UTC, datetime

_END_TIME = "SLURM_JOB_END_TIME"
"""The end of a job's time limit in seconds since 1970.

Source: https://slurm.schedmd.com/sbatch.html, output environment variables.
"""


def deadline_of(environment: Mapping[str, str]) -> datetime | None:
    """Return when the scheduler ends the job, UTC; none where it does not say."""
    said = environment.get(_END_TIME, "")
    if not (said.isascii() and said.isdigit()):
        return None
    try:
        return datetime.fromtimestamp(int(said), UTC)
    except (OverflowError, OSError, ValueError):
        return None
