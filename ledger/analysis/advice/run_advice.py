"""Advice from the numbers of one run: each piece states its numbers, its rule and the source of the rule.

Silent where evidence is thin: a difference that the number of samples explains is no difference.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from ledger.analysis.advice.budget import Budget, spent_of
from ledger.analysis.comparing.error_rate import Share, share_of, why_no_share
from ledger.analysis.data.cases import CaseStory
from ledger.formatting import duration, share
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.feed import Feed
from ledger.model.values import Document, counted

Rule = Literal["bias", "variance", "mismatch", "slices", "steps", "data-wait", "idle", "complexity", "flips", "noise"]
"""Rule of the advice."""

_ERRORS = 2.0
"""Smallest gap in standard errors: chance stays below it about 95 times in 100 (normal distribution)."""
_GAP = 0.01
"""Smallest gap for advice: one point. Smaller ones can be real with many samples, but are seldom worth a week."""
_IDLE = 0.3
"""Smallest share of idle GPU time for advice: our own threshold."""
_WAIT = 0.2
"""Smallest share of time waiting for data for advice: our own threshold."""
_WAIT_SECONDS = 1.0
"""Shortest wait in seconds for advice: the start of a loader alone takes as long."""
_FLIPS = 2
"""Fewest changes of a case between passed and failed: one is progress or loss, two are chance or a fragile model."""
_NG = "Ng, Machine Learning Yearning (2018), chapters 20 to 24"
_NG_MISMATCH = "Ng, Machine Learning Yearning (2018), chapters 37 to 40"
_STALLS = "Mohan et al., Analyzing and Mitigating Data Stalls in DNN Training (PVLDB 2021, arXiv:2007.06775)"


class Advice(Document, frozen=True, kw_only=True):
    """One suggestion."""

    rule: Rule
    """Rule of the advice."""
    say: str
    """Suggestion and reason."""
    numbers: dict[str, float]
    """Numbers that it is based on."""
    source: str
    """Source of the rule."""


def advise(
    run: StoredRun,
    versions: Mapping[str, DatasetVersion],
    stories: Sequence[CaseStory] = (),
    *,
    name: str | None = None,
    target: float | None = None,
    budget: Budget | None = None,
) -> list[Advice]:
    """Return what to try next, the largest gap first.

    Args:
        run: run to advise on.
        versions: dataset version by content hash, for the number of samples.
        stories: history of each case that its model must pass.
        name: a metric that is the share of right or wrong answers; `metric_of(run)` when none.
        target: level that people, or the product in use today, reach in it.
        budget: limits for the model.
    """
    name = metric_of(run) if name is None else name
    errors = {split: share_of(run, f"{split}/{name}", versions) for split in ("train", "validation", "test")}
    gaps = [
        *_bias(errors["train"], _target_error(run, name, target), f"the {name} of {target:g}" if target else ""),
        *_gap(errors["train"], errors["validation"], "variance", ("training", "validation"), _VARIANCE, _NG),
        *_gap(errors["validation"], errors["test"], "mismatch", ("validation", "test"), _MISMATCH, _NG_MISMATCH),
    ]
    gaps.sort(key=lambda advice: -advice.numbers["gap"])
    hardware = [*_data_wait(run), *_idle(run)]
    return [*gaps, *_slices(run, versions), *hardware, *_complexity(run, budget or Budget()), *_flips(stories)]


def metric_of(run: StoredRun) -> str:
    """Return the metric for advice: the run's headline where that is a share, else `accuracy`."""
    headline = run.record.headline
    return headline.name if headline is not None and why_no_share(headline) is None else "accuracy"


def _target_error(run: StoredRun, name: str, target: float | None) -> float | None:
    """Return the error at a target; for a metric where lower is better, it is the target itself."""
    if target is None or not 0 <= target <= 1:
        return None
    train = run.record.metric(f"train/{name}")
    return target if train is not None and train.direction == "lower" else 1 - target


