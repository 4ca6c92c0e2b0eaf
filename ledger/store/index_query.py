"""Asks the index: queries and orders become SQL; the runs that answer are read from git."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from ledger.analysis.comparable import Group
from ledger.analysis.fields import canonical_field, metric_key
from ledger.analysis.order import Sorted, no_such_metric, warn_of
from ledger.analysis.query import Comparison, Every, Not, Phrase, Query, Some
from ledger.analysis.sortable import ranges, read_back
from ledger.errors import LedgerError
from ledger.model.entries import Problem, Run
from ledger.model.values import Direction
from ledger.repository.repository import Repository
from ledger.store.index_update import read_runs

Sql = tuple[str, list[str]]
"""An expression and its arguments."""

_FIELDS_KEPT = 64
"""Fields that get columns and indexes of their own; those of later questions are searched without."""
_TIMES = {"started", "ended"}
_ASKED = 500
"""Rows that one statement names."""
_DIRECTIONS: dict[str | None, Direction] = {"higher": "higher", "lower": "lower"}


class NotInSql(Exception):
    """A question that has no form in SQL; every record has to be read for it."""


class Index:
    """The index at one commit.

    Args:
        database: open, up to date, with a transaction that keeps it as it is.
        repository: where the records are.
    """

    def __init__(self, database: sqlite3.Connection, repository: Repository) -> None:
        self._database = database
        self._repository = repository
        database.create_function("says", 2, _says, deterministic=True)

    def is_empty(self) -> bool:
        """Say whether there is no run at all."""
        return not self._numbers("SELECT 1 FROM runs LIMIT 1", [])

    def problems(self) -> tuple[Problem, ...]:
        """Return what could not be read, by path."""
        rows = self._database.execute("SELECT path, message FROM problems ORDER BY path")
        return tuple(Problem(path=path, message=message) for path, message in rows)

    def matching(self, short: str) -> list[str]:
        """Return the ids that start so, or whose last part does, in their order; all for the empty text."""
        end = f"{short}\U0010ffff"
        rows = self._database.execute(
            "SELECT id FROM runs WHERE (id >= ? AND id < ?)"
            " OR (substr(id, 17) >= ? AND substr(id, 17) < ?) ORDER BY id",
            (short, end, short, end),
        )
        return [run for (run,) in rows]

    def runs_of(self, ids: Sequence[str]) -> list[Run]:
        """Return the runs of whole ids, in the order given.

        Raises:
            LedgerError: git cannot read one.
        """
        return self._read([n for run in ids for n in self._numbers("SELECT number FROM runs WHERE id = ?", [run])])

    def select(self, query: Query | None, sort: str | None, *, reverse: bool, limit: int | None) -> Sorted:
        """Return the runs that pass, newest first or sorted as `sort_runs` does, the first of them where limited.

        Raises:
            NotInSql: the question has no form in SQL.
            UsageError: no run has the metric to sort by.
            LedgerError: git cannot read a record.
        """
        where, arguments = self._where(query) if query else ("1", [])
        count = -1 if limit is None else limit
        if sort is None:
            order = f"ORDER BY place {'ASC' if reverse else 'DESC'} LIMIT {count}"
            numbers = self._numbers(f"SELECT number FROM runs WHERE {where} {order}", arguments)  # noqa: S608  # our own expression
            return Sorted(runs=tuple(self._read(numbers)))
        if key := metric_key(canonical_field(sort)):
            return self._by_metric(key, (where, arguments), reverse=reverse, count=count)
        column = self._column(sort)
        direction = "DESC" if reverse else "ASC"
        numbers = []
        for part, order in ((f"{column} IS NOT NULL", f"{column} {direction}, place"), (f"{column} IS NULL", "place")):
            numbers += self._numbers(*self._part((where, arguments), part, order, count, len(numbers)))
        return Sorted(runs=tuple(self._read(numbers)))

    def _part(self, where: Sql, part: str, order: str, count: int, found: int) -> Sql:
        limit = -1 if count < 0 else max(count - found, 0)
        text = f"SELECT number FROM runs WHERE ({where[0]}) AND {part} ORDER BY {order} LIMIT {limit}"  # noqa: S608  # our own expressions
        return text, where[1]

    def _by_metric(self, key: str, where: Sql, *, reverse: bool, count: int) -> Sorted:
        value, group = self._column(f"metrics.{key}"), self._column(f"group.{key}")
        rows = self._groups_with(group, where)
        if not rows:
            if not self._numbers(f"SELECT 1 FROM runs WHERE {where[0]} LIMIT 1", where[1]):  # noqa: S608  # our own expression
                return Sorted(runs=())
            raise no_such_metric(key)
        groups, members, direction = self._groups(key, rows)
        up = direction == "lower"
        best, tie = ("DESC" if up == reverse else "ASC"), ("DESC" if reverse else "ASC")
        numbers: list[int] = []
        for inside in members:
            ours = f"{group} IN ({inside})"
            parts = [
                (f"{ours} AND {value} < 'o'", f"{value} {best}, id {tie}"),
                (f"{ours} AND {value} >= 'o'", f"id {tie}"),
            ]
            for part, order in reversed(parts) if reverse else parts:
                numbers += self._numbers(*self._part(where, part, order, count, len(numbers)))
        numbers += self._numbers(*self._part(where, f"{value} IS NULL", "place", count, len(numbers)))
        return Sorted(runs=tuple(self._read(numbers)), warning=warn_of(key, groups, direction))

    def _groups_with(self, group: str, where: Sql) -> list[tuple[int, str, str]]:
        """Return every group of the runs that pass, with the first and the last place in it.

        Each step is one look into an index: grouping would walk all runs, 0.2 s of CPU at 100,000.
        """
        text, arguments = where
        found: list[tuple[int, str, str]] = []
        at = 0
        while True:
            step = f"SELECT {group} FROM runs WHERE ({text}) AND {group} > {at} ORDER BY {group} LIMIT 1"  # noqa: S608  # our own expressions
            if not (row := self._database.execute(step, arguments).fetchone()):
                return found
            (at,) = row
            ends = [
                self._database.execute(
                    f"SELECT place FROM runs WHERE ({text}) AND {group} = {at} ORDER BY place {way} LIMIT 1",  # noqa: S608  # our own expressions
                    arguments,
                ).fetchone()[0]
                for way in ("ASC", "DESC")
            ]
            found.append((at, ends[0], ends[1]))

    def _groups(
        self, key: str, rows: Sequence[tuple[int, str, str]]
    ) -> tuple[list[Group], list[str], Direction | None]:
        """Return the comparable groups, the one with the newest run first, and the numbers of each."""
        said: dict[tuple[str, str], list[tuple[str, str, str, int]]] = {}
        directions = set()
        for number, first, last in rows:
            (text,) = self._database.execute("SELECT said FROM groups WHERE number = ?", (number,)).fetchone()
            content, evaluator, label, direction = msgspec.json.decode(text)
            said.setdefault((content, evaluator), []).append((first, last, label, number))
            directions |= {direction} - {None}
        newest = sorted(said.items(), key=lambda item: max(last for _, last, _, _ in item[1]), reverse=True)
        groups = [
            Group(key=key, dataset=min(parts)[2], dataset_hash=content, evaluator=evaluator)
            for (content, evaluator), parts in newest
        ]
        members = [", ".join(str(number) for *_, number in parts) for _, parts in newest]
        return groups, members, _DIRECTIONS.get(directions.pop()) if len(directions) == 1 else None

    def _where(self, query: Query) -> Sql:
        match query:
            case Comparison():
                return self._comparison(query)
            case Phrase():
                self._index_words()
                return "number IN (SELECT rowid FROM spoken WHERE spoken MATCH ?)", [f'"{" ".join(query.words)}" *']
            case Every() | Some():
                parts = [self._where(part) for part in query.parts]
                joined = (" AND " if isinstance(query, Every) else " OR ").join(f"({text})" for text, _ in parts)
                return joined, [argument for _, arguments in parts for argument in arguments]
            case Not():
                text, arguments = self._where(query.part)
                return f"NOT coalesce(({text}), 0)", arguments

    def _comparison(self, query: Comparison) -> Sql:
        column = self._column(query.field)
        if query.operator == "~":
            return f"says({column}, ?)", [query.value.lower()]
        if query.operator == "!=":
            text, arguments = self._comparison(msgspec.structs.replace(query, operator="="))
            return f"NOT coalesce(({text}), 0)", arguments
        found = ranges(query.operator, query.value, time=query.field in _TIMES)
        arguments = [end for pair in found for end in pair]
        parts = []
        if query.field not in {"tags", "dataset"}:
            parts += [f"({column} >= ? AND {column} < ?)"] * len(found)
        if query.field in {"tags", "dataset"} or query.field.startswith("params."):
            # A list is JSON in the column, which no single value begins like.
            items = f"json_each(CASE WHEN {column} >= '[' AND {column} < '\\' THEN {column} ELSE '[]' END)"
            inside = " OR ".join(["(value >= ? AND value < ?)"] * len(found))
            parts.append(f"({column} >= '[' AND {column} < '\\' AND EXISTS (SELECT 1 FROM {items} WHERE {inside}))")  # noqa: S608  # our own expressions
            arguments = arguments * len(parts) if len(parts) == 1 else [*arguments, *arguments]
        return " OR ".join(parts), arguments

    def _column(self, field: str) -> str:
        """Return the column of a field, made with its indexes when the field is first asked for."""
        if not field.isprintable() or '"' in field or "\\" in field:
            raise NotInSql
        row = self._database.execute("SELECT number FROM fields WHERE name = ?", (field,)).fetchone()
        if row:
            return f"f{row[0]}"
        expression = f"""json_extract(facts, '$."{field.replace("'", "''")}"')"""
        (count,) = self._database.execute("SELECT count(*) FROM fields").fetchone()
        if count >= _FIELDS_KEPT:
            return expression
        self._database.execute("SAVEPOINT making")
        try:
            column = f"f{count}"
            self._database.execute(f"ALTER TABLE runs ADD COLUMN {column} GENERATED ALWAYS AS ({expression}) VIRTUAL")
            self._database.execute(f"CREATE INDEX {column}_by_place ON runs ({column}, place)")
            if field.startswith("group."):
                value = self._column(f"metrics.{field.removeprefix('group.')}")
                self._database.execute(f"CREATE INDEX {column}_by_value ON runs ({column}, {value}, id)")
            self._database.execute("INSERT INTO fields VALUES (?, ?)", (field, count))
        except sqlite3.OperationalError as error:
            with suppress(sqlite3.OperationalError):
                self._database.execute("ROLLBACK TO making")
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
                raise
            return expression  # another process is writing: ask without
        finally:
            with suppress(sqlite3.OperationalError):
                self._database.execute("RELEASE making")
        return column

    def _index_words(self) -> None:
        """Make the full-text index when words are first asked for; triggers keep it from then on."""
        if self._database.execute("SELECT 1 FROM sqlite_master WHERE name = 'spoken'").fetchone():
            return
        for statement in _WORDS:
            self._database.execute(statement)

    def _numbers(self, text: str, arguments: Sequence[str]) -> list[int]:
        return [number for (number,) in self._database.execute(text, arguments)]

    def _read(self, numbers: Sequence[int]) -> list[Run]:
        found: dict[int, tuple[str, dict[str, str], list[tuple[str, str]]]] = {}
        for start in range(0, len(numbers), _ASKED):
            named = ", ".join(str(number) for number in numbers[start : start + _ASKED])
            rows = self._database.execute(f"SELECT number, id, folder, files FROM runs WHERE number IN ({named})")  # noqa: S608  # whole numbers
            for number, run, folder, files in rows.fetchall():
                later = self._database.execute("SELECT path, blob FROM later WHERE run = ? ORDER BY path", (run,))
                found[number] = folder, msgspec.json.decode(files, type=dict[str, str]), later.fetchall()
        runs = []
        for run in read_runs(self._repository, (found[number] for number in numbers)):
            if isinstance(run, Problem):
                raise LedgerError(f"a record cannot be read any more: `{run.path}`")
            runs.append(run)
        return runs


_WORDS = (
    # Words are found in Python, lower-cased and parted by spaces, so the plainest tokenizer reads them back.
    "CREATE VIRTUAL TABLE spoken USING fts5 (words, content = 'runs', content_rowid = 'number', tokenize = 'ascii')",
    "INSERT INTO spoken (spoken) VALUES ('rebuild')",
    (
        "CREATE TRIGGER spoken_come AFTER INSERT ON runs BEGIN"
        " INSERT INTO spoken (rowid, words) VALUES (new.number, new.words); END"
    ),
    (
        "CREATE TRIGGER spoken_go AFTER DELETE ON runs BEGIN"
        " INSERT INTO spoken (spoken, rowid, words) VALUES ('delete', old.number, old.words); END"
    ),
)
"""Full text without a copy of the text: https://www.sqlite.org/fts5.html#external_content_tables."""


def _says(column: str | None, wanted: str) -> bool:
    if column is None:
        return False
    if column.startswith("["):
        return any(item and wanted in read_back(item).lower() for item in msgspec.json.decode(column))
    return wanted in read_back(column).lower()
