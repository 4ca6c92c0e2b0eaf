"""Comparability of measurements, and the best run among comparable ones.

Two values are comparable when metric, split, dataset version and evaluator version agree. A value on an
unknown dataset version is comparable with nothing.
"""

import math
from collections.abc import Collection, Iterable, Sequence

from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.splits import match_split_of_key
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document


class Group(Document, frozen=True, kw_only=True, order=True):
    """The properties that values must share to be comparable."""

    key: str
    """Metric and split: `validation/accuracy`."""
    dataset: str
    """Dataset version as shown to people; `unknown` when nobody stated it."""
    dataset_hash: str
    """Content hash of that version; empty when unknown."""
    evaluator: str
    """Version of the evaluator; empty when none was stated."""

    @property
    def id(self) -> GroupId:
        """The identity of the group, in which names of datasets play no part."""
        return GroupId(self.key, self.dataset_hash, self.evaluator)

    @property
    def known(self) -> bool:
        """Whether values of this group may be compared with each other at all."""
        return bool(self.dataset_hash)

    @property
    def label(self) -> str:
        """The name of the group for people."""
        evaluator = f", evaluator {self.evaluator}" if self.evaluator else ""
        return f"{self.key} on {self.dataset}{evaluator}"


class Standing(Document, frozen=True, kw_only=True):
    """The value of one run within a group."""

    run: StoredRun
    """The run."""
    metric: Metric
    """Its value in this group; the latest where it was measured more than once."""


class Leaderboard(Document, frozen=True, kw_only=True):
    """The runs of one comparable group, best first where that is known."""

    group: Group
    """Properties that they share."""
    direction: Direction | None
    """Which values are better; none when nobody stated it or the runs disagree."""
    standings: tuple[Standing, ...]
    """Best first; in order of time when they cannot be ranked."""

    @property
    def ranked(self) -> bool:
        """Whether the order is a ranking."""
        return self.group.known and self.direction is not None

    @property
    def best(self) -> Standing | None:
        """The best run, where that is known; never one whose value is outside of the range of the others."""
        if not self.ranked:
            return None
        values = [standing.metric.number for standing in self.standings]
        strange = outside_range(self.group.key, values, self.direction)
        first = next((one for one, outside in zip(self.standings, strange, strict=True) if not outside), None)
        return first if first is not None and math.isfinite(first.metric.number) else None


def group_of(metric: Metric) -> Group:
    """Return the comparable group of a measurement, identified by content hash; names are for people."""
    return Group(
        key=metric.key,
        dataset=metric.dataset or (metric.dataset_hash or "unknown")[:19],
        dataset_hash=metric.dataset_hash or "",
        evaluator=metric.evaluator or "",
    )


def counts(run: StoredRun, include: Collection[str] = ()) -> bool:
    """Return whether a run may be ranked, be the best, and be a repeat: it finished, and stands.

    A run that did not finish was cut off, and its last number is not the result of its setting. Everything that
    ranks calls this function.

    Args:
        run: the run.
        include: statuses that count beside `finished`; runs that were retracted or continued never do.
    """
    return run.unranked is None or (run.standing == run.record.status and run.unranked in include)


def why_uncounted(run: StoredRun) -> str:
    """Return why a run does not count, as words that follow its name; empty where it does."""
    if run.unranked is None:
        return ""
    if run.retraction is not None:
        return "was retracted"
    return f"was continued by {run.continued_by}" if run.continued_by else f"did not finish ({run.unranked})"


def leaderboards(runs: Iterable[StoredRun]) -> list[Leaderboard]:
    """Return one leaderboard per comparable group: validation first, train last, newest data first.

    Runs that do not count are on no leaderboard.
    """
    members: dict[GroupId, dict[str, Standing]] = {}
    groups: dict[GroupId, Group] = {}
    for run in runs:
        if not counts(run):
            continue
        for metric in run.metrics():
            named = metric.group_id
            if named not in groups:
                groups[named], members[named] = group_of(metric), {}
            members[named][run.record.id] = Standing(run=run, metric=metric)
    boards = [_board(groups[named], list(standings.values())) for named, standings in members.items()]
    boards.sort(key=lambda board: max(standing.run.record.id for standing in board.standings), reverse=True)
    return sorted(boards, key=lambda board: (_SPLITS.get(_split(board), 2), board.group.key))


_SPLITS = {"validation": 0, "test": 1, "train": 3}
"""Order of splits by what they say about a model; others come before train, which says least."""


def _split(board: Leaderboard) -> str:
    return board.standings[0].metric.split or ""


def why_not_comparable(left: Metric, right: Metric) -> str | None:
    """Return why two measurements of one metric must not be ranked; none when they may."""
    ours, theirs = group_of(left), group_of(right)
    if ours.key != theirs.key:
        return f"different metrics: `{ours.key}` and `{theirs.key}`"
    if not ours.known or not theirs.known:
        return "the dataset version is unknown"
    if ours.dataset_hash != theirs.dataset_hash:
        return f"measured on different data: `{ours.dataset}` and `{theirs.dataset}`"
    if ours.evaluator != theirs.evaluator:
        return (
            f"measured by different evaluators: `{ours.evaluator or 'unknown'}` and `{theirs.evaluator or 'unknown'}`"
        )
    return None


def data_of_curve(run: StoredRun, series: str) -> DatasetUse | None:
    """Return the dataset of a learning curve: that of the split in its name; none where unknown."""
    uses = [use for use in match_split_of_key(series, run.record.datasets.used).uses if use.hash]
    return uses[0] if len({use.hash for use in uses}) == 1 else None


def agreed_direction(metrics: Iterable[Metric]) -> Direction | None:
    """Return the direction that all measurements with a direction agree on, else none."""
    stated = {metric.direction for metric in metrics if metric.direction is not None}
    return stated.pop() if len(stated) == 1 else None


def _board(group: Group, standings: Sequence[Standing]) -> Leaderboard:
    direction = agreed_direction(standing.metric for standing in standings)
    if group.known and direction is not None:
        standings = sorted(standings, key=lambda standing: rank_key(standing.metric, direction, standing.run.record.id))
    return Leaderboard(group=group, direction=direction, standings=tuple(standings))


def rank_key(metric: Metric, direction: Direction, tie: str) -> tuple[bool, float, str]:
    """Return a sort key: best first, NaN last, ties by `tie`."""
    value = metric.number
    if math.isnan(value):
        return (True, 0.0, tie)
    return (False, -value if direction == "higher" else value, tie)
