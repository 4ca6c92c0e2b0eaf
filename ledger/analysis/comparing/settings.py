"""Settings: which runs are repeats of one setting, and how far chance alone spreads their values.

A setting is everything that a person chose: params, steps around the model, code and training data. Runs of one
setting differ by seed only, so their spread is the noise that any difference between settings must be seen against.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import msgspec

from ledger.analysis.comparing.comparable import Group, counts, group_of
from ledger.analysis.comparing.ranks import split_ranks
from ledger.analysis.data.prediction_statistics import QUARTILES_FROM, quartiles
from ledger.analysis.judging.means import mean
from ledger.model.entries import StoredRun
from ledger.model.values import Document, ParamValue

_SEEDS = {
    "seed",
    "random_seed",
    "manual_seed",
    "manualseed",
    "rng_seed",
    "torch_seed",
    "global_seed",
    "seed_everything",
}
"""Params (their last dotted part) that choose the seed and not the setting."""
_PLACES = frozenset(
    [
        "artifact_dir",
        "checkpoint_dir",
        "ckpt_dir",
        "default_root_dir",
        "dump_path",
        "exp_dir",
        "exp_name",
        "expdir",
        "experiment_dir",
        "experiment_name",
        "hub_model_id",
        "job_name",
        "log_dir",
        "log_file",
        "log_path",
        "logdir",
        "logging_dir",
        "name_of_run",
        "out",
        "out_dir",
        "out_path",
        "outdir",
        "output",
        "output_dir",
        "output_folder",
        "output_path",
        "outputs",
        "project_dir",
        "project_name",
        "result_dir",
        "results_dir",
        "run_dir",
        "run_group",
        "run_id",
        "run_name",
        "save",
        "save_dir",
        "save_folder",
        "save_path",
        "save_to",
        "tensorboard_dir",
        "wandb_dir",
        "wandb_group",
        "wandb_name",
        "wandb_project",
        "wandb_run_id",
        "wandb_run_name",
        "wandb_tags",
        "work_dir",
        "workdir",
    ]
)
"""Params (their last dotted part) that only say where files go or what they are called."""


class Setting(Document, frozen=True, kw_only=True):
    """Runs that differ by seed only."""

    params: dict[str, ParamValue]
    """Params that they share, without seeds."""
    commit: str | None
    """Commit that they were trained with."""
    patch: str | None
    """Hash of the uncommitted changes that they were trained with; none when there were none."""
    runs: tuple[StoredRun, ...]
    """The runs, in the order given."""
    ranks: tuple[StoredRun, ...] = ()
    """Other ranks of the same trainings, which are no repeats."""


class Spread(Document, frozen=True, kw_only=True):
    """Spread of the finite values of one setting in one comparable group."""

    count: int
    """Number of values."""
    mean: float
    """Arithmetic mean."""
    low: float
    """Smallest."""
    high: float
    """Largest."""
    quartiles: tuple[float, float, float] | None = None
    """First quartile, median and third; none for fewer than four values, which are more informative themselves."""


@lru_cache(maxsize=4096)  # ten thousand runs use the same few names
def is_seed(param: str) -> bool:
    """Return whether a param is a random seed, such as `seed` or `trainer.random_seed`."""
    return param.rpartition(".")[2].lower() in _SEEDS


@lru_cache(maxsize=4096)
def is_place(param: str) -> bool:
    """Return whether a param only says where something goes, such as `output_dir` or `trainer.logging_dir`."""
    return param.rpartition(".")[2].lower() in _PLACES


def settings_of(runs: Iterable[StoredRun], include: Collection[str] = ()) -> list[Setting]:
    """Return the settings of `runs` in the order they first appear; unknown code is shared with no other run.

    Runs that do not count, by `counts`, belong to no setting; of several ranks of one training one run counts.
    """
    members: dict[bytes, list[StoredRun]] = {}
    for run in runs:
        if not counts(run, include):
            continue
        members.setdefault(setting_key(run), []).append(run)
    return [_setting(same) for same in members.values()]


def spread_of(setting: Setting, group: Group) -> Spread | None:
    """Return the spread of a setting's values in a comparable group (the latest of each run); none without values."""
    latest = {
        run.record.id: metric.number for run in setting.runs for metric in run.metrics() if group_of(metric) == group
    }
    return spread_of_runs(latest.values())


def spread_of_runs(numbers: Iterable[float]) -> Spread | None:
    """Return the spread of the values of repeats; none where none is finite."""
    values = [value for value in numbers if math.isfinite(value)]
    if not values:
        return None
    return Spread(
        count=len(values),
        mean=mean(values),
        low=min(values),
        high=max(values),
        quartiles=quartiles(values) if len(values) >= QUARTILES_FROM else None,
    )


def _setting(runs: Sequence[StoredRun]) -> Setting:
    runs, ranks = split_ranks(runs)
    code = runs[0].record.code
    return Setting(
        params=_chosen(runs[0]),
        commit=code.commit,
        patch=code.patch.hash if code.patch else None,
        runs=tuple(runs),
        ranks=tuple(ranks),
    )


def _chosen(run: StoredRun) -> dict[str, ParamValue]:
    places = run.record.params.places
    return {
        name: value
        for name, value in sorted(run.record.params.values.items())
        if not is_seed(name) and not is_place(name) and name not in places
    }


def setting_key(run: StoredRun) -> bytes:
    """Return a key that runs of one setting share, and no other run has: from params, code, steps, training data."""
    code = code_key(run)
    who = None if code else run.record.id
    steps = [chain] if (chain := _chain(run)) else []
    return msgspec.json.encode((_chosen(run), code, _trained_on(run), who, *steps))


def same_but_code(run: StoredRun, other: StoredRun) -> bool:
    """Return whether two runs have the same setting, apart from the code that was committed or changed."""
    return all(of(run) == of(other) for of in (_chosen, _trained_on, _chain))


def _chain(run: StoredRun) -> list[tuple[str, str, str | None]]:
    """Return what decides about the steps of a run, besides their params; a code without a hash is like none."""
    return [(step.name, step.stage, step.code) for step in run.record.params.chain]


def _trained_on(run: StoredRun) -> list[str]:
    return sorted(use.hash or use.label for use in run.record.datasets.used if use.role == "train")


def code_key(run: StoredRun) -> str | None:
    """Return a key that runs of the same code share; none where the code is unknown.

    Older records have only commit and patch; there, files written by a run count as code.
    """
    code, patch = run.record.code, run.record.code.patch
    if code.identity is not None:
        return code.identity
    if code.commit is None or (code.dirty and patch is None) or "identity" in code.unknown:
        return None
    return f"{code.commit} {patch.hash}" if patch else code.commit
