"""The way from runs to a verdict: repeats, the other settings tried, and cautions."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from ledger.analysis.comparing.comparable import Group, agreed_direction, group_of, why_not_comparable
from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.settings import Setting, is_seed, settings_of
from ledger.analysis.judging.noise import Noise, Repeats, measure_noise, pool
from ledger.analysis.judging.per_sample import SampleEvidence
from ledger.analysis.judging.selection_bias import best_by_luck
from ledger.analysis.judging.verdict import Question, Verdict, decide
from ledger.errors import UsageError
from ledger.formatting import number
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document

"""Identity of a comparable group: metric key, content hash, evaluator."""


class Tried(Document, frozen=True, kw_only=True):
    """The settings tried in one comparable group."""

    group: Group
    """The group."""
    direction: Direction | None
    """Which values are better; none when nobody stated it, or runs disagree."""
    settings: tuple[Repeats, ...]
    """Finite values of each setting, one per seed."""
    place: Mapping[str, int]
    """Position in `settings` of each run; runs of a setting without a finite value have none."""
    lost: Mapping[int, int]
    """Number of runs without a finite value, by position of the setting."""
    again: Mapping[int, int]
    """Number of runs whose seed another run had, which are no repeats, by position of the setting."""
    ranks: Mapping[int, int]
    """Number of runs that are other ranks of a counted training, which are no repeats, by position of the setting."""
    pooled: tuple[float, int]
    """Sum of squares within settings, and its degrees of freedom."""
    unread: int = 0
    """Number of settings that were counted and not read."""

    @property
    def count(self) -> int:
        """The number of settings tried."""
        return len(self.settings) + self.unread


class Judgement(Document, frozen=True, kw_only=True):
    """A verdict, with everything that it is based on."""

    run: str
    """Run that was judged."""
    against: str
    """Run that it was judged against."""
    metric: str
    """Metric and split."""
    dataset: str
    """Dataset version that both were measured on."""
    direction: Direction
    """Which values are better."""
    verdict: Verdict
    """The answer."""
    ours: Repeats
    """Values of the setting that was judged."""
    theirs: Repeats
    """Values of the setting that it was judged against."""
    noise: Noise | None
    """The noise floor of the group; none where no setting has repeats."""
    luck: float | None
    """Expected lead of the best of equal trials over their mean, in the metric's unit."""
    samples: SampleEvidence | None = None
    """Evidence from single samples, where both settings stored a value for each."""
    cautions: list[str]
    """Further points that a careful reader should know."""


def gather(
    runs: Iterable[StoredRun],
    *,
    unread: int = 0,
    only: Collection[GroupId] | None = None,
    include: Collection[str] = (),
) -> dict[GroupId, Tried]:
    """Return the settings tried in each comparable group with known data; runs that do not count belong to none.

    Args:
        runs: the runs.
        unread: number of settings with one run in each group that are not among `runs`.
        only: the groups to return; all when none.
        include: statuses that count beside `finished`.
    """
    found: dict[GroupId, list[tuple[Setting, dict[str, Metric]]]] = {}
    groups: dict[GroupId, Group] = {}
    for setting in settings_of(runs, include):
        here: dict[GroupId, dict[str, Metric]] = {}
        for run in (*setting.runs, *setting.ranks):
            for metric in run.metrics():
                named = metric.group_id
                if named.dataset_hash and (only is None or named in only):
                    groups[named] = group_of(metric)
                    here.setdefault(named, {})[run.record.id] = metric
        for named, metrics in here.items():
            found.setdefault(named, []).append((setting, metrics))
    return {named: _tried(groups[named], members, unread) for named, members in found.items()}


