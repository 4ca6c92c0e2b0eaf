"""Judging of a run: its reference, the runs that this needs, and one answer for all metrics."""

import math
from collections.abc import Collection, Sequence

from msgspec.structs import replace

from ledger.analysis.comparing.comparable import counts
from ledger.analysis.judging.judgement import (
    Judgement,
    Tried,
    best_other,
    gather,
    judge,
    shared_group,
    with_samples,
)
from ledger.analysis.judging.pareto import Front, choices_of, front_of
from ledger.analysis.judging.per_sample import SampleEvidence, sample_evidence
from ledger.analysis.judging.verdict import Answer
from ledger.errors import UsageError
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document, plain
from ledger.store.branch.branch import Branch
from ledger.store.branch.sample_values import read_samples
from ledger.store.index.peers import read_baseline, read_peers
from ledger.store.index.selection import find_runs
from ledger.store.review.code_difference import why_no_repeats


class JudgedRun(Document, frozen=True, kw_only=True):
    """The combined answer for all metrics, with a judgement for each; printed by `ledger judge --json`."""

    answer: Answer
    """Combined answer: `discard` when one metric says so, `keep` when all do."""
    judgements: list[Judgement]
    """One per metric."""
    fronts: list[Front] = []
    """Position of the setting in metric, cost, time, size and memory; one per metric, when requested."""


def judge_run(
    ledger: Branch,
    short: str,
    against: str = "baseline",
    *,
    metrics: Sequence[str] = (),
    min_effect: float | None = None,
    trials: int | None = None,
    direction: Direction | None = None,
    include: Collection[str] = (),
    pareto: bool = False,
) -> JudgedRun:
    """Return whether a run is better than another by more than chance.

    Args:
        ledger: ledger of both.
        short: id of the run, or a part of it.
        against: another run, `best` or `baseline`.
        metrics: `split/name` of each; the headline of the run when none.
        min_effect: smallest improvement worth having, in the unit of the metric; the noise width when none.
        trials: settings that it was chosen from; all that were tried when none.
        direction: which values are better, where nobody stated it.
        include: statuses that count beside `finished`.
        pareto: also return its position in metric, cost, time, size and memory.

    Raises:
        NotFound: no run has such an id.
        UsageError: nothing can be judged: a run did not finish or was retracted, there is no baseline or no headline.
        LedgerError: git cannot read the branch.
        ModuleNotFoundError: scipy is not installed.
    """
    if min_effect is not None and not (math.isfinite(min_effect) and min_effect >= 0):
        raise UsageError(f"the smallest improvement must be a number, 0 or more: `{min_effect}`")
    (run,) = find_runs(ledger, [short])
    _refuse_uncounted(run, "run", include)
    other = None if against == "best" else _other(ledger, run, against, include)
    keys = list(dict.fromkeys(metrics)) or [_headline(run)]
    judgements, fronts = [], []
    for key in keys:
        peers = read_peers(ledger, [run, *([other] if other else [])], key, everything=pareto, include=include)
        group = shared_group(run, other or run, key)
        unread = peers.unread.get(group.id, 0)
        tried = gather(peers.runs, unread=unread, only={group.id}, include=include)[group.id]
        if direction is not None and tried.direction is None:
            tried = replace(tried, direction=direction)
        reference = other.record.id if other else best_other(run.record.id, tried)
        judgement = judge(run.record.id, reference, tried, min_effect=min_effect, trials=trials, metrics=len(keys))
        judgement = with_samples(judgement, _samples(ledger, peers.runs, tried, judgement))
        if judgement.verdict.answer == "cannot tell" and (why := why_no_repeats(ledger, run)):
            judgement = replace(judgement, cautions=[*judgement.cautions, why])
        judgements.append(judgement)
        if pareto:
            fronts.append(_front(tried, peers.runs, judgement))
    return JudgedRun(answer=_together([one.verdict.answer for one in judgements]), judgements=judgements, fronts=fronts)


def _samples(ledger: Branch, runs: tuple[StoredRun, ...], tried: Tried, judgement: Judgement) -> SampleEvidence | None:
    sides = ([run for run in runs if run.record.id in side.runs] for side in (judgement.ours, judgement.theirs))
    ours, theirs = (read_samples(ledger, side, tried.group) for side in sides)
    return sample_evidence(ours, theirs, judgement.direction) if ours and theirs else None


def _front(tried: Tried, runs: tuple[StoredRun, ...], judgement: Judgement) -> Front:
    choices = choices_of(tried, {run.record.id: run for run in runs})
    return front_of(tried.place[judgement.run], tried.place[judgement.against], choices)


def _together(answers: list[Answer]) -> Answer:
    if "discard" in answers:
        return "discard"
    return "keep" if set(answers) == {"keep"} else "cannot tell"


def _headline(run: StoredRun) -> str:
    if run.record.results.headline is None:
        raise UsageError(
            f"this run has no headline metric: `{run.record.id}`",
            hint=f"ledger judge {run.record.id} --metric SPLIT/NAME",
        )
    return run.record.results.headline


def _other(ledger: Branch, run: StoredRun, against: str, include: Collection[str]) -> StoredRun:
    if against != "baseline":
        (other,) = find_runs(ledger, [against])
        _refuse_uncounted(other, "run to judge against", include)
        if other.record.id == run.record.id:
            raise UsageError(f"a run cannot be judged against itself: `{run.record.id}`")
        return other
    named = run.record.baseline
    baseline = find_runs(ledger, [named])[0] if named else read_baseline(ledger, run.record.experiment)
    if baseline is None:
        raise UsageError(
            f"this experiment has no baseline: `{run.record.experiment}`",
            hint=f"ledger judge {run.record.id} --against best, or first: ledger baseline RUN",
        )
    _refuse_uncounted(baseline, "baseline", include)
    if baseline.record.id == run.record.id:
        raise UsageError(
            f"this run is the baseline itself: `{run.record.id}`", hint=f"ledger judge {run.record.id} --against best"
        )
    return baseline


def _refuse_uncounted(run: StoredRun, what: str, include: Collection[str]) -> None:
    if run.retraction is not None:
        why = run.retraction.text.splitlines()[0] if run.retraction.text else "no reason given"
        raise UsageError(f"the {what} was retracted ({why}): `{run.record.id}`", hint="ledger judge RUN --against RUN")
    if run.continued_by is not None:
        raise UsageError(
            f"the {what} was continued by another run: `{run.record.id}`", hint=f"ledger judge {run.continued_by}"
        )
    if not counts(run, include):
        status, reason = run.record.status, f", {run.record.reason}" if run.record.reason else ""
        raise UsageError(
            f"the {what} did not finish ({status}{plain(reason)}): `{run.record.id}`",
            hint=f"to judge it anyway: --include {status}",
        )
