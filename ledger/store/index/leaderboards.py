"""Leaderboards of a whole ledger."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest

from ledger.analysis.comparing.comparable import Group
from ledger.analysis.comparing.leaderboard import Score, SettingBoard, in_order, setting_board
from ledger.analysis.query.language import Query, statuses_asked
from ledger.errors import NotFound
from ledger.model.boxes.outputs import GroupId
from ledger.model.entries import Problem
from ledger.model.values import Direction, Document
from ledger.store.branch.branch import Branch
from ledger.store.index.index import ask
from ledger.store.index.questions import Index
from ledger.store.index.scores import Standing


class Standings(Document, frozen=True, kw_only=True):
    """The leaderboards of one metric."""

    key: str
    """Metric and split."""
    boards: tuple[SettingBoard, ...]
    """One board for each comparable group, the group with the newest run first."""
    warnings: tuple[str, ...] = ()
    """How names in the query were interpreted."""
    problems: tuple[Problem, ...] = ()
    """What on the ledger could not be read."""


def read_standings(
    ledger: Branch, key: str | None = None, query: Query | None = None, include: Collection[str] = ()
) -> Standings:
    """Return the leaderboards of a metric; without a name, of the most frequent headline.

    Args:
        ledger: ledger of the runs.
        key: metric and split.
        query: query that the runs must match; a status that it names counts.
        include: other statuses that count, beside `finished`.

    Raises:
        NotFound: no run that passes has the metric.
        UsageError: nothing has a name in the query, or several have.
        LedgerError: git cannot read the branch.
    """
    counted = {*include, *(statuses_asked(query) if query else ())}

    def question(index: Index) -> Standings:
        chosen = key or _most_common(index.headlines(query))
        if not chosen:
            return Standings(key="", boards=(), problems=index.problems())
        boards = _boards(chosen, index.standings(chosen, query), counted)
        said = tuple(index.names.resolve(query)[1]) if query and boards else ()
        return Standings(key=chosen, boards=boards, warnings=said, problems=index.problems())

    found = ask(ledger, question, _first_runs)
    if found.key and not found.boards:
        split, slash, name = (key or "").partition("/")
        meant = ledger.policy.splits.get(split.lower(), split) if slash else split
        if meant != split:  # runs are stored under this name of the split
            return read_standings(ledger, f"{meant}/{name}", query, include)
        raise NotFound(
            f"no run here has this metric: `{ascii(found.key)[1:-1]}`",
            hint="ledger leaderboard, without --metric, takes the one that most runs are judged by",
        )
    return found


def boards_on(standings: Standings, on: str | None) -> list[SettingBoard]:
    """Return the boards of a dataset version; for a name alone, of each of its versions; with none, all boards.

    Raises:
        NotFound: the metric was not measured there.
    """
    found = [board for board in standings.boards if on is None or _is_on(board, on)]
    if found or on is None:
        return found
    known = ", ".join(sorted({board.group.dataset for board in standings.boards})[:20])
    wanted = ascii(on)[1:-1]
    raise NotFound(
        f"{standings.key} was not measured on: `{wanted}`",
        hint=f"it was measured on {known}; to measure it: ledger reevaluate {wanted} -- COMMAND {{model}}",
    )


def _is_on(board: SettingBoard, wanted: str) -> bool:
    label = board.group.dataset
    return label == wanted or ("@" not in wanted and label.partition("@")[0] == wanted)


def _first_runs(standings: Standings) -> list[str]:
    """Return the top runs of all boards evenly: those that people see and decide by."""
    runs = ([run for place in board.places for run in place.runs] for board in standings.boards)
    return [run for row in zip_longest(*runs) for run in row if run is not None]


def _most_common(headlines: Mapping[str, int]) -> str:
    named = [(-count, name) for name, count in headlines.items() if name]
    return min(named)[1] if named else ""


def _boards(key: str, standings: Iterable[Standing], include: Collection[str]) -> tuple[SettingBoard, ...]:
    scores: dict[GroupId, dict[str, Score]] = {}
    labels: dict[GroupId, set[str]] = {}
    directions: dict[GroupId, set[str]] = {}
    for (content, evaluator, label, direction), members in standings:
        named = GroupId(key, content, evaluator)
        # A later measurement in the same group replaces the one before.
        scores.setdefault(named, {}).update((score.run, score) for score in members)
        labels.setdefault(named, set()).add(label)
        directions.setdefault(named, set()).add(direction)
    return tuple(
        in_order(
            setting_board(
                Group(key=key, dataset=min(labels[named]), dataset_hash=named.dataset_hash, evaluator=named.evaluator),
                _agreed(directions[named] - {""}),
                members.values(),
                include,
            )
            for named, members in scores.items()
        )
    )


def _agreed(stated: set[str]) -> Direction | None:
    known: Sequence[Direction] = [direction for direction in ("higher", "lower") if direction in stated]
    return known[0] if len(known) == 1 else None
