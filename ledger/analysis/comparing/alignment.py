"""Agreement of offline and production metrics: rank correlation over runs that have both."""

import math
from collections.abc import Iterable, Sequence

from ledger.analysis.comparing.comparable import Group, agreed_direction, counts, group_of
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import StoredRun
from ledger.model.values import Document, counted

_FEWEST = 5
"""Fewest runs: with four the interval of Bonett and Wright reaches from -1 to 1 for nearly every correlation."""
_NORMAL_975 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


class Pair(Document, frozen=True, kw_only=True):
    """One run that has both metrics."""

    run: str
    """Run id."""
    offline: float
    """Value of the offline metric."""
    online: float
    """Value of the online metric."""


class Alignment(Document, frozen=True, kw_only=True):
    """The agreement of an offline and an online metric, within one comparable group of each."""

    offline: Group
    """Comparable group of the offline values."""
    online: Group
    """Comparable group of the online values, with the days they were measured over."""
    pairs: list[Pair]
    """One pair for each run with both, in order of run ids."""
    correlation: float | None = None
    """Spearman's rank correlation; positive where better offline means better in production."""
    interval: tuple[float, float] | None = None
    """95 % interval of the correlation."""
    why_not: str | None = None
    """Why there is no correlation; none where there is one."""

    @property
    def answer(self) -> str:
        """The result as a sentence."""
        if self.interval is None:
            return self.why_not or ""
        low, high = self.interval
        if low > 0:
            return "they agree"
        return "they contradict each other" if high < 0 else "cannot tell whether they agree"


def align(runs: Iterable[StoredRun], offline: str, online: str) -> list[Alignment]:
    """Return the agreement of two metrics, for each pair of comparable groups that runs share, most runs first.

    Args:
        runs: the runs; those that do not count are left out.
        offline: metric measured on a dataset version, as `split/name`.
        online: metric measured over a period in production.

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    found: dict[tuple[GroupId, GroupId], list[tuple[str, Metric, Metric]]] = {}
    for run in filter(counts, runs):
        measured = {group_of(metric): metric for metric in run.metrics()}
        left = [(group, metric) for group, metric in measured.items() if group.key == offline and group.known]
        right = [(group, metric) for group, metric in measured.items() if group.key == online and metric.period]
        for group, metric in left:
            for period, counted_metric in right:
                found.setdefault((group.id, period.id), []).append((run.record.id, metric, counted_metric))
    made = [_aligned(group_of(members[0][1]), group_of(members[0][2]), members) for members in found.values()]
    return sorted(made, key=lambda one: (-len(one.pairs), one.offline, one.online))


def rank_interval(correlation: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of Spearman's correlation of `count` pairs.

    Fisher's z with the standard error sqrt((1 + r^2 / 2) / (n - 3)): Bonett and Wright, Sample size requirements for
    estimating Pearson, Kendall and Spearman correlations, Psychometrika 65 (2000), page 24. Ranks that agree wholly
    have no finite z; the interval is then that of ranks with one pair of neighbours swapped, up to 1 (a rule of ours).
    """
    swapped = 1 - 12 / (count * (count**2 - 1))
    inside = max(-swapped, min(swapped, correlation))
    reach = _NORMAL_975 * math.sqrt((1 + inside**2 / 2) / (count - 3))
    low, high = math.tanh(math.atanh(inside) - reach), math.tanh(math.atanh(inside) + reach)
    return (-1.0 if correlation < -swapped else low), (1.0 if correlation > swapped else high)


def _aligned(offline: Group, online: Group, members: Sequence[tuple[str, Metric, Metric]]) -> Alignment:
    pairs = [
        Pair(run=run, offline=left.number, online=right.number)
        for run, left, right in sorted(members, key=lambda member: member[0])
        if math.isfinite(left.number) and math.isfinite(right.number)
    ]
    directions = [agreed_direction(left for _, left, _ in members), agreed_direction(right for _, _, right in members)]
    silent = next((key for key, way in zip((offline.key, online.key), directions, strict=True) if way is None), None)
    why_not = None
    if len(pairs) < _FEWEST:
        why_not = f"not enough runs: {counted(len(pairs), 'run')} with both, {_FEWEST} are needed"
    elif silent:
        why_not = f"no direction is recorded for {silent}: set it under `directions` in policy.yaml"
    elif len({pair.offline for pair in pairs}) == 1 or len({pair.online for pair in pairs}) == 1:
        why_not = "all values of one of them are the same"
    if why_not:
        return Alignment(offline=offline, online=online, pairs=pairs, why_not=why_not)
    from scipy.stats import spearmanr

    sign = 1.0 if directions[0] == directions[1] else -1.0
    rho = sign * float(spearmanr([pair.offline for pair in pairs], [pair.online for pair in pairs]).statistic)
    rho = max(-1.0, min(1.0, rho))
    interval = rank_interval(rho, len(pairs))
    return Alignment(offline=offline, online=online, pairs=pairs, correlation=rho, interval=interval)
