"""The key by which the attempts of one training know each other, as the script, the user or the launcher states it."""

import hashlib
from collections.abc import Mapping

import msgspec

from ledger.model.document import encode
from ledger.session.process.ranks import is_silent
from ledger.session.spool.events import Start
from ledger.settings import RESUME_VARIABLE

_SHARED = ("TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT", "SLURM_JOB_ID", "WORLD_SIZE")
"""Variables that stay the same when torchrun restarts its processes."""


def with_resume_key(
    start: Start, environment: Mapping[str, str], *, stated: str | None = None, wrapped: bool = False
) -> Start:
    """Return the start with the key that the script states, or `LEDGER_RESUME`, or a torchrun that restarts gives.

    A variable is that of a whole job, which may train several times, as a sweep does. Only runs with the same script,
    experiment, params and seed are attempts of one training under it. A rank with a record of its own has its own key.

    Args:
        start: start of the run.
        environment: environment variables of the process.
        stated: key that the script states.
        wrapped: whether it is that of a wrapped command, all of whose words count.
    """
    last = False
    if stated:
        key = stated
    else:
        named, last = _of_job(environment)
        if not named:
            return start
        command = start.command if wrapped else start.command[:2]
        training = encode([named, start.experiment, start.params, start.seed, command])
        key = f"{named[:40]} {hashlib.sha256(training).hexdigest()[:16]}"
    rank = start.rank
    if rank is not None and rank.rank > 0 and (start.per_rank or not is_silent(rank)):
        key += f" rank {rank.rank}"
    return msgspec.structs.replace(start, resume=key, last_attempt=last)


def _of_job(environment: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return the key of a job that is started again, if it is, and whether its launcher will not do so again."""
    if key := environment.get(RESUME_VARIABLE):
        return key, False
    restarts, most = (environment.get(f"TORCHELASTIC_{name}", "") for name in ("RESTART_COUNT", "MAX_RESTARTS"))
    if not (restarts.isdigit() and most.isdigit()) or int(most) == 0:
        return None, False
    return "torchrun " + " ".join(environment.get(name, "") for name in _SHARED), int(restarts) >= int(most)
