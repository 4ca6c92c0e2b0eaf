"""The order of rows of the index, and their content for lists.

Loads nothing but SQLite, like `file.py`. Fields become columns through a function that the caller passes: where the
index may be written it creates missing ones, else it gives up.
"""

import sqlite3
from collections.abc import Callable, Sequence

from ledger.analysis.query.order_warnings import metric_key, no_such_metric, warn_of
from ledger.analysis.query.table import Line

Sql = tuple[str, list[str]]
"""An expression and its arguments."""

Column = Callable[[str], str]
"""Maps the name of a field to its column, or to an equivalent expression."""

_NEWEST = 500
"""How many of the newest runs are looked at one by one: 15 ms, and enough for any filter that one run in 25 passes."""
_ASKED = 500
"""Most rows that one statement names."""

_Row = tuple[str, str, str, str, int]
"""Content hash, evaluator, dataset label and direction of a metric (empty texts where unknown); 1 for runs that do
not count."""


_Group = tuple[str, str, str, str, int]
"""Content hash, dataset label and evaluator of a comparable group, its number as text, and whether it is of
runs that do not count."""


_MOST = (1 << 63) - 1
"""The largest integer of SQLite."""


def order_rows(
    database: sqlite3.Connection, column: Column, where: Sql, sort: str | None, *, reverse: bool, limit: int | None
) -> tuple[list[int], str | None]:
    """Return the numbers of the matching runs, and why part of their order is meaningless.

    They are newest first, or sorted as `Index.select` says; `limit` keeps the first of them.

    Raises:
        UsageError: no run has the metric to sort by.
    """
    count = -1 if limit is None else min(limit, _MOST)
    if sort is None:
        if (
            count > 0
            and where[0] != "1"
            and len(newest := _among_newest(database, where, count, reverse=reverse)) == count
        ):
            return newest, None
        order = f"ORDER BY place {'ASC' if reverse else 'DESC'} LIMIT {count}"
        return read_numbers(database, f"SELECT number FROM runs WHERE {where[0]} {order}", where[1]), None  # noqa: S608  # the expression is our own
    if key := metric_key(sort):
        return _by_metric(database, column, where, key, reverse=reverse, count=count)
    field = column(sort)
    direction = "DESC" if reverse else "ASC"
    parts = ((f"{field} IS NOT NULL", f"{field} {direction}, place"), (f"{field} IS NULL", "place"))
    return _read_parts(database, where, parts, count), None


def _among_newest(database: sqlite3.Connection, where: Sql, count: int, *, reverse: bool) -> list[int]:
    """Return the matching runs among the first in the order of time.

    SQLite finds what a filter matches by the index of its field and sorts all of it: 5.7 s for 20 of a million runs.
    """
    way, after = ("ASC", "<=") if reverse else ("DESC", ">=")
    end = database.execute(f"SELECT place FROM runs ORDER BY place {way} LIMIT 1 OFFSET {_NEWEST}").fetchone()  # noqa: S608  # our own
    if end is None:
        return []
    text = f"SELECT number FROM runs INDEXED BY runs_by_place WHERE place {after} ? AND ({where[0]})"  # noqa: S608  # the expression is our own
    return read_numbers(database, f"{text} ORDER BY place {way} LIMIT {count}", [end[0], *where[1]])


def read_numbers(database: sqlite3.Connection, text: str, arguments: Sequence[str] = ()) -> list[int]:
    """Return the first column of a result."""
    return [number for (number,) in database.execute(text, arguments)]


def _read_parts(
    database: sqlite3.Connection, where: Sql, parts: Sequence[tuple[str, str]], count: int, found: Sequence[int] = ()
) -> list[int]:
    """Return the number of results and the rows of each part in its order, up to a limit in total."""
    numbers = list(found)
    for part, order in parts:
        limit = -1 if count < 0 else max(count - len(numbers), 0)
        if limit:
            text = f"SELECT number FROM runs WHERE ({where[0]}) AND {part} ORDER BY {order} LIMIT {limit}"  # noqa: S608  # the expressions are our own
            numbers += read_numbers(database, text, where[1])
    return numbers


