"""Which runs are repeats of one setting, and how far chance alone spreads their values.

A setting is everything a person chose: params, code and training data. Runs of one setting differ by seed
only, so their spread is the noise that any difference between settings must be seen against.
"""

import math
from collections.abc import Iterable, Sequence

import msgspec

from ledger.analysis.comparable import Group, group_of
from ledger.analysis.run_statistics import QUARTILES_FROM, quartiles
from ledger.model.entries import Run
from ledger.model.values import Document, ParamValue

_SEEDS = {"seed", "random_seed"}
"""Params (their last dotted part) that choose the chance and not the setting."""


class Setting(Document, frozen=True, kw_only=True):
    """The runs that differ by seed only."""

    params: dict[str, ParamValue]
    """What they share, seeds left out."""
    commit: str | None
    """Commit they were trained with."""
    patch: str | None
    """Hash of the uncommitted changes they were trained with; none when there were none."""
    runs: tuple[Run, ...]
    """The runs, in the order given."""


class Spread(Document, frozen=True, kw_only=True):
    """The finite values of one setting in one comparable group."""

    count: int
    """How many runs have one."""
    mean: float
    """Arithmetic mean."""
    low: float
    """Smallest."""
    high: float
    """Largest."""
    quartiles: tuple[float, float, float] | None = None
    """First quartile, median and third; none for fewer than four values, which say more themselves."""


def is_seed(param: str) -> bool:
    """Say whether a param is a random seed, such as `seed` or `trainer.random_seed`."""
    return param.rpartition(".")[2].lower() in _SEEDS


def settings_of(runs: Iterable[Run]) -> list[Setting]:
    """Return the settings of `runs` in the order they first appear; unknown code is shared with no other run.

    Runs that were retracted belong to no setting.
    """
    members: dict[bytes, list[Run]] = {}
    for run in runs:
        if run.retraction is not None:
            continue
        members.setdefault(setting_key(run), []).append(run)
    return [_setting(same) for same in members.values()]


def spread_of(setting: Setting, group: Group) -> Spread | None:
    """Return the spread of a setting's values in a comparable group (the latest of each run), or none without any."""
    latest = {
        run.record.id: metric.number for run in setting.runs for metric in run.metrics() if group_of(metric) == group
    }
    values = [value for value in latest.values() if math.isfinite(value)]
    if not values:
        return None
    return Spread(
        count=len(values),
        mean=math.fsum(values) / len(values),
        low=min(values),
        high=max(values),
        quartiles=quartiles(values) if len(values) >= QUARTILES_FROM else None,
    )


def _setting(runs: Sequence[Run]) -> Setting:
    code = runs[0].record.code
    return Setting(
        params=_chosen(runs[0]),
        commit=code.commit,
        patch=code.patch.hash if code.patch else None,
        runs=tuple(runs),
    )


def _chosen(run: Run) -> dict[str, ParamValue]:
    return {name: value for name, value in sorted(run.record.params.values.items()) if not is_seed(name)}


def setting_key(run: Run) -> bytes:
    """Return what runs of one setting share, and no other run has: params without seeds, code, training data."""
    record = run.record
    code, patch = record.code, record.code.patch
    known = code.commit is not None and (patch is not None or not code.dirty)
    trained_on = sorted(use.hash or use.label for use in record.datasets.used if use.role == "train")
    who = None if known else record.id
    return msgspec.json.encode((_chosen(run), code.commit, patch.hash if patch else None, trained_on, who))
