"""Judgements as text, for the terminal and for the page of a run."""

from collections.abc import Iterator, Sequence

from ledger.analysis.judging.judgement import Judgement
from ledger.analysis.judging.pareto import Front
from ledger.analysis.judging.verdict import TESTS, Answer
from ledger.formatting import change, measured, number


def headline_of(judgement: Judgement) -> str:
    """Return the answer and its reason in one line."""
    return f"{judgement.verdict.answer}: {judgement.verdict.why}"


def brief_line(answer: Answer, judgements: Sequence[Judgement]) -> str:
    """Return an answer for programs in one line: `keep validation/accuracy gain=0.012 p=0.003`."""
    parts: list[str] = [answer]
    for judgement in judgements:
        verdict = judgement.verdict
        parts.append(f"{judgement.metric} gain={number(verdict.effect)}")
        if verdict.corrected_p is not None:
            parts.append(f"p={number(verdict.corrected_p, 2)}")
        if verdict.repeats is not None:
            parts.append(f"repeats-needed={verdict.repeats}")
    return " ".join(parts)


def lines_of(judgements: Sequence[Judgement], fronts: Sequence[Front] = ()) -> Iterator[str]:
    """Yield the lines of an answer, with its numbers."""
    for position, judgement in enumerate(judgements):
        if position:
            yield ""
        yield headline_of(judgement)
        yield from _evidence(judgement)
        if position < len(fronts):
            yield from _front(fronts[position])


def _evidence(judgement: Judgement) -> Iterator[str]:
    verdict, ours, theirs = judgement.verdict, judgement.ours, judgement.theirs
    better = "higher" if judgement.direction == "higher" else "lower"
    yield f"  metric      {judgement.metric} on {judgement.dataset}, {better} is better"
    width = judgement.noise.width if judgement.noise else None
    yield f"  run         {judgement.run}: mean {measured(ours.mean, width)[0]} of {_repeats(ours.count)}"
    yield f"  against     {judgement.against}: mean {measured(theirs.mean, width)[0]} of {_repeats(theirs.count)}"
    interval = ""
    if verdict.low is not None and verdict.high is not None:
        interval = f", 90 % interval {change(verdict.low)} to {change(verdict.high)}"
    yield f"  improvement {change(verdict.effect, 4)}{interval}"
    if verdict.min_effect is not None:
        yield f"  asked for   {number(verdict.min_effect, 3)}"
    if verdict.test is not None and verdict.p is not None and verdict.freedom is not None:
        yield f"  test        {TESTS[verdict.test]}, {number(verdict.freedom, 3)} degrees of freedom"
        yield f"  chance      {number(verdict.p, 2)} of such an improvement when nothing differs"
    if verdict.trials > 1 and verdict.corrected_p is not None:
        luck = (
            f"; the best of them beats their mean by {number(judgement.luck, 3)} by luck alone"
            if judgement.luck
            else ""
        )
        yield f"  selection   {verdict.trials} were tried, so {number(verdict.corrected_p, 2)}{luck}"
    noise = judgement.noise
    if noise is None:
        yield "  noise       not known: no setting has repeats"
    else:
        of = f"{noise.runs} runs of {noise.settings} setting{'s' if noise.settings > 1 else ''}"
        known = f"({number(noise.low, 3)} to {number(noise.high, 3)}; robust {number(noise.robust, 3)})"
        yield f"  noise       {number(noise.width, 3)} {known} from {of}"
    if (seen := judgement.samples) is not None:
        how = "each with itself" if seen.paired else "not the same ones"
        reach = f"95 % {change(seen.low)} to {change(seen.high)}"
        yield f"  samples     {change(seen.effect, 4)} over {seen.samples} ({how}), {reach}"
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
        times = f", {number(ours / theirs, 2)} times" if theirs else ""
        yield f"    {name}: {number(ours)} against {number(theirs)}{times}"


def _repeats(count: int) -> str:
    return "one run" if count == 1 else f"{count} repeats"
