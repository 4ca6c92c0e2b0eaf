"""The state of a living run, as far as its spool has it."""

from pathlib import Path

from ledger.model.values import Document, Number, ParamValue
from ledger.session.spool.draft import read_draft
from ledger.session.spool.spool import read_start, silence_seconds, spool_dir

STATUS = "running"
"""Status of a living run; no record has it."""


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
    silence_seconds: float
    """Seconds since its last sign of life."""
    command: list[str] = []
    """Command line."""
    params: dict[str, ParamValue] = {}
    """Params so far."""
    steps: int | None = None
    """Last step so far."""
    points: int = 0
    """Points logged so far."""
    last: dict[str, Number] = {}
    """Last value of each series so far."""
    metrics: dict[str, Number] = {}
    """Final metrics stated so far."""
    children: list[str] = []
    """Runs that were started within it."""


def read_living(state_dir: Path, run: str) -> Living:
    """Return the state of a run from its spool.

    Raises:
        OSError: it cannot be read, or has just ended.
        LedgerError: its start is damaged.
    """
    folder = spool_dir(state_dir) / run
    start, draft = read_start(folder), read_draft(folder)
    gathered = draft.curves
    series = gathered.statistics.series if gathered else {}
    return Living(
        id=run,
        status=STATUS,
        experiment=draft.experiment,
        host=start.host,
        pid=start.pid,
        started_at=start.started_at.isoformat(timespec="seconds"),
        silence_seconds=round(silence_seconds(folder), 1),
        command=draft.command,
        params=draft.params,
        steps=gathered.statistics.steps if gathered else None,
        points=gathered.logged if gathered else 0,
        last={name: summary.last for name, summary in series.items()},
        metrics={metric.key: metric.value for metric in draft.metrics},
        children=draft.children,
    )