def _tried(group: Group, members: Sequence[tuple[Setting, dict[str, Metric]]], unread: int) -> Tried:
    settings: list[Repeats] = []
    place: dict[str, int] = {}
    lost: dict[int, int] = {}
    again: dict[int, int] = {}
    ranks: dict[int, int] = {}
    for setting, metrics in members:
        if len(metrics) == 1:  # nearly all settings of a large ledger
            ((name, metric),) = metrics.items()
            if math.isfinite(metric.number):
                place[name] = len(settings)
                settings.append(Repeats(runs=(name,), values=(metric.number,)))
            continue
        runs = {run.record.id: run for run in setting.runs if run.record.id in metrics}
        others = [run for run in setting.ranks if run.record.id in metrics]
        if not runs:  # only another rank was measured here, later
            runs, others = {run.record.id: run for run in others[:1]}, others[1:]
        finite = {name: run for name, run in runs.items() if math.isfinite(metrics[name].number)}
        if not finite:
            continue
        by_seed = {_seed_of(run): name for name, run in finite.items()}
        latest = set(by_seed.values())
        kept = [name for name in finite if name in latest]  # in order of time: ids within one second sort at random
        at = len(settings)
        settings.append(Repeats(runs=tuple(kept), values=tuple(metrics[name].number for name in kept)))
        place |= dict.fromkeys([*runs, *(run.record.id for run in others)], at)
        if others:
            ranks[at] = len(others)
        if len(runs) > len(finite):
            lost[at] = len(runs) - len(finite)
        if len(finite) > len(kept):
            again[at] = len(finite) - len(kept)
    direction = agreed_direction(metric for _, metrics in members for metric in metrics.values())
    return Tried(
        group=group,
        direction=direction,
        settings=tuple(settings),
        place=place,
        lost=lost,
        again=again,
        ranks=ranks,
        pooled=pool(settings),
        unread=unread,
    )


def _seed_of(run: StoredRun) -> tuple[object, ...]:
    """Return the seed of a run; the run itself where no seed is known."""
    seeds = [(name, repr(value)) for name, value in sorted(run.record.params.values.items()) if is_seed(name)]
    if run.record.seed is None and not seeds:
        return (run.record.id,)
    return (run.record.seed, *seeds)


def shared_group(run: StoredRun, other: StoredRun, key: str) -> Group:
    """Return the comparable group of a metric that both runs were measured in, the one measured last.

    Raises:
        UsageError: there is none; the message says why.
    """
    ours, theirs = ([metric for metric in one.metrics() if metric.key == key] for one in (run, other))
    for one, metrics in ((run, ours), (other, theirs)):
        if not metrics:
            raise UsageError(f"run {one.record.id} has no such metric: `{key}`", hint=f"ledger show {one.record.id}")
    for metric in reversed(ours):
        if any(why_not_comparable(metric, theirs_too) is None for theirs_too in theirs):
            return group_of(metric)
    on = next((metric.dataset for metric in reversed(ours) if metric.dataset), None) or "NAME@VERSION"
    raise UsageError(
        f"`{key}` of the two cannot be compared: {why_not_comparable(ours[-1], theirs[-1])}",
        hint=f"ledger reevaluate {on} --runs 'id = {other.record.id}' -- COMMAND {{model}}",
    )


def best_other(run: str, tried: Tried) -> str:
    """Return a run of the setting with the best mean, excluding the judged run's own setting.

    Raises:
        UsageError: nothing else was tried in this group, or nobody said which values are better.
    """
    direction_of(tried)
    own = tried.place.get(run)
    others = [one for one in ranked_settings(tried) if own is None or one is not tried.settings[own]]
    if not others:
        raise UsageError(f"no other run can be ranked, so there is no best to judge against: `{tried.group.label}`")
    return others[0].runs[-1]


def ranked_settings(tried: Tried) -> list[Repeats]:
    """Return the settings, best first, without those whose mean is outside of the range of the others."""
    strange = outside_range(tried.group.key, [one.mean for one in tried.settings], tried.direction)
    kept = [one for one, outside in zip(tried.settings, strange, strict=True) if not outside]
    return sorted(kept, key=lambda one: -one.mean if tried.direction == "higher" else one.mean)


def direction_of(tried: Tried) -> Direction:
    """Return which values are better.

    Raises:
        UsageError: nobody stated it, or runs disagree.
    """
    if tried.direction is None:
        raise UsageError(
            f"no direction is recorded for this metric: `{tried.group.key}`",
            hint="set it under `directions` in policy.yaml, or: ledger judge RUN --direction higher",
        )
    return tried.direction


def judge(
    run: str,
    against: str,
    tried: Tried,
    *,
    min_effect: float | None = None,
    trials: int | None = None,
    metrics: int = 1,
) -> Judgement:
    """Judge the setting of a run against that of another.

    Args:
        run: run to judge.
        against: run to judge it against.
        tried: settings tried in the group that both were measured in.
        min_effect: the smallest improvement worth having, in the metric's unit; the noise width when none.
        trials: number of settings that the run was chosen from; all that were tried but the other's when none.
        metrics: number of metrics that are judged together.

    Raises:
        UsageError: there is no answer: one setting, no finite value, no direction.
        ModuleNotFoundError: scipy is not installed.
    """
    verdict = verdict_on(run, against, tried, min_effect=min_effect, trials=trials, metrics=metrics)
    at, other = tried.place[run], tried.place[against]
    ours = tried.settings[at]
    noise, tries = measure_noise(tried.settings), verdict.trials
    luck = None if noise is None or tries == 1 else best_by_luck(tries) * noise.width / math.sqrt(ours.count)
    return Judgement(
        run=run,
        against=against,
        metric=tried.group.key,
        dataset=tried.group.dataset,
        direction=direction_of(tried),
        verdict=verdict,
        ours=ours,
        theirs=tried.settings[other],
        noise=noise,
        luck=luck,
        cautions=_cautions(tried, at, other, noise),
    )


