"""Selection of the runs that a verdict needs: repeats, the best, and the number of settings tried; few are read."""

from collections.abc import Collection, Sequence
from math import isfinite, nan

from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.leaderboard import Score, short_key
from ledger.analysis.judging.means import mean
from ledger.model.boxes.outputs import GroupId
from ledger.model.entries import Contents, StoredRun
from ledger.model.values import Document
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import by_time
from ledger.store.index.index import ask
from ledger.store.index.questions import Index

MOST_REPEATS_READ = 300
"""Most repeats that are read for the noise floor, newest first: 200 degrees of freedom are plenty."""


class Peers(Document, frozen=True, kw_only=True):
    """The runs to judge a run beside."""

    runs: tuple[StoredRun, ...]
    """The runs that were read, oldest first."""
    unread: dict[GroupId, int]
    """Number of further settings tried in each comparable group."""


def read_peers(
    ledger: Branch, runs: Sequence[StoredRun], key: str, *, everything: bool = False, include: Collection[str] = ()
) -> Peers:
    """Return the peers of runs for a metric; the runs and their repeats are always included.

    Args:
        ledger: ledger of the runs.
        runs: the runs to judge and their baselines; for those not on the ledger yet, the repeats on it are read.
        key: metric and split.
        everything: read every run with the metric.
        include: statuses that count beside `finished`.

    Raises:
        LedgerError: git cannot read the branch.
    """
    if everything:
        having = (run for run in ledger.contents().runs if any(metric.key == key for metric in run.metrics()))
        return Peers(runs=tuple(having), unread={})

    def question(index: Index) -> Peers:
        return _peers(index, {run.record.id for run in runs}, {short_key(run) for run in runs}, key, include)

    return ask(ledger, question, _read)


def _read(peers: Peers) -> list[str]:
    return [run.record.id for run in peers.runs]


def read_baseline(ledger: Branch, experiment: str) -> StoredRun | None:
    """Return the baseline run of an experiment; none where there is none or it was retracted.

    Raises:
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> Contents:
        return Contents(tip=None, runs=tuple(index.runs_of(index.noted(experiment))))

    return ask(ledger, question).baselines().get(experiment)


def _peers(
    index: Index, wanted: Collection[str], settings_wanted: Collection[str], key: str, include: Collection[str]
) -> Peers:
    """Read the given runs, repeats newest first, and both ends of the ranking; count the other settings.

    Both ends, because the direction of the metric is not known here.
    """
    boards: dict[GroupId, dict[str, list[Score]]] = {}
    for (content, evaluator, _, _), scores in index.standings(key, None):
        settings = boards.setdefault(GroupId(key, content, evaluator), {})
        for score in scores:
            if not score.unranked or score.unranked in include:
                settings.setdefault(score.setting, []).append(score)
    read = set(wanted)
    for settings in boards.values():
        members = sorted(settings.values(), key=lambda scores: max(score.run for score in scores), reverse=True)
        ranked = _in_range(key, sorted((scores for scores in members if isfinite(_mean(scores))), key=_mean))
        ours = (scores for scores in members if scores[0].setting in settings_wanted)
        taken = [*ranked[:1], *ranked[-1:], *ours]
        left = MOST_REPEATS_READ
        for scores in members:
            if 1 < len(scores) <= left:
                taken.append(scores)
                left -= len(scores)
        read.update(score.run for scores in taken for score in scores)
    unread = {
        identity: sum(not any(score.run in read for score in scores) for scores in settings.values())
        for identity, settings in boards.items()
    }
    return Peers(runs=tuple(sorted(index.runs_of(list(read)), key=by_time)), unread=unread)


def _in_range(key: str, settings: Sequence[list[Score]]) -> list[list[Score]]:
    """Return the settings that may be the best, in either direction."""
    means = [_mean(scores) for scores in settings]
    strange = outside_range(key, means, "higher")
    return [scores for scores, outside in zip(settings, strange, strict=True) if not outside] or [*settings]


def _mean(scores: Sequence[Score]) -> float:
    """Return the mean of a setting's finite values; NaN where it has none."""
    finite = [score.value for score in scores if isfinite(score.value)]
    return mean(finite) if finite else nan
