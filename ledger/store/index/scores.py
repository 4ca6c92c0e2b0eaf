"""Scores for leaderboards: the value of one metric for every run in each comparable group."""

import sqlite3
from collections.abc import Iterator

from ledger.analysis.comparing.leaderboard import Score
from ledger.analysis.query.sort_keys import read_number
from ledger.store.index.order import Column, Sql

Standing = tuple[tuple[str, str, str, str], list[Score]]
"""Content hash, evaluator, dataset label and direction; then the scores of its runs."""


def read_standings(database: sqlite3.Connection, column: Column, where: Sql, key: str) -> Iterator[Standing]:
    """Yield the scores in each group of a metric; a later score of a run in a group replaces the earlier one."""
    text, arguments = where
    value, group = column(f"metrics.{key}"), column(f"group.{key}")
    own = f"SELECT {group}, {value}, id FROM runs WHERE {group} IS NOT NULL AND ({text}) ORDER BY {group}"  # noqa: S608  # the expressions are our own
    again = "SELECT number, value, run FROM again WHERE metric = ? AND run IN (SELECT id FROM runs WHERE "
    settled = {
        run: (setting, unranked, trace)
        for run, setting, unranked, trace in database.execute("SELECT run, setting, unranked, trace FROM settled")
    }
    for asked, given in ((own, arguments), (f"{again}{text}) ORDER BY number", [key, *arguments])):
        found: dict[int, list[Score]] = {}
        for number, said, run in database.execute(asked, given):
            setting, unranked, trace = settled[run]
            found.setdefault(number, []).append(
                Score(run=run, setting=setting, value=read_number(said), unranked=unranked, trace=trace)
            )
        for number, scores in found.items():
            named = "SELECT content, evaluator, label, direction FROM groups WHERE number = ?"
            yield database.execute(named, (number,)).fetchone(), scores


def count_headlines(database: sqlite3.Connection, where: Sql) -> dict[str, int]:
    """Return how many of the matching runs have each metric as their headline."""
    text, arguments = where
    among = "" if text == "1" else f"AND run IN (SELECT id FROM runs WHERE {text})"  # noqa: S608  # the expressions are our own
    asked = f"SELECT headline, count(*) FROM settled WHERE headline IS NOT NULL {among} GROUP BY headline"  # noqa: S608  # the expressions are our own
    return dict(database.execute(asked, arguments))