def _bias(train: Share | None, target: float | None, named: str) -> list[Advice]:
    if train is None or target is None:
        return []
    gap = train.error - target
    if gap < max(_GAP, _ERRORS * train.noise):
        return []
    say = f"it does not reach {named} on its own training data: train longer, or a larger model"
    return [Advice(rule="bias", say=say, numbers={"train": train.error, "target": target, "gap": gap}, source=_NG)]


_VARIANCE = "more training data, augmentation or regularisation"
_MISMATCH = "the validation set is not like the test data, or was tuned on too often: add data like the test data"


def _gap(
    before: Share | None, after: Share | None, rule: Rule, names: tuple[str, str], cure: str, source: str
) -> list[Advice]:
    if before is None or after is None:
        return []
    gap = after.error - before.error
    if gap < max(_GAP, _ERRORS * math.hypot(before.noise, after.noise)):
        return []
    say = f"{names[1]} errors are {100 * gap:.1f} points above {names[0]} errors: {cure}"
    return [
        Advice(rule=rule, say=say, numbers={names[0]: before.error, names[1]: after.error, "gap": gap}, source=source)
    ]


def _slices(run: StoredRun, versions: Mapping[str, DatasetVersion]) -> list[Advice]:
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


def _idle(run: StoredRun) -> list[Advice]:
    idle = [gpu.gpu_idle_fraction for gpu in run.record.hardware.gpus if gpu.gpu_idle_fraction is not None]
    mean = sum(idle) / len(idle) if idle else 0.0
    if mean <= _IDLE:
        return []
    say = f"its GPUs stood still for {share(mean)} of the time: prepare data once, or load it with more workers"
    source = f"a rule of our own: more than {share(_IDLE)}"
    return [Advice(rule="idle", say=say, numbers={"gpu_idle_fraction": mean}, source=source)]


def _data_wait(run: StoredRun) -> list[Advice]:
    usage, took = run.record.hardware.usage, run.record.timing.took
    waited = usage.data_wait_seconds if usage else None
    if waited is None or took is None or waited < _WAIT_SECONDS or waited / took <= _WAIT:
        return []
    say = f"training waited for data {duration(waited)} of {duration(took)}: {_remedy(run.record.datasets.feeds)}"
    numbers = {"data_wait_seconds": waited, "duration_seconds": took, "share": waited / took}
    source = f"{_STALLS}; more than {share(_WAIT)} is a rule of our own"
    return [Advice(rule="data-wait", say=say, numbers=numbers, source=source)]


_DECODED = {"files", "shards", "object"}
"""Kinds of sources whose samples are decoded each time that they are read."""


def _remedy(feeds: Sequence[Feed]) -> str:
    """Return what would let training wait less, by what waited most."""
    slowest = max(feeds, key=lambda feed: feed.wait_seconds, default=None)
    if slowest is None:
        return "more workers, or data prepared once"
    if slowest.server is not None:
        return "more threads in the data server (`ledger serve --workers`), or data prepared once"
    if slowest.source in _DECODED:
        return "data prepared once (`ledger prepare`), or decoded by a server (`ledger serve`)"
    return "fewer bytes a sample, such as 8 bits instead of a float, or more batches read ahead (`prefetch`)"


_CURES = {
    "parameters": "a smaller model, or pruning",
    "model_bytes": "fewer parameters, or fewer bits for each",
    "duration_seconds": "fewer steps, or a smaller model",
    "cost": "fewer steps, a smaller model or a cheaper device",
    "memory_bytes": "a smaller batch or model",
    "flops": "fewer or narrower layers, or smaller inputs",
    "latency_seconds": "fewer or narrower layers, a compiled model, fewer bits, or a faster device",
    "power_watts": "fewer or more thrifty GPUs, or a limit on their power",
}
"""Ways to reduce each quantity of the budget."""


def _complexity(run: StoredRun, budget: Budget) -> list[Advice]:
    return [
        Advice(
            rule="complexity",
            say=f"{one.text} agreed on: {_CURES[one.name]}",
            numbers={one.name: one.amount, "limit": one.limit},
            source="the budget of policy.yaml",
        )
        for one in spent_of(run.record, budget)
        if one.over and one.amount is not None
    ]


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
