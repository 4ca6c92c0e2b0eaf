"""What to try next, from the numbers of a run: each advice names its numbers, its rule and where the rule comes from.

Where evidence is thin it is silent: a difference that the number of samples explains is no difference.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from ledger.analysis.cases import CaseStory
from ledger.model.boxes import Metric
from ledger.model.entries import DatasetVersion, Run
from ledger.model.values import Document, counted

Rule = Literal["bias", "variance", "mismatch", "slices", "idle", "flips"]
"""Which rule speaks."""

_ERRORS = 2.0
"""Standard errors that a gap must be larger than: about 95 times in 100 chance stays below (normal law)."""
_GAP = 0.01
"""Gap below which nothing is advised: one point. Smaller ones are real with many samples, and seldom worth a week."""
_IDLE = 0.3
"""Part of the time that a GPU may stand still before it is said: a threshold of our own."""
_FLIPS = 2
"""Times a case must have changed sides: once is progress or a loss, twice is chance or a fragile model."""
_NG = "Ng, Machine Learning Yearning (2018), chapters 20 to 24"
_NG_MISMATCH = "Ng, Machine Learning Yearning (2018), chapters 37 to 40"


class Advice(Document, frozen=True, kw_only=True):
    """One thing to try."""

    rule: Rule
    """Which rule speaks."""
    say: str
    """What to try, and why."""
    numbers: dict[str, float]
    """What it is based on."""
    source: str
    """Where the rule comes from."""


class _Measured(Document, frozen=True, kw_only=True):
    """An error with its standard error."""

    error: float
    noise: float


def advise(
    run: Run,
    versions: Mapping[str, DatasetVersion],
    stories: Sequence[CaseStory] = (),
    *,
    name: str = "accuracy",
    target: float | None = None,
) -> list[Advice]:
    """Return what to try next, the largest gap first.

    Args:
        run: the run.
        versions: content hash to dataset version: how many samples each has.
        stories: what became of the cases that its model must pass.
        name: the metric, a part of the right answers: 0 to 1, higher is better.
        target: what people, or the product in use today, reach in it.
    """
    errors = {split: _error(run, f"{split}/{name}", versions) for split in ("train", "validation", "test")}
    gaps = [
        *_bias(errors["train"], target, name),
        *_gap(errors["train"], errors["validation"], "variance", ("training", "validation"), _VARIANCE, _NG),
        *_gap(errors["validation"], errors["test"], "mismatch", ("validation", "test"), _MISMATCH, _NG_MISMATCH),
    ]
    gaps.sort(key=lambda advice: -advice.numbers["gap"])
    return [*gaps, *_slices(run, versions), *_idle(run), *_flips(stories)]


def _error(run: Run, key: str, versions: Mapping[str, DatasetVersion]) -> _Measured | None:
    """Return 1 minus a metric, with the standard error of a part counted on so many samples; none where thin."""
    metric = run.record.metric(key)
    samples = _samples(run, metric, versions) if metric is not None else None
    if metric is None or samples is None or not 0 <= metric.number <= 1:
        return None
    error = 1 - metric.number
    # A part of none or all has no spread of its own: as if half a sample more had gone the other way.
    safe = min(max(error, 0.5 / samples), 1 - 0.5 / samples)
    return _Measured(error=error, noise=math.sqrt(safe * (1 - safe) / samples))


def _samples(run: Run, metric: Metric, versions: Mapping[str, DatasetVersion]) -> int | None:
    for use in run.record.datasets.used:
        if use.hash is not None and (use.hash == metric.dataset_hash or use.split == metric.split):
            version = versions.get(use.hash)
            return (version.samples if version else None) or use.samples
    return None


def _bias(train: _Measured | None, target: float | None, name: str) -> list[Advice]:
    if train is None or target is None or not 0 <= target <= 1:
        return []
    gap = train.error - (1 - target)
    if gap < max(_GAP, _ERRORS * train.noise):
        return []
    say = f"it does not reach the {name} of {target:g} on its own training data: train longer, or a larger model"
    return [Advice(rule="bias", say=say, numbers={"train": train.error, "target": 1 - target, "gap": gap}, source=_NG)]


_VARIANCE = "more training data, augmentation or regularisation"
_MISMATCH = "the validation set is not like the test data, or was tuned on too often: add data like the test data"


def _gap(
    before: _Measured | None, after: _Measured | None, rule: Rule, names: tuple[str, str], cure: str, source: str
) -> list[Advice]:
    if before is None or after is None:
        return []
    gap = after.error - before.error
    if gap < max(_GAP, _ERRORS * math.hypot(before.noise, after.noise)):
        return []
    say = f"{names[1]} errors are {gap:.1%} more than {names[0]} errors: {cure}"
    return [
        Advice(rule=rule, say=say, numbers={names[0]: before.error, names[1]: after.error, "gap": gap}, source=source)
    ]


def _slices(run: Run, versions: Mapping[str, DatasetVersion]) -> list[Advice]:
    judged = [versions.get(use.hash or "") for use in run.record.datasets.used if use.role in {"validation", "test"}]
    return [
        Advice(
            rule="slices",
            say=f"{version.label}: {warning}",
            numbers={"samples": float(version.samples or 0)},
            source="Cochran, Sampling Techniques (1977), section 4.4",
        )
        for version in judged
        if version is not None and version.statistics is not None
        for warning in version.statistics.warnings[:1]
    ]


def _idle(run: Run) -> list[Advice]:
    idle = [gpu.gpu_idle_fraction for gpu in run.record.hardware.gpus if gpu.gpu_idle_fraction is not None]
    mean = sum(idle) / len(idle) if idle else 0.0
    if mean <= _IDLE:
        return []
    say = f"its GPUs stood still for {mean:.0%} of the time: prepare data once, or load it with more workers"
    source = f"a rule of our own: more than {_IDLE:.0%}"
    return [Advice(rule="idle", say=say, numbers={"gpu_idle_fraction": mean}, source=source)]


def _flips(stories: Sequence[CaseStory]) -> list[Advice]:
    flipping = [story for story in stories if len(story.broken_by) + len(story.mended_by) >= _FLIPS]
    if not flipping:
        return []
    named = ", ".join(story.case.id[16:] for story in flipping[:3])
    cases = counted(len(flipping), "case")
    say = f"{cases} passed by one model and failed by the next ({named}): add data like that"
    return [
        Advice(
            rule="flips",
            say=say,
            numbers={"cases": float(len(flipping))},
            source="Ribeiro et al., Beyond Accuracy: Behavioral Testing with CheckList (ACL 2020)",
        )
    ]
