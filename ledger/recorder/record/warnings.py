"""Warnings for whoever records a run: leaks, retired versions, data without a name, metrics without a direction."""

import math
import shlex
from collections.abc import Sequence
from typing import get_args

from ledger.analysis.comparing.error_rate import is_share_by_name, outside_range
from ledger.analysis.comparing.splits import match_split
from ledger.analysis.data.machine_use import energy_doubt
from ledger.errors import LedgerError
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric
from ledger.model.claims.measurements import same_data, same_data_text
from ledger.model.datasets import Leak
from ledger.model.record import Record
from ledger.model.values import Role, counted, listed
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import SPLITS
from ledger.store.branch.versions import read_retirements

_ROLES = get_args(Role)


def warn_of_record(ledger: Branch | None, record: Record) -> list[str]:
    """Return all warnings about a record, one line each."""
    return [
        *warn_of_code(record),
        *warn_of_datasets(ledger, record),
        *warn_of_data(record.results.metrics, record.datasets.used),
        *warn_of_metrics(ledger, record.results.metrics),
        *warn_of_energy(record),
    ]


def warn_of_energy(record: Record) -> list[str]:
    """Return of which GPUs two measures of the energy disagree, one line each."""
    return [f"energy of {gpu.name}: {doubt}" for gpu in record.hardware.gpus if (doubt := energy_doubt(gpu))]


def warn_of_code(record: Record) -> list[str]:
    """Return what commit and patch do not restore, and why executing the whole notebook would not repeat the run."""
    unknown = record.code.unknown
    reasons = [unknown[field] for field in ("patch", "tree", "repositories", "lfs") if field in unknown]
    filtered = [f"{file.path} ({file.why})" for file in record.code.omitted if "its filter is" in (file.why or "")]
    if filtered:
        more = f" and {len(filtered) - 3} more" if len(filtered) > 3 else ""  # noqa: PLR2004  # the number shown
        reasons.append(f"not in the patch: {', '.join(filtered[:3])}{more}")
    said = [f"code: {'; '.join(dict.fromkeys(reasons))}"] if reasons and record.code.known else []
    notebook = record.code.notebook
    return [*said, *(f"notebook: {why}" for why in notebook.warnings())] if notebook else said


def warn_of_datasets(ledger: Branch | None, record: Record) -> list[str]:
    """Return warnings about a run's datasets, one line each; a dataset that cannot be read causes none."""
    measured = {metric.dataset_hash for metric in record.results.metrics}
    judged = [use for use in record.datasets.used if use.hash in measured or use.role != "train"]
    same = [same_data_text(one, other) for one, other in same_data(record.datasets.used)]
    return [*same, *(leak_text(leak) for leak in record.datasets.leaks), *warn_of_retired(ledger, judged)]


def warn_of_retired(ledger: Branch | None, judged: Sequence[DatasetUse]) -> list[str]:
    """Return which versions that something was measured on are retired, and why."""
    if ledger is None or not any(use.name and use.version for use in judged):
        return []
    try:
        retired = read_retirements(ledger)
    except LedgerError:
        return []
    return [
        f"{use.label} is retired: {retired[use.label].text.splitlines()[0]}" for use in judged if use.label in retired
    ]


def warn_of_metrics(ledger: Branch | None, metrics: Sequence[Metric]) -> list[str]:
    """Return warnings about metrics that do not depend on their data, one line each."""
    return [*warn_of_directions(metrics), *warn_of_range(ledger, metrics)]


def warn_of_range(ledger: Branch | None, metrics: Sequence[Metric]) -> list[str]:
    """Return which values are outside of the range that their metric's name implies, one line each.

    Silent where the other values of that metric on this ledger have the same scale. They are read only where there is
    something to say: most records have nothing of the kind, and need no index.
    """
    strange = [metric for metric in metrics if not _is_in_range(metric) and is_share_by_name(metric.name)]
    said = []
    for metric in strange[:_VALUES_SAID]:
        others = _others(ledger, metric)
        if outside_range(metric.key, [*others, metric.number], metric.direction)[-1] or not others:
            by = (
                "its other values are between 0 and 1, so it is not ranked"
                if others
                else "by its name it should be between 0 and 1"
            )
            said.append(
                f"{metric.key} is {metric.number:g}, but {by}; if it is a percentage, record it as a fraction of 1"
            )
    return said


