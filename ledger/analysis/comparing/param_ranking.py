"""Which params tell runs apart: those that the headline metric moves with come first.

How much it moves is the share of its variance that lies between the values of a param, corrected for the number of
values: within each experiment, where others are held still, and among equals over all of them. That is a description
of these runs, not a cause: params that were changed together move with the metric alike.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from ledger.analysis.comparing.comparable import counts
from ledger.analysis.comparing.settings import is_place, is_seed
from ledger.analysis.judging.means import mean
from ledger.model.boxes.outputs import GroupId
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue

_LEVELS = 8
"""Most levels of a numeric param, and never more than half as many as values; neighbours share one."""
_LEAST_RUNS = 3
"""Fewest values of a metric that say anything about a param of two levels."""
_DIGITS = 9
"""Decimals of a share that order: sums in another order differ in the last ones."""

_Values = Mapping[int, ParamValue]


def rank_params(runs: Iterable[StoredRun]) -> list[str]:
    """Return the params that differ between runs, those that the headline metric moves with most first.

    Params that no experiment changed within itself come after all others, then those that only say where files go, then
    seeds. Among equals the most frequent comes first, then the order of the alphabet.
    """
    all_runs = tuple(runs)
    given: dict[str, dict[int, ParamValue]] = {}
    for at, run in enumerate(all_runs):
        for name, value in run.record.params.values.items():
            given.setdefault(name, {})[at] = value
    keyed = {name: {at: _key(value) for at, value in values.items()} for name, values in given.items()}
    places = {name for run in all_runs for name in run.record.params.places}
    within, across = _headlines(all_runs, by_experiment=True), _headlines(all_runs, by_experiment=False)
    keys = {
        name: (
            _tier(name, keyed[name], all_runs, places),
            -round(share_explained(values, within, keyed[name]), _DIGITS),
            -round(share_explained(values, across, keyed[name]), _DIGITS),
            -len(values),
            name,
        )
        for name, values in given.items()
        if len(set(keyed[name].values())) > 1
    }
    return sorted(keys, key=keys.__getitem__)


def share_explained(
    values: _Values, measured: Iterable[Mapping[int, float]], keyed: Mapping[int, Hashable] | None = None
) -> float:
    """Return the share, from 0 to 1, of the variance of measurements that lies between the values of a param.

    It is epsilon squared, 1 - (1 - eta squared)(n - 1)/(n - k) for n measurements and k values (T. L. Kelley, An
    unbiased correlation ratio measure, PNAS 21, 1935, pages 554 to 559), never below 0, within each comparable group;
    groups count by their measurements, and those of runs without the param count as not explained.

    Args:
        values: the value of each run that has the param.
        measured: for each comparable group the finite value of each run.
        keyed: what tells these values apart, where it is at hand.
    """
    keyed = {at: _key(value) for at, value in values.items()} if keyed is None else keyed
    explained, total = 0.0, 0
    for group in measured:
        total += len(group)
        shared = [at for at in group if at in values]
        levels = _levels([values[at] for at in shared]) or [keyed[at] for at in shared]
        members: dict[Hashable, list[float]] = defaultdict(list)
        for level, at in zip(levels, shared, strict=True):
            members[level].append(group[at])
        explained += len(shared) * _epsilon_squared(list(members.values()))
    return explained / total if total else 0.0


def _epsilon_squared(members: Sequence[Sequence[float]]) -> float:
    everything = [value for level in members for value in level]
    count, levels = len(everything), len(members)
    if count < _LEAST_RUNS or not 1 < levels < count:
        return 0.0
    scale = max(map(abs, everything)) or 1.0
    middle = mean(everything) / scale
    around = math.fsum((value / scale - middle) ** 2 for value in everything)
    means = [mean(level) / scale for level in members]
    within = math.fsum(
        (value / scale - middle) ** 2 for middle, level in zip(means, members, strict=True) for value in level
    )
    if around <= 0:
        return 0.0
    return max(0.0, 1 - within / around * (count - 1) / (count - levels))


def _levels(values: Sequence[ParamValue]) -> Sequence[Hashable]:
    """Return the level of each value where numbers are many, one of as many even parts of their order; else none."""
    numbers = [value for value in values if type(value) is float or type(value) is int]
    if len(numbers) < len(values):
        return ()
    distinct = sorted({value for value in numbers if not math.isnan(value)})
    most = min(_LEVELS, max(2, len(values) // 2))
    if len(distinct) <= most:
        return ()
    level = {value: at * most // len(distinct) for at, value in enumerate(distinct)}
    return [level.get(value, -1) for value in numbers]


def _headlines(runs: Sequence[StoredRun], *, by_experiment: bool) -> list[dict[int, float]]:
    """Return the finite headline values of the runs that count, by comparable group; on unknown data by experiment."""
    groups: dict[tuple[GroupId, str], dict[int, float]] = {}
    for at, run in enumerate(runs):
        best = run.record.headline if counts(run) else None
        if best is not None and math.isfinite(best.number):
            part = "" if best.dataset_hash and not by_experiment else run.record.experiment
            groups.setdefault((best.group_id, part), {})[at] = best.number
    return list(groups.values())


def _tier(name: str, keyed: Mapping[int, Hashable], runs: Sequence[StoredRun], places: Iterable[str]) -> int:
    if is_seed(name):
        return 3
    if is_place(name) or name in places:
        return 2
    within: dict[str, set[Hashable]] = defaultdict(set)
    for at, key in keyed.items():
        within[runs[at].record.experiment].add(key)
    return int(all(len(found) == 1 for found in within.values()))


def _key(value: ParamValue) -> Hashable:
    return repr(value)
