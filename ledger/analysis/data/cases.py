"""The history of cases: which runs pass them, and which run broke or fixed one."""

from collections.abc import Sequence
from typing import Literal

from ledger.model.datasets import CaseResult
from ledger.model.entries import Case, StoredRun
from ledger.model.values import Document

State = Literal["passes", "fails", "untried"]
"""State of a case."""


class CaseStory(Document, frozen=True, kw_only=True):
    """The history of one case, run by run."""

    case: Case
    """The case."""
    passed: list[str]
    """Runs whose latest answer is right, oldest first."""
    failed: list[str]
    """Runs whose latest answer is wrong, oldest first."""
    broken_by: list[str]
    """Runs that fail it right after one that passed, in order of the runs."""
    mended_by: list[str]
    """Runs that pass it right after one that failed."""
    state: State
    """Result of the latest run that was asked."""


def case_stories(cases: Sequence[Case], runs: Sequence[StoredRun]) -> list[CaseStory]:
    """Return the history of each case that models must pass, the worst first.

    Args:
        cases: cases of one dataset; overrides are left out.
        runs: runs, oldest first; a run's later answer replaces its earlier one, and retracted runs are left out.
    """
    answers: dict[str, list[tuple[str, CaseResult]]] = {}
    for run in runs:
        if run.retraction is not None:
            continue
        latest = {result.case: result for evaluation in run.evaluations for result in evaluation.cases}
        for name, result in latest.items():
            answers.setdefault(name, []).append((run.record.id, result))
    stories = [_story(case, answers.get(case.id, [])) for case in cases if case.override is None]
    return sorted(stories, key=lambda story: (_STATES[story.state], _SEVERITIES[story.case.severity], story.case.id))


_STATES = {"fails": 0, "untried": 1, "passes": 2}
_SEVERITIES = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def _story(case: Case, answered: Sequence[tuple[str, CaseResult]]) -> CaseStory:
    turns: dict[bool, list[str]] = {True: [], False: []}
    before: bool | None = None
    for run, result in answered:
        if before is not None and before != result.passed:
            turns[result.passed].append(run)
        before = result.passed
    return CaseStory(
        case=case,
        passed=[run for run, result in answered if result.passed],
        failed=[run for run, result in answered if not result.passed],
        broken_by=turns[False],
        mended_by=turns[True],
        state="untried" if before is None else "passes" if before else "fails",
    )
