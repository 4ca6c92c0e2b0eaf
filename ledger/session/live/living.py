"""The state of a living run, as far as its spool has it."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ledger.capture.machine.gpus.use_now import GpuUse, gpus_in_use
from ledger.capture.machine.processes import read_load
from ledger.errors import LedgerError
from ledger.model.values import Document, Number, ParamValue
from ledger.session.live.log_position import log_position
from ledger.session.live.progress import RunProgress, read_progress
from ledger.session.live.recent_points import last_values, recent_points
from ledger.session.process.parts import Part, read_parts
from ledger.session.spool.draft import stated_so_far
from ledger.session.spool.events import Start
from ledger.session.spool.job import belongs_to_job, is_running, rank_spools
from ledger.session.spool.spool import EVENTS, LOG, read_children, read_start, silence_seconds, spool_dir, spools

STATUS = "running"
"""Status of a living run; no record has it."""
_HEARD_SECONDS = 60.0
"""A run of another host counts as living while its last sign of life is younger."""
_RANK_BYTES = 1 << 14
"""Bytes at the end of another rank's events that are read for its last step."""


class LivingRank(Document, frozen=True, kw_only=True):
    """One of the other processes of a job."""

    rank: int
    """Its rank."""
    host: str
    """Host on which it runs."""
    alive: bool
    """Whether it lives."""
    silence_seconds: float
    """Seconds since its last sign of life."""
    step: int | None = None
    """Its last step."""


class Living(Document, frozen=True, kw_only=True):
    """A run that has not ended."""

    id: str
    """Run id."""
    status: str
    """Always that it lives."""
    experiment: str
    """Experiment of the run."""
    host: str
    """Host on which it runs."""
    pid: int
    """Process id on that host."""
    started_at: str
    """Start, UTC, ISO 8601."""
    seconds: float
    """Seconds since its start."""
    silence_seconds: float
    """Seconds since its last sign of life."""
    silent_points_seconds: float | None = None
    """Seconds since its last point; none where it has logged none."""
    deadline: str | None = None
    """When the scheduler ends its job, UTC, ISO 8601; none where no scheduler states it."""
    command: list[str] = []
    """Command line."""
    params: dict[str, ParamValue] = {}
    """Params so far."""
    progress: RunProgress
    """How far it is."""
    last: dict[str, Number] = {}
    """Last value of each series in the recent past."""
    metrics: dict[str, Number] = {}
    """Final metrics stated so far."""
    memory_bytes: int | None = None
    """Memory of its processes now, in bytes; none for one of another host."""
    gpus: list[GpuUse] = []
    """The GPUs that it may use, as they are now; none for one of another host."""
    ranks: list[LivingRank] = []
    """The other processes of its job."""
    children: list[str] = []
    """Runs that were started within it."""


def living_runs(state_dir: Path) -> Iterator[Living]:
    """Yield the living runs of a folder of spools, oldest first: those of this host, and those heard of just now.

    Ranks of a job are part of its run.
    """
    for folder in spools(state_dir):
        with suppress(OSError, LedgerError):  # just being made or removed, or damaged
            start = read_start(folder)
            if not belongs_to_job(start) and _lives(folder, start):
                yield read_living(state_dir, folder.name)


def _lives(folder: Path, start: Start) -> bool:
    if start.host == socket.gethostname():
        return is_running(folder)
    return silence_seconds(folder) < _HEARD_SECONDS


def read_living(state_dir: Path, run: str) -> Living:
    """Return the state of a run from its spool.

    Raises:
        OSError: it cannot be read, or has just ended.
        LedgerError: its start is damaged.
    """
    folder = spool_dir(state_dir) / run
    start = read_start(folder)
    parts = read_parts(folder, start)
    draft = stated_so_far(start, parts)
    points = recent_points(part.path for part in parts if part.rank == 0)
    seconds = max(0.0, (datetime.now(UTC) - start.started_at).total_seconds())
    here = start.host == socket.gethostname()
    load = read_load(start.pid) if here else None
    return Living(
        id=run,
        status=STATUS,
        experiment=draft.experiment,
        host=start.host,
        pid=start.pid,
        started_at=start.started_at.isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        silence_seconds=round(silence_seconds(folder), 1),
        silent_points_seconds=round(max(0.0, seconds - points[-1].seconds), 1) if points else None,
        deadline=start.deadline.isoformat(timespec="seconds") if start.deadline else None,
        command=draft.command,
        params=draft.params,
        progress=read_progress(
            points, draft.params, log_position(folder / LOG), stated=_stated_total(start, parts), now=seconds
        ),
        last=last_values(points),
        metrics={metric.key: metric.value for metric in draft.metrics},
        memory_bytes=load.memory_bytes if load else None,
        gpus=gpus_in_use(start.pid) if here else [],
        ranks=list(_ranks(folder, start)),
        children=read_children(folder),
    )


def _stated_total(start: Start, parts: list[Part]) -> int | None:
    """Return the number of steps that the run states, or the run that joined it."""
    joined = (part.joined.start.total_steps for part in parts if part.joined and part.rank == 0)
    return next((total for total in (start.total_steps, *joined) if total is not None), None)


def _ranks(folder: Path, start: Start) -> Iterator[LivingRank]:
    for one in rank_spools(folder, start):
        points = recent_points([one.folder / EVENTS], _RANK_BYTES)
        yield LivingRank(
            rank=one.rank,
            host=one.start.host,
            alive=is_running(one.folder),
            silence_seconds=round(silence_seconds(one.folder), 1),
            step=next((point.step for point in reversed(points) if point.step is not None), None),
        )