def verdict_on(
    run: str,
    against: str,
    tried: Tried,
    *,
    min_effect: float | None = None,
    trials: int | None = None,
    metrics: int = 1,
) -> Verdict:
    """Return only the verdict of `judge`, which costs the same for any number of settings.

    Raises:
        UsageError: there is no answer: one setting, no finite value, no direction.
        ModuleNotFoundError: scipy is not installed.
    """
    direction = direction_of(tried)
    for name in (run, against):
        if name not in tried.place:
            raise UsageError(f"run {name} has no finite value in this group: `{tried.group.label}`")
    at, other = tried.place[run], tried.place[against]
    if at == other:
        raise UsageError(
            f"both are the same setting and differ by seed only, so neither can be better: `{against}`",
            hint=f"ledger judge {run} --against RUN",
        )
    ours, theirs = tried.settings[at], tried.settings[other]
    # A loss may become a hundred times another; a share of right or wrong answers cannot.
    is_share = direction == "higher" or "err" in tried.group.key
    if is_share and _differ_in_unit(ours.values, theirs.values):
        raise UsageError(
            "one seems to be a fraction and the other a percentage,"
            f" {number(ours.mean)} and {number(theirs.mean)}: `{tried.group.key}`",
            hint="record one again in the unit of the other: ledger evaluate RUN -m SPLIT/NAME=VALUE",
        )
    total, freedom = tried.pooled
    own, own_freedom = pool((ours, theirs))
    rest = total - own if total - own > 1e-12 * total else 0.0  # a rounding error of zero
    tries = (trials or max(tried.count - 1, 1)) * metrics
    question = Question(higher=direction == "higher", min_effect=min_effect, trials=tries)
    return _sober(decide(ours, theirs, (rest, freedom - own_freedom), question), tried.lost.get(at, 0))


def with_samples(judgement: Judgement, evidence: SampleEvidence | None) -> Judgement:
    """Return a judgement with the evidence of single samples; where they contradict `keep`, it becomes a caution."""
    if evidence is None:
        return judgement
    from msgspec.structs import replace

    said = []
    if judgement.verdict.answer == "keep" and evidence.low <= 0:
        said.append(
            f"better on these {evidence.samples} samples: as many other samples could reverse it, so test on more"
        )
    return replace(judgement, samples=evidence, cautions=[*judgement.cautions, *said])


def _differ_in_unit(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """Return whether one side is a share and a hundred times it is about the other: 0.93 and 93."""
    small, large = sorted((ours, theirs), key=max)
    whole = min(small) > 0 and max(small) <= 1 < min(large) and max(large) <= 100  # noqa: PLR2004  # per cent
    return whole and 50 < (sum(large) / len(large)) / (sum(small) / len(small)) < 200  # noqa: PLR2004  # about a hundred


def _sober(verdict: Verdict, lost: int) -> Verdict:
    """Return the verdict, with `keep` withdrawn where some repeats had no number: the others are a biased selection."""
    if verdict.answer != "keep" or not lost:
        return verdict
    from msgspec.structs import replace

    why = f"the repeats that gave a number are better, but {lost} gave none"
    return replace(verdict, answer="cannot tell", why=why)


def _cautions(tried: Tried, at: int, other: int, noise: Noise | None) -> list[str]:
    said = []
    for name, place in (("the judged setting", at), ("the setting it is judged against", other)):
        if lost := tried.lost.get(place):
            said.append(f"{lost} runs of {name} gave no finite number and were left out")
        if again := tried.again.get(place):
            said.append(f"{again} runs of {name} share a seed with another, so they are not repeats")
        if ranks := tried.ranks.get(place):
            said.append(f"{ranks} runs of {name} seem to be ranks of the same training run, so they are not repeats")
    if noise is not None and noise.outliers:
        named = ", ".join(noise.outliers[:3])
        more = f" and {len(noise.outliers) - 3} more" if len(noise.outliers) > 3 else ""  # noqa: PLR2004  # the number shown
        said.append(f"outliers: {named}{more}; without them the noise width is about {number(noise.robust, 3)}")
    return said
