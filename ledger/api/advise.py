"""What to try next after a run, or after the best run of an experiment."""

from collections.abc import Sequence

from ledger.analysis.advice.budget import Spent, spent_of
from ledger.analysis.advice.experiment_advice import advise_among, best_of
from ledger.analysis.advice.run_advice import Advice, advise, metric_of
from ledger.analysis.comparing.error_rate import why_silent
from ledger.analysis.data.cases import case_stories
from ledger.analysis.judging.judgement import Tried
from ledger.analysis.weak.next_changes import step_advice
from ledger.api.weak import weak_points_of
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.entries import Contents, StoredRun
from ledger.model.values import Document
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import find_runs


class AdviceReport(Document, frozen=True, kw_only=True):
    """The advice on one run or experiment."""

    about: str
    """Run id, or name of the experiment."""
    run: str
    """Run whose numbers the advice uses; for an experiment, its best run."""
    metric: str
    """Metric that the advice is about."""
    advice: list[Advice]
    """What to try."""
    budget: list[Spent]
    """What the run used of everything that the policy limits."""
    silent: str | None
    """Why the errors of the run were not analysed; none where they were."""


def advise_about(
    ledger: Branch, contents: Contents, about: str, *, metric: str | None = None, target: float | None = None
) -> AdviceReport:
    """Return what to try next, by the numbers of a run or of an experiment.

    Args:
        ledger: ledger of the runs.
        contents: everything on it.
        about: id of a run, or a part of it; else the name of an experiment.
        metric: a metric that is the share of right or wrong answers; by default that of the headline.
        target: level that people, or the product in use, reach in it, 0 to 1.

    Raises:
        NotFound: no run and no experiment has this name.
        UsageError: several runs match, or no run of the experiment can be called its best.
        LedgerError: git cannot read the branch.
    """
    run, tried, members = _resolve_subject(ledger, contents, about)
    names = {use.name for use in run.record.datasets.used if use.role in {"validation", "test"}}
    stories = case_stories([case for case in contents.cases if case.dataset in names], contents.runs)
    versions = {one.hash: one for one in contents.datasets}
    name = metric_of(run) if metric is None else metric
    advice = advise(run, versions, stories, name=name, target=target, budget=ledger.policy.budget)
    advice += _on_steps(ledger, contents, run)
    if tried is not None:
        advice += advise_among(run, tried, members)
    named = run.record.id if not members else run.record.experiment
    spent = spent_of(run.record, ledger.policy.budget)
    silent = why_silent(run, name)
    return AdviceReport(about=named, run=run.record.id, metric=name, advice=advice, budget=spent, silent=silent)


def _on_steps(ledger: Branch, contents: Contents, run: StoredRun) -> list[Advice]:
    """Return advice on steps that changed together with weak slices; none where the run kept no tables."""
    try:
        return step_advice(weak_points_of(ledger, contents, run))
    except (NotFound, UsageError):
        return []


def _resolve_subject(
    ledger: Branch, contents: Contents, about: str
) -> tuple[StoredRun, Tried | None, Sequence[StoredRun]]:
    """Return the run, and for an experiment its settings tried; a match of an id takes precedence over a name.

    Raises:
        NotFound: no run has it, and no experiment.
        UsageError: several runs have it, or no run of the experiment can be called its best.
        LedgerError: git cannot read the branch.
    """
    members = [run for run in contents.runs if run.record.experiment == about]
    try:
        (found,) = find_runs(ledger, [about])
    except LedgerError as error:
        if not members:
            if isinstance(error, NotFound):
                raise NotFound(f"no run or experiment has this name: `{about}`", hint="ledger list") from error
            raise
    else:
        return found, None, ()
    best = best_of(members)
    if best is None:
        raise UsageError(
            f"no run of this experiment can be called its best: `{about}`",
            hint="the best one needs a headline with a direction, on a known dataset version; or: ledger advise RUN",
        )
    return *best, members
