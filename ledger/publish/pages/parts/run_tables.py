"""Tables of runs: choice of the most informative columns, and content of the cells."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ledger.analysis.comparing.comparable import Group, group_of
from ledger.analysis.comparing.param_ranking import rank_params
from ledger.model.entries import StoredRun
from ledger.model.values import Document, ParamValue
from ledger.publish.text import param_text

if TYPE_CHECKING:
    from ledger.publish.site.site_data import Atlas


class MetricColumn(Document, frozen=True, kw_only=True):
    """A column of comparable values: one comparable group."""

    group: Group
    """What the values share."""
    path: str
    """Path of its leaderboard; empty where no run in it counts."""


class RunRow(Document, frozen=True, kw_only=True):
    """One run with its cells."""

    run: StoredRun
    """The run."""
    params: tuple[str, ...]
    """Value of each param, as typed; empty when the run has none of that name."""
    values: tuple[float | str | None, ...]
    """Value in each group; none where the run was not measured in it."""


class RunTable(Document, frozen=True, kw_only=True):
    """Runs, newest first, with the columns that distinguish them."""

    params: tuple[str, ...]
    """Names of the param columns."""
    metrics: tuple[MetricColumn, ...]
    """The metric columns."""
    rows: tuple[RunRow, ...]
    """One row per run."""
    total: int
    """Number of all runs; more than there are rows when the table is cut."""


def run_table(runs: Sequence[StoredRun], atlas: "Atlas", *, limit: int, params: int = 3, metrics: int = 2) -> RunTable:
    """Return a table of the newest `limit` of `runs`, which come oldest first."""
    shown = list(reversed(runs[-limit:])) if limit else []
    names = rank_params(shown)[:params]
    groups = common_groups(shown)[:metrics]
    return RunTable(
        params=tuple(names),
        metrics=tuple(MetricColumn(group=group, path=atlas.address_of(group)) for group in groups),
        rows=tuple(_row(run, names, groups) for run in shown),
        total=len(runs),
    )


def common_groups(runs: Iterable[StoredRun]) -> list[Group]:
    """Return the comparable groups of the runs' headline metrics, then of all others, most runs first.

    Of runs that were retracted no group comes.
    """
    headlines: Counter[Group] = Counter()
    others: Counter[Group] = Counter()
    for run in (run for run in runs if run.retraction is None):
        for metric in run.metrics():
            chosen = headlines if metric.key == run.record.results.headline else others
            chosen[group_of(metric)] += 1
    first = sorted(headlines, key=lambda group: (-headlines[group], group))
    rest = [group for group in others if group not in headlines]
    return first + sorted(rest, key=lambda group: (-others[group], group))


def _row(run: StoredRun, names: Sequence[str], groups: Sequence[Group]) -> RunRow:
    given: dict[str, ParamValue] = run.record.params.values
    measured = {group_of(metric): metric.value for metric in run.metrics()}
    return RunRow(
        run=run,
        params=tuple(param_text(given[name]) if name in given else "" for name in names),
        values=tuple(measured.get(group) for group in groups),
    )
