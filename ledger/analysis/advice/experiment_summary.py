"""An experiment in short: what was asked and concluded, how its runs ended, and its best setting with its interval."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ledger.analysis.advice.inquiry import State, inquiry_of
from ledger.analysis.comparing.comparable import Group, Leaderboard, counts, group_of, leaderboards
from ledger.analysis.comparing.leaderboard import settings_on
from ledger.analysis.comparing.report import report_table
from ledger.model.entries import Note, StoredRun
from ledger.model.values import Direction, Document


class BestOfExperiment(Document, frozen=True, kw_only=True):
    """The setting with the best mean of the headline metric, where most of the runs were measured alike."""

    group: Group
    """Metric, dataset version and evaluator."""
    direction: Direction | None
    """Which values are better."""
    setting: str
    """What distinguishes it from the other settings, as `lr=0.1, width=16`."""
    mean: float
    """Mean over its runs."""
    interval: tuple[float, float] | None
    """95 % interval of the mean, from the noise pooled over all settings; none where that is unknown."""
    n: int
    """Number of runs behind the mean."""
    runs: tuple[str, ...]
    """Ids of these runs, best first."""
    rivals: int
    """Number of settings that may be the best, this one included; 0 where the noise is unknown."""
    settings: int
    """Number of settings that were measured alike."""


class ExperimentSummary(Document, frozen=True, kw_only=True):
    """What is known of an experiment."""

    experiment: str
    """Its name."""
    state: State
    """`concluded`, or `open` where nobody concluded, or asked again since."""
    question: Note | None
    """What it asks; the latest statement."""
    hypothesis: Note | None
    """What was expected."""
    conclusion: Note | None
    """What it showed."""
    earlier: tuple[Note, ...]
    """Former questions, hypotheses and conclusions, oldest first."""
    runs: int
    """Number of its runs."""
    ended: dict[str, int]
    """Number of runs by how they stand: `finished`, `failed`, `retracted`, …"""
    runs_since: int
    """Number of runs that ended after the conclusion."""
    best: BestOfExperiment | None
    """Its best setting; none where nothing can be ranked."""
    no_best: str | None = None
    """Why there is no best setting."""


def summarise_experiment(name: str, runs: Sequence[StoredRun], notes: Iterable[Note]) -> ExperimentSummary:
    """Return what is known of an experiment from its runs, oldest first, and the notes about it."""
    inquiry = inquiry_of(notes)
    best, no_best = _best(runs)
    return ExperimentSummary(
        experiment=name,
        state=inquiry.state,
        question=inquiry.question,
        hypothesis=inquiry.hypothesis,
        conclusion=inquiry.conclusion,
        earlier=inquiry.earlier,
        runs=len(runs),
        ended=dict(Counter(run.standing for run in runs).most_common()),
        runs_since=inquiry.runs_since(runs),
        best=best,
        no_best=no_best,
    )


def _best(runs: Sequence[StoredRun]) -> tuple[BestOfExperiment | None, str | None]:
    board = _board(runs)
    if board is None:
        return None, "no run that counts has a headline metric" if runs else "it has no run yet"
    ranked = settings_on(board)
    if ranked.refused is not None:
        return None, ranked.refused
    by_id = {standing.run.record.id: standing.run for standing in board.standings}
    try:
        row = report_table(ranked, by_id, "").rows[0]
        interval = row.interval
    except ModuleNotFoundError:  # scipy is part of an extra; without it no interval is known
        return None, "the interval of a mean needs a package: pip install 'git-ledger[stats]'"
    if row.mean is None:
        return None, "no run has a finite value of its headline metric"
    best = BestOfExperiment(
        group=ranked.group,
        direction=ranked.direction,
        setting=row.setting,
        mean=row.mean,
        interval=interval,
        n=row.n,
        runs=row.runs,
        rivals=ranked.leading,
        settings=len(ranked.places),
    )
    return best, None


def _board(runs: Sequence[StoredRun]) -> Leaderboard | None:
    """Return the board that most headlines are on, those that can be ranked first; of equals that of the newest run."""
    heads = Counter(group_of(run.record.headline).id for run in runs if run.record.headline and counts(run))
    boards = [board for board in leaderboards(runs) if board.group.id in heads]
    return max(boards, key=lambda board: (board.ranked, heads[board.group.id]), default=None)
