"""A judgement in words: what stands on the terminal and on the page of a run."""

from collections.abc import Iterator, Sequence

from ledger.analysis.judging.judgement import Judgement
from ledger.analysis.judging.pareto import Front
from ledger.analysis.judging.verdict import TESTS


def headline_of(judgement: Judgement) -> str:
    """Return the answer and its reason in one line."""
    return f"{judgement.verdict.answer}: {judgement.verdict.why}"


def lines_of(judgements: Sequence[Judgement], fronts: Sequence[Front] = ()) -> Iterator[str]:
    """Yield the lines of an answer, in words and numbers."""
    for number, judgement in enumerate(judgements):
        if number:
            yield ""
        yield headline_of(judgement)
        yield from _evidence(judgement)
        if number < len(fronts):
            yield from _front(fronts[number])


def _evidence(judgement: Judgement) -> Iterator[str]:
    verdict, ours, theirs = judgement.verdict, judgement.ours, judgement.theirs
    better = "higher" if judgement.direction == "higher" else "lower"
    yield f"  metric      {judgement.metric} on {judgement.dataset}, {better} is better"
    yield f"  run         {judgement.run}: mean {ours.mean:.6g} of {_repeats(ours.count)}"
    yield f"  against     {judgement.against}: mean {theirs.mean:.6g} of {_repeats(theirs.count)}"
    interval = ""
    if verdict.low is not None and verdict.high is not None:
        interval = f", 90 % interval {verdict.low:+z.3g} to {verdict.high:+z.3g}"
    yield f"  improvement {verdict.effect:+z.4g}{interval}"
    if verdict.min_effect is not None:
        yield f"  asked for   {verdict.min_effect:.3g}"
    if verdict.test is not None and verdict.p is not None:
        yield f"  test        {TESTS[verdict.test]}, {verdict.freedom:.3g} degrees of freedom"
        yield f"  chance      {verdict.p:.2g} of such an improvement when nothing differs"
    if verdict.trials > 1 and verdict.corrected_p is not None:
        luck = f"; the best of them beats their mean by {judgement.luck:.3g} by luck alone" if judgement.luck else ""
        yield f"  selection   {verdict.trials} were tried, so {verdict.corrected_p:.2g}{luck}"
    noise = judgement.noise
    if noise is None:
        yield "  noise       not known: no setting has repeats"
    else:
        of = f"{noise.runs} runs of {noise.settings} setting{'s' if noise.settings > 1 else ''}"
        known = f"({noise.low:.3g} to {noise.high:.3g}; robust {noise.robust:.3g})"
        yield f"  noise       {noise.width:.3g} {known} from {of}"
    if (seen := judgement.samples) is not None:
        how = "each with itself" if seen.paired else "not the same ones"
        reach = f"95 % {seen.low:+z.3g} to {seen.high:+z.3g}"
        yield f"  samples     {seen.effect:+z.4g} over {seen.samples} ({how}), {reach}"
    for caution in judgement.cautions:
        yield f"  caution     {caution}"
    if verdict.repeats is not None:
        yield f"  next        {verdict.repeats} repeats of each, with other seeds, would settle it"


def _front(front: Front) -> Iterator[str]:
    if front.dominated_by:
        shown = ", ".join(front.dominated_by[:3])
        yield f"  pareto      dominated by {shown}"
    else:
        yield f"  pareto      {front.word} ({len(front.front)} settings on the front)"
    for name, (ours, theirs) in front.takes.items():
        times = f", {ours / theirs:.2f} times" if theirs else ""
        yield f"    {name}: {ours:.4g} against {theirs:.4g}{times}"


def _repeats(count: int) -> str:
    return "one run" if count == 1 else f"{count} repeats"