def _by_metric(
    database: sqlite3.Connection, column: Column, where: Sql, key: str, *, reverse: bool, count: int
) -> tuple[list[int], str | None]:
    value, group = column(f"metrics.{key}"), column(f"group.{key}")
    rows = _groups_with(database, group, where)
    if not rows:
        if not read_numbers(database, f"SELECT 1 FROM runs WHERE {where[0]} LIMIT 1", where[1]):  # noqa: S608  # the expression is our own
            return [], None
        raise no_such_metric(key)
    groups, direction = _read_groups(database, rows)
    up = direction == "lower"
    best, tie = ("DESC" if up == reverse else "ASC"), ("DESC" if reverse else "ASC")
    numbers: list[int] = []
    for content, _, _, inside, _ in groups:
        ours = f"{group} IN ({inside})"
        parts = [
            (f"{ours} AND {value} < 'o'", f"{value} {best}, id {tie}"),
            (f"{ours} AND {value} >= 'o'", f"id {tie}"),
        ]
        if not content:  # values on unknown data cannot be ranked: newest first
            parts = [(ours, f"place {'ASC' if reverse else 'DESC'}")]
        numbers = _read_parts(database, where, parts[::-1] if reverse else parts, count, numbers)
    numbers = _read_parts(database, where, [(f"{value} IS NULL", "place")], count, numbers)
    aside = len({one[4] for one in groups}) > 1
    return numbers, warn_of(key, [one[:3] for one in groups], direction=direction, aside=aside)


def read_filter_groups(
    database: sqlite3.Connection, column: Column, where: Sql, key: str
) -> list[tuple[str, str, str]]:
    """Return content hash, label and evaluator of each comparable group of a metric among the matching runs."""
    rows = _groups_with(database, column(f"group.{key}"), where)
    return [one[:3] for one in _read_groups(database, rows, apart=False)[0]]


def _groups_with(database: sqlite3.Connection, group: str, where: Sql) -> list[tuple[int, str, str]]:
    """Return every group of the matching runs, with its first and last position.

    Each step is one lookup in an index: grouping would scan all runs, 0.2 s of CPU at 100,000.
    """
    text, arguments = where
    found: list[tuple[int, str, str]] = []
    at = 0
    while True:
        step = f"SELECT {group} FROM runs WHERE ({text}) AND {group} > {at} ORDER BY {group} LIMIT 1"  # noqa: S608  # the expressions are our own
        if not (row := database.execute(step, arguments).fetchone()):
            return found
        (at,) = row
        ends = [
            database.execute(
                f"SELECT place FROM runs WHERE ({text}) AND {group} = {at} ORDER BY place {way} LIMIT 1",  # noqa: S608  # the expressions are our own
                arguments,
            ).fetchone()[0]
            for way in ("ASC", "DESC")
        ]
        found.append((at, ends[0], ends[1]))


def _read_groups(
    database: sqlite3.Connection, rows: Sequence[tuple[int, str, str]], *, apart: bool = True
) -> tuple[list[_Group], str | None]:
    """Return each comparable group, that with the newest run first, and the direction if it is the same in all.

    Runs that do not count form groups of their own, below the others; without `apart` they are not separated.
    """
    said: dict[tuple[str, str, int], list[tuple[str, str, str, int]]] = {}
    directions = set()
    for number, first, last in rows:
        asked = "SELECT content, evaluator, label, direction, aside FROM groups WHERE number = ?"
        row: _Row = database.execute(asked, (number,)).fetchone()
        content, evaluator, label, direction, aside = row
        said.setdefault((content, evaluator, aside if apart else 0), []).append((first, last, label, number))
        directions |= {direction} - {""}
    newest = sorted(said.items(), key=lambda item: max(last for _, last, _, _ in item[1]), reverse=True)
    groups: list[_Group] = [
        (content, min(parts)[2], evaluator, ", ".join(str(number) for *_, number in parts), aside)
        for (content, evaluator, aside), parts in newest
    ]
    groups.sort(key=lambda group: group[4])
    return groups, directions.pop() if len(directions) == 1 else None


def read_lines(database: sqlite3.Connection, numbers: Sequence[int]) -> list[Line]:
    """Return the stored rows of runs by their numbers, in the order given.

    Raises:
        sqlite3.Error: one is missing or not text: the index was altered, which a new one cures.
    """
    found: dict[int, Line] = {}
    for start in range(0, len(numbers), _ASKED):
        named = ", ".join(str(number) for number in numbers[start : start + _ASKED])
        columns = "number, CAST(id AS TEXT), CAST(said AS TEXT), CAST(cells AS TEXT)"
        asked = f"SELECT {columns} FROM runs JOIN names USING (named) WHERE number IN ({named})"  # noqa: S608  # whole numbers
        rows = database.execute(asked)
        found |= {number: (run, names, cells) for number, run, names, cells in rows}
    if len(found) < len(numbers) or any(None in line for line in found.values()):
        raise sqlite3.DatabaseError("the index holds no line of a run")
    return [found[number] for number in numbers]
