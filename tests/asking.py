"""Asks the index of runs that are on no branch: tests of what is comparable need no repository."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ledger.analysis.comparing.leaderboard import SettingBoard
from ledger.analysis.query.language import Query
from ledger.model.entries import StoredRun
from ledger.repository.repository import Repository
from ledger.store.branch.policy import SPLITS
from ledger.store.index.leaderboards import _boards
from ledger.store.index.questions import Index
from ledger.store.index.update import SCHEMA, _Rows


class Unread(Repository):
    """A repository that nobody reads."""

    def __init__(self) -> None:
        pass


class Asked:
    """An index in memory of these runs, which are given oldest first."""

    def __init__(self, runs: Iterable[StoredRun]) -> None:
        self._runs = list(runs)
        database = sqlite3.connect(":memory:", isolation_level=None)
        for statement in SCHEMA:
            database.execute(statement)
        rows = _Rows(database)
        made = [rows.row(run) for run in self._runs]
        columns = "id, place, folder, files, facts, words, named, cells"
        database.executemany(f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", made)  # noqa: S608  # our own names
        rows.write(database)
        self.index = Index(database, Unread(), lambda: SPLITS)

    def select(
        self, query: Query | None = None, sort: str | None = None, *, reverse: bool = False
    ) -> tuple[Sequence[StoredRun], str | None]:
        """Return what `Index.select` returns."""
        numbers, warning = self.index._order(query, sort, reverse=reverse, limit=None)
        return [self._runs[number - 1] for number in numbers], warning


class Ordered(NamedTuple):
    """Runs in an order."""

    runs: Sequence[StoredRun]
    """The runs."""
    warning: str | None
    """Why part of the order means nothing."""


def sort_runs(runs: Iterable[StoredRun], name: str, *, reverse: bool = False) -> Ordered:
    """Return runs (given oldest first) in the order of a field."""
    return Ordered(*Asked(runs).select(sort=name, reverse=reverse))


def passing(query: Query, runs: Iterable[StoredRun]) -> Sequence[StoredRun]:
    """Return the runs that pass, oldest first."""
    return Asked(runs).select(query, reverse=True)[0]


def setting_boards(runs: Iterable[StoredRun], key: str, include: Collection[str] = ()) -> Sequence[SettingBoard]:
    """Return a board for each comparable group of a metric."""
    return _boards(key, Asked(runs).index.standings(key, None), include)