_VALUES_SAID = 3
"""Most values that a warning about ranges names."""


def _is_in_range(metric: Metric) -> bool:
    return not math.isfinite(metric.number) or 0 <= metric.number <= 1


def _others(ledger: Branch | None, metric: Metric) -> list[float]:
    """Return the other values of a comparable group; none where they cannot be read."""
    if ledger is None or not metric.dataset_hash:
        return []
    # The index and SQLite, which recording does without.
    from ledger.store.index.index import ask_file

    try:
        found = ask_file(ledger, lambda index: index.standings(metric.key, None)) or []
    except LedgerError:
        return []
    values = [score.value for told, scores in found if told[:2] == metric.group_id[1:] for score in scores]
    if metric.number in values:
        values.remove(metric.number)  # its own
    return values


def warn_of_directions(metrics: Sequence[Metric]) -> list[str]:
    """Return in one line which metrics have no direction: the author is asked, and nothing is guessed."""
    silent = list(dict.fromkeys(metric.key for metric in metrics if metric.direction is None))
    if not silent:
        return []
    told = f"no direction is recorded for {listed(silent, 3)}, so {_never(silent)}"
    return [f"{told}; set `directions` in policy.yaml once, or: --direction {shlex.quote(silent[0])}=higher"]


def warn_of_data(metrics: Sequence[Metric], uses: Sequence[DatasetUse]) -> list[str]:
    """Return which metrics have no dataset, in one line, and which have one of several, with what to type."""
    nowhere: list[str] = []
    told: list[str] = []
    for metric in metrics:
        if metric.dataset_hash or metric.period or metric.origin != "said":
            continue
        place = match_split(metric.split, metric.name, uses)
        found = list({use.label: use for use in place.uses if use.hash}.values())
        if metric.dataset is None and len(found) > 1:
            names = [use.label.partition("@")[0] for use in found]
            named = " or ".join(f"{name}/{place.name}" for name in names if "/" not in name)
            one = f"several datasets are `{place.split}` ({', '.join(use.label for use in found)})"
            told.append(f"{metric.key} has no dataset, because {one}" + (f"; rename it to {named}" if named else ""))
        else:
            nowhere.append(metric.key)
    if nowhere:
        verb = "is" if len(nowhere) == 1 else "are"
        told.append(
            f"{listed(nowhere, 3)} {verb} measured on no dataset, so {_never(nowhere)}; {_how_to_say(nowhere[0], uses)}"
        )
    return told


def _never(keys: Sequence[str]) -> str:
    return "it is never ranked" if len(keys) == 1 else "they are never ranked"


def _how_to_say(key: str, uses: Sequence[DatasetUse]) -> str:
    """Return how to state the data of a metric."""
    split, slash, name = key.rpartition("/")
    word, underscore, bare = name.partition("_")
    if not slash and underscore and bare and (word in SPLITS or word in _ROLES):
        split, name = word, bare
    split = SPLITS.get(split.lower(), split)
    judged = next((use for use in uses if use.hash and use.role != "train"), None)
    if split in _ROLES:
        return f"name the data with --dataset {split}=PATH"
    if judged is not None:
        return f"if that was {judged.label}, rename it to {judged.split}/{name}"
    if split:
        return f"name the data after it with --dataset test:{split}@v1=PATH, or rename it to validation/{name}"
    return f"name the data with --dataset validation=PATH, and rename it to validation/{name}"


def leak_text(leak: Leak) -> str:
    """Return a leak as a sentence."""
    ours = f"{leak.within}: " if leak.within else ""
    more = " …" if leak.files > len(leak.examples) else ""
    files = counted(leak.files, "file")
    return f"{ours}{files} shared with {leak.dataset} ({leak.role}): {', '.join(leak.examples)}{more}"


def how_to_name(record: Record) -> str | None:
    """Return the command that names unnamed data, for evaluation data first; none when all data has a name."""
    order = {"validation": 0, "test": 1}
    seen = [use for use in record.datasets.used if use.path and use.hash and not use.declared]
    nameless = [use for use in seen if not (use.name and use.version)]
    judged = sorted((use for use in nameless if use.role in order), key=lambda use: order[use.role])
    return _command(judged[0]) if judged else None


def _command(use: DatasetUse) -> str:
    name = use.name or "NAME"
    return f"ledger dataset add {name} {shlex.quote(use.path or '')} --role {use.role}"
