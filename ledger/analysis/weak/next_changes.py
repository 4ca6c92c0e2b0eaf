"""What to change next in data, augmentation and architecture: one sentence each, guessed from stated rules."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from ledger.analysis.advice.run_advice import Advice, advise
from ledger.analysis.comparing.error_rate import share_of
from ledger.analysis.weak.weak_points import Guess, WeakPoints, WeakShare
from ledger.formatting import number, share
from ledger.model.entries import DatasetVersion, StoredRun

_SURE = 0.9
"""Confidence from which on a mistake points at its label: our own threshold."""
_WIDE = 0.2
"""Width of an interval from which on a slice has too few samples to tell: our own threshold."""
_FITS = 0.5
"""Largest error on training data, as a part of that on validation data, with which a model fits its training data."""
_NEWCOMBE = "Newcombe 1998 (Statistics in Medicine 17, p. 873), corrected for the number of slices"
_LABELS = "Northcutt, Jiang and Chuang, Confident Learning (JAIR 2021): sure mistakes are often wrong labels"
_OWN = "a rule of our own"


def step_advice(points: WeakPoints) -> list[Advice]:
    """Return advice on steps that changed together with slices or classes, by more than chance; at most one."""
    if not points.steps or not points.moved:
        return []
    worse = [one for one in points.moved if one.moved == "worse"]
    one = (worse or points.moved)[0]
    named = "; ".join(f"`{step.name}` ({step.said})" for step in points.steps)
    beside = f", and so do {', '.join(points.beside[:3])}" if points.beside else ""
    cure = "try it as it was there" if worse else "keep it"
    told = f"`{one.name}` is {one.moved} than in {points.against} ({_from_to(one)})"
    return [
        Advice(
            rule="steps",
            say=f"{told}; {named} differs{beside}: {cure}",
            numbers={"before": one.before or 0.0, "after": one.value, "samples": float(one.samples)},
            source=f"{_NEWCOMBE}; that the step is the cause is a guess",
        )
    ]


def guess_changes(
    run: StoredRun, points: WeakPoints, versions: Mapping[str, DatasetVersion]
) -> tuple[list[Guess], dict[str, str]]:
    """Return what to change next, at most one sentence each; and what to record where a rule had no numbers.

    Args:
        run: the run.
        points: its weak points.
        versions: dataset version by content hash, for the number of samples.
    """
    metric = points.metric.partition("/")[2] or points.metric
    gaps: dict[str, Advice] = {
        one.rule: one for one in advise(run, versions, name=metric) if one.rule in {"variance", "mismatch"}
    }
    rules = (_data(points), _augmentation(run, points, gaps), _architecture(run, metric, gaps, versions))
    found = [guess for rule in rules if (guess := next(rule, None)) is not None]
    trained = share_of(run, f"train/{metric}", versions)
    why = f"the error on training data is unknown: run.metric('train/{metric}', …) and run.dataset(…, samples=N)"
    missing = {} if trained else {"architecture": why}
    return found, missing


def _data(points: WeakPoints) -> Iterator[Guess]:
    for one in points.slices:
        if one.weak and points.value is not None:
            values = f"{number(one.value, 3)} there, {number(points.value, 3)} on all samples"
            say = f"add training data like `{one.name}`: {values}"
            rule = "the corrected 95 % interval of the slice does not reach the value on all samples (Wilson 1927)"
            yield Guess(about="data", say=say, rule=rule)
    for pair in points.pairs[:1]:
        others = points.pairs[1:2]
        if pair.low is not None and others and others[0].share is not None and pair.low > others[0].share:
            say = f"add samples that tell `{pair.truth}` from `{pair.predicted}`, and look at their labels first"
            yield Guess(about="data", say=say, rule=f"one pair is confused more than all others; {_OWN}")
    for mistake in points.mistakes[:1]:
        if mistake.confidence >= _SURE:
            first = f"`{mistake.sample}`, labelled `{mistake.truth}`"
            say = f"look at the labels of the surest mistakes first, such as {first}"
            yield Guess(about="data", say=say, rule=_LABELS)
    for one in points.slices[:1]:
        if one.low is not None and one.high is not None and one.high - one.low > _WIDE:
            interval = f"{number(one.low, 2)} to {number(one.high, 2)}"
            say = f"judge on more samples of `{one.name}`: {one.samples} leave {interval} open"
            yield Guess(about="data", say=say, rule=f"an interval wider than {share(_WIDE)}; {_OWN}")


def _augmentation(run: StoredRun, points: WeakPoints, gaps: Mapping[str, Advice]) -> Iterator[Guess]:
    for one in step_advice(points):
        yield Guess(about="augmentation", say=one.say, rule=one.source)
    known = [step.name for step in run.record.params.chain if "aug" in step.name.lower()]
    if "variance" in gaps:
        gap = gaps["variance"]
        what = f"stronger `{known[0]}`" if known else "an augmentation, for no step named `augment` is recorded"
        say = f"try {what}: validation errors are {100 * gap.numbers['gap']:.1f} points above training errors"
        yield Guess(about="augmentation", say=say, rule=gap.source)
    weak = next((one for one in points.slices if one.weak), None)
    if weak is not None:
        say = f"try an augmentation that makes other samples look like `{weak.name}`"
        yield Guess(about="augmentation", say=say, rule=f"a weak slice that no step changed; {_OWN}")


def _architecture(
    run: StoredRun, metric: str, gaps: Mapping[str, Advice], versions: Mapping[str, DatasetVersion]
) -> Iterator[Guess]:
    trained, judged = (share_of(run, f"{split}/{metric}", versions) for split in ("train", "validation"))
    if trained is None or judged is None:
        return
    told = f"it gets {share(trained.error)} of its own training data wrong, of validation data {share(judged.error)}"
    if "variance" not in gaps and judged.error > 0 and trained.error > _FITS * judged.error:
        rule = f"training errors are more than half of validation errors; after Ng, Machine Learning Yearning; {_OWN}"
        yield Guess(about="architecture", say=f"try a larger model, or longer training: {told}", rule=rule)
    elif "variance" in gaps:
        say = f"keep its size, or make it smaller: {told}, so more capacity is no remedy"
        yield Guess(about="architecture", say=say, rule=gaps["variance"].source)


def _from_to(one: WeakShare) -> str:
    return f"{number(one.before, 3)} → {number(one.value, 3)}" if one.before is not None else number(one.value, 3)


def with_guesses(run: StoredRun, points: WeakPoints, versions: Sequence[DatasetVersion]) -> WeakPoints:
    """Return weak points with what to change next."""
    guesses, missing = guess_changes(run, points, {version.hash: version for version in versions})
    return replace(points, guesses=guesses, missing=points.missing | missing)
