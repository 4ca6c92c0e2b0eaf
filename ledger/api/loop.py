"""Reports on loops: which runs they are of, what they improve, and which values are better."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.errors import NotFound, UsageError
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, plain
from ledger.store.branch.branch import Branch

if TYPE_CHECKING:
    from ledger.analysis.judging.loop import LoopReport


def report_loop(
    ledger: Branch,
    about: Sequence[str] = (),
    *,
    since: str | None = None,
    metric: str | None = None,
    direction: Direction | None = None,
    noise: float | None = None,
) -> "LoopReport":
    """Return how many decisions of a loop lie inside the noise.

    Args:
        ledger: ledger that holds its runs.
        about: names of experiments, or queries; all runs when none.
        since: only runs that started then or later.
        metric: key of the metric that it improves; that of most headlines by default.
        direction: which values are better; as recorded by default.
        noise: standard deviation between repeats; that of its own repeats by default.

    Raises:
        NotFound: no run is on the ledger, or none has a metric.
        UsageError: a query cannot be read, or it is not recorded which values are better.
        ModuleNotFoundError: scipy is not installed.
    """
    from ledger.analysis.judging.loop import loop_report
    from ledger.analysis.query.language import about_query, parse_query
    from ledger.store.index.selection import select_runs

    words = [about_query(word) for word in about]
    words += [f"started >= {since!r}"] if since else []
    runs = select_runs(ledger, parse_query(" and ".join(words)) if words else None).runs
    if not runs:
        raise NotFound("no run of that loop is on the ledger", hint="ledger list")
    ordered = sorted(runs, key=lambda run: (run.record.timing.started_at, run.record.id))
    key = metric or _frequent(ordered)
    return loop_report(ordered, key, direction or _direction(ordered, key), noise)


def _frequent(runs: Sequence[StoredRun]) -> str:
    headlines = Counter(run.record.results.headline for run in runs if run.record.results.headline)
    if not headlines:
        raise NotFound("no run of that loop has a metric", hint="--metric SPLIT/NAME")
    return headlines.most_common(1)[0][0]


def _direction(runs: Sequence[StoredRun], key: str) -> Direction:
    found = {metric.direction for run in runs if (metric := run.record.metric(key)) is not None and metric.direction}
    if len(found) != 1:
        why = f"it is not recorded which values are better: `{plain(key)}`"
        raise UsageError(why, hint="--direction higher or lower")
    return found.pop()
